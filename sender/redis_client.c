#include "sender/redis_client.h"

#include "sender/base/check.h"
#include "sender/redis_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REDIS_CLIENT_MAGIC = 0x72656469,
    BACKOFF_FIRST_US = 50 * 1000,
    BACKOFF_LAST_US = 5 * 1000 * 1000,
    CONNECT_TIMEOUT_US = 5 * 1000 * 1000,
    STEADY_US = 5 * 1000 * 1000, /* lived so long: its loss is the first of a new row */
    SILENCE_LOOKS = 4,           /* times in the longest silence that it is looked at */
};

struct redis_client {
    uint32_t magic;
    struct loop *loop;
    struct redis_client_settings settings;
    struct redis_client_events events;
    void *context;
    struct session *session;
    struct link *link; /* NULL between connections */
    uint32_t place;    /* of the address: where it is, or tries next */
    uint32_t tried;    /* places that were of no use, one after the other */
    bool ready;
    bool was_ready; /* this connection, at any time */
    bool closing;
    bool elsewhere;     /* its owner has left it: the next place, not this one again */
    bool trouble_told;  /* and the next try begins anew */
    uint32_t failures;  /* connections that failed or were of no use, in a row */
    uint64_t opened_us; /* when the last one opened */
    bool answered;      /* on it Redis said something, and nothing that we had to refuse */
    uint64_t heard_us;  /* when the last byte came */
    uint64_t quiet_us;  /* likewise, or when nothing was waited for */
    struct random random;
    struct timer backoff_timer;
    struct timer silence_timer;
    char identity[REDIS_IDENTITY_SIZE];
    char cause[256];   /* why this connection ends; "" before anybody says so */
    char trouble[768]; /* causes of all places that were tried */
    char place_text[REDIS_PLACE_TEXT_SIZE];
};

static void connect_now(struct redis_client *client);

/* ---- a connection that is of use, or not ----------------------------------------------------- */

static void
end_link(struct redis_client *client, const char *cause)
{
    if (client->cause[0] == '\0')
        snprintf(client->cause, sizeof(client->cause), "%s", cause);
    client->ready = false;
    client->answered = false;
    if (client->link != NULL)
        link_close(client->link);
}

static void
become_ready(struct redis_client *client)
{
    client->ready = client->was_ready = true;
    client->tried = 0;
    client->trouble[0] = '\0';
    client->events.on_ready(client->context);
}

/* Is it the master, and has it read its files? One that does not say, because its access list
 * forbids INFO or it is no Redis of ours, is taken as it is: errors will tell. */
static void
on_hello(void *context, const struct reply *reply)
{
    struct redis_client *client = context;
    struct redis_info info = {0};
    enum session_trouble trouble = session_trouble_of(reply);
    check_magic(client, REDIS_CLIENT_MAGIC);
    if (reply == NULL || client->closing || client->cause[0] != '\0')
        return;
    if (trouble != SESSION_TROUBLE_NONE && trouble != SESSION_TROUBLE_NOPERM &&
        trouble != SESSION_TROUBLE_OTHER) {
        end_link(client, session_trouble_text(trouble));
        return;
    }
    if (reply->type == REPLY_STRING)
        redis_info_read(reply->text, &info);
    if (info.replica) {
        char cause[sizeof(client->cause)];
        snprintf(cause, sizeof(cause), "a replica of %.200s", info.master);
        end_link(client, cause);
    } else if (info.loading) {
        end_link(client, session_trouble_text(SESSION_TROUBLE_LOADING));
    } else {
        memcpy(client->identity, info.identity, sizeof(client->identity));
        become_ready(client);
    }
}

static void
start_silence_timer(struct redis_client *client)
{
    if (client->settings.silence_us > 0)
        timer_start(loop_timers(client->loop), &client->silence_timer,
                    loop_now_us(client->loop) + client->settings.silence_us / SILENCE_LOOKS);
}

/* A host that lost its power says no goodbye. */
static void
on_silence_look(struct timer *timer)
{
    struct redis_client *client = container_of(timer, struct redis_client, silence_timer);
    check_magic(client, REDIS_CLIENT_MAGIC);
    uint64_t now_us = loop_now_us(client->loop);
    if (session_waiting(client->session) == 0)
        client->quiet_us = now_us;
    if (now_us - client->quiet_us < client->settings.silence_us) {
        start_silence_timer(client);
        return;
    }
    char cause[64];
    snprintf(cause, sizeof(cause), "no answer for %llu ms",
             (unsigned long long)(now_us - client->quiet_us) / 1000);
    client->elsewhere = true;
    end_link(client, cause);
}

/* ---- the link ------------------------------------------------------------------------------- */

static void
on_open(void *context)
{
    struct redis_client *client = context;
    check_magic(client, REDIS_CLIENT_MAGIC);
    const struct span hello[] = {SPAN("INFO"), SPAN("server"), SPAN("replication"),
                                 SPAN("persistence")};
    client->opened_us = client->quiet_us = loop_now_us(client->loop);
    client->answered = false;
    session_connected(client->session);
    start_silence_timer(client);
    if (client->settings.master_only)
        check(session_command(client->session, hello, 4, on_hello, client));
    link_flush(client->link);
    if (!client->settings.master_only)
        become_ready(client);
}

static void
on_bytes(void *context, const char *data, size_t size)
{
    struct redis_client *client = context;
    check_magic(client, REDIS_CLIENT_MAGIC);
    client->heard_us = client->quiet_us = loop_now_us(client->loop);
    if (!session_receive(client->session, data, size)) {
        end_link(client, session_error(client->session));
        return;
    }
    if (client->cause[0] != '\0')
        return; /* a callback has ended it */
    client->answered = true;
    if (client->link != NULL && session_wants_output(client->session))
        link_flush(client->link);
}

static void
on_output(void *context, struct buffer *out)
{
    struct redis_client *client = context;
    check_magic(client, REDIS_CLIENT_MAGIC);
    session_output(client->session, out);
}

static void
on_backoff_end(struct timer *timer)
{
    struct redis_client *client = container_of(timer, struct redis_client, backoff_timer);
    check_magic(client, REDIS_CLIENT_MAGIC);
    connect_now(client);
}

/* ---- the end of a link, and the next one ----------------------------------------------------- */

static void
add_trouble(struct redis_client *client, const char *cause)
{
    size_t used = strlen(client->trouble);
    if (client->settings.address->place_count == 1)
        snprintf(client->trouble, sizeof(client->trouble), "%s", cause);
    else
        snprintf(client->trouble + used, sizeof(client->trouble) - used, "%s%s: %s",
                 used > 0 ? "; " : "", redis_client_place(client), cause);
}

static uint64_t
next_wait_us(struct redis_client *client)
{
    uint64_t most_us = client->settings.backoff_max_us;
    uint32_t doublings = client->failures < 10 ? client->failures - 1 : 10;
    uint64_t wait_us = (uint64_t)BACKOFF_FIRST_US << doublings;
    if (wait_us > (most_us > 0 ? most_us : BACKOFF_LAST_US))
        wait_us = most_us > 0 ? most_us : BACKOFF_LAST_US;
    return wait_us / 2 + random_below(&client->random, wait_us / 2 + 1);
}

static void
connect_later(struct redis_client *client, uint64_t wait_us)
{
    timer_start(loop_timers(client->loop), &client->backoff_timer,
                loop_now_us(client->loop) + wait_us);
}

/* All places were tried, or it was one that had been of use. */
static void
tell_lost(struct redis_client *client)
{
    client->failures++;
    client->tried = 0;
    client->events.on_lost(client->context, client->trouble);
    client->trouble_told = true;
    if (!client->settings.once && !client->closing)
        connect_later(client, next_wait_us(client));
}

static void
on_close(void *context, const char *reason, bool opened)
{
    struct redis_client *client = context;
    check_magic(client, REDIS_CLIENT_MAGIC);
    const uint32_t place_count = client->settings.address->place_count;
    client->link = NULL;
    client->ready = false;
    timer_stop(loop_timers(client->loop), &client->silence_timer);
    add_trouble(client, client->cause[0] != '\0' ? client->cause : reason);
    if (client->closing)
        return;
    /* Connecting alone proves nothing: a password is refused afterwards. But a Redis that answered
     * is there, and is wanted back before the lease is over, however short its life was. */
    if (opened && (client->answered || loop_now_us(client->loop) - client->opened_us >= STEADY_US))
        client->failures = 0;
    if (!client->was_ready || client->elsewhere)
        client->place = (client->place + 1) % place_count;
    session_lost(client->session);
    if (client->was_ready || ++client->tried == place_count)
        tell_lost(client);
    else
        connect_later(client, 0);
}

static const struct link_events link_events = {
    .on_open = on_open, .on_bytes = on_bytes, .on_output = on_output, .on_close = on_close};

static void
connect_now(struct redis_client *client)
{
    const struct redis_place *place = &client->settings.address->places[client->place];
    const struct link_settings settings = {
        .address = {.unix_path = place->unix_path[0] != '\0' ? place->unix_path : NULL,
                    .host = place->host,
                    .port = place->port},
        .tls = place->tls ? client->settings.tls : NULL,
        .connect_timeout_us = CONNECT_TIMEOUT_US,
        .output_size = 256 * 1024,
    };
    if (client->trouble_told)
        client->trouble[0] = '\0';
    client->trouble_told = false;
    client->cause[0] = '\0';
    client->was_ready = client->elsewhere = false;
    client->link = link_open(client->loop, &settings, &link_events, client);
}

/* ---- for its owner -------------------------------------------------------------------------- */

struct redis_client *
redis_client_open(struct loop *loop, const struct redis_client_settings *settings,
                  const struct redis_client_events *events, void *context)
{
    struct redis_client *client = check_alloc(1, sizeof(*client));
    const struct redis_address *address = settings->address;
    const struct session_settings session_settings = {
        .output_size = settings->output_size,
        .arena_size = settings->arena_size,
        .waiting_max = settings->waiting_max,
        .user = address->user[0] != '\0' ? address->user : NULL,
        .password = address->password[0] != '\0' ? address->password : NULL,
    };
    check(address->place_count > 0 && address->place_count <= REDIS_PLACES_MAX);
    check(!redis_address_wants_tls(address) || settings->tls != NULL);
    client->magic = REDIS_CLIENT_MAGIC;
    client->loop = loop;
    client->settings = *settings;
    client->events = *events;
    client->context = context;
    client->session = session_open(&session_settings);
    random_seed(&client->random, settings->seed);
    timer_init(&client->backoff_timer, on_backoff_end);
    timer_init(&client->silence_timer, on_silence_look);
    connect_now(client);
    return client;
}

bool
redis_client_is_ready(const struct redis_client *client)
{
    return client->ready;
}

struct session *
redis_client_session(struct redis_client *client)
{
    return client->session;
}

void
redis_client_flush(struct redis_client *client)
{
    if (client->link != NULL && client->ready)
        link_flush(client->link);
}

const char *
redis_client_trouble(const struct redis_client *client)
{
    return client->trouble;
}

const char *
redis_client_identity(const struct redis_client *client)
{
    return client->identity;
}

const char *
redis_client_place(struct redis_client *client)
{
    return redis_place_text(&client->settings.address->places[client->place], client->place_text);
}

uint64_t
redis_client_heard_us(const struct redis_client *client)
{
    return client->heard_us;
}

void
redis_client_leave(struct redis_client *client, const char *reason)
{
    check_magic(client, REDIS_CLIENT_MAGIC);
    if (!client->ready)
        return; /* it is on its way already */
    client->elsewhere = true;
    end_link(client, reason);
}

void
redis_client_close(struct redis_client *client)
{
    check_magic(client, REDIS_CLIENT_MAGIC);
    client->closing = true;
    client->ready = false;
    timer_stop(loop_timers(client->loop), &client->backoff_timer);
    if (client->link != NULL)
        link_close(client->link);
}

bool
redis_client_is_closed(const struct redis_client *client)
{
    return client->link == NULL;
}

void
redis_client_free(struct redis_client *client)
{
    check(client->closing && client->link == NULL);
    session_close(client->session);
    memset(client, 0, sizeof(*client));
    free(client);
}
