/*
 * json_place - the line and column of a value in JSON text, by its path.
 *
 * The parser we use does not say where a value stood; this walks the text again, and only when
 * something is wrong with it. Private to templates/.
 */
#ifndef FACTEUR_TEMPLATES_JSON_PLACE_H
#define FACTEUR_TEMPLATES_JSON_PLACE_H

#include "sender/base/bytes.h"

struct json_place {
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 1, in bytes */
};

/*
 * Where "components[1].buttons[0].url" stands: its key, or an array's element itself. If the last
 * name is not there, the place of what should hold it. `json` is JSON that a parser took; of any
 * other bytes some place is given.
 */
struct json_place json_place_find(struct span json, const char *path);
struct json_place json_place_of(struct span json, size_t offset); /* of a byte */

#endif
