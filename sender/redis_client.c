#include "sender/redis_client.h"

#include "sender/base/check.h"
#include "sender/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REDIS_CLIENT_MAGIC = 0x72656469,
    BACKOFF_FIRST_US = 50 * 1000,
    BACKOFF_LAST_US = 5 * 1000 * 1000,
    CONNECT_TIMEOUT_US = 5 * 1000 * 1000,
    STEADY_US = 5 * 1000 * 1000, /* lived so long: its loss is the first of a new row */
};

struct redis_client {
    uint32_t magic;
    struct loop *loop;
    struct redis_client_settings settings;
    struct redis_client_events events;
    void *context;
    struct session *session;
    struct link *link; /* NULL between connections */
    bool ready;
    bool closing;
    uint32_t failures;  /* connections that failed or were of no use, in a row */
    uint64_t opened_us; /* when the last one opened */
    bool answered;      /* on it Redis said something, and nothing that we had to refuse */
    struct random random;
    struct timer backoff_timer;
    char trouble[256];
};

/* ---- the address ---------------------------------------------------------------------------- */

static bool
copy_text(struct span from, char *to, size_t size)
{
    if (from.size >= size)
        return false;
    memcpy(to, from.data, from.size);
    to[from.size] = '\0';
    return true;
}

static bool
read_host_port(struct span text, struct redis_address *address, struct error_text *error)
{
    struct span port = {0};
    struct span host = text;
    for (size_t i = text.size; i > 0; i--) {
        if (text.data[i - 1] == ':') {
            host = (struct span){.data = text.data, .size = i - 1};
            port = (struct span){.data = text.data + i, .size = text.size - i};
            break;
        }
    }
    uint64_t number = address->tls ? 6380 : 6379;
    size_t at;
    if (span_find(text, '@', &at)) { /* not repeated here: it may hold the password */
        error_set(error, "Redis address: a user or password in it can be read by everybody in ps; "
                         "give --redis-user and --redis-password-file");
        return false;
    }
    if (host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        host = (struct span){.data = host.data + 1, .size = host.size - 2};
    if (port.size > 0 && (!span_to_u64(port, &number) || number == 0 || number > 65535)) {
        error_set(error, "Redis address: port \"%.*s\" is not a number from 1 to 65535",
                  SPAN_ARG(port));
        return false;
    }
    address->port = (uint16_t)number;
    if (host.size == 0 || !copy_text(host, address->host, sizeof(address->host))) {
        error_set(error, "Redis address: no host in \"%.*s\"; write tcp://HOST:PORT",
                  SPAN_ARG(text));
        return false;
    }
    return true;
}

bool
redis_address_read(const char *text, struct redis_address *address, struct error_text *error)
{
    static const struct {
        struct span prefix;
        bool is_path;
        bool tls;
    } kinds[] = {
        {{"unix://", 7}, true, false},   {{"unix:", 5}, true, false},
        {{"rediss://", 9}, false, true}, {{"redis://", 8}, false, false},
        {{"tcp://", 6}, false, false},
    };
    struct span whole = span_of(text);
    address->unix_path[0] = '\0';
    address->host[0] = '\0';
    if (whole.size > 0 && text[0] == '/')
        goto path;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!span_starts(whole, kinds[i].prefix))
            continue;
        whole.data += kinds[i].prefix.size;
        whole.size -= kinds[i].prefix.size;
        if (kinds[i].is_path)
            goto path;
        address->tls = kinds[i].tls;
        return read_host_port(whole, address, error);
    }
    size_t at;
    error_set(error,
              "Redis address \"%s\" is not known: write unix:/PATH, tcp://HOST:PORT or "
              "rediss://HOST:PORT",
              span_find(whole, '@', &at) ? "(not shown)" : text);
    return false;
path:
    if (whole.size == 0 || !copy_text(whole, address->unix_path, sizeof(address->unix_path))) {
        error_set(error, "Redis address \"%s\": a socket's path has 1 to %zu bytes", text,
                  sizeof(address->unix_path) - 1);
        return false;
    }
    return true;
}

/* ---- the connection ------------------------------------------------------------------------- */

static void connect_now(struct redis_client *client);

static void
on_open(void *context)
{
    struct redis_client *client = context;
    check_magic(client, REDIS_CLIENT_MAGIC);
    client->ready = true;
    client->opened_us = loop_now_us(client->loop);
    client->answered = false;
    client->trouble[0] = '\0';
    session_connected(client->session);
    link_flush(client->link);
    client->events.on_ready(client->context);
}

static void
on_bytes(void *context, const char *data, size_t size)
{
    struct redis_client *client = context;
    check_magic(client, REDIS_CLIENT_MAGIC);
    if (!session_receive(client->session, data, size)) {
        snprintf(client->trouble, sizeof(client->trouble), "%s", session_error(client->session));
        client->ready = false;
        client->answered = false;
        link_close(client->link);
        return;
    }
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

static void
on_close(void *context, const char *reason, bool opened)
{
    struct redis_client *client = context;
    check_magic(client, REDIS_CLIENT_MAGIC);
    client->link = NULL;
    client->ready = false;
    if (client->trouble[0] == '\0')
        snprintf(client->trouble, sizeof(client->trouble), "%s", reason);
    if (client->closing)
        return;
    /* Connecting alone proves nothing: a password is refused afterwards. But a Redis that answered
     * is there, and is wanted back before the lease is over, however short its life was. */
    if (opened && (client->answered || loop_now_us(client->loop) - client->opened_us >= STEADY_US))
        client->failures = 0;
    client->failures++;
    session_lost(client->session);
    client->events.on_lost(client->context, client->trouble);
    if (client->settings.once || client->closing)
        return;
    uint32_t doublings = client->failures < 10 ? client->failures - 1 : 10;
    uint64_t wait_us = (uint64_t)BACKOFF_FIRST_US << doublings;
    if (wait_us > BACKOFF_LAST_US)
        wait_us = BACKOFF_LAST_US;
    wait_us = wait_us / 2 + random_below(&client->random, wait_us / 2 + 1);
    timer_start(loop_timers(client->loop), &client->backoff_timer,
                loop_now_us(client->loop) + wait_us);
}

static const struct link_events link_events = {
    .on_open = on_open, .on_bytes = on_bytes, .on_output = on_output, .on_close = on_close};

static void
connect_now(struct redis_client *client)
{
    const struct redis_address *address = client->settings.address;
    const struct link_settings settings = {
        .address = {.unix_path = address->unix_path[0] != '\0' ? address->unix_path : NULL,
                    .host = address->host,
                    .port = address->port},
        .tls = address->tls ? client->settings.tls : NULL,
        .connect_timeout_us = CONNECT_TIMEOUT_US,
        .output_size = 256 * 1024,
    };
    client->trouble[0] = '\0';
    client->link = link_open(client->loop, &settings, &link_events, client);
}

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
    check(!address->tls || settings->tls != NULL);
    client->magic = REDIS_CLIENT_MAGIC;
    client->loop = loop;
    client->settings = *settings;
    client->events = *events;
    client->context = context;
    client->session = session_open(&session_settings);
    random_seed(&client->random, settings->seed);
    timer_init(&client->backoff_timer, on_backoff_end);
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
