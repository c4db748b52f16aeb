#include "tests/simulation/notices.h"

#include "sender/base/check.h"
#include "tests/simulation/fairness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIELDS_MAX = 24,
    TEXT_MAX = 64,
    BULK_MAX = 12,
    RECIPIENTS = 12, /* so few that pairs meet again */
    IDS = 4,
};

/* A notice as fields: names and values in turn. */
struct draft {
    char values[FIELDS_MAX][TEXT_MAX];
    const char *words[2 * FIELDS_MAX];
    uint32_t count; /* of words */
};

static void put(struct draft *draft, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
put(struct draft *draft, const char *name, const char *format, ...)
{
    char *value = draft->values[draft->count / 2];
    va_list arguments;
    check(draft->count + 2 <= 2 * FIELDS_MAX);
    va_start(arguments, format);
    vsnprintf(value, TEXT_MAX, format, arguments);
    va_end(arguments);
    draft->words[draft->count++] = name;
    draft->words[draft->count++] = value;
}

const char *
notices_account(uint32_t account)
{
    static const char *const accounts[NOTICES_ACCOUNTS_FAIR] = {
        "facteur:{acme}:fr", "facteur:{acme}:de", "facteur:{acme}:us",  "facteur:{acme}:a3",
        "facteur:{acme}:a4", "facteur:{acme}:a5", "facteur:{acme}:a6",  "facteur:{acme}:a7",
        "facteur:{acme}:a8", "facteur:{acme}:a9", "facteur:{acme}:a10",
    };
    check(account < NOTICES_ACCOUNTS_FAIR);
    return accounts[account];
}

static uint32_t *find_slot(const struct notices *notices, uint32_t account, struct span member);

/* ---- one notice -------------------------------------------------------------------------------
 */

static enum notice_kind
draw_kind(struct world *world)
{
    if (world->weather.fair)
        return NOTICE_PLAIN;
    if (!world_chance(world, world->weather.odd))
        return world_chance(world, 200000) ? NOTICE_CODE : NOTICE_PLAIN;
    return NOTICE_LATER + (enum notice_kind)random_below(&world->dice, NOTICE_KINDS - NOTICE_LATER);
}

static void
put_recipient(struct world *world, const struct notice *notice, struct draft *draft)
{
    static const char *const starts[] = {"+336123456", "+491512345", "+120255501"};
    uint64_t which = random_below(&world->dice, RECIPIENTS);
    if (notice->kind == NOTICE_OPTED_OUT)
        put(draft, "to", "+33699999999");
    else
        put(draft, "to", "%s%02u", starts[which % 3], (unsigned)which);
}

/* One of the ways in which a notice cannot be sent. */
static void
put_bad(struct world *world, const struct notice *notice, struct draft *draft)
{
    switch (random_below(&world->dice, 4)) {
    case 0:
        put(draft, "to", "12");
        put(draft, "template", "order_shipped");
        put(draft, "1", "Claire");
        break;
    case 1:
        put_recipient(world, notice, draft);
        put(draft, "template", "no_such_template");
        put(draft, "1", "Claire");
        break;
    case 2:
        put_recipient(world, notice, draft);
        put(draft, "template", "order_shipped");
        put(draft, "colour", "green");
        break;
    default:
        put_recipient(world, notice, draft);
        put(draft, "template", "order_shipped");
        return; /* a parameter is missing */
    }
    put(draft, "2", "N-%u", notice->number);
}

static void
put_text(struct world *world, const struct notice *notice, struct draft *draft)
{
    if (notice->kind == NOTICE_BAD) {
        put_bad(world, notice, draft);
        return;
    }
    put_recipient(world, notice, draft);
    if (notice->kind == NOTICE_CODE) {
        put(draft, "template", "one_time_code");
        put(draft, "1", "N-%u", notice->number);
        return;
    }
    put(draft, "template", "order_shipped");
    if (notice->kind == NOTICE_OFFER)
        put(draft, "1", "Promo! -50%% on everything, flash sale");
    else
        put(draft, "1", "Claire");
    put(draft, "2", "N-%u", notice->number);
}

static void
put_times(struct world *world, const struct notice *notice, struct draft *draft)
{
    uint64_t now_ms = (world_unix_us(world) + (uint64_t)0) / 1000;
    if (notice->kind == NOTICE_LATER)
        put(draft, "not_before", "%" PRIu64, now_ms + world_between(world, 1, 8000));
    if (notice->kind == NOTICE_SHORT)
        put(draft, "expires", "%" PRIu64, now_ms + world_between(world, 1, 8000));
    if (notice->kind == NOTICE_EXPIRED)
        put(draft, "expires", "%" PRIu64, now_ms - world_between(world, 3600000, 7200000));
}

static void
draft_notice(struct world *world, const struct notice *notice, struct draft *draft)
{
    draft->count = 0;
    put_text(world, notice, draft);
    put(draft, "lang", "en");
    put(draft, "ref", "N-%u", notice->number);
    put_times(world, notice, draft);
    if (notice->id[0] != '\0')
        put(draft, "id", "%s", notice->id);
}

static void
draw_notice(struct notices *notices, uint32_t number)
{
    struct world *world = notices->world;
    struct notice *notice = &notices->notices[number];
    *notice = (struct notice){.number = number, .kind = draw_kind(world)};
    notice->account = (uint32_t)random_below(&world->dice, world->weather.accounts);
    if (world->weather.fair)
        notice->account =
            number < world->weather.backlog ? 0 : 1 + number % (NOTICES_ACCOUNTS_FAIR - 1);
    if (notice->kind == NOTICE_SAME_ID)
        snprintf(notice->id, sizeof(notice->id), "same-%u",
                 (unsigned)random_below(&world->dice, IDS));
    else if (world_chance(world, 300000))
        snprintf(notice->id, sizeof(notice->id), "own-%u", number);
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void
note_member(struct notices *notices, struct notice *notice, struct span entry, uint32_t line)
{
    const char *prefix = notice->urgent ? "u" : "";
    notice->written = true;
    notice->written_us = notices->world->now_us;
    if (line > 0)
        snprintf(notice->member, sizeof(notice->member), "%s%.*s/%u", prefix, SPAN_ARG(entry),
                 line);
    else
        snprintf(notice->member, sizeof(notice->member), "%s%.*s", prefix, SPAN_ARG(entry));
    if (notice->answered)
        notice->member[0] = '\0';
    else
        *find_slot(notices, notice->account, span_of(notice->member)) = notice->number + 1;
    world_tell(notices->world, "producer", "N-%u (%s%s%s) is %s of account %u", notice->number,
               notice_kind_text(notice->kind), notice->id[0] != '\0' ? ", id " : "", notice->id,
               notice->member, notice->account);
    if (notices->on_written != NULL)
        notices->on_written(notices->context, notice);
}

/* The library is lost: somebody loads it again. */
static bool
is_away(const struct reply *reply)
{
    return memmem(reply->text.data, reply->text.size, "Function not found", 18) != NULL;
}

static bool
add_entry(struct notices *notices, const struct notice *notice, const struct draft *draft,
          struct span *entry)
{
    char key[64];
    struct span words[3 + 2 * FIELDS_MAX] = {SPAN("XADD"), {0}, SPAN("*")};
    snprintf(key, sizeof(key), "%s:%s", notices_account(notice->account),
             notice->urgent ? "urgent" : "queue");
    words[1] = span_of(key);
    for (uint32_t i = 0; i < draft->count; i++)
        words[3 + i] = span_of(draft->words[i]);
    const struct reply *reply = redis_call(notices->redis, words, 3 + draft->count);
    return reply != NULL && reply_text(reply, entry);
}

/* facteur_enqueue says at once what it thinks. */
static bool
call_enqueue(struct notices *notices, struct notice *notice, const struct draft *draft,
             struct span *entry)
{
    struct span words[6 + 2 * FIELDS_MAX] = {SPAN("FCALL"), SPAN("facteur_enqueue"), SPAN("2"),
                                             span_of(notices_account(notice->account)),
                                             SPAN("facteur:{acme}")};
    words[5] = notice->urgent ? SPAN("urgent") : SPAN("queue");
    for (uint32_t i = 0; i < draft->count; i++)
        words[6 + i] = span_of(draft->words[i]);
    const struct reply *reply = redis_call(notices->redis, words, 6 + draft->count);
    const struct reply *first = reply_at(reply, 0);
    if (reply == NULL || (reply->type == REPLY_ERROR && is_away(reply)))
        return false;
    notice->answered = first == NULL || reply_is_text(first, "duplicate");
    if (notice->answered) {
        *entry = SPAN("");
        return true;
    }
    *entry = reply_at(reply, 1)->text;
    if (notice->urgent) /* its name begins with it, as we do ourselves */
        *entry = (struct span){entry->data + 1, entry->size - 1};
    return true;
}

static bool
write_single(struct notices *notices)
{
    struct notice *notice = &notices->notices[notices->next];
    struct draft draft;
    struct span entry;
    notice->urgent = world_chance(notices->world, 250000);
    draft_notice(notices->world, notice, &draft);
    bool calls = world_chance(notices->world, notices->world->weather.calls);
    if (!(calls ? call_enqueue(notices, notice, &draft, &entry)
                : add_entry(notices, notice, &draft, &entry)))
        return false;
    note_member(notices, notice, entry, 0);
    notices->next++;
    return true;
}

static void
put_line(struct buffer *out, const struct draft *draft)
{
    for (uint32_t i = 0; i < draft->count; i += 2) {
        const char *name = draft->words[i];
        bool number = strcmp(name, "expires") == 0 || strcmp(name, "not_before") == 0;
        buffer_printf(out, number ? "%s\"%s\":%s" : "%s\"%s\":\"%s\"", i == 0 ? "{" : ",", name,
                      draft->words[i + 1]);
    }
    buffer_put_char(out, '}');
}

/* Several notices of one account, in one entry. */
static bool
write_bulk(struct notices *notices)
{
    struct world *world = notices->world;
    static char memory[BULK_MAX * 1024];
    struct notice *first = &notices->notices[notices->next];
    uint32_t most = notices->count - notices->next;
    uint32_t count = (uint32_t)world_between(world, 1, most < BULK_MAX ? most : BULK_MAX);
    uint32_t backlog = world->weather.backlog;
    if (world->weather.fair && notices->next + count > backlog)
        count = notices->next < backlog ? backlog - notices->next : 1;
    struct buffer lines;
    struct draft draft;
    struct span entry;
    bool urgent = world_chance(world, 250000);
    buffer_init(&lines, memory, sizeof(memory));
    for (uint32_t i = 0; i < count; i++) {
        first[i].account = first->account;
        first[i].urgent = urgent;
        draft_notice(world, &first[i], &draft);
        if (i > 0)
            buffer_put_char(&lines, '\n');
        put_line(&lines, &draft);
    }
    struct draft bulk = {.words = {"bulk", buffer_text(&lines)}, .count = 2};
    if (!add_entry(notices, first, &bulk, &entry))
        return false;
    char name[32];
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(entry));
    for (uint32_t i = 0; i < count; i++)
        note_member(notices, &first[i], span_of(name), i + 1);
    notices->next += count;
    return true;
}

static void
on_time(struct timer *timer)
{
    struct notices *notices = container_of(timer, struct notices, timer);
    struct world *world = notices->world;
    if (notices->is_careful != NULL && notices->is_careful(notices->context)) {
        timer_start(&world->agenda, timer, world->now_us + 100000);
        return;
    }
    uint64_t burst = world_between(world, 1, 20);
    uint32_t end = notices->count;
    if (world->weather.fair) { /* the backlog at once, the others one by one */
        uint32_t backlog = world->weather.backlog;
        burst = notices->next < backlog ? backlog : 1;
        end = notices->next < backlog ? backlog : end;
    }
    while (burst-- > 0 && notices->next < end)
        if (!(world_chance(world, world->weather.bulk) ? write_bulk(notices)
                                                       : write_single(notices)))
            break; /* Redis is away: later */
    if (notices->next == notices->count)
        return;
    uint64_t left_us = notices->end_us > world->now_us ? notices->end_us - world->now_us : 0;
    uint64_t wait_us = world_between(world, 1000, 1000 + left_us / (world->weather.fair ? 20 : 4));
    timer_start(&world->agenda, timer, world->now_us + wait_us);
}

void
notices_open(struct notices *notices, struct world *world, struct redis *redis)
{
    *notices = (struct notices){.world = world, .redis = redis};
    notices->count = world->weather.notifications;
    notices->notices = check_alloc(notices->count, sizeof(*notices->notices));
    notices->account_count = world->weather.fair ? NOTICES_ACCOUNTS_FAIR : NOTICES_ACCOUNTS;
    for (notices->index_size = 64; notices->index_size < 2 * notices->count;)
        notices->index_size *= 2;
    notices->index = check_alloc(notices->index_size, sizeof(*notices->index));
    for (uint32_t i = 0; i < notices->count; i++)
        draw_notice(notices, i);
    notices->end_us = world->now_us + world->weather.busy_us;
    (void)redis_words(redis, "SADD", "facteur:{acme}:optout", "+33699999999", NULL);
    timer_init(&notices->timer, on_time);
    timer_start(&world->agenda, &notices->timer, world->now_us + world_between(world, 0, 100000));
}

void
notices_close(struct notices *notices)
{
    timer_stop(&notices->world->agenda, &notices->timer);
    free(notices->notices);
    free(notices->index);
}

void
notices_forget(struct notices *notices, uint64_t since_us)
{
    for (uint32_t i = 0; i < notices->next; i++) {
        struct notice *notice = &notices->notices[i];
        notice->forgotten = notice->forgotten || notice->written_us >= since_us;
        if (notice->requeued > 0 && notice->requeued_us >= since_us)
            notice->requeued--;
        if (notice->purged > 0 && notice->purged_us >= since_us)
            notice->purged--;
    }
}

bool
notices_are_written(const struct notices *notices)
{
    return notices->next == notices->count;
}

/* Where a notice of this name stands in the index, or would. */
static uint32_t *
find_slot(const struct notices *notices, uint32_t account, struct span member)
{
    uint64_t at = span_hash(member) + account;
    for (;; at++) {
        uint32_t *slot = &notices->index[at & (notices->index_size - 1)];
        const struct notice *notice = *slot > 0 ? &notices->notices[*slot - 1] : NULL;
        if (notice == NULL ||
            (notice->account == account && span_equal(span_of(notice->member), member)))
            return slot;
    }
}

struct notice *
notices_find(const struct notices *notices, uint32_t account, struct span member)
{
    uint32_t slot = *find_slot(notices, account, member);
    return slot > 0 ? &notices->notices[slot - 1] : NULL;
}

const char *
notice_kind_text(enum notice_kind kind)
{
    static const char *const texts[] = {
        [NOTICE_PLAIN] = "plain", [NOTICE_CODE] = "code",           [NOTICE_LATER] = "later",
        [NOTICE_SHORT] = "short", [NOTICE_EXPIRED] = "expired",     [NOTICE_BAD] = "bad",
        [NOTICE_OFFER] = "offer", [NOTICE_OPTED_OUT] = "opted out", [NOTICE_SAME_ID] = "same id",
    };
    return texts[kind];
}
