/*
 * values_params - the JSON object `params` of a notification; private to templates/.
 */
#ifndef FACTEUR_TEMPLATES_VALUES_PARAMS_H
#define FACTEUR_TEMPLATES_VALUES_PARAMS_H

#include "templates/values.h"

/*
 * Adds to `values` what `params` says; strings are copied into `arena`. Checks texts and keys, but
 * not that everything is there: values_read() does that afterwards.
 */
enum values_error values_params_read(const struct template *template, struct span params,
                                     struct arena *arena, struct values *values,
                                     struct span *field);

/* values.c: one body parameter, and what any value must be. */
enum values_error values_set(const struct template *template, const struct field *field,
                             struct values *values);
bool value_is_one_line(struct span value);

#endif
