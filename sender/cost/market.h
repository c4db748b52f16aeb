/*
 * market - Meta's price regions: country → market, by day.
 *
 * From data/markets.csv (country_iso2, country, calling_code_prefix, market_from_…). By ISO
 * country, then by calling code, then "Other".
 */
#ifndef FACTEUR_SENDER_COST_MARKET_H
#define FACTEUR_SENDER_COST_MARKET_H

#include "sender/base/bytes.h"

struct markets;

struct markets *markets_open(const char *path, struct error_text *error); /* NULL: see error */
void markets_close(struct markets *markets);

/* The market of a country ("FR") on `day` ("YYYY-MM-DD"); `calling_code` decides if the country is
 * not listed. Never fails: "Other" is a market. The number is valid for this struct markets. */
uint16_t markets_find(const struct markets *markets, const char *country, uint16_t calling_code,
                      const char *day);
uint16_t markets_count(const struct markets *markets);
struct span markets_name(const struct markets *markets, uint16_t market); /* "Rest of Africa" */
bool markets_by_name(const struct markets *markets, struct span name, uint16_t *market);
/* True if countries are in this market on `day`; "Other" always is, for those not listed. */
bool markets_has(const struct markets *markets, uint16_t market, const char *day);
/* The days on which countries change markets, the oldest first: ends with NULL. Valid as long as
 * the markets. */
const char *markets_change_day(const struct markets *markets, uint32_t index);
struct span markets_country_name(const struct markets *markets, const char *country); /* or empty */

#endif
