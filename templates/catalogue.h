/*
 * catalogue - the templates in force: a snapshot, never changed; a new one replaces it whole.
 */
#ifndef FACTEUR_TEMPLATES_CATALOGUE_H
#define FACTEUR_TEMPLATES_CATALOGUE_H

#include "templates/template.h"

struct catalogue;

/*
 * Reads every *.json in `folder`. NULL on failure with file, place and cause in `error`: an
 * unreadable folder, a file that template_read() refuses, two files with one name and language.
 */
struct catalogue *catalogue_open_folder(const char *folder, struct error_text *error);
void catalogue_close(struct catalogue *catalogue);

uint32_t catalogue_count(const struct catalogue *catalogue);
const struct template *catalogue_at(const struct catalogue *catalogue, uint32_t index);

/* By exact name and language; NULL if there is none. `*name_known` (may be NULL): the name exists
 * in some other language. Any thread; no allocation. */
const struct template *catalogue_find(const struct catalogue *catalogue, struct span name,
                                      struct span language, bool *name_known);

#endif
