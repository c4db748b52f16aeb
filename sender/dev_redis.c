#include "sender/dev_redis.h"

#include "sender/base/clock.h"
#include "sender/redis_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 10 * 1000, STOP_MS = 10 * 1000 };

bool
dev_redis_folder(const char *given, char *folder, size_t size, struct error_text *error)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int written;
    if (given != NULL)
        written = snprintf(folder, size, "%s", given);
    else if (state != NULL && state[0] != '\0')
        written = snprintf(folder, size, "%s/facteur", state);
    else
        written = snprintf(folder, size, "%s/.local/state/facteur", home != NULL ? home : "/tmp");
    if (written > 0 && (size_t)written < size)
        return true;
    error_set(error,
              "the state folder's path is too long for a socket in it: give one of at most %zu "
              "bytes with --state",
              size - 1);
    return false;
}

void
dev_redis_address(const char *folder, struct redis_address *address)
{
    memset(address, 0, sizeof(*address));
    address->place_count = 1;
    snprintf(address->places[0].unix_path, sizeof(address->places[0].unix_path), "%s/redis.sock",
             folder);
}

static bool
make_folders(const char *folder, struct error_text *error)
{
    char path[128];
    snprintf(path, sizeof(path), "%s", folder);
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            error_set(error, "cannot make the folder %s: %s", path, strerror(errno));
            return false;
        }
        if (slash == NULL)
            return true;
        *slash = '/';
    }
}

static bool
answers(const char *folder)
{
    struct redis_address address;
    struct error_text ignored;
    dev_redis_address(folder, &address);
    struct redis_sync *sync = redis_sync_open(&address, &ignored);
    bool up = sync != NULL;
    if (up) { /* while it reads its files it answers LOADING */
        const struct reply *reply = redis_sync_words(sync, "EXISTS", "facteur", NULL);
        up = reply != NULL && reply->type == REPLY_INTEGER;
    }
    redis_sync_close(sync);
    return up;
}

static void
become_redis(const char *folder)
{
    char socket[108];
    snprintf(socket, sizeof(socket), "%s/redis.sock", folder);
    int log = open("/dev/null", O_RDWR);
    if (log >= 0) {
        dup2(log, STDIN_FILENO);
        dup2(log, STDOUT_FILENO);
    }
    setpgid(0, 0); /* a ^C at the terminal is for us to hand on: it must outlive the drain */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket,
           "--unixsocketperm", "700", "--dir", folder, "--appendonly", "yes", "--appendfsync",
           "always", "--save", "", "--stream-node-max-bytes", "1024", "--maxmemory-policy",
           "noeviction", "--daemonize", "no", "--logfile", "redis.log", (char *)NULL);
    _exit(127);
}

bool
dev_redis_start(struct dev_redis *redis, const char *folder, struct error_text *error)
{
    redis->pid = 0;
    snprintf(redis->folder, sizeof(redis->folder), "%s", folder);
    if (!make_folders(folder, error))
        return false;
    if (answers(folder))
        return true;
    redis->pid = fork();
    if (redis->pid == 0)
        become_redis(folder);
    uint64_t end_ms = clock_unix_ms() + START_MS;
    while (redis->pid > 0 && clock_unix_ms() < end_ms) {
        int status;
        if (waitpid(redis->pid, &status, WNOHANG) == redis->pid) {
            redis->pid = 0;
            error_set(error,
                      WIFEXITED(status) && WEXITSTATUS(status) == 127
                          ? "redis-server is not installed: apt-get install redis-server"
                          : "the private redis-server ended at once: see %s/redis.log",
                      folder);
            return false;
        }
        if (answers(folder))
            return true;
        usleep(20 * 1000);
    }
    error_set(error, "the private redis-server in %s does not answer: see %s/redis.log", folder,
              folder);
    dev_redis_stop(redis);
    return false;
}

void
dev_redis_stop(struct dev_redis *redis)
{
    if (redis->pid <= 0)
        return;
    kill(redis->pid, SIGTERM);
    uint64_t end_ms = clock_unix_ms() + STOP_MS;
    while (waitpid(redis->pid, NULL, WNOHANG) == 0) {
        if (clock_unix_ms() > end_ms)
            kill(redis->pid, SIGKILL);
        usleep(10 * 1000);
    }
    redis->pid = 0;
}
