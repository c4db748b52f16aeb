#include "queue/calls.h"
#include "sender/base/clock.h"
#include "sender/cli/checkup.h"
#include "sender/redis_info.h"
#include "sender/redis_setup.h"

#include <stdio.h>
#include <string.h>

enum { CLOCK_APART_MAX_MS = 1000, FULL_PERCENT = 90 };

/* A section of INFO, or an empty span after saying why not. Valid until the next command. */
static struct span
section_of(struct doctor *doctor, struct redis_sync *sync, const char *name, const char *section)
{
    const struct reply *reply = redis_sync_words(sync, "INFO", section, NULL);
    if (reply != NULL && reply->type == REPLY_STRING)
        return reply->text;
    checkup_bad(&doctor->checkup, name, "INFO %s was not answered (%.*s): allow our user +info",
                section, reply != NULL ? (int)reply->text.size : 4,
                reply != NULL ? reply->text.data : "lost");
    return (struct span){0};
}

static uint64_t
number_in(struct span info, struct span name)
{
    uint64_t number = 0;
    (void)span_to_u64(redis_info_value(info, name), &number);
    return number;
}

static void
look_at_version(struct doctor *doctor, struct redis_sync *sync)
{
    struct span info = section_of(doctor, sync, "redis", "server");
    struct span version = redis_info_value(info, SPAN("redis_version"));
    if (info.size == 0)
        return;
    if (redis_setup_order(version, SPAN("7.0.0")) >= 0)
        checkup_good(&doctor->checkup, "redis", "reached, version %.*s", SPAN_ARG(version));
    else
        checkup_bad(&doctor->checkup, "redis", "version %.*s: functions came with 7.0, upgrade it",
                    SPAN_ARG(version));
}

static void
look_at_role(struct doctor *doctor, struct redis_sync *sync)
{
    struct span info = section_of(doctor, sync, "role", "replication");
    struct span role = redis_info_value(info, SPAN("role"));
    if (info.size == 0)
        return;
    if (span_equal(role, SPAN("master")))
        checkup_good(&doctor->checkup, "role", "master");
    else
        checkup_bad(&doctor->checkup, "role",
                    "a replica of %.*s: nothing can be written here, give the master's address",
                    SPAN_ARG(redis_info_value(info, SPAN("master_host"))));
}

static void
look_at_fsync(struct doctor *doctor, struct redis_sync *sync)
{
    struct span fsync = redis_setup_config(sync, "appendfsync");
    if (span_equal(fsync, SPAN("always")))
        checkup_good(&doctor->checkup, "persistence", "appendonly yes, appendfsync always");
    else if (fsync.size == 0)
        checkup_bad(&doctor->checkup, "persistence",
                    "appendonly yes; appendfsync cannot be seen: allow our user +config|get, or "
                    "ask for appendfsync always");
    else
        checkup_bad(&doctor->checkup, "persistence",
                    "appendfsync %.*s: a crash may forget the last second, and what was sent in it "
                    "may be sent again; CONFIG SET appendfsync always, and in redis.conf",
                    SPAN_ARG(fsync));
}

static void
look_at_persistence(struct doctor *doctor, struct redis_sync *sync)
{
    struct span info = section_of(doctor, sync, "persistence", "persistence");
    if (info.size == 0)
        return;
    struct span written = redis_info_value(info, SPAN("aof_last_write_status"));
    if (number_in(info, SPAN("aof_enabled")) == 0)
        checkup_bad(&doctor->checkup, "persistence",
                    "appendonly no: a restart of Redis loses notifications and outcomes; CONFIG "
                    "SET appendonly yes and appendfsync always, and in redis.conf");
    else if (written.size > 0 && !span_equal(written, SPAN("ok")))
        checkup_bad(&doctor->checkup, "persistence",
                    "Redis cannot write its append-only file (%.*s): is its disk full?",
                    SPAN_ARG(written));
    else
        look_at_fsync(doctor, sync);
}

static void
look_at_memory(struct doctor *doctor, struct redis_sync *sync)
{
    struct span info = section_of(doctor, sync, "eviction", "memory");
    struct span policy = redis_info_value(info, SPAN("maxmemory_policy"));
    uint64_t used = number_in(info, SPAN("used_memory"));
    uint64_t most = number_in(info, SPAN("maxmemory"));
    if (info.size == 0)
        return;
    if (!span_equal(policy, SPAN("noeviction")))
        checkup_bad(&doctor->checkup, "eviction",
                    "maxmemory-policy %.*s: a full Redis throws notifications away; CONFIG SET "
                    "maxmemory-policy noeviction, and in redis.conf",
                    SPAN_ARG(policy));
    else if (most > 0 && used > most / 100 * FULL_PERCENT)
        checkup_bad(&doctor->checkup, "eviction",
                    "%llu of %llu MiB are used: producers are refused soon; raise maxmemory",
                    (unsigned long long)(used >> 20), (unsigned long long)(most >> 20));
    else
        checkup_good(&doctor->checkup, "eviction", "noeviction, %llu MiB used",
                     (unsigned long long)(used >> 20));
}

static void
look_at_library(struct doctor *doctor, struct redis_sync *sync)
{
    static const char name[] = "functions";
    const struct reply *known = redis_sync_words(sync, "FCALL_RO", "facteur_version", "0", NULL);
    enum session_trouble trouble = session_trouble_of(known);
    if (known == NULL) {
        checkup_bad(&doctor->checkup, name, "%s", redis_sync_trouble(sync));
    } else if (trouble == SESSION_TROUBLE_NO_FUNCTION) {
        checkup_bad(&doctor->checkup, name,
                    "the library facteur is not in this Redis: facteur run loads it when it starts "
                    "(or: redis-cli -x FUNCTION LOAD REPLACE < queue/library.lua)");
    } else if (known->type == REPLY_ERROR) {
        struct span words =
            trouble == SESSION_TROUBLE_OTHER ? known->text : span_of(session_trouble_text(trouble));
        checkup_bad(&doctor->checkup, name, "%.*s", SPAN_ARG(words));
    } else {
        int order = redis_setup_order(known->text, span_of(library_version));
        if (order == 0)
            checkup_good(&doctor->checkup, name, "facteur %s", library_version);
        else
            checkup_bad(&doctor->checkup, name, "facteur %.*s in Redis, %s in this program: %s",
                        SPAN_ARG(known->text), library_version,
                        order < 0 ? "facteur run loads the newer one when it starts"
                                  : "use the newer facteur");
    }
}

static void
look_at_clock(struct doctor *doctor, struct redis_sync *sync)
{
    uint64_t before_ms = clock_unix_ms();
    const struct reply *time = redis_sync_words(sync, "TIME", NULL);
    uint64_t here_ms = (before_ms + clock_unix_ms()) / 2;
    int64_t seconds = 0;
    int64_t micros = 0;
    if (!reply_i64(reply_at(time, 0), &seconds) || !reply_i64(reply_at(time, 1), &micros)) {
        checkup_bad(&doctor->checkup, "clock", "TIME was not answered: allow our user +time");
        return;
    }
    long long apart = (long long)(seconds * 1000 + micros / 1000) - (long long)here_ms;
    if (apart <= CLOCK_APART_MAX_MS && apart >= -CLOCK_APART_MAX_MS)
        checkup_good(&doctor->checkup, "clock", "%lld ms apart from Redis'",
                     apart < 0 ? -apart : apart);
    else
        checkup_bad(&doctor->checkup, "clock",
                    "Redis' clock is %lld ms %s ours: not_before and expires are judged by ours; "
                    "synchronize both (chrony, systemd-timesyncd)",
                    apart < 0 ? -apart : apart, apart < 0 ? "behind" : "ahead of");
}

void
doctor_look_at_redis(struct doctor *doctor)
{
    struct redis_address address;
    struct error_text error;
    struct redis_sync *sync = NULL;
    if (cli_store_find(&doctor->store, &address, &error))
        sync = redis_sync_open(&address, &error);
    memset(address.password, 0, sizeof(address.password));
    if (sync == NULL) {
        checkup_bad(&doctor->checkup, "redis", "%s", error.text);
        return;
    }
    look_at_version(doctor, sync);
    look_at_role(doctor, sync);
    look_at_persistence(doctor, sync);
    look_at_memory(doctor, sync);
    look_at_library(doctor, sync);
    look_at_clock(doctor, sync);
    redis_sync_close(sync);
}
