#include "sender/exchanges.h"

#include "queue/callback.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/slots.h"
#include "sender/turns.h"

#include <stdlib.h>

enum { STALE_LOOK_US = 50 * 1000 /* how often what waits is looked through for what is too old */ };

/* ---- one exchange --------------------------------------------------------------------------- */

static void
give_exchange_memory(struct delivery *delivery)
{
    struct worker *worker = delivery->worker;
    if (delivery->large_body != NULL) {
        delivery->large_body->next = worker->free_large;
        worker->free_large = delivery->large_body;
        delivery->large_body = NULL;
    }
    delivery->exchange_memory->next = worker->free_exchanges;
    worker->free_exchanges = delivery->exchange_memory;
    worker->exchanges_free++;
    delivery->exchange_memory = NULL;
}

/* The receipt's explanation of itself. */
static struct span
write_callback(const struct delivery *delivery, char *out, size_t size)
{
    const struct account_keys *keys = &delivery->account->settings->keys;
    const struct callback callback = {
        .business = span_of(keys->business_name),
        .account = span_of(keys->account_name),
        .member = delivery->name,
        .attempt = delivery->attempts + 1,
        .grant = delivery->grant->name,
        .index = delivery->index,
        .millionths = delivery->quote.millionths,
        .currency = span_of(delivery->account->settings->currency),
        .day = span_of(delivery->quote.day),
        .cell = {delivery->quote.cell, delivery->quote.cell_size},
        .template_version = delivery->template->version,
    };
    struct buffer text;
    buffer_init(&text, out, size);
    callback_put(&callback, &text);
    check(!text.overflow); /* TEMPLATE_NAME_MAX is what makes it fit */
    return buffer_span(&text);
}

static bool
write_body(struct delivery *delivery, struct span *body)
{
    struct worker *worker = delivery->worker;
    char callback[CALLBACK_SIZE_MAX];
    const struct request_input input = {
        .to = {delivery->phone.e164, delivery->phone.e164_size},
        .recipient = delivery->notification.recipient,
        .callback = write_callback(delivery, callback, sizeof(callback)),
        .values = &delivery->values,
    };
    const struct request_form *form = edition_form(delivery->edition->edition, delivery->template);
    struct buffer out;
    buffer_init(&out, delivery->exchange_memory->body, BODY_SIZE);
    if (!request_write(form, &input, &out)) {
        if (worker->free_large == NULL)
            return false;
        delivery->large_body = worker->free_large;
        worker->free_large = delivery->large_body->next;
        buffer_init(&out, delivery->large_body->body, LARGE_BODY_SIZE);
        check(request_write(form, &input, &out)); /* values_read() bounded the text */
    }
    *body = buffer_span(&out);
    return true;
}

/* False: it must wait, because the few large bodies are all under way. */
static bool
start_exchange(struct delivery *delivery)
{
    struct worker *worker = delivery->worker;
    struct span body;
    delivery->exchange_memory = worker->free_exchanges;
    worker->free_exchanges = delivery->exchange_memory->next;
    worker->exchanges_free--;
    if (!write_body(delivery, &body)) {
        give_exchange_memory(delivery);
        return false;
    }
    const struct h2_request request = {
        .method = SPAN("POST"),
        .path = span_of(delivery->account->settings->path),
        .authorization = span_of(delivery->account->settings->authorization),
        .content_type = SPAN("application/json"),
        .body = body,
    };
    delivery->exchange = (struct channel_exchange){.owner = delivery};
    buffer_init(&delivery->exchange.h2.response, delivery->exchange_memory->response,
                RESPONSE_SIZE);
    channel_start(worker->channel, &delivery->exchange, &request);
    return true;
}

static void
on_exchange_end(void *context, struct channel_exchange *exchange, enum h2_end end)
{
    struct worker *worker = context;
    struct delivery *delivery = exchange->owner;
    check_magic(worker, WORKER_MAGIC);
    check_magic(delivery, DELIVERY_MAGIC);
    check(delivery->state == DELIVERY_SENDING && delivery->exchange_memory != NULL);
    delivery->end = end;
    delivery->state = DELIVERY_JUDGING;
    delivery_run(delivery); /* reads the response before its memory is given back */
    give_exchange_memory(delivery);
}

static void
on_room(void *context)
{
    struct worker *worker = context;
    check_magic(worker, WORKER_MAGIC);
    worker_work_later(worker);
}

/* ---- as many as there is room for ------------------------------------------------------------
 */

/* While Meta cannot be reached nothing is popped to be sent; the oldest are looked at all the same.
 */
static void
end_stale(struct worker *worker)
{
    uint64_t now_us = loop_now_us(worker->loop);
    uint64_t now_ms = clock_unix_ms();
    struct share_turn *turn = worker->sends.first;
    if (now_us - worker->stale_look_us < STALE_LOOK_US)
        return;
    worker->stale_look_us = now_us;
    for (uint32_t i = 0; i < worker->sends.count; i++, turn = turn->next) {
        struct account *account = container_of(turn, struct account, send_turn);
        while (account->sending.count > 0 && delivery_is_stale(account->sending.first, now_ms))
            delivery_run(list_pop(&account->sending));
    }
}

static uint32_t
send_some(struct account *account, uint32_t room)
{
    struct worker *worker = account->worker;
    uint64_t now_ms = clock_unix_ms();
    uint32_t sent = 0;
    while (account->sending.count > 0 && sent < room && worker->exchanges_free > 0) {
        struct delivery *delivery = list_pop(&account->sending);
        if (delivery_is_stale(delivery, now_ms)) {
            delivery_run(delivery); /* step_send says which */
            continue;
        }
        if (!start_exchange(delivery)) {
            list_push(&account->sending, delivery);
            break;
        }
        sent++;
    }
    return sent;
}

/* What one account starts before the next has its turn is what its share gives. Whoever may not (no
 * lease), or cannot (no large body is free), passes. */
void
exchanges_send(struct worker *worker)
{
    uint32_t room = channel_room(worker->channel);
    uint32_t passed = 0;
    struct account *account;
    end_stale(worker);
    while (!worker->draining && passed < worker->sends.count &&
           (account = turns_first_send(worker)) != NULL) {
        if (account->sending.count == 0) {
            share_leave(&worker->sends, &account->send_turn);
            continue;
        }
        bool may_send = worker_may_send(worker, account);
        if (may_send && room == 0) {
            channel_want(worker->channel);
            return;
        }
        uint32_t credit = share_credit(&worker->sends);
        uint32_t sent = may_send ? send_some(account, credit < room ? credit : room) : 0;
        room -= sent;
        passed = sent > 0 ? 0 : passed + 1;
        if (sent > 0)
            share_pay(&worker->sends, &account->send_turn, sent);
        else
            share_pass(&worker->sends);
    }
}

/* ---- start and end -------------------------------------------------------------------------- */

static void
open_channel(struct worker *worker)
{
    const struct sender_settings *settings = &worker->sender->settings;
    const struct channel_settings channel = {
        .address = {.host = settings->graph.host, .port = settings->graph.port},
        .tls = worker->graph_tls,
        .authority = span_of(settings->graph.authority),
        .user_agent = SPAN("facteur/" FACTEUR_VERSION),
        .connections_max = settings->connections_max,
        .exchanges_max = settings->exchanges_max,
        .connect_timeout_us = 5 * 1000 * 1000,
        .request_timeout_us = settings->request_timeout_ms * 1000,
        .idle_us = 10 * 1000 * 1000,
        .ping_timeout_us = 2 * 1000 * 1000,
        .seed = random_next(&worker->random),
    };
    static const struct channel_events events = {.on_end = on_exchange_end, .on_room = on_room};
    worker->channel = channel_open(worker->loop, &channel, &events, worker);
}

static void
open_memory(struct worker *worker)
{
    uint32_t count = channel_capacity(worker->channel);
    worker->exchanges = check_alloc(count, sizeof(*worker->exchanges));
    for (uint32_t i = 0; i < count; i++) {
        worker->exchanges[i].next = worker->free_exchanges;
        worker->free_exchanges = &worker->exchanges[i];
    }
    worker->exchanges_free = count;
    worker->large = check_alloc(LARGE_BODIES, sizeof(*worker->large));
    for (uint32_t i = 0; i < LARGE_BODIES; i++) {
        worker->large[i].next = worker->free_large;
        worker->free_large = &worker->large[i];
    }
}

void
exchanges_open(struct worker *worker)
{
    open_channel(worker);
    open_memory(worker);
}

void
exchanges_close(struct worker *worker)
{
    channel_free(worker->channel);
    free(worker->exchanges);
    free(worker->large);
}
