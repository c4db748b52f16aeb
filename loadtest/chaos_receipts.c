#include "loadtest/chaos_receipts.h"
#include "queue/callback.h"
#include "sender/base/check.h"
#include "sender/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 2000, /* accepted messages asked for at once */
    FIELDS_MAX = 16,
    LOOK_US = 300 * 1000,     /* between two looks at what was accepted, while it goes on */
    EARLY_WAIT_MAX_MS = 8000, /* from acceptance to an early receipt: past uncertain_wait, too */
    DEDUPE_TTL_MS = 86400 * 1000, /* the sender's usual one */
    LINE_MAX_SIZE = 2048,
};

/* What is kept of an accepted message: its callback data and its wamid, one after the other. */
struct accepted {
    uint64_t at; /* in the memory of texts */
    uint16_t callback_size;
    uint16_t wamid_size;
    uint32_t account;
    uint64_t due_us; /* of its early receipt; 0: none, or told */
};

/* An account's receipts to tell, in order. */
struct line {
    uint32_t *list; /* numbers of accepted messages */
    uint64_t count;
    uint64_t capacity;
    uint64_t next; /* that was not answered yet */
};

struct chaos_receipts {
    struct chaos_house *house;
    double early;
    struct random random;
    struct accepted *list;
    uint64_t count;
    uint64_t capacity;
    uint64_t looked; /* no early one is due before this one, by number */
    char *texts;
    uint64_t texts_size;
    uint64_t texts_capacity;
    uint64_t next; /* number of the next charge to read */
    uint64_t look_us;
    struct line lines[CHAOS_ACCOUNTS_MAX];
    uint32_t turn_of; /* whose line is next */
    bool asking;      /* a call waits for its answer */
    uint32_t asked;   /* which account's */
    uint32_t asked_count;
    bool all; /* begun */
    struct error_text refusal;
    struct chaos_receipts_tally tally;
};

static const char *const place_texts[CHAOS_PLACE_COUNT] = {
#define CHAOS_PLACE(name, text) text,
    CHAOS_PLACES(CHAOS_PLACE)
#undef CHAOS_PLACE
};

const char *
chaos_place_text(enum chaos_place place)
{
    check(place < CHAOS_PLACE_COUNT);
    return place_texts[place];
}

struct chaos_receipts *
chaos_receipts_open(struct chaos_house *house, double early)
{
    struct chaos_receipts *receipts = check_alloc(1, sizeof *receipts);
    receipts->house = house;
    receipts->early = early;
    random_seed(&receipts->random, house->options->seed ^ 0x7265636569707473u);
    return receipts;
}

void
chaos_receipts_close(struct chaos_receipts *receipts)
{
    if (receipts == NULL)
        return;
    for (uint32_t i = 0; i < CHAOS_ACCOUNTS_MAX; i++)
        free(receipts->lines[i].list);
    free(receipts->texts);
    free(receipts->list);
    free(receipts);
}

const struct chaos_receipts_tally *
chaos_receipts_tally(const struct chaos_receipts *receipts)
{
    return &receipts->tally;
}

const char *
chaos_receipts_refusal(const struct chaos_receipts *receipts)
{
    return receipts->refusal.text;
}

/* ---- what was accepted ---------------------------------------------------------------------- */

/* `*memory` holds `count` things of `size`, and has room for `more` of them afterwards. */
static void
make_room(void **memory, uint64_t *capacity, uint64_t needed, uint64_t size)
{
    if (needed <= *capacity)
        return;
    *capacity = needed > *capacity * 2 ? needed + 1024 : *capacity * 2;
    *memory = realloc(*memory, *capacity * size);
    check(*memory != NULL);
}

static void
put_text(struct chaos_receipts *receipts, struct span text)
{
    void *memory = receipts->texts;
    make_room(&memory, &receipts->texts_capacity, receipts->texts_size + text.size, 1);
    receipts->texts = memory;
    if (text.size > 0)
        memcpy(receipts->texts + receipts->texts_size, text.data, text.size);
    receipts->texts_size += text.size;
}

static bool
find_account(const struct chaos_receipts *receipts, const struct callback *callback,
             uint32_t *account)
{
    const struct load_options *options = receipts->house->options;
    for (*account = 0; *account < options->account_count; (*account)++)
        if (span_equal(callback->business, span_of(options->accounts[*account].business_name)) &&
            span_equal(callback->account, span_of(options->accounts[*account].account_name)))
            return true;
    return false;
}

static void
keep(struct chaos_receipts *receipts, struct span text, struct span wamid, uint64_t now_us)
{
    struct callback callback;
    uint32_t account = 0;
    receipts->tally.read++;
    if (!callback_read(text, &callback) || !find_account(receipts, &callback, &account)) {
        receipts->tally.unreadable++;
        return;
    }
    void *memory = receipts->list;
    make_room(&memory, &receipts->capacity, receipts->count + 1, sizeof receipts->list[0]);
    receipts->list = memory;
    struct accepted *accepted = &receipts->list[receipts->count++];
    *accepted = (struct accepted){.at = receipts->texts_size,
                                  .callback_size = (uint16_t)text.size,
                                  .wamid_size = (uint16_t)wamid.size,
                                  .account = account};
    if (!receipts->all && random_chance(&receipts->random, receipts->early))
        accepted->due_us = now_us + random_below(&receipts->random, EARLY_WAIT_MAX_MS) * 1000 + 1;
    put_text(receipts, text);
    put_text(receipts, wamid);
}

static bool
read_line(struct chaos_receipts *receipts, struct span line, uint64_t now_us)
{
    char copy[LINE_MAX_SIZE]; /* reading changes the text */
    struct field memory[FIELDS_MAX];
    struct json_object object = {.fields = memory, .capacity = FIELDS_MAX};
    struct span callback = {0};
    struct span wamid = {0};
    uint64_t number = 0;
    bool counted = false;
    if (line.size > sizeof copy)
        return false;
    memcpy(copy, line.data, line.size);
    if (json_read_flat((struct span){copy, line.size}, &object, NULL) != JSON_OK)
        return false;
    for (size_t i = 0; i < object.count; i++) {
        if (span_equal(object.fields[i].name, SPAN("n")))
            counted = span_to_u64(object.fields[i].value, &number);
        else if (span_equal(object.fields[i].name, SPAN("callback")))
            callback = object.fields[i].value;
        else if (span_equal(object.fields[i].name, SPAN("wamid")))
            wamid = object.fields[i].value;
    }
    if (!counted)
        return false;
    receipts->next = number + 1;
    keep(receipts, callback, wamid, now_us);
    return true;
}

/* One page. `*more`: there may be another. */
static bool
read_page(struct chaos_receipts *receipts, uint64_t now_us, bool *more)
{
    char path[96];
    struct span rest;
    uint64_t lines = 0;
    (void)snprintf(path, sizeof path, "/emulator/accepted?from=%llu&limit=%d",
                   (unsigned long long)receipts->next, PAGE);
    if (!chaos_house_control(receipts->house, path, NULL, &rest))
        return false;
    while (rest.size > 0) {
        struct span line = span_split(&rest, '\n');
        if (line.size == 0)
            continue;
        lines++;
        if (!read_line(receipts, line, now_us)) {
            error_set(&receipts->house->error, "%s: line %llu is not as agreed", path,
                      (unsigned long long)lines);
            return false;
        }
    }
    *more = lines == PAGE;
    return true;
}

/* ---- telling -------------------------------------------------------------------------------- */

static void
put_in_line(struct chaos_receipts *receipts, uint64_t number)
{
    struct line *line = &receipts->lines[receipts->list[number].account];
    void *memory = line->list;
    make_room(&memory, &line->capacity, line->count + 1, sizeof line->list[0]);
    line->list = memory;
    line->list[line->count++] = (uint32_t)number;
}

static void
count_answer(struct chaos_receipts *receipts, const struct reply *reply)
{
    for (uint32_t i = 0; i < receipts->asked_count; i++) {
        struct span place = {0};
        receipts->tally.told++;
        receipts->tally.early += !receipts->all;
        if (!receipt_read(reply, i, &place)) {
            receipts->tally.known++;
            continue;
        }
        for (uint32_t k = 0; k < CHAOS_PLACE_COUNT; k++)
            receipts->tally.settled[k] += span_equal(place, span_of(place_texts[k]));
    }
}

static void
on_answer(void *context, const struct reply *reply)
{
    struct chaos_receipts *receipts = context;
    receipts->asking = false;
    if (reply == NULL)
        return; /* they are still the next: told again when Redis is back */
    if (!receipts_are_read(reply, receipts->asked_count)) {
        if (session_trouble_of(reply) == SESSION_TROUBLE_OTHER)
            error_set(&receipts->refusal, "facteur_receipt: %.*s", SPAN_ARG(reply->text));
        return;
    }
    count_answer(receipts, reply);
    receipts->lines[receipts->asked].next += receipts->asked_count;
}

static struct receipt
receipt_of(const struct chaos_receipts *receipts, uint32_t number)
{
    const struct accepted *accepted = &receipts->list[number];
    struct span text = {receipts->texts + accepted->at, accepted->callback_size};
    struct callback callback;
    check(callback_read(text, &callback));
    struct receipt receipt = callback_receipt(&callback);
    receipt.accepted = true;
    receipt.wamid = (struct span){receipts->texts + accepted->at + accepted->callback_size,
                                  accepted->wamid_size};
    return receipt;
}

static void
tell(struct chaos_receipts *receipts, uint32_t account)
{
    static const uint32_t most = 64; /* small calls meet more states */
    struct chaos_house *house = receipts->house;
    struct line *line = &receipts->lines[account];
    struct receipt list[CALLS_RECEIPTS_MAX];
    uint64_t left = line->count - line->next;
    uint32_t count = left < most ? (uint32_t)left : most;
    for (uint32_t i = 0; i < count; i++)
        list[i] = receipt_of(receipts, line->list[line->next + i]);
    const struct call call = {house->link.session, &house->options->accounts[account], on_answer,
                              receipts};
    receipts->asked = account;
    receipts->asked_count = count;
    receipts->asking =
        call_receipt(&call, chaos_house_events_keep(house), DEDUPE_TTL_MS, list, count);
    link_flush(house->link.link);
}

static void
tell_next(struct chaos_receipts *receipts)
{
    uint32_t accounts = receipts->house->options->account_count;
    for (uint32_t i = 0; i < accounts && !receipts->asking; i++) {
        receipts->turn_of = (receipts->turn_of + 1) % accounts;
        const struct line *line = &receipts->lines[receipts->turn_of];
        if (line->next < line->count)
            tell(receipts, receipts->turn_of);
    }
}

/* Early receipts whose time has come. */
static void
put_due_in_line(struct chaos_receipts *receipts, uint64_t now_us)
{
    while (receipts->looked < receipts->count && receipts->list[receipts->looked].due_us == 0)
        receipts->looked++;
    for (uint64_t i = receipts->looked; i < receipts->count; i++) {
        struct accepted *accepted = &receipts->list[i];
        if (accepted->due_us == 0 || accepted->due_us > now_us)
            continue;
        accepted->due_us = 0;
        put_in_line(receipts, i);
    }
}

void
chaos_receipts_turn(struct chaos_receipts *receipts, uint64_t now_us)
{
    bool more = false;
    if (!receipts->all && now_us >= receipts->look_us &&
        chaos_child_runs(&receipts->house->emulator)) {
        receipts->look_us = now_us + LOOK_US;
        (void)read_page(receipts, now_us, &more);
        put_due_in_line(receipts, now_us);
    }
    if (!receipts->asking && receipts->refusal.text[0] == '\0' &&
        chaos_house_has_redis(receipts->house))
        tell_next(receipts);
}

static void
shuffle(struct chaos_receipts *receipts, uint32_t *numbers, uint64_t count)
{
    for (uint64_t i = count; i > 1; i--) {
        uint64_t other = random_below(&receipts->random, i);
        uint32_t number = numbers[i - 1];
        numbers[i - 1] = numbers[other];
        numbers[other] = number;
    }
}

bool
chaos_receipts_begin_all(struct chaos_receipts *receipts)
{
    bool more = true;
    receipts->all = true;
    while (more)
        if (!read_page(receipts, 0, &more))
            return false;
    uint32_t *numbers = check_alloc(2 * receipts->count + 1, sizeof numbers[0]);
    for (uint64_t i = 0; i < 2 * receipts->count; i++)
        numbers[i] = (uint32_t)(i / 2);
    shuffle(receipts, numbers, 2 * receipts->count);
    for (uint64_t i = 0; i < 2 * receipts->count; i++)
        put_in_line(receipts, numbers[i]);
    free(numbers);
    return true;
}

bool
chaos_receipts_are_told(const struct chaos_receipts *receipts)
{
    for (uint32_t i = 0; i < receipts->house->options->account_count; i++)
        if (receipts->lines[i].next < receipts->lines[i].count)
            return false;
    return !receipts->asking;
}
