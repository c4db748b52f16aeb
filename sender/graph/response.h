/*
 * response - a response's body: Meta's id, Meta's error, or nothing that Graph would say.
 *
 * The shape of nearly every response, a short object with messages[0].id, is walked in place
 * without allocation; all else goes through jansson. Both are strict: the body must be one complete
 * JSON text, so that a cut one is never taken for an answer, and what looks like an id inside some
 * string is none. Pure, any thread.
 */
#ifndef FACTEUR_SENDER_GRAPH_RESPONSE_H
#define FACTEUR_SENDER_GRAPH_RESPONSE_H

#include "sender/base/bytes.h"

enum {
    RESPONSE_SIZE_MAX = 64 * 1024, /* bytes of a body; a larger one is not read */
    RESPONSE_ID_MAX = 128,         /* bytes of a message's id; Meta's have about 60 */
};

enum response_kind {
    RESPONSE_ID,       /* messages[0].id, and no error */
    RESPONSE_ERROR,    /* error.code, and no message */
    RESPONSE_EMPTY,    /* no byte, or white space only */
    RESPONSE_HTML,     /* begins with '<': some proxy's page */
    RESPONSE_NOT_JSON, /* or more than RESPONSE_SIZE_MAX bytes, or a name twice in an object */
    RESPONSE_OTHER,    /* JSON, but with neither an id nor an error's code, or with both */
};

struct response {
    struct span id;   /* borrowed from the body, or from the memory of `words` if it was escaped */
    int32_t code;     /* error.code */
    struct span text; /* "error.message: error_data.details", in `words`; may be empty */
};

/* `words` is memory for what must be composed: at least RESPONSE_ID_MAX bytes; text that does not
 * fit is cut between characters. */
enum response_kind response_read(struct span body, struct buffer *words, struct response *response);

/* "an empty body", "a page of HTML": for a sentence about what was no answer. Static. */
const char *response_kind_text(enum response_kind kind);

#endif
