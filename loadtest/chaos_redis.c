#include "loadtest/chaos_redis.h"
#include "loadtest/chaos_command.h"
#include "sender/base/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
chaos_redis_init(struct chaos_redis *redis, const char *house, uint32_t number,
                 struct error_text *error)
{
    *redis = (struct chaos_redis){0};
    (void)snprintf(redis->folder, sizeof redis->folder, "%s/redis-%u", house, number);
    (void)snprintf(redis->where, sizeof redis->where, "unix:%s.sock", redis->folder);
    if (mkdir(redis->folder, 0700) == 0)
        return true;
    error_set(error, "%s: %s", redis->folder, strerror(errno));
    return false;
}

bool
chaos_redis_start(struct chaos_redis *redis, const struct chaos_redis_settings *settings,
                  struct error_text *error)
{
    struct chaos_command command;
    char log[160];
    chaos_command_begin(&command);
    chaos_command_word(&command, "redis-server");
    chaos_command_option(&command, "--port", "%u", settings->port);
    chaos_command_option(&command, "--bind", "127.0.0.1");
    chaos_command_option(&command, "--unixsocket", "%s.sock", redis->folder);
    chaos_command_option(&command, "--unixsocketperm", "700");
    chaos_command_option(&command, "--dir", "%s", redis->folder);
    chaos_command_option(&command, "--appendonly", "yes");
    chaos_command_option(&command, "--appendfsync", "%s", settings->append);
    chaos_command_option(&command, "--save", "%s", "");
    chaos_command_option(&command, "--stream-node-max-bytes", "1024");
    if (settings->keeps_one_log)
        chaos_command_option(&command, "--auto-aof-rewrite-percentage", "0");
    if (settings->port != 0)
        chaos_command_option(&command, "--repl-diskless-sync-delay", "0");
    if (settings->replica_of != 0)
        chaos_command_option(&command, "--replicaof", "127.0.0.1 %u", settings->replica_of);
    (void)snprintf(log, sizeof log, "%s.log", redis->folder);
    chaos_history_forget(&redis->log);
    return chaos_child_start(&redis->child, command.words, log, error);
}

bool
chaos_redis_empty(struct chaos_redis *redis, struct error_text *error)
{
    const char *const arguments[] = {"rm", "-rf", "--", redis->folder, NULL};
    check(redis->child.pid == 0);
    return chaos_child_run(arguments, error) && mkdir(redis->folder, 0700) == 0;
}

/* The one log it has: it is never rewritten. */
static void
put_log(const struct chaos_redis *redis, char path[CHAOS_PATH_MAX])
{
    (void)snprintf(path, CHAOS_PATH_MAX, "%s/appendonlydir/appendonly.aof.1.incr.aof",
                   redis->folder);
}

void
chaos_redis_note(struct chaos_redis *redis, uint64_t now_us)
{
    char path[CHAOS_PATH_MAX];
    struct stat status;
    put_log(redis, path);
    if (chaos_child_runs(&redis->child) && stat(path, &status) == 0)
        chaos_history_note(&redis->log, now_us, (uint64_t)status.st_size);
}

void
chaos_redis_cut_power(struct chaos_redis *redis, uint64_t since_us)
{
    char path[CHAOS_PATH_MAX];
    uint64_t size = chaos_history_at(&redis->log, since_us);
    put_log(redis, path);
    chaos_child_kill(&redis->child);
    if (redis->log.count > 0 && truncate(path, (off_t)size) != 0)
        check(errno == ENOENT);
}
