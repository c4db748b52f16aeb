#include "loadtest/chaos_producer.h"
#include "sender/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WRITES_MAX = 64, /* without an answer */
    LINE_SIZE = 2 * GENERATED_TEXT_MAX,
    ENTRY_SIZE = QUEUE_BULK_MAX * LINE_SIZE,
    STREAMS = 2, /* queue and urgent */
};

/* One XADD: which notifications it carries. They can be made again at any time. */
struct write {
    struct chaos_producer *producer;
    struct write *next;
    uint32_t account;
    bool urgent;
    bool bulk;
    uint32_t count;
    uint64_t n[QUEUE_BULK_MAX];
};

struct chaos_producer {
    struct chaos_producer_settings settings;
    struct load_redis redis;
    bool connected;
    uint64_t next; /* notification */
    uint64_t written;
    uint64_t repeated;
    struct write writes[WRITES_MAX];
    struct write *free;
    struct write *again;                              /* to be repeated */
    struct write pending[LOAD_ACCOUNTS_MAX][STREAMS]; /* bulk entries in the making */
    char keys[LOAD_ACCOUNTS_MAX][STREAMS][KEYS_BASE_MAX + 8];
    struct generated generated;
    char *entry; /* ENTRY_SIZE */
};

struct chaos_producer *
chaos_producer_open(const struct chaos_producer_settings *settings)
{
    static const char *const streams[STREAMS] = {"queue", "urgent"};
    struct chaos_producer *producer = check_alloc(1, sizeof *producer);
    producer->settings = *settings;
    producer->entry = check_alloc(1, ENTRY_SIZE);
    for (uint32_t i = 0; i < WRITES_MAX; i++) {
        producer->writes[i].producer = producer;
        producer->writes[i].next = producer->free;
        producer->free = &producer->writes[i];
    }
    for (uint32_t account = 0; account < settings->options->account_count; account++) {
        for (uint32_t stream = 0; stream < STREAMS; stream++) {
            producer->pending[account][stream] =
                (struct write){.account = account, .urgent = stream == 1, .bulk = true};
            (void)snprintf(producer->keys[account][stream], sizeof producer->keys[0][0], "%s:%s",
                           settings->options->accounts[account].account, streams[stream]);
        }
    }
    return producer;
}

void
chaos_producer_close(struct chaos_producer *producer)
{
    if (producer == NULL)
        return;
    if (producer->connected)
        load_redis_close(&producer->redis);
    free(producer->entry);
    free(producer);
}

uint64_t
chaos_producer_written(const struct chaos_producer *producer)
{
    return producer->written;
}

uint64_t
chaos_producer_repeated(const struct chaos_producer *producer)
{
    return producer->repeated;
}

/* ---- answers -------------------------------------------------------------------------------- */

static void
put_on(struct write **list, struct write *write)
{
    write->next = *list;
    *list = write;
}

static void
confirm(const struct chaos_producer *producer, const struct write *write, struct span entry)
{
    struct audit_member member;
    if (!audit_read_member(entry, write->account, &member))
        return;
    member.stream = write->urgent ? AUDIT_URGENT : AUDIT_QUEUE;
    for (uint32_t i = 0; i < write->count; i++) {
        member.index = write->bulk ? (uint8_t)(i + 1) : 0;
        audit_bind(producer->settings.audit, member, write->n[i]);
    }
}

static void
on_answer(void *context, const struct reply *reply)
{
    struct write *write = context;
    struct chaos_producer *producer = write->producer;
    if (reply != NULL && reply->type != REPLY_ERROR) {
        confirm(producer, write, reply->text);
        producer->written += write->count;
        put_on(&producer->free, write);
        return;
    }
    /* Without an answer nobody knows whether it was done; an error says that it was not. */
    for (uint32_t i = 0; reply == NULL && i < write->count; i++)
        audit_repeated(producer->settings.audit, write->n[i]);
    producer->repeated++;
    put_on(&producer->again, write);
}

/* ---- writes --------------------------------------------------------------------------------- */

static void
make(struct chaos_producer *producer, uint64_t n)
{
    generator_make(producer->settings.generator, n, &producer->generated);
}

static void
send_single(struct chaos_producer *producer, struct write *write)
{
    const struct generated *generated = &producer->generated;
    struct span parts[3 + 2 * GENERATED_FIELDS_MAX];
    size_t count = 0;
    make(producer, write->n[0]);
    parts[count++] = SPAN("XADD");
    parts[count++] = span_of(producer->keys[write->account][write->urgent]);
    parts[count++] = SPAN("*");
    for (uint32_t i = 0; i < generated->field_count; i++) {
        parts[count++] = generated->fields[i].name;
        parts[count++] = generated->fields[i].value;
    }
    check(session_command(producer->redis.session, parts, count, on_answer, write));
}

static void
send_bulk(struct chaos_producer *producer, struct write *write)
{
    struct buffer entry;
    buffer_init(&entry, producer->entry, ENTRY_SIZE);
    for (uint32_t i = 0; i < write->count; i++) {
        make(producer, write->n[i]);
        if (i > 0)
            buffer_put_char(&entry, '\n');
        generated_put_line(&producer->generated, &entry);
    }
    check(!entry.overflow);
    const struct span parts[] = {SPAN("XADD"),
                                 span_of(producer->keys[write->account][write->urgent]), SPAN("*"),
                                 SPAN("bulk"), buffer_span(&entry)};
    check(session_command(producer->redis.session, parts, sizeof parts / sizeof parts[0], on_answer,
                          write));
}

static void
send_write(struct chaos_producer *producer, struct write *write)
{
    if (write->bulk)
        send_bulk(producer, write);
    else
        send_single(producer, write);
}

static void
send_pending(struct chaos_producer *producer, struct write *pending)
{
    struct write *write = producer->free;
    if (pending->count == 0 || write == NULL)
        return;
    producer->free = write->next;
    *write = *pending;
    write->producer = producer;
    pending->count = 0;
    send_write(producer, write);
}

/* Every bulk entry in the making goes as it is. */
static void
send_all_pending(struct chaos_producer *producer)
{
    for (uint32_t account = 0; account < producer->settings.options->account_count; account++)
        for (uint32_t stream = 0; stream < STREAMS; stream++)
            send_pending(producer, &producer->pending[account][stream]);
}

static void
take_next(struct chaos_producer *producer)
{
    struct generated_plan plan;
    uint64_t n = producer->next++;
    uint64_t bulk = producer->settings.options->bulk;
    generator_plan(producer->settings.generator, n, &plan);
    struct write *pending = &producer->pending[plan.account][plan.urgent];
    pending->bulk = bulk > 1;
    pending->n[pending->count++] = n;
    if (pending->count == bulk)
        send_pending(producer, pending);
}

/* ---- turns ---------------------------------------------------------------------------------- */

/* The connection stands, or is made now. */
static bool
connect_to(struct chaos_producer *producer, const char *where)
{
    struct error_text error;
    if (producer->connected && producer->redis.ended) {
        load_redis_close(&producer->redis);
        producer->connected = false;
    }
    if (!producer->connected && where != NULL)
        producer->connected =
            load_redis_open(&producer->redis, producer->settings.loop, where, &error);
    return producer->connected;
}

static bool
has_room(const struct chaos_producer *producer)
{
    return producer->free != NULL && session_room(producer->redis.session) > ENTRY_SIZE + 4096;
}

void
chaos_producer_turn(struct chaos_producer *producer, const char *where, uint64_t goal)
{
    check(goal <= producer->settings.options->messages);
    if (!connect_to(producer, where))
        return;
    while (producer->again != NULL && session_room(producer->redis.session) > ENTRY_SIZE + 4096) {
        struct write *write = producer->again;
        producer->again = write->next;
        send_write(producer, write);
    }
    while (producer->next < goal && has_room(producer))
        take_next(producer);
    if (producer->next == goal && has_room(producer))
        send_all_pending(producer);
    if (producer->redis.link != NULL)
        link_flush(producer->redis.link);
}
