#include "sender/cost/rate_holes.h"

#include <string.h>

/* A stretch of days with one card and one set of markets. */
struct stretch {
    const struct markets *markets;
    const struct rate_card *card;
    struct rate_date date;
    const char *first_day;
    const char *earlier_day; /* of the same card and other markets; NULL: it begins the card */
    enum rate_level level;
};

static bool
lacks(const struct stretch *stretch, uint16_t market, enum rate_category category)
{
    uint64_t millionths;
    return markets_has(stretch->markets, market, stretch->first_day) &&
           (stretch->earlier_day == NULL ||
            !markets_has(stretch->markets, market, stretch->earlier_day)) &&
           rate_category_is_needed(category, stretch->date.first_day) &&
           !rate_card_price(stretch->card, market, category, stretch->first_day, &millionths);
}

/* The names of the markets, as many as fit, and how many there are. */
static uint32_t
list_markets(const struct stretch *stretch, enum rate_category category, struct buffer *names)
{
    uint32_t count = 0;
    uint32_t named = 0;
    for (uint16_t market = 0; market < markets_count(stretch->markets); market++) {
        struct span name = markets_name(stretch->markets, market);
        if (!lacks(stretch, market, category))
            continue;
        count++;
        if (buffer_room(names) < name.size + sizeof(", and 4294967295 more"))
            continue;
        if (named++ > 0)
            buffer_put_text(names, ", ");
        buffer_put_span(names, name);
    }
    if (named < count)
        buffer_printf(names, ", and %u more", count - named);
    return count;
}

static void
look_at(const struct stretch *stretch, struct rate_findings *findings)
{
    const struct rate_date *date = &stretch->date;
    const struct rate_site site = {date->file, date->line};
    for (uint32_t i = 0; i < RATE_CATEGORIES; i++) {
        char memory[320];
        struct buffer names;
        enum rate_category category = (enum rate_category)i;
        buffer_init(&names, memory, sizeof(memory));
        uint32_t count = list_markets(stretch, category, &names);
        const char *currency = rate_card_currency(stretch->card);
        const char *plural = count == 1 ? "" : "s";
        if (count == 0)
            continue;
        if (stretch->earlier_day == NULL)
            rate_findings_add(findings, stretch->level, site,
                              "add the rows: with such a card in force, facteur does not start",
                              "the %s card of %s has no %s price for %u market%s: %s", currency,
                              date->first_day, rate_category_text(category), count, plural,
                              buffer_text(&names));
        else
            rate_findings_add(findings, stretch->level, site,
                              "add the card that Meta began with them",
                              "the %s card of %s has no %s price from %s on for %u market%s that "
                              "began then: %s",
                              currency, date->first_day, rate_category_text(category),
                              stretch->first_day, count, plural, buffer_text(&names));
    }
}

/* The first day after `day`, and before the card ends, on which markets change; NULL: none. */
static const char *
next_change(const struct stretch *stretch, const char *day)
{
    const char *change;
    for (uint32_t i = 0; (change = markets_change_day(stretch->markets, i)) != NULL; i++)
        if (strcmp(change, day) > 0 &&
            (stretch->date.end_day[0] == '\0' || strcmp(change, stretch->date.end_day) < 0))
            return change;
    return NULL;
}

static void
look_through(struct stretch *stretch, const char *today, struct rate_findings *findings)
{
    const char *change = stretch->date.first_day;
    stretch->earlier_day = NULL;
    while (change != NULL) {
        /* What a card lacks, it lacks until it ends. */
        bool is_past =
            stretch->date.end_day[0] != '\0' && strcmp(stretch->date.end_day, today) <= 0;
        stretch->first_day = change;
        stretch->level = is_past ? RATE_WARNING : RATE_ERROR;
        look_at(stretch, findings);
        stretch->earlier_day = change;
        change = next_change(stretch, change);
    }
}

static void
look_at_card(struct stretch *stretch, const char *today, struct rate_findings *findings)
{
    struct rate_date *date = &stretch->date;
    for (uint32_t i = 0; i < rate_card_date_count(stretch->card); i++) {
        rate_card_date(stretch->card, i, date);
        if (i == 0 && strcmp(date->first_day, today) > 0)
            rate_findings_add(findings, RATE_WARNING, (struct rate_site){date->file, date->line},
                              "add the card that is in force until then",
                              "the first %s card begins on %s, and none is in force before",
                              rate_card_currency(stretch->card), date->first_day);
        look_through(stretch, today, findings);
    }
}

void
rate_holes_find(const struct rate_book *book, const char *currency, const char *today,
                struct rate_findings *findings)
{
    for (uint32_t i = 0; i < rate_book_count(book); i++) {
        struct stretch stretch = {.markets = rate_book_markets(book),
                                  .card = rate_book_at(book, i)};
        if (currency == NULL || strcmp(rate_card_currency(stretch.card), currency) == 0)
            look_at_card(&stretch, today, findings);
    }
}
