#include "sender/base/log.h"
#include "sender/base/clock.h"

#include <errno.h>
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

/* Room for the line's end: " held_back=4294967295", a line feed and a NUL. */
enum { LINE_SIZE = 2048, LINE_END_SIZE = 32, EVENT_SIZE_MAX = 64 };

/* Writes time, level and event at the start of `line`; returns the size. */
static size_t
put_head(char *line, uint64_t now_ms, enum log_level level, const char *event)
{
    struct tm utc;
    time_t seconds = (time_t)(now_ms / 1000);
    gmtime_r(&seconds, &utc);
    size_t size = strftime(line, LINE_SIZE, "at=%Y-%m-%dT%H:%M:%S", &utc);
    size += (size_t)snprintf(line + size, LINE_SIZE - size, ".%03uZ level=%s event=%.*s",
                             (unsigned)(now_ms % 1000), level_words[level], EVENT_SIZE_MAX, event);
    return size;
}

void
log_write(struct log_site *site, enum log_level level, const char *event, const char *format, ...)
{
    int errno_before = errno;
    uint64_t now_ms = clock_unix_ms();
    uint32_t held;
    if (!may_write(site, now_ms / 1000, &held))
        return;
    char line[LINE_SIZE];
    size_t head = put_head(line, now_ms, level, event);
    size_t room = sizeof(line) - LINE_END_SIZE - head;
    va_list arguments;
    va_start(arguments, format);
    int asked = vsnprintf(line + head + 1, room, format, arguments);
    va_end(arguments);
    size_t size = head;
    if (asked > 0) {
        line[head] = ' ';
        size += 1 + ((size_t)asked < room ? (size_t)asked : room - 1);
    }
    /* A peer's words may be in it: what they say stays on this line and off the terminal. */
    for (size_t i = head; i < size; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
    if (held > 0)
        size += (size_t)snprintf(line + size, sizeof(line) - size, " held_back=%u", held);
    line[size++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, size); /* one write: lines do not mix */
    (void)written;
    errno = errno_before;
}
