#include "loadtest/chaos_house.h"
#include "loadtest/chaos_command.h"
#include "loadtest/load_places.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libgen.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    START_MAX_US = 30 * 1000 * 1000,
    LOOK_US = 20 * 1000,
    TAIL_SIZE = 300, /* bytes of a log that are shown when something does not start */
    PHONE_ID_FIRST = 1001,
};

#define DATA FACTEUR_SOURCE_DIR "/sender/cost/data"

static const char *const account_names[CHAOS_ACCOUNTS_MAX] = {"acme/fr",   "acme/es",  "globex/en",
                                                              "globex/de", "acme/it",  "initech/fr",
                                                              "acme/pt",   "globex/nl"};

bool
chaos_house_accounts(struct load_options *options, uint64_t count, struct error_text *error)
{
    if (count == 0 || count > CHAOS_ACCOUNTS_MAX) {
        error_set(error, "--accounts: from 1 to %d", CHAOS_ACCOUNTS_MAX);
        return false;
    }
    for (uint64_t i = 0; i < count; i++)
        check(keys_read(span_of(account_names[i]), &options->accounts[i], error));
    options->account_count = (uint32_t)count;
    return true;
}

/* ---- files ---------------------------------------------------------------------------------- */

static const char *
path_of(const struct chaos_house *house, const char *name, char path[CHAOS_PATH_MAX])
{
    (void)snprintf(path, CHAOS_PATH_MAX, "%s/%s", house->folder, name);
    return path;
}

static bool
fail(struct chaos_house *house, const char *what)
{
    error_set(&house->error, "%s: %s", what, strerror(errno));
    return false;
}

static bool
make_folder(struct chaos_house *house)
{
    const char *base = getenv("TMPDIR");
    char path[CHAOS_PATH_MAX];
    (void)snprintf(house->folder, sizeof house->folder, "%s/facteur-chaos.XXXXXX",
                   base != NULL && strlen(base) < 60 ? base : "/tmp");
    if (mkdtemp(house->folder) == NULL)
        return fail(house, house->folder);
    FILE *token = fopen(path_of(house, "token", path), "we");
    if (token == NULL || fputs("token-of-chaos\n", token) < 0 || fclose(token) != 0)
        return fail(house, path);
    return true;
}

/* facteur-load and facteur-emulator are built side by side, facteur one above. */
static bool
find_programs(struct chaos_house *house)
{
    char own[CHAOS_PATH_MAX] = {0};
    if (readlink("/proc/self/exe", own, sizeof own - 1) < 0)
        return fail(house, "/proc/self/exe");
    (void)snprintf(house->programs, sizeof house->programs, "%s", dirname(own));
    static const char *const names[] = {"facteur-emulator", "../facteur"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[2 * CHAOS_PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/%s", house->programs, names[i]);
        if (access(path, X_OK) == 0)
            continue;
        error_set(&house->error, "%s is not there: build it (cmake --build build)", path);
        return false;
    }
    return true;
}

/* The end of a log, for whoever has to find out why something did not start. */
static struct span
tail_of(const struct chaos_house *house, const char *log, char memory[TAIL_SIZE])
{
    char path[CHAOS_PATH_MAX];
    FILE *file = fopen(path_of(house, log, path), "re");
    if (file == NULL)
        return (struct span){0};
    if (fseek(file, -TAIL_SIZE, SEEK_END) != 0)
        rewind(file);
    size_t size = fread(memory, 1, TAIL_SIZE, file);
    (void)fclose(file);
    return span_trim((struct span){memory, size});
}

static bool
did_not_start(struct chaos_house *house, const char *what, const char *log)
{
    char memory[TAIL_SIZE];
    struct span tail = tail_of(house, log, memory);
    error_set(&house->error, "%s did not start; the end of its log: %.*s", what, SPAN_ARG(tail));
    return false;
}

/* Waits until a line of `log` holds `words`; what follows them on it goes to `rest`. */
static bool
await_log(struct chaos_house *house, struct chaos_child *child, const char *log, const char *words,
          char rest[128])
{
    uint64_t end_us = clock_monotonic_us() + START_MAX_US;
    char path[CHAOS_PATH_MAX];
    while (clock_monotonic_us() < end_us && !chaos_child_has_ended(child)) {
        FILE *file = fopen(path_of(house, log, path), "re");
        char line[1024];
        const char *at = NULL;
        while (file != NULL && at == NULL && fgets(line, sizeof line, file) != NULL)
            at = strstr(line, words);
        if (file != NULL)
            (void)fclose(file);
        if (at != NULL) {
            struct span found = span_trim(span_of(at + strlen(words)));
            (void)snprintf(rest, 128, "%.*s", SPAN_ARG(found));
            return true;
        }
        loop_turn(house->loop, LOOK_US);
    }
    return false;
}

static bool
start(struct chaos_house *house, struct chaos_child *child, const struct chaos_command *command,
      const char *log)
{
    char path[CHAOS_PATH_MAX];
    return chaos_child_start(child, command->words, path_of(house, log, path), &house->error);
}

/* ---- Redis ---------------------------------------------------------------------------------- */

struct chaos_redis *
chaos_house_master(struct chaos_house *house)
{
    return &house->redis[house->master];
}

static struct chaos_redis *
replica_of(struct chaos_house *house)
{
    return &house->redis[1 - house->master];
}

static bool
start_redis(struct chaos_house *house, struct chaos_redis *redis, uint16_t master_port)
{
    struct chaos_redis_settings settings = {.append = house->options->aof,
                                            .keeps_one_log =
                                                strcmp(house->options->aof, "always") != 0,
                                            .port = house->ports[redis - house->redis],
                                            .replica_of = master_port};
    return chaos_redis_start(redis, &settings, &house->error);
}

bool
chaos_house_start_master(struct chaos_house *house)
{
    return start_redis(house, chaos_house_master(house), 0);
}

static void
unlink_redis(struct chaos_house *house)
{
    if (house->linked)
        load_redis_close(&house->link);
    house->linked = false;
}

static bool
answers_ping(struct chaos_house *house)
{
    const char *const ping[] = {"PING", NULL};
    return load_redis_ask(&house->link, ping, &house->error) != NULL;
}

bool
chaos_house_has_redis(struct chaos_house *house)
{
    const struct chaos_redis *master = chaos_house_master(house);
    if (!chaos_child_runs(&master->child))
        return false;
    if (house->linked && !house->link.ended)
        return true;
    uint64_t now_us = clock_monotonic_us();
    unlink_redis(house);
    if (now_us < house->look_us)
        return false;
    house->look_us = now_us + LOOK_US;
    house->linked = load_redis_open(&house->link, house->loop, master->where, &house->error);
    if (house->linked && !answers_ping(house)) /* it reads its log */
        unlink_redis(house);
    return house->linked;
}

static bool
await_redis(struct chaos_house *house)
{
    uint64_t end_us = clock_monotonic_us() + START_MAX_US;
    while (!chaos_house_has_redis(house)) {
        if (chaos_child_has_ended(&chaos_house_master(house)->child) ||
            clock_monotonic_us() > end_us)
            return did_not_start(house, "redis-server (Debian package redis-server)",
                                 "redis-0.log");
        loop_turn(house->loop, LOOK_US);
    }
    return true;
}

const struct reply *
chaos_house_ask(struct chaos_house *house, const char *const *parts)
{
    return chaos_house_has_redis(house) ? load_redis_ask(&house->link, parts, &house->error) : NULL;
}

/* ---- replica -------------------------------------------------------------------------------- */

/* One question to the replica, on a connection of its own. `*found`: `words` stand in the answer.
 */
static bool
ask_replica(struct chaos_house *house, const char *const *parts, const char *words, bool *found)
{
    struct load_redis link;
    if (!load_redis_open(&link, house->loop, replica_of(house)->where, &house->error))
        return false;
    const struct reply *reply = load_redis_ask(&link, parts, &house->error);
    *found = reply != NULL && memmem(reply->text.data, reply->text.size, words, strlen(words));
    bool good = reply != NULL;
    load_redis_close(&link);
    return good;
}

/* WAIT asks of what was written on this connection, so something is. */
bool
chaos_house_has_replica(struct chaos_house *house)
{
    char key[KEYS_BASE_MAX + 16];
    int64_t heard = 0;
    (void)snprintf(key, sizeof key, "%s:chaos", house->options->accounts[0].business);
    const char *const mark[] = {"INCR", key, NULL};
    const char *const wait[] = {"WAIT", "1", "1000", NULL};
    if (!chaos_child_runs(&replica_of(house)->child) || chaos_house_ask(house, mark) == NULL)
        return false;
    const struct reply *reply = chaos_house_ask(house, wait);
    return reply != NULL && reply_i64(reply, &heard) && heard == 1;
}

bool
chaos_house_cut_off_replica(struct chaos_house *house)
{
    const char *const parts[] = {"REPLICAOF", "127.0.0.1", "1", NULL}; /* nothing listens there */
    bool found = false;
    return ask_replica(house, parts, "OK", &found) && found;
}

bool
chaos_house_promote_replica(struct chaos_house *house)
{
    const char *const parts[] = {"REPLICAOF", "NO", "ONE", NULL};
    bool found = false;
    chaos_child_kill(&chaos_house_master(house)->child);
    if (!ask_replica(house, parts, "OK", &found) || !found)
        return false;
    house->master = 1 - house->master;
    unlink_redis(house);
    return true;
}

bool
chaos_house_start_replica(struct chaos_house *house)
{
    struct chaos_redis *replica = replica_of(house);
    return chaos_redis_empty(replica, &house->error) &&
           start_redis(house, replica, house->ports[house->master]);
}

/* A port of loopback that nobody has now. */
static bool
find_port(struct chaos_house *house, uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = probe >= 0 && bind(probe, (struct sockaddr *)&address, size) == 0 &&
                getsockname(probe, (struct sockaddr *)&address, &size) == 0;
    if (probe >= 0)
        (void)close(probe);
    *port = ntohs(address.sin_port);
    return good || fail(house, "no port of loopback is free");
}

static bool
open_redis(struct chaos_house *house)
{
    bool twice = house->options->failover;
    for (uint32_t i = 0; i < (twice ? 2 : 1); i++) {
        if (!chaos_redis_init(&house->redis[i], house->folder, i, &house->error) ||
            (twice && !find_port(house, &house->ports[i])))
            return false;
    }
    (void)snprintf(house->places, sizeof house->places, "%s%s%s", house->redis[0].where,
                   twice ? "," : "", house->redis[1].where);
    return chaos_house_start_master(house) && await_redis(house) &&
           (!twice || chaos_house_start_replica(house));
}

/* ---- emulator ------------------------------------------------------------------------------- */

static bool
start_emulator(struct chaos_house *house)
{
    const struct load_options *options = house->options;
    struct chaos_command command;
    chaos_command_begin(&command);
    chaos_command_word(&command, "%s/facteur-emulator", house->programs);
    chaos_command_option(&command, "--listen", "127.0.0.1:0");
    chaos_command_option(&command, "--make-certificate", "%s", house->folder);
    chaos_command_option(&command, "--token-file", "%s/token", house->folder);
    chaos_command_option(&command, "--templates", "%s", options->templates);
    chaos_command_option(&command, "--prefixes", "%s/prefixes.csv", DATA);
    chaos_command_option(&command, "--markets", "%s/markets.csv", DATA);
    chaos_command_option(&command, "--rates", "%s/rates.csv", DATA);
    chaos_command_option(&command, "--latency", "5ms-40ms");
    chaos_command_option(&command, "--seed", "%llu", (unsigned long long)options->seed);
    chaos_command_word(&command, "--quiet");
    for (uint32_t i = 0; i < options->account_count; i++)
        chaos_command_option(&command, "--phone-id", "%u", PHONE_ID_FIRST + i);
    if (!start(house, &house->emulator, &command, "emulator.log"))
        return false;
    if (!await_log(house, &house->emulator, "emulator.log", "listening on ", house->url))
        return did_not_start(house, "facteur-emulator", "emulator.log");
    (void)snprintf(house->ca_file, sizeof house->ca_file, "%s/emulator.crt", house->folder);
    return true;
}

bool
chaos_house_control(struct chaos_house *house, const char *path, const char *body,
                    struct span *answer)
{
    if (!chaos_child_runs(&house->emulator)) {
        error_set(&house->error, "the emulator is stopped");
        return false;
    }
    if (house->controlled && house->control.ended) {
        load_emulator_close(&house->control);
        house->controlled = false;
    }
    if (!house->controlled)
        house->controlled = load_emulator_open(&house->control, house->loop, house->url,
                                               house->ca_file, &house->error);
    return house->controlled &&
           load_emulator_ask(&house->control, path, body, answer, &house->error);
}

/* ---- senders -------------------------------------------------------------------------------- */

uint64_t
chaos_house_events_keep(const struct chaos_house *house)
{
    return house->options->messages * 4 + 100000;
}

bool
chaos_house_start_sender(struct chaos_house *house, uint32_t number)
{
    const struct load_options *options = house->options;
    unsigned long long keep = chaos_house_events_keep(house);
    struct chaos_command command;
    char log[32];
    chaos_command_begin(&command);
    chaos_command_word(&command, "%s/../facteur", house->programs);
    chaos_command_word(&command, "run");
    chaos_command_option(&command, "--redis", "%s", house->places);
    chaos_command_option(&command, "--graph", "%s/v26.0", house->url);
    chaos_command_option(&command, "--ca-file", "%s", house->ca_file);
    chaos_command_option(&command, "--token-file", "%s/token", house->folder);
    chaos_command_option(&command, "--templates", "%s", options->templates);
    chaos_command_option(&command, "--workers", "%d", CHAOS_WORKERS);
    chaos_command_option(&command, "--connections", "%d", CHAOS_CONNECTIONS);
    chaos_command_option(&command, "--streams", "%d", CHAOS_STREAMS);
    chaos_command_option(&command, "--lease", "%dms", CHAOS_LEASE_MS);
    chaos_command_option(&command, "--request-timeout", "%dms", CHAOS_REQUEST_TIMEOUT_MS);
    chaos_command_option(&command, "--uncertain-wait", "%dms", CHAOS_UNCERTAIN_WAIT_MS);
    chaos_command_option(&command, "--retry", "200ms, 500ms*20");
    chaos_command_option(&command, "--events-keep", "%llu", keep);
    chaos_command_option(&command, "--uncertain", "%s", options->policy);
    chaos_command_option(&command, "--uncertain-codes", "%s", options->policy);
    for (uint32_t i = 0; i < options->account_count; i++)
        chaos_command_option(&command, "--account", "%s/%s=%u", options->accounts[i].business_name,
                             options->accounts[i].account_name, PHONE_ID_FIRST + i);
    (void)snprintf(log, sizeof log, "sender-%u.log", number);
    return start(house, &house->senders[number], &command, log);
}

static bool
start_senders(struct chaos_house *house)
{
    char log[32];
    char rest[128];
    for (uint32_t i = 0; i < house->sender_count; i++)
        if (!chaos_house_start_sender(house, i))
            return false;
    for (uint32_t i = 0; i < house->sender_count; i++) {
        (void)snprintf(log, sizeof log, "sender-%u.log", i);
        if (!await_log(house, &house->senders[i], log, "event=redis_ready", rest))
            return did_not_start(house, "facteur run", log);
    }
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

bool
chaos_house_open(struct chaos_house *house, struct loop *loop, const struct load_options *options)
{
    check(options->senders <= CHAOS_SENDERS_MAX && options->account_count <= CHAOS_ACCOUNTS_MAX);
    *house = (struct chaos_house){
        .loop = loop, .options = options, .sender_count = (uint32_t)options->senders};
    if (!find_programs(house) || !make_folder(house))
        return false;
    return open_redis(house) && start_emulator(house) && start_senders(house);
}

/* Our own folder, by its own name, and nothing else. */
static void
remove_folder(const struct chaos_house *house)
{
    struct error_text error;
    const char *const arguments[] = {"rm", "-rf", "--", house->folder, NULL};
    (void)chaos_child_run(arguments, &error);
}

void
chaos_house_close(struct chaos_house *house, bool keep)
{
    unlink_redis(house);
    if (house->controlled)
        load_emulator_close(&house->control);
    house->controlled = false;
    for (uint32_t i = 0; i < house->sender_count; i++)
        chaos_child_kill(&house->senders[i]);
    chaos_child_kill(&house->emulator);
    for (uint32_t i = 0; i < CHAOS_REDIS_MAX; i++)
        chaos_child_kill(&house->redis[i].child);
    if (!keep && house->folder[0] != '\0')
        remove_folder(house);
}

/* ---- what is where -------------------------------------------------------------------------- */

bool
chaos_house_granted(struct chaos_house *house, uint64_t *granted)
{
    *granted = 0;
    for (uint32_t i = 0; i < house->options->account_count; i++) {
        char key[KEYS_BASE_MAX + 16];
        (void)snprintf(key, sizeof key, "%s:grants", house->options->accounts[i].account);
        const char *const parts[] = {"HGETALL", key, NULL};
        const struct reply *reply = chaos_house_ask(house, parts);
        if (reply == NULL)
            return false;
        *granted += load_places_granted(reply);
    }
    return true;
}

static bool
length_of(struct chaos_house *house, uint32_t account, const char *name, int64_t *length)
{
    char key[KEYS_BASE_MAX + 16];
    (void)snprintf(key, sizeof key, "%s:%s", house->options->accounts[account].account, name);
    const char *const parts[] = {"HLEN", key, NULL};
    const struct reply *reply = chaos_house_ask(house, parts);
    return reply != NULL && reply_i64(reply, length);
}

bool
chaos_house_only_claimed(struct chaos_house *house, uint64_t *claims)
{
    *claims = 0;
    for (uint32_t i = 0; i < house->options->account_count; i++) {
        int64_t claimed;
        int64_t granted;
        if (!length_of(house, i, "claims", &claimed) || !length_of(house, i, "grants", &granted))
            return false;
        if (granted == 0)
            *claims += (uint64_t)claimed;
    }
    return true;
}

bool
chaos_house_is_quiet(struct chaos_house *house, bool uncertain_too)
{
    static const char *const places[] = {"waiting", "urgent", "claimed",
                                         "granted", "later",  "uncertain"};
    size_t count = sizeof places / sizeof places[0] - (uncertain_too ? 0 : 1);
    for (uint32_t i = 0; i < house->options->account_count; i++) {
        const struct account_keys *keys = &house->options->accounts[i];
        const char *const parts[] = {"FCALL_RO",    "facteur_stats", "2",
                                     keys->account, keys->business,  NULL};
        const struct reply *reply = chaos_house_ask(house, parts);
        for (size_t k = 0; k + 1 < (reply == NULL ? 0 : reply->count); k += 2)
            for (size_t p = 0; p < count; p++)
                if (reply_is_text(reply->elements[k], places[p]) &&
                    reply->elements[k + 1]->integer != 0)
                    return false;
        if (reply == NULL)
            return false;
    }
    return true;
}
