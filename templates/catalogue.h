/*
 * catalogue - the templates in force: a snapshot, never changed; a new one replaces it whole.
 */
#ifndef FACTEUR_TEMPLATES_CATALOGUE_H
#define FACTEUR_TEMPLATES_CATALOGUE_H

#include "templates/template.h"

enum { CATALOGUE_TEMPLATES_MAX = 6000 /* Meta's limit for a verified account */ };

struct catalogue;

/*
 * Reads every *.json in `folder`. NULL on failure with file, place and cause in `error`: an
 * unreadable folder, more than CATALOGUE_TEMPLATES_MAX files, a file that template_read() refuses,
 * two files with one name and language.
 */
struct catalogue *catalogue_open_folder(const char *folder, struct error_text *error);

/*
 * The same from texts in memory: `sources[i]` names `jsons[i]` in errors. Templates get their
 * indices in the order given, those of a folder in the order of its file names.
 */
struct catalogue *catalogue_open_memory(const struct span *jsons, const char *const *sources,
                                        uint32_t count, struct error_text *error);

/*
 * One by one: an empty catalogue with room for `capacity` templates, at most
 * CATALOGUE_TEMPLATES_MAX. Nobody else may read it until the last one is added. catalogue_add()
 * returns false, with the cause in `error`, where catalogue_open_memory() would fail; the
 * catalogue stays as it was.
 */
struct catalogue *catalogue_open_empty(uint32_t capacity);
bool catalogue_add(struct catalogue *catalogue, struct span json, const char *source,
                   struct error_text *error);
/* The same with what template_read() has made of `json`: taken over, also when refused. */
bool catalogue_take(struct catalogue *catalogue, struct template *template, struct span json,
                    const char *source, struct error_text *error);

void catalogue_close(struct catalogue *catalogue); /* NULL is allowed */

uint32_t catalogue_count(const struct catalogue *catalogue);
const struct template *catalogue_at(const struct catalogue *catalogue, uint32_t index);

/* The text a template was read from, and where it came from. Valid as long as the catalogue. */
struct span catalogue_json(const struct catalogue *catalogue, uint32_t index);
const char *catalogue_source(const struct catalogue *catalogue, uint32_t index);

/* By exact name and language; NULL if there is none. `*name_known` (may be NULL): the name exists
 * in some other language. Any thread; no allocation. */
const struct template *catalogue_find(const struct catalogue *catalogue, struct span name,
                                      struct span language, bool *name_known);

#endif
