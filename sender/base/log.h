/*
 * log - one logfmt line an event to standard error, rate-limited by its place in the code.
 *
 *   at=2026-11-23T14:03:05.123Z level=warn event=redis_lost host=... cause="..."
 *
 * Each call site may write LOG_BURST lines a second; what it held back is counted and said in the
 * next line it writes. A line is cut at 2 KiB; control characters in it become spaces. errno is
 * left as it was. Never give a log line a token, a password or a customer's parameters.
 */
#ifndef FACTEUR_SENDER_BASE_LOG_H
#define FACTEUR_SENDER_BASE_LOG_H

#include <stdatomic.h>
#include <stdint.h>

enum log_level { LOG_INFO, LOG_WARN, LOG_ERROR };
enum { LOG_BURST = 10 };

struct log_site {
    _Atomic uint64_t second; /* the second its count belongs to */
    _Atomic uint32_t count;  /* lines asked for in that second */
    _Atomic uint32_t held;   /* lines held back since the last one written */
};

/* `event` is a word; the rest is a printf format of logfmt pairs, or "". Any thread. */
#define log_line(level, event, ...)                                                                \
    do {                                                                                           \
        static struct log_site log_site_;                                                          \
        log_write(&log_site_, level, event, __VA_ARGS__);                                          \
    } while (0)

void log_write(struct log_site *site, enum log_level level, const char *event, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

#endif
