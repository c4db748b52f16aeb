/*
 * emulator_country - digits of a phone number → country, by the longest prefix whose total length
 * fits. The emulator's own reading of prefixes.csv: a trie of digits, built at start.
 *
 * A number whose length no prefix allows belongs to its longest prefix all the same, as a bill must
 * go to someone; only digits that begin with no calling code have no country.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_COUNTRY_H
#define FACTEUR_LOADTEST_EMULATOR_COUNTRY_H

#include "sender/base/bytes.h"

struct emulator_countries;

enum { EMULATOR_COUNTRY_DIGITS_MAX = 17, EMULATOR_COUNTRIES_MAX = 512 };

/* NULL: see error. */
struct emulator_countries *emulator_countries_open(const char *prefixes_path,
                                                   struct error_text *error);
void emulator_countries_close(struct emulator_countries *countries); /* NULL is allowed */

/* `digits` without "+". The index of its country; false if it has none. */
bool emulator_country_of_number(const struct emulator_countries *countries, struct span digits,
                                uint16_t *country);
/* By ISO code, "FR": of business-scoped user ids. */
bool emulator_country_of_code(const struct emulator_countries *countries, struct span code,
                              uint16_t *country);

uint16_t emulator_countries_count(const struct emulator_countries *countries);
const char *emulator_country_code(const struct emulator_countries *countries, uint16_t country);
/* Its calling code's digits, "33". */
struct span emulator_country_calling_code(const struct emulator_countries *countries,
                                          uint16_t country);

#endif
