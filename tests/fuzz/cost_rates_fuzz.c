/* rate_book: any bytes as a file of rate cards. Ends, stays in its memory; what is read has prices
 * that can be asked for, and what is not read is named. */
#include "sender/base/check.h"
#include "sender/cost/rate_holes.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ask(const struct rate_book *book)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < rate_book_count(book); i++) {
        const struct rate_card *card = rate_book_at(book, i);
        check(rate_book_card(book, rate_card_currency(card)) == card);
        for (uint32_t k = 0; k < rate_card_date_count(card); k++) {
            struct rate_date date;
            rate_card_date(card, k, &date);
            check(date.rows > 0 && date.markets > 0);
            check(date.end_day[0] == '\0' || strcmp(date.first_day, date.end_day) < 0);
            sum += span_hash(span_of(date.source));
        }
    }
    check(sum + 1 != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct markets *markets;
    struct error_text error;
    struct rate_findings findings = {0};
    if (markets == NULL)
        markets = markets_open(FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv", &error);
    check(markets != NULL);
    struct rate_book *book = rate_book_new(markets);
    rate_book_add_text(book, (struct span){.data = (const char *)data, .size = size}, "fuzz",
                       &findings);
    ask(book);
    check(rate_book_count(book) > 0 || findings.count > 0);
    for (uint32_t i = 0; i < findings.count; i++)
        check(findings.items[i].what[0] != '\0' && findings.items[i].remedy[0] != '\0');
    rate_holes_find(book, NULL, "2026-11-23", &findings);
    rate_findings_close(&findings);
    rate_book_close(book);
    return 0;
}
