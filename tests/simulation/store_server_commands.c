/* Commands about the process itself. */
#include "sender/base/check.h"
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

#include <inttypes.h>

void
store_ping(struct store_request *request)
{
    if (request->count > 2)
        store_request_arity(request);
    else if (request->count == 2)
        store_reply_text(request->reply, request->words[1]);
    else
        store_reply_status(request->reply, "PONG");
}

void
store_echo(struct store_request *request)
{
    store_reply_text(request->reply, request->words[1]);
}

static void
answer_number(struct store_bytes *reply, uint64_t number)
{
    struct store_bytes digits = {0};
    store_bytes_put_i64(&digits, (int64_t)number);
    store_reply_text(reply, store_bytes_span(&digits));
    store_bytes_free(&digits);
}

void
store_time_command(struct store_request *request)
{
    store_reply_array(request->reply, 2);
    answer_number(request->reply, request->store->now_us / 1000000);
    answer_number(request->reply, request->store->now_us % 1000000);
}

static bool
is_replica(const struct store *store)
{
    return store->trouble == STORE_READONLY || store->trouble == STORE_MASTERDOWN;
}

void
store_role(struct store_request *request)
{
    if (!is_replica(request->store)) {
        store_reply_array(request->reply, 3);
        store_reply_text(request->reply, SPAN("master"));
        store_reply_i64(request->reply, 0);
        store_reply_array(request->reply, 0);
        return;
    }
    bool has_master = request->store->trouble == STORE_READONLY;
    store_reply_array(request->reply, 5);
    store_reply_text(request->reply, SPAN("slave"));
    store_reply_text(request->reply, SPAN("127.0.0.1"));
    store_reply_i64(request->reply, 6379);
    store_reply_text(request->reply, has_master ? SPAN("connected") : SPAN("connect"));
    store_reply_i64(request->reply, has_master ? 0 : -1);
}

void
store_select(struct store_request *request)
{
    int64_t number;
    if (!store_request_i64(request, 1, &number))
        return;
    if (number == 0)
        store_reply_ok(request->reply);
    else
        store_reply_error(request->reply, "ERR DB index is out of range");
}

/* There are no passwords: the user `default` may come with any, as in Redis without requirepass. */
void
store_auth(struct store_request *request)
{
    if (request->count > 3)
        store_request_syntax(request);
    else if (request->count == 2)
        store_reply_error(request->reply,
                          "ERR AUTH <password> called without any password configured for the "
                          "default user. Are you sure your configuration is correct?");
    else if (span_equal(request->words[1], SPAN("default")))
        store_reply_ok(request->reply);
    else
        store_reply_error(request->reply,
                          "WRONGPASS invalid username-password pair or user is disabled.");
}

/* RESP2 only, and no options. */
void
store_hello(struct store_request *request)
{
    struct store_bytes *reply = request->reply;
    if (request->count > 2 || (request->count == 2 && !store_request_is(request, 1, "2"))) {
        store_reply_error(reply, "NOPROTO unsupported protocol version");
        return;
    }
    store_reply_array(reply, 14);
    store_reply_text(reply, SPAN("server"));
    store_reply_text(reply, SPAN("redis"));
    store_reply_text(reply, SPAN("version"));
    store_reply_text(reply, SPAN(STORE_VERSION));
    store_reply_text(reply, SPAN("proto"));
    store_reply_i64(reply, 2);
    store_reply_text(reply, SPAN("id"));
    store_reply_i64(reply, request->client == NULL ? 0 : request->client->id);
    store_reply_text(reply, SPAN("mode"));
    store_reply_text(reply, SPAN("standalone"));
    store_reply_text(reply, SPAN("role"));
    store_reply_text(reply, is_replica(request->store) ? SPAN("replica") : SPAN("master"));
    store_reply_text(reply, SPAN("modules"));
    store_reply_array(reply, 0);
}

/* ---- INFO ----------------------------------------------------------------------------------- */

static void
tell_server(const struct store *store, struct store_bytes *info)
{
    store_bytes_printf(info,
                       "# Server\r\nredis_version:%s\r\nredis_mode:standalone\r\nprocess_id:1\r\n"
                       "run_id:%s\r\ntcp_port:0\r\nserver_time_usec:%" PRIu64
                       "\r\nuptime_in_seconds:%" PRIu64 "\r\n",
                       STORE_VERSION, store->run_id, store->now_us,
                       (store->now_us - store->started_us) / 1000000);
}

static void
tell_memory(const struct store *store, struct store_bytes *info)
{
    store_bytes_printf(info,
                       "# Memory\r\nused_memory:%" PRIu64 "\r\nmaxmemory:%" PRIu64
                       "\r\nmaxmemory_policy:noeviction\r\n",
                       store->memory_used, store->memory_max);
}

static void
tell_persistence(const struct store *store, struct store_bytes *info)
{
    store_bytes_printf(info,
                       "# Persistence\r\nloading:%d\r\naof_enabled:1\r\n"
                       "aof_last_write_status:%s\r\n",
                       store->trouble == STORE_LOADING,
                       store->trouble == STORE_MISCONF ? "err" : "ok");
}

static void
tell_replication(const struct store *store, struct store_bytes *info)
{
    store_bytes_printf(info, "# Replication\r\nrole:%s\r\n",
                       is_replica(store) ? "slave" : "master");
    if (is_replica(store))
        store_bytes_printf(info,
                           "master_host:127.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:%s\r\n",
                           store->trouble == STORE_READONLY ? "up" : "down");
    store_bytes_printf(info, "connected_slaves:0\r\nmaster_replid:%s\r\n", store->replication_id);
}

static const struct {
    const char *name;
    void (*tell)(const struct store *store, struct store_bytes *info);
} sections[] = {{"server", tell_server},
                {"memory", tell_memory},
                {"persistence", tell_persistence},
                {"replication", tell_replication}};

static bool
is_wanted(const struct store_request *request, const char *section)
{
    for (size_t i = 1; i < request->count; i++)
        if (store_request_is(request, i, section) || store_request_is(request, i, "default") ||
            store_request_is(request, i, "all") || store_request_is(request, i, "everything"))
            return true;
    return request->count == 1;
}

void
store_info(struct store_request *request)
{
    struct store_bytes info = {0};
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (!is_wanted(request, sections[i].name))
            continue;
        if (info.size > 0)
            store_bytes_put_text(&info, "\r\n");
        sections[i].tell(request->store, &info);
    }
    store_reply_text(request->reply, store_bytes_span(&info));
    store_bytes_free(&info);
}

/* ---- CONFIG --------------------------------------------------------------------------------- */

/* What is asked for, and how a durable Redis is set. Only maxmemory can be changed. */
static const struct {
    const char *name;
    const char *value;
} settings[] = {{"appendfsync", "always"},
                {"appendonly", "yes"},
                {"maxmemory-policy", "noeviction"},
                {"save", ""}};

static bool
is_asked_for(const struct store_request *request, const char *name)
{
    for (size_t i = 2; i < request->count; i++)
        if (store_is_match(request->words[i], span_of(name)))
            return true;
    return false;
}

void
store_config_get(struct store_request *request)
{
    struct store_bytes found = {0};
    size_t count = 0;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (!is_asked_for(request, settings[i].name))
            continue;
        store_reply_text(&found, span_of(settings[i].name));
        store_reply_text(&found, span_of(settings[i].value));
        count += 2;
    }
    if (is_asked_for(request, "maxmemory")) {
        store_reply_text(&found, SPAN("maxmemory"));
        answer_number(&found, request->store->memory_max);
        count += 2;
    }
    store_reply_array(request->reply, count);
    store_bytes_put(request->reply, found.data, found.size);
    store_bytes_free(&found);
}

void
store_config_set(struct store_request *request)
{
    int64_t number;
    if (request->count != 4 || !store_request_is(request, 2, "maxmemory") ||
        !store_read_i64(request->words[3], &number) || number < 0) {
        store_reply_error(request->reply,
                          "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'",
                          SPAN_ARG(request->words[2]));
        return;
    }
    request->store->memory_max = (uint64_t)number;
    store_reply_ok(request->reply);
}
