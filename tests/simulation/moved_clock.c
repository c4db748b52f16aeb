/*
 * moved_clock - the wall clock of a whole process, out of a file. LD_PRELOADed into a redis-server
 * it makes its time the test's: two servers with one file agree to the microsecond.
 *
 * FACTEUR_CLOCK names a file of 8 bytes: Unix microseconds, as this machine writes a uint64_t. Or
 * FACTEUR_CLOCK_AHEAD one of microseconds, as an int64_t, by which the machine's own time is moved.
 * The file may be changed at any time. Clocks that only measure (CLOCK_MONOTONIC) go on.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile uint64_t *moved; /* NULL: the clock is the machine's */
static const volatile uint64_t *ahead; /* NULL: by nothing */

static const volatile uint64_t *
map_file(const char *path)
{
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NULL;
    void *map = mmap(NULL, sizeof(uint64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    return map != MAP_FAILED ? map : NULL;
}

__attribute__((constructor)) static void
open_clock(void)
{
    moved = map_file(getenv("FACTEUR_CLOCK"));
    ahead = map_file(getenv("FACTEUR_CLOCK_AHEAD"));
}

int
clock_gettime(clockid_t clock, struct timespec *time)
{
    bool is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (!is_wall || (moved == NULL && ahead == NULL))
        return (int)syscall(SYS_clock_gettime, clock, time); /* allocators ask before main() */
    uint64_t now_us;
    if (moved != NULL) {
        now_us = *moved;
    } else {
        if (syscall(SYS_clock_gettime, clock, time) != 0)
            return -1;
        now_us = (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_nsec / 1000 + *ahead;
    }
    time->tv_sec = (time_t)(now_us / 1000000);
    time->tv_nsec = (long)(now_us % 1000000) * 1000;
    return 0;
}

int
gettimeofday(struct timeval *time, void *zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t
time(time_t *seconds)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    if (seconds != NULL)
        *seconds = now.tv_sec;
    return now.tv_sec;
}
