#include "sender/base/log.h"
#include "sender/base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const level_words[] = {"info", "warn", "error"};

/* True if the site may write now; `*held` is then how many lines were held back before. */
static int
may_write(struct log_site *site, uint64_t second, uint32_t *held)
{
    if (atomic_exchange(&site->second, second) != second)
        atomic_store(&site->count, 0);
    if (atomic_fetch_add(&site->count, 1) >= LOG_BURST) {
        atomic_fetch_add(&site->held, 1);
        return 0;
    }
    *held = atomic_exchange(&site->held, 0);
    return 1;
}

void
log_write(struct log_site *site, enum log_level level, const char *event, const char *format, ...)
{
    uint64_t now_ms = clock_unix_ms();
    uint32_t held;
    if (!may_write(site, now_ms / 1000, &held))
        return;
    char line[2048];
    struct tm utc;
    time_t seconds = (time_t)(now_ms / 1000);
    gmtime_r(&seconds, &utc);
    size_t size = strftime(line, sizeof(line), "at=%Y-%m-%dT%H:%M:%S", &utc);
    size += (size_t)snprintf(line + size, sizeof(line) - size, ".%03uZ level=%s event=%s ",
                             (unsigned)(now_ms % 1000), level_words[level], event);
    va_list arguments;
    va_start(arguments, format);
    int added = vsnprintf(line + size, sizeof(line) - size - 32, format, arguments);
    va_end(arguments);
    if (added > 0)
        size += (size_t)added < sizeof(line) - size - 32 ? (size_t)added : sizeof(line) - size - 33;
    if (held > 0)
        size += (size_t)snprintf(line + size, sizeof(line) - size, " held_back=%u", held);
    line[size++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, size); /* one write: lines do not mix */
    (void)written;
}
