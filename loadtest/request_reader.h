/*
 * request_reader - the JSON body of a send request, read strictly and with the emulator's own eyes.
 *
 * One pass over the bytes, no allocation: what Graph knows is told by a table of shapes, and
 * strings are given as spans of the body, or of `scratch` where they held an escape. A field that
 * the shapes do not know is an error, as it is at Meta's.
 *
 * The whole text is always read, so that "not JSON" wins over what is merely wrong in it.
 */
#ifndef FACTEUR_LOADTEST_REQUEST_READER_H
#define FACTEUR_LOADTEST_REQUEST_READER_H

#include "sender/base/bytes.h"

enum {
    REQUEST_BODY_MAX = 64 * 1024, /* bytes */
    REQUEST_COMPONENTS_MAX = 16,  /* header, body, ten buttons, and some to be wrong with */
    REQUEST_PARAMETERS_MAX = 128, /* of all components together */
    REQUEST_DEPTH_MAX = 16,       /* objects and arrays in each other */
};

enum request_error {
    REQUEST_OK,
    REQUEST_NOT_JSON,      /* also: not UTF-8, a lone surrogate, too deep */
    REQUEST_TOO_LARGE,     /* more than REQUEST_BODY_MAX bytes */
    REQUEST_UNKNOWN_FIELD, /* `field` of `parent` is none of Graph's */
    REQUEST_TWICE,         /* `field` of `parent` is there twice */
    REQUEST_WRONG_KIND,    /* `field` of `parent` is not the string, object or array it must be */
    REQUEST_TOO_MANY,      /* more components or parameters than above */
};

/* Is this span that literal? Without a call: the judge asks it a dozen times a request. */
#define REQUEST_IS(span, literal)                                                                  \
    ((span).size == sizeof(literal) - 1 &&                                                         \
     __builtin_memcmp((span).data, "" literal, sizeof(literal) - 1) == 0)

/* A span whose data is NULL was absent; "" has data. */
struct request_parameter {
    struct span type; /* "text", "image", "payload", … */
    struct span name; /* parameter_name */
    struct span
        value; /* text, payload, coupon_code, fallback_value, id or link of a media object */
    struct span other; /* what the emulator does not look at */
    bool has_object;   /* image, video, document, location, currency, date_time or action */
};

struct request_component {
    struct span type;     /* "header", "body", "button" */
    struct span sub_type; /* "url", "quick_reply", "copy_code", … */
    struct span index;    /* digits, from a string or an integer */
    uint32_t first;       /* of its parameters in `parameters` */
    uint32_t count;
};

struct send_request {
    struct span messaging_product;
    struct span recipient_type;
    struct span to;
    struct span recipient;
    struct span type;
    struct span callback; /* biz_opaque_callback_data */
    struct span template_name;
    struct span language;    /* template.language.code */
    struct span text;        /* text.body */
    struct span in_reply_to; /* context.message_id */
    struct span other;
    bool has_template;
    uint32_t component_count;
    uint32_t parameter_count;
    struct request_component components[REQUEST_COMPONENTS_MAX];
    struct request_parameter parameters[REQUEST_PARAMETERS_MAX];

    struct span field;  /* on error: whose fault it is; may be empty */
    struct span parent; /* on error: the object it stands in, "" for the outermost */
};

struct request_scratch {
    char data[REQUEST_BODY_MAX]; /* unescaped strings are never longer than the escaped ones */
};

/* The spans of `*request` are valid as long as `json` and `*scratch` stay as they are. */
enum request_error request_read(struct span json, struct request_scratch *scratch,
                                struct send_request *request);

const char *request_error_text(enum request_error error); /* static */

#endif
