/*
 * response_walk - the quick look at a response: is it one plain object with messages[0].id?
 *
 * Walks the whole body as JSON without allocation, and says yes only if the body is one complete,
 * valid JSON object whose *top-level* "messages" is an array whose first element is an object with
 * a string "id", each named once, and which has no top-level "error". In any doubt (escapes in a
 * name, deep nesting, long numbers, anything invalid) the answer is no, which means
 * "read it with care" and never "refused".
 *
 * An id is base64, so it may hold '/', which some writers of JSON escape as \/ : that escape alone
 * may be in the id, and is still in it when it is given back.
 */
#ifndef FACTEUR_SENDER_GRAPH_RESPONSE_WALK_H
#define FACTEUR_SENDER_GRAPH_RESPONSE_WALK_H

#include "sender/base/bytes.h"

struct response_walk {
    const char *at;
    const char *end;
    bool found;     /* "messages" was met */
    struct span id; /* borrowed from the body */
};

bool response_walk_find_id(struct response_walk *walk, struct span body, struct span *id);

#endif
