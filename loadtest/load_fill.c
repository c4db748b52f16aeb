#include "loadtest/load_fill.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WRITES_MAX = LOAD_REDIS_WAITING_MAX,
    LINE_MAX_SIZE = 2 * GENERATED_TEXT_MAX,
    BULK_SIZE = QUEUE_ENTRY_SIZE_MAX - 4,
    TURN_EVERY = 64, /* commands between two looks at the sockets */
    TURN_US = 100000,
};

/* One XADD under way: which notifications it carries. */
struct write {
    struct load_fill *fill;
    struct write *next; /* free list */
    uint32_t account;
    uint32_t count;
    bool bulk;
    bool urgent;
    uint64_t n[QUEUE_BULK_MAX];
};

/* A bulk entry in the making. */
struct pending {
    char *memory;
    struct buffer text;
    uint32_t count;
    uint64_t n[QUEUE_BULK_MAX];
};

struct load_fill {
    const struct load_fill_settings *settings;
    struct load_fill_result *result;
    struct error_text *error;
    bool failed;
    uint32_t commands; /* since the last look at the sockets */
    struct write writes[WRITES_MAX];
    struct write *free;
    struct pending pending[LOAD_ACCOUNTS_MAX][2]; /* [account][urgent] */
    char keys[LOAD_ACCOUNTS_MAX][2][KEYS_BASE_MAX + 8];
    struct generated generated;
    char line[LINE_MAX_SIZE];
};

static void
fail(struct load_fill *fill, struct span why)
{
    if (!fill->failed)
        error_set(fill->error, "Redis at %s did not take an entry: %.*s",
                  fill->settings->redis->where, SPAN_ARG(why));
    fill->failed = true;
}

static void
on_reply(void *context, const struct reply *reply)
{
    struct write *write = context;
    struct load_fill *fill = write->fill;
    struct audit_member member;
    if (reply == NULL) {
        fail(fill, span_of(fill->settings->redis->lost.text));
    } else if (reply->type == REPLY_ERROR) {
        fail(fill, reply->text);
    } else if (fill->settings->audit != NULL &&
               audit_read_member(reply->text, write->account, &member)) {
        member.stream = write->urgent ? AUDIT_URGENT : AUDIT_QUEUE;
        for (uint32_t i = 0; i < write->count; i++) {
            member.index = write->bulk ? (uint8_t)(i + 1) : 0;
            audit_bind(fill->settings->audit, member, write->n[i]);
        }
    }
    fill->result->written += write->count;
    fill->result->entries++;
    write->next = fill->free;
    fill->free = write;
}

static void
turn(struct load_fill *fill, uint64_t wait_us)
{
    const struct load_fill_settings *settings = fill->settings;
    loop_turn(settings->redis->loop, wait_us);
    fill->commands = 0;
    char memory[128];
    struct buffer note;
    buffer_init(&note, memory, sizeof memory);
    if (settings->put_note != NULL)
        settings->put_note(settings->note_context, &note);
    progress_show(settings->progress, fill->result->written, buffer_text(&note),
                  clock_monotonic_us());
}

/* A free record, and room for a command of `size` bytes; NULL once Redis was lost. */
static struct write *
take_write(struct load_fill *fill, size_t size)
{
    while (!fill->failed && !fill->settings->redis->ended &&
           (fill->free == NULL || session_room(fill->settings->redis->session) < size + 4096))
        turn(fill, TURN_US);
    if (fill->settings->redis->ended)
        fail(fill, span_of(fill->settings->redis->lost.text));
    if (fill->failed)
        return NULL;
    struct write *write = fill->free;
    fill->free = write->next;
    return write;
}

static void
send_write(struct load_fill *fill, struct write *write, const struct span *parts, size_t count)
{
    struct load_redis *redis = fill->settings->redis;
    check(session_command(redis->session, parts, count, on_reply, write));
    link_flush(redis->link);
    if (++fill->commands >= TURN_EVERY)
        turn(fill, 0);
}

static void
write_single(struct load_fill *fill)
{
    const struct generated *generated = &fill->generated;
    struct write *write = take_write(fill, GENERATED_TEXT_MAX);
    if (write == NULL)
        return;
    write->account = generated->plan.account;
    write->bulk = false;
    write->urgent = generated->plan.urgent;
    write->count = 1;
    write->n[0] = generated->n;
    struct span parts[3 + 2 * GENERATED_FIELDS_MAX];
    size_t count = 0;
    parts[count++] = SPAN("XADD");
    parts[count++] = span_of(fill->keys[generated->plan.account][generated->plan.urgent]);
    parts[count++] = SPAN("*");
    for (uint32_t i = 0; i < generated->field_count; i++) {
        parts[count++] = generated->fields[i].name;
        parts[count++] = generated->fields[i].value;
    }
    send_write(fill, write, parts, count);
}

static void
flush_bulk(struct load_fill *fill, uint32_t account, bool urgent)
{
    struct pending *pending = &fill->pending[account][urgent];
    if (pending->count == 0)
        return;
    struct write *write = take_write(fill, pending->text.size);
    if (write == NULL)
        return;
    write->account = account;
    write->bulk = true;
    write->urgent = urgent;
    write->count = pending->count;
    memcpy(write->n, pending->n, pending->count * sizeof write->n[0]);
    const struct span parts[] = {SPAN("XADD"), span_of(fill->keys[account][urgent]), SPAN("*"),
                                 SPAN("bulk"), buffer_span(&pending->text)};
    send_write(fill, write, parts, sizeof parts / sizeof parts[0]);
    pending->count = 0;
    buffer_reset(&pending->text);
}

static void
write_bulk(struct load_fill *fill)
{
    const struct generated_plan *plan = &fill->generated.plan;
    struct pending *pending = &fill->pending[plan->account][plan->urgent];
    struct buffer line;
    buffer_init(&line, fill->line, sizeof fill->line);
    generated_put_line(&fill->generated, &line);
    check(!line.overflow);
    if (buffer_room(&pending->text) < line.size + 1)
        flush_bulk(fill, plan->account, plan->urgent);
    if (pending->count > 0)
        buffer_put_char(&pending->text, '\n');
    buffer_put_span(&pending->text, buffer_span(&line));
    pending->n[pending->count++] = fill->generated.n;
    if (pending->count == fill->settings->options->bulk)
        flush_bulk(fill, plan->account, plan->urgent);
}

static struct load_fill *
prepare(const struct load_fill_settings *settings, struct load_fill_result *result,
        struct error_text *error)
{
    static const char *const streams[2] = {"queue", "urgent"};
    struct load_fill *fill = check_alloc(1, sizeof *fill);
    fill->settings = settings;
    fill->result = result;
    fill->error = error;
    for (uint32_t i = 0; i < WRITES_MAX; i++) {
        fill->writes[i].fill = fill;
        fill->writes[i].next = fill->free;
        fill->free = &fill->writes[i];
    }
    for (uint32_t account = 0; account < settings->options->account_count; account++) {
        for (uint32_t urgent = 0; urgent < 2; urgent++) {
            struct pending *pending = &fill->pending[account][urgent];
            pending->memory = check_alloc(1, BULK_SIZE);
            buffer_init(&pending->text, pending->memory, BULK_SIZE);
            (void)snprintf(fill->keys[account][urgent], sizeof fill->keys[0][0], "%s:%s",
                           settings->options->accounts[account].account, streams[urgent]);
        }
    }
    return fill;
}

static void
end(struct load_fill *fill)
{
    for (uint32_t account = 0; account < LOAD_ACCOUNTS_MAX; account++)
        for (uint32_t urgent = 0; urgent < 2; urgent++)
            free(fill->pending[account][urgent].memory);
    free(fill);
}

bool
load_fill(const struct load_fill_settings *settings, struct load_fill_result *result,
          struct error_text *error)
{
    *result = (struct load_fill_result){0};
    struct load_fill *fill = prepare(settings, result, error);
    uint64_t begun_us = clock_monotonic_us();
    for (uint64_t n = 0; n < settings->generator->messages && !fill->failed; n++) {
        generator_make(settings->generator, n, &fill->generated);
        if (settings->options->bulk > 1)
            write_bulk(fill);
        else
            write_single(fill);
    }
    for (uint32_t account = 0; account < settings->options->account_count; account++) {
        flush_bulk(fill, account, true);
        flush_bulk(fill, account, false);
    }
    /* The records stay until every reply came, or the connection is gone. */
    while (session_waiting(settings->redis->session) > 0 && !settings->redis->ended)
        turn(fill, TURN_US);
    result->elapsed_us = clock_monotonic_us() - begun_us;
    bool good = !fill->failed;
    end(fill);
    return good;
}
