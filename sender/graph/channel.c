#include "sender/graph/channel.h"

#include "sender/base/check.h"
#include "sender/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTION_MAGIC = 0x636f6e6e,
    CHANNEL_MAGIC = 0x6368616e,
    BACKOFF_FIRST_US = 100 * 1000,
    BACKOFF_LAST_US = 30 * 1000 * 1000,
};

/*
 * A connection's states, and how one reaches another:
 *   closed → connecting → open → closed       (failed: backoff, then connecting again)
 *   open → asking (was silent: PING sent) → open (PONG) or closed (no PONG in time)
 *   asking → silent (no PONG in time, but exchanges under way) → open (bytes came) or closed (all
 *   of them timed out): nothing more is given to it, and none of them is given up early
 * GOAWAY needs no state: the session has no room any more and ends by itself.
 */
enum connection_state {
    CONNECTION_CLOSED,
    CONNECTION_CONNECTING,
    CONNECTION_OPEN,
    CONNECTION_ASKING,
    CONNECTION_SILENT
};

struct connection {
    uint32_t magic;
    enum connection_state state;
    struct channel *channel;
    struct link *link;        /* NULL when closed */
    struct h2_client *client; /* from connecting on */
    bool answered;            /* an exchange on it was: the backoff starts over */
    uint64_t opened_us;       /* when its link was */
    uint64_t busy_us;         /* when it last had bytes from the peer, or its first exchange */
    struct timer ping_timer;
};

struct channel {
    uint32_t magic;
    struct loop *loop;
    struct channel_settings settings;
    struct channel_events events;
    void *context;
    struct random random;
    struct connection connections[CHANNEL_CONNECTIONS_MAX];
    struct channel_exchange *oldest; /* under way, by deadline */
    struct channel_exchange *youngest;
    uint32_t active;
    uint32_t failures; /* connects that failed in a row */
    bool wanted;       /* somebody waits for room */
    bool draining;
    struct timer backoff_timer;
    struct timer deadline_timer;
    char trouble[256];
    struct channel_counters counters;
};

/* ---- exchanges by deadline ------------------------------------------------------------------ */

static void
enlist(struct channel *channel, struct channel_exchange *exchange)
{
    exchange->deadline_us = loop_now_us(channel->loop) + channel->settings.request_timeout_us;
    exchange->next = NULL;
    exchange->previous = channel->youngest;
    if (channel->youngest != NULL)
        channel->youngest->next = exchange;
    else
        channel->oldest = exchange;
    channel->youngest = exchange;
    channel->active++;
    if (!timer_is_started(&channel->deadline_timer))
        timer_start(loop_timers(channel->loop), &channel->deadline_timer, exchange->deadline_us);
}

static void
delist(struct channel *channel, struct channel_exchange *exchange)
{
    if (exchange->previous != NULL)
        exchange->previous->next = exchange->next;
    else
        channel->oldest = exchange->next;
    if (exchange->next != NULL)
        exchange->next->previous = exchange->previous;
    else
        channel->youngest = exchange->previous;
    check(channel->active > 0);
    channel->active--;
}

/* Silent to a PING, and whatever was under way on it has timed out. */
static void
close_if_dead(struct connection *connection)
{
    if (connection->state == CONNECTION_SILENT && h2_client_active(connection->client) == 0)
        link_close(connection->link);
}

static void
on_deadline(struct timer *timer)
{
    struct channel *channel = container_of(timer, struct channel, deadline_timer);
    check_magic(channel, CHANNEL_MAGIC);
    uint64_t now_us = loop_now_us(channel->loop);
    while (channel->oldest != NULL && channel->oldest->deadline_us <= now_us) {
        struct channel_exchange *exchange = channel->oldest;
        struct h2_client *client = exchange->h2.client;
        channel->counters.time_outs++;
        for (uint32_t i = 0; i < channel->settings.connections_max; i++)
            if (channel->connections[i].client == client)
                link_flush(channel->connections[i].link);
        h2_client_cancel(client, &exchange->h2); /* ends it: on_exchange_end() delists it */
        check(channel->oldest != exchange);
    }
    if (channel->oldest != NULL)
        timer_start(loop_timers(channel->loop), timer, channel->oldest->deadline_us);
    for (uint32_t i = 0; i < channel->settings.connections_max; i++)
        close_if_dead(&channel->connections[i]);
}

static void
on_exchange_end(void *context, struct h2_exchange *h2, enum h2_end end)
{
    struct connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    struct channel *channel = connection->channel;
    struct channel_exchange *exchange = container_of(h2, struct channel_exchange, h2);
    delist(channel, exchange);
    if (end == H2_ANSWERED && !connection->answered) {
        connection->answered = true;
        channel->failures = 0;
        channel->trouble[0] = '\0';
    }
    channel->events.on_end(channel->context, exchange, end);
}

/* ---- connections ---------------------------------------------------------------------------- */

static void
tell_room(struct channel *channel)
{
    if (channel->wanted && channel_room(channel) > 0) {
        channel->wanted = false;
        channel->events.on_room(channel->context);
    }
}

static void
on_pong(void *context)
{
    struct connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    if (connection->state != CONNECTION_ASKING)
        return;
    timer_stop(loop_timers(connection->channel->loop), &connection->ping_timer);
    connection->state = CONNECTION_OPEN;
    connection->busy_us = loop_now_us(connection->channel->loop);
    tell_room(connection->channel);
}

static void
on_ping_timeout(struct timer *timer)
{
    struct connection *connection = container_of(timer, struct connection, ping_timer);
    check_magic(connection, CONNECTION_MAGIC);
    connection->state = CONNECTION_SILENT;
    close_if_dead(connection);
}

static void
on_link_open(void *context)
{
    struct connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    connection->state = CONNECTION_OPEN;
    connection->opened_us = connection->busy_us = loop_now_us(connection->channel->loop);
    connection->channel->counters.connections_opened++;
    link_flush(connection->link);
    tell_room(connection->channel);
}

/* The session is finished with this connection, for good or bad: nothing more can be sent on it. */
static void
session_said(struct connection *connection, enum h2_error error)
{
    switch (error) {
    case H2_OK:
        break;
    case H2_PROTOCOL:
        log_line(LOG_WARN, "graph_protocol", "host=%s", connection->channel->settings.address.host);
        link_close(connection->link);
        break;
    case H2_ENDED:
        link_close(connection->link);
        break;
    }
}

static void
on_link_bytes(void *context, const char *data, size_t size)
{
    struct connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    struct channel *channel = connection->channel;
    connection->busy_us = loop_now_us(channel->loop);
    if (connection->state == CONNECTION_SILENT)
        connection->state = CONNECTION_OPEN;
    enum h2_error error = h2_client_receive(connection->client, data, size);
    if (h2_client_wants_output(connection->client))
        link_flush(connection->link);
    session_said(connection, error);
    tell_room(channel);
}

static void
on_link_output(void *context, struct buffer *out)
{
    struct connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    session_said(connection, h2_client_output(connection->client, out));
}

static uint64_t
backoff_us(struct channel *channel)
{
    uint32_t doublings = channel->failures < 10 ? channel->failures : 10;
    uint64_t wait_us = (uint64_t)BACKOFF_FIRST_US << (doublings > 0 ? doublings - 1 : 0);
    if (wait_us > BACKOFF_LAST_US)
        wait_us = BACKOFF_LAST_US;
    return wait_us / 2 + random_below(&channel->random, wait_us / 2 + 1);
}

/* One that was of no use: never open, or closed soon and without a single answer. To come back at
 * once would be a loop of handshakes. */
static bool
has_failed(const struct connection *connection, bool opened)
{
    const struct channel *channel = connection->channel;
    uint64_t lived_us = loop_now_us(channel->loop) - connection->opened_us;
    return !opened || (!connection->answered && lived_us < channel->settings.idle_us);
}

static void
on_link_close(void *context, const char *reason, bool opened)
{
    struct connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    struct channel *channel = connection->channel;
    timer_stop(loop_timers(channel->loop), &connection->ping_timer);
    connection->link = NULL;
    connection->state = CONNECTION_CLOSED;
    struct h2_client *client = connection->client;
    h2_client_lose(client); /* every exchange on it ends here, before the client goes */
    connection->client = NULL;
    h2_client_close(client);
    if (has_failed(connection, opened)) {
        channel->failures++;
        channel->counters.connections_failed++;
        snprintf(channel->trouble, sizeof(channel->trouble), "%s", reason);
        if (!channel->draining)
            log_line(LOG_WARN, "graph_unreachable", "host=%s port=%u cause=\"%s\"",
                     channel->settings.address.host, channel->settings.address.port, reason);
    }
    if (channel->wanted)
        channel_want(channel);
    channel->events.on_room(channel->context);
}

static const struct link_events link_events = {
    .on_open = on_link_open,
    .on_bytes = on_link_bytes,
    .on_output = on_link_output,
    .on_close = on_link_close,
};

static void
connect_one(struct connection *connection)
{
    struct channel *channel = connection->channel;
    check(connection->state == CONNECTION_CLOSED && connection->client == NULL);
    const struct h2_client_settings client_settings = {
        .authority = channel->settings.authority,
        .user_agent = channel->settings.user_agent,
        .exchanges_max = channel->settings.exchanges_max,
    };
    static const struct h2_client_events client_events = {.on_end = on_exchange_end,
                                                          .on_pong = on_pong};
    const struct link_settings link_settings = {
        .address = channel->settings.address,
        .tls = channel->settings.tls,
        .connect_timeout_us = channel->settings.connect_timeout_us,
        .output_size = 64 * 1024,
    };
    connection->answered = false;
    connection->client = h2_client_open(&client_settings, &client_events, connection);
    connection->state = CONNECTION_CONNECTING;
    connection->link = link_open(channel->loop, &link_settings, &link_events, connection);
}

static void
on_backoff_end(struct timer *timer)
{
    struct channel *channel = container_of(timer, struct channel, backoff_timer);
    check_magic(channel, CHANNEL_MAGIC);
    for (uint32_t i = 0; i < channel->settings.connections_max; i++) {
        if (channel->connections[i].state == CONNECTION_CLOSED) {
            connect_one(&channel->connections[i]);
            return;
        }
    }
}

/*
 * A connection that has been silent may be dead without our knowing: a NAT forgot it, a peer went.
 * So ask first. With exchanges under way all the more: a dead one that had room again with every
 * time-out would swallow one notification after the other.
 */
static bool
is_silent(const struct connection *connection)
{
    const struct channel *channel = connection->channel;
    return loop_now_us(channel->loop) - connection->busy_us >= channel->settings.idle_us;
}

static void
ask_if_silent(struct connection *connection)
{
    struct channel *channel = connection->channel;
    if (connection->state != CONNECTION_OPEN || !is_silent(connection))
        return;
    connection->state = CONNECTION_ASKING;
    h2_client_ping(connection->client);
    link_flush(connection->link);
    timer_start(loop_timers(channel->loop), &connection->ping_timer,
                loop_now_us(channel->loop) + channel->settings.ping_timeout_us);
}

static uint32_t
connection_room(const struct connection *connection)
{
    if (connection->state != CONNECTION_OPEN || is_silent(connection))
        return 0;
    return h2_client_room(connection->client);
}

/* ---- the channel ---------------------------------------------------------------------------- */

struct channel *
channel_open(struct loop *loop, const struct channel_settings *settings,
             const struct channel_events *events, void *context)
{
    check(settings->connections_max > 0 && settings->connections_max <= CHANNEL_CONNECTIONS_MAX);
    struct channel *channel = check_alloc(1, sizeof(*channel));
    channel->magic = CHANNEL_MAGIC;
    channel->loop = loop;
    channel->settings = *settings;
    channel->events = *events;
    channel->context = context;
    random_seed(&channel->random, settings->seed);
    timer_init(&channel->backoff_timer, on_backoff_end);
    timer_init(&channel->deadline_timer, on_deadline);
    for (uint32_t i = 0; i < CHANNEL_CONNECTIONS_MAX; i++) {
        struct connection *connection = &channel->connections[i];
        connection->magic = CONNECTION_MAGIC;
        connection->channel = channel;
        timer_init(&connection->ping_timer, on_ping_timeout);
    }
    return channel;
}

uint32_t
channel_room(const struct channel *channel)
{
    uint32_t room = 0;
    for (uint32_t i = 0; i < channel->settings.connections_max; i++)
        room += connection_room(&channel->connections[i]);
    return room;
}

uint32_t
channel_active(const struct channel *channel)
{
    return channel->active;
}

uint32_t
channel_capacity(const struct channel *channel)
{
    return channel->settings.connections_max * channel->settings.exchanges_max;
}

void
channel_want(struct channel *channel)
{
    check_magic(channel, CHANNEL_MAGIC);
    channel->wanted = true;
    if (channel->draining)
        return;
    struct connection *closed = NULL;
    for (uint32_t i = 0; i < channel->settings.connections_max; i++) {
        struct connection *connection = &channel->connections[i];
        ask_if_silent(connection);
        if (connection->state == CONNECTION_CONNECTING || connection->state == CONNECTION_ASKING)
            return; /* one that may soon have room is enough to wait for */
        if (connection->state == CONNECTION_CLOSED && closed == NULL)
            closed = connection;
    }
    if (closed == NULL || timer_is_started(&channel->backoff_timer))
        return;
    if (channel->failures > 0)
        timer_start(loop_timers(channel->loop), &channel->backoff_timer,
                    loop_now_us(channel->loop) + backoff_us(channel));
    else
        connect_one(closed);
}

void
channel_start(struct channel *channel, struct channel_exchange *exchange,
              const struct h2_request *request)
{
    check_magic(channel, CHANNEL_MAGIC);
    for (uint32_t i = 0; i < channel->settings.connections_max; i++) {
        struct connection *connection = &channel->connections[i];
        if (connection_room(connection) == 0)
            continue;
        if (h2_client_active(connection->client) == 0)
            connection->busy_us = loop_now_us(channel->loop);
        enlist(channel, exchange);
        h2_client_start(connection->client, &exchange->h2, request);
        channel->counters.exchanges_started++;
        link_flush(connection->link);
        return;
    }
    check(!"channel_start() without room");
}

const char *
channel_trouble(const struct channel *channel)
{
    return channel->trouble;
}

void
channel_drain(struct channel *channel)
{
    channel->draining = true;
    timer_stop(loop_timers(channel->loop), &channel->backoff_timer);
}

void
channel_close(struct channel *channel)
{
    check_magic(channel, CHANNEL_MAGIC);
    channel_drain(channel);
    channel->wanted = false;
    for (uint32_t i = 0; i < channel->settings.connections_max; i++)
        if (channel->connections[i].link != NULL)
            link_close(channel->connections[i].link);
}

bool
channel_is_closed(const struct channel *channel)
{
    for (uint32_t i = 0; i < channel->settings.connections_max; i++)
        if (channel->connections[i].state != CONNECTION_CLOSED)
            return false;
    return true;
}

void
channel_free(struct channel *channel)
{
    check(channel_is_closed(channel) && channel->active == 0);
    timer_stop(loop_timers(channel->loop), &channel->deadline_timer);
    free(channel);
}

const struct channel_counters *
channel_counters(const struct channel *channel)
{
    return &channel->counters;
}
