#include "sender/cli/checkup.h"
#include "sender/worker.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    KERNEL_MAJOR_MIN = 6,
    KERNEL_MINOR_MIN = 1,
    FILES_EACH = 8 + 8, /* of a worker: connections, two links to Redis, ring, resolver */
    FILES_REST = 64,
    MIB = 1024 * 1024,
};

static uint32_t
worker_count(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 && cores <= WORKERS_MAX ? (uint32_t)cores : 1;
}

static void
look_at_kernel(struct doctor *doctor)
{
    struct utsname names;
    unsigned major = 0;
    unsigned minor = 0;
    (void)uname(&names);
    (void)sscanf(names.release, "%u.%u", &major, &minor);
    if (major > KERNEL_MAJOR_MIN || (major == KERNEL_MAJOR_MIN && minor >= KERNEL_MINOR_MIN))
        checkup_good(&doctor->checkup, "kernel", "Linux %s", names.release);
    else
        checkup_bad(&doctor->checkup, "kernel",
                    "%s %s: facteur needs Linux %d.%d or newer (io_uring with deferred work)",
                    names.sysname, names.release, KERNEL_MAJOR_MIN, KERNEL_MINOR_MIN);
}

static bool
look_at_ring(struct doctor *doctor)
{
    const struct loop_settings settings = {.operations_max = 64, .timers_max = 64};
    struct error_text error;
    struct loop *loop = loop_open(&settings, &error);
    if (loop == NULL) {
        checkup_bad(&doctor->checkup, "io_uring", "%s", error.text);
        return false;
    }
    loop_close(loop);
    checkup_good(&doctor->checkup, "io_uring", "usable");
    return true;
}

static void
look_at_files(struct doctor *doctor)
{
    struct rlimit limit = {0};
    uint64_t needed = FILES_REST + (uint64_t)worker_count() * FILES_EACH;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= needed)
        checkup_good(&doctor->checkup, "files", "%llu may be open, %u workers need about %llu",
                     (unsigned long long)limit.rlim_cur, worker_count(),
                     (unsigned long long)needed);
    else
        checkup_bad(&doctor->checkup, "files",
                    "only %llu may be open, %u workers need about %llu: ulimit -n %llu, or "
                    "LimitNOFILE=%llu in the unit file",
                    (unsigned long long)limit.rlim_cur, worker_count(), (unsigned long long)needed,
                    (unsigned long long)needed, (unsigned long long)needed);
}

/* Of one worker, about: what limits.h counts. */
static uint64_t
worker_memory(void)
{
    return (uint64_t)DELIVERIES_MAX * sizeof(struct delivery) +
           (uint64_t)BATCHES_MAX * BATCH_ARENA_SIZE + 800 * sizeof(struct exchange_memory) +
           (uint64_t)LARGE_BODIES * sizeof(struct large_body) + REDIS_OUTPUT_SIZE +
           BATCH_ARENA_SIZE + 3 * (uint64_t)OUTCOMES_SIZE;
}

/* MemAvailable of /proc/meminfo, in bytes; 0 if it cannot be read. */
static uint64_t
available_memory(void)
{
    char line[128];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/meminfo", "re");
    if (file == NULL)
        return 0;
    while (kib == 0 && fgets(line, sizeof(line), file) != NULL)
        (void)sscanf(line, "MemAvailable: %llu kB", &kib);
    fclose(file);
    return kib * 1024;
}

static void
look_at_memory(struct doctor *doctor)
{
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
    uint64_t needed = worker_count() * worker_memory();
    uint64_t available = available_memory();
    (void)getrlimit(RLIMIT_AS, &limit);
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < 2 * needed)
        checkup_bad(&doctor->checkup, "memory",
                    "a process may have %llu MiB, %u workers want about %llu: ulimit -v unlimited, "
                    "or fewer workers (--workers)",
                    (unsigned long long)limit.rlim_cur / MIB, worker_count(),
                    (unsigned long long)(2 * needed / MIB));
    else if (available > 0 && available < needed)
        checkup_bad(&doctor->checkup, "memory",
                    "%llu MiB are free, %u workers need about %llu: end something, or start fewer "
                    "(--workers)",
                    (unsigned long long)available / MIB, worker_count(),
                    (unsigned long long)needed / MIB);
    else
        checkup_good(&doctor->checkup, "memory", "%llu MiB free, %u workers need about %llu",
                     (unsigned long long)available / MIB, worker_count(),
                     (unsigned long long)needed / MIB);
}

bool
doctor_look_at_machine(struct doctor *doctor)
{
    look_at_kernel(doctor);
    bool usable = look_at_ring(doctor);
    look_at_files(doctor);
    look_at_memory(doctor);
    return usable;
}
