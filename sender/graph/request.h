/*
 * request - the JSON body of POST /{phone_number_id}/messages, from a form made once a template.
 *
 * What does not change from message to message is written and escaped when the catalogue is read;
 * a message costs a few copies and the escaping of its values.
 */
#ifndef FACTEUR_SENDER_GRAPH_REQUEST_H
#define FACTEUR_SENDER_GRAPH_REQUEST_H

#include "templates/values.h"

struct request_form; /* of one template */

struct request_form *request_form_open(const struct template *template); /* template is borrowed */
void request_form_close(struct request_form *form);                      /* NULL is allowed */

struct request_input {
    struct span to;        /* "+33612345678", always with its +; or empty: */
    struct span recipient; /* a business-scoped user id */
    struct span callback;  /* biz_opaque_callback_data, at most 512 bytes */
    const struct values *values;
};

/*
 * Appends the body. `components` stands in it only if the template has variables, a button's part
 * only if the button has a value. False if it does not fit: body->overflow is set, and what was
 * written is no JSON. Exactly one of `to` and `recipient` is given; any bytes are escaped so that
 * the body is valid JSON.
 */
bool request_write(const struct request_form *form, const struct request_input *input,
                   struct buffer *body);

#endif
