/*
 * request_shape - which fields Graph knows in a send request, and where the reader puts them.
 *
 * One table an object, in the order in which senders usually write the fields: the reader tries the
 * next one first. A new field of Meta's is a new row.
 */
#ifndef FACTEUR_LOADTEST_REQUEST_SHAPE_H
#define FACTEUR_LOADTEST_REQUEST_SHAPE_H

#include "sender/base/bytes.h"

/* What a field's value must be, and where it goes. */
enum request_value {
    VALUE_STRING,
    VALUE_INDEX,      /* a string or an integer: Meta's own examples have both */
    VALUE_OBJECT,     /* of a shape; its fields go into the same struct */
    VALUE_NOTED,      /* the same, and `has_object` or `has_template` is set */
    VALUE_COMPONENTS, /* an array of components */
    VALUE_PARAMETERS, /* an array of parameters */
    VALUE_ANY,        /* well-formed, and no business of ours */
};

struct request_shape;

struct request_field {
    struct span name;
    enum request_value kind;
    uint16_t offset; /* of a struct span, or of a bool for VALUE_NOTED */
    const struct request_shape *shape;
};

struct request_shape {
    struct span name;
    uint32_t count; /* at most 32: one bit each tells whether it was there */
    struct request_field fields[24];
};

extern const struct request_shape request_shape_root;      /* fills a struct send_request */
extern const struct request_shape request_shape_component; /* fills a struct request_component */
extern const struct request_shape request_shape_parameter; /* fills a struct request_parameter */

#endif
