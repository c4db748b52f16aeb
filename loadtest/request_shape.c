#include "loadtest/request_shape.h"

#include "loadtest/request_reader.h"

#include <stddef.h>

#define FIELD(owner, text, where)                                                                  \
    {                                                                                              \
        .name = {text, sizeof(text) - 1}, .kind = VALUE_STRING,                                    \
        .offset = offsetof(struct owner, where)                                                    \
    }
#define FIELD_OF(owner, text, what, where, inner)                                                  \
    {                                                                                              \
        .name = {text, sizeof(text) - 1}, .kind = (what), .offset = offsetof(struct owner, where), \
        .shape = (inner)                                                                           \
    }
#define FIELD_ANY(text)                                                                            \
    {                                                                                              \
        .name = {text, sizeof(text) - 1}, .kind = VALUE_ANY                                        \
    }
/* Counts its rows itself. */
#define SHAPE(title, ...)                                                                          \
    {                                                                                              \
        .name = {title, sizeof(title) - 1},                                                        \
        .count = sizeof((struct request_field[]){__VA_ARGS__}) / sizeof(struct request_field),     \
        .fields = {                                                                                \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

/* image, video, document: an id or a link, and what goes with it. */
static const struct request_shape shape_media =
    SHAPE("media", FIELD(request_parameter, "id", value), FIELD(request_parameter, "link", value),
          FIELD(request_parameter, "filename", other), FIELD(request_parameter, "caption", other));

static const struct request_shape shape_location =
    SHAPE("location", FIELD_ANY("latitude"), FIELD_ANY("longitude"),
          FIELD(request_parameter, "name", other), FIELD(request_parameter, "address", other));

/* The legacy forms: the customer reads fallback_value. */
static const struct request_shape shape_currency =
    SHAPE("currency", FIELD(request_parameter, "fallback_value", value),
          FIELD(request_parameter, "code", other), FIELD_ANY("amount_1000"));

static const struct request_shape shape_date_time =
    SHAPE("date_time", FIELD(request_parameter, "fallback_value", value), FIELD_ANY("day_of_week"),
          FIELD_ANY("day_of_month"), FIELD_ANY("year"), FIELD_ANY("month"), FIELD_ANY("hour"),
          FIELD_ANY("minute"), FIELD_ANY("calendar"), FIELD_ANY("timestamp"));

static const struct request_shape shape_action =
    SHAPE("action", FIELD(request_parameter, "flow_token", other), FIELD_ANY("flow_action_data"),
          FIELD_ANY("thumbnail_product_retailer_id"), FIELD_ANY("sections"));

const struct request_shape request_shape_parameter = SHAPE(
    "parameters", FIELD(request_parameter, "type", type),
    FIELD(request_parameter, "parameter_name", name), FIELD(request_parameter, "text", value),
    FIELD(request_parameter, "payload", value), FIELD(request_parameter, "coupon_code", value),
    FIELD_OF(request_parameter, "image", VALUE_NOTED, has_object, &shape_media),
    FIELD_OF(request_parameter, "video", VALUE_NOTED, has_object, &shape_media),
    FIELD_OF(request_parameter, "document", VALUE_NOTED, has_object, &shape_media),
    FIELD_OF(request_parameter, "location", VALUE_NOTED, has_object, &shape_location),
    FIELD_OF(request_parameter, "currency", VALUE_NOTED, has_object, &shape_currency),
    FIELD_OF(request_parameter, "date_time", VALUE_NOTED, has_object, &shape_date_time),
    FIELD_OF(request_parameter, "action", VALUE_NOTED, has_object, &shape_action));

const struct request_shape request_shape_component =
    SHAPE("components", FIELD(request_component, "type", type),
          FIELD(request_component, "sub_type", sub_type),
          FIELD_OF(request_component, "index", VALUE_INDEX, index, NULL),
          FIELD_OF(request_component, "parameters", VALUE_PARAMETERS, first, NULL));

static const struct request_shape shape_language =
    SHAPE("language", FIELD(send_request, "code", language), FIELD(send_request, "policy", other));

static const struct request_shape shape_template =
    SHAPE("template", FIELD(send_request, "name", template_name),
          FIELD_OF(send_request, "language", VALUE_OBJECT, other, &shape_language),
          FIELD_OF(send_request, "components", VALUE_COMPONENTS, component_count, NULL),
          FIELD(send_request, "namespace", other));

static const struct request_shape shape_text =
    SHAPE("text", FIELD(send_request, "body", text), FIELD_ANY("preview_url"));

static const struct request_shape shape_context =
    SHAPE("context", FIELD(send_request, "message_id", in_reply_to));

const struct request_shape request_shape_root = SHAPE(
    "", FIELD(send_request, "messaging_product", messaging_product),
    FIELD(send_request, "recipient_type", recipient_type), FIELD(send_request, "to", to),
    FIELD(send_request, "biz_opaque_callback_data", callback), FIELD(send_request, "type", type),
    FIELD_OF(send_request, "template", VALUE_NOTED, has_template, &shape_template),
    FIELD(send_request, "recipient", recipient),
    FIELD_OF(send_request, "text", VALUE_OBJECT, other, &shape_text),
    FIELD_OF(send_request, "context", VALUE_OBJECT, other, &shape_context),
    FIELD(send_request, "recipient_identity_key_hash", other), FIELD_ANY("image"),
    FIELD_ANY("audio"), FIELD_ANY("document"), FIELD_ANY("video"), FIELD_ANY("sticker"),
    FIELD_ANY("location"), FIELD_ANY("contacts"), FIELD_ANY("interactive"), FIELD_ANY("reaction"),
    FIELD_ANY("ttl"));
