#include "loadtest/load_ledger.h"

#include <stdio.h>
#include <string.h>

enum { DAYS_MAX = 1024, DAY_SIZE = 10, LEDGER_KEY_MAX = KEYS_BASE_MAX + 32 };

struct days {
    uint32_t count;
    char names[DAYS_MAX][DAY_SIZE + 1]; /* "2026-11-23" */
};

static bool
is_one_of_ours(const struct load_places *places, uint32_t business, struct span account)
{
    for (uint32_t i = 0; i < places->account_count; i++)
        if (strcmp(places->accounts[i].business, places->accounts[business].business) == 0 &&
            span_equal(account, span_of(places->accounts[i].account_name)))
            return true;
    return false;
}

/* "fr|FR|France|utility|…|2018#USD.millionths" */
static void
on_cell(struct load_places *places, uint32_t business, struct span name, struct span value)
{
    struct span rest = name;
    struct span account = span_split(&rest, '|');
    size_t at = 0;
    uint64_t millionths = 0;
    if (!span_find(rest, '#', &at) || !is_one_of_ours(places, business, account))
        return;
    struct span unit = {rest.data + at + 1, rest.size - at - 1};
    struct span currency = span_split(&unit, '.');
    if (!span_equal(unit, SPAN("millionths")))
        return;
    if (!span_to_u64(value, &millionths)) {
        places->strange++;
        return;
    }
    if (places->currency[0] == '\0')
        (void)snprintf(places->currency, sizeof places->currency, "%.*s", SPAN_ARG(currency));
    places->currencies = places->currencies || !span_equal(currency, span_of(places->currency));
    audit_ledger(places->audit, millionths);
}

/* SCAN may give a key twice. */
static void
add_day(struct days *days, struct span key)
{
    if (key.size < DAY_SIZE || days->count == DAYS_MAX)
        return;
    char *name = days->names[days->count];
    memcpy(name, key.data + key.size - DAY_SIZE, DAY_SIZE);
    name[DAY_SIZE] = '\0';
    uint32_t same = 0;
    while (strcmp(days->names[same], name) != 0)
        same++;
    days->count += same == days->count;
}

static bool
find_days(struct load_places *places, uint32_t business, struct days *days)
{
    char pattern[LEDGER_KEY_MAX];
    (void)snprintf(pattern, sizeof pattern, "%s:cost:*", places->accounts[business].business);
    char cursor[32] = "0";
    days->count = 0;
    do {
        const char *const parts[] = {"SCAN", cursor, "MATCH", pattern, "COUNT", "10000", NULL};
        const struct reply *reply = load_redis_ask(places->redis, parts, &places->error);
        const struct reply *keys = reply_at(reply, 1);
        if (reply == NULL || keys == NULL)
            return false;
        (void)snprintf(cursor, sizeof cursor, "%.*s", SPAN_ARG(reply_at(reply, 0)->text));
        for (size_t i = 0; i < keys->count; i++)
            add_day(days, keys->elements[i]->text);
    } while (strcmp(cursor, "0") != 0);
    return true;
}

static bool
read_business(struct load_places *places, uint32_t business)
{
    struct days days;
    if (!find_days(places, business, &days))
        return false;
    for (uint32_t i = 0; i < days.count; i++) {
        char memory[LEDGER_KEY_MAX];
        struct buffer key;
        buffer_init(&key, memory, sizeof memory);
        buffer_printf(&key, "%s:cost:%s", places->accounts[business].business, days.names[i]);
        const char *const parts[] = {"HGETALL", buffer_text(&key), NULL};
        const struct reply *cells = load_redis_ask(places->redis, parts, &places->error);
        if (cells == NULL)
            return false;
        for (size_t k = 0; k + 1 < cells->count; k += 2)
            on_cell(places, business, cells->elements[k]->text, cells->elements[k + 1]->text);
    }
    return true;
}

bool
load_ledger_read(struct load_places *places)
{
    places->currency[0] = '\0';
    places->currencies = false;
    for (uint32_t i = 0; i < places->account_count; i++) {
        bool first = true; /* account of its business */
        for (uint32_t k = 0; k < i; k++)
            first =
                first && strcmp(places->accounts[k].business, places->accounts[i].business) != 0;
        if (first && !read_business(places, i))
            return false;
    }
    return true;
}
