/*
 * fixture - what the tests of sender/io share: a folder that goes away, certificates in it, turns.
 */
#ifndef FACTEUR_TESTS_UNIT_IO_FIXTURE_H
#define FACTEUR_TESTS_UNIT_IO_FIXTURE_H

#include "sender/base/clock.h"
#include "sender/io/certificate.h"
#include "sender/io/loop.h"
#include "tests/unit/test.h"

#include <string.h>

static char fixture_folder[64];

static inline void
fixture_clean(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", fixture_folder);
    if (system(command) != 0)
        printf("%s is left behind\n", fixture_folder);
}

/* A path in the test's own folder; `name` is short. Static memory, eight at a time. */
static inline const char *
fixture_path(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    if (fixture_folder[0] == '\0') {
        snprintf(fixture_folder, sizeof(fixture_folder), "/tmp/facteur-io-XXXXXX");
        if (mkdtemp(fixture_folder) == NULL)
            abort();
        atexit(fixture_clean);
    }
    char *path = paths[next++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", fixture_folder, name);
    return path;
}

/* Writes NAME.crt and NAME.key, valid for some days around today. */
static inline void
fixture_certificate(const char *name, const char *host, int from_day, int until_day)
{
    char certificate[32];
    char key[32];
    snprintf(certificate, sizeof(certificate), "%s.crt", name);
    snprintf(key, sizeof(key), "%s.key", name);
    int64_t now_s = (int64_t)(clock_unix_ms() / 1000);
    const struct certificate_settings settings = {
        .certificate_path = fixture_path(certificate),
        .key_path = fixture_path(key),
        .host = host,
        .valid_from_s = now_s + (int64_t)from_day * 86400,
        .valid_until_s = now_s + (int64_t)until_day * 86400,
        .host_only = true,
    };
    struct error_text error = {0};
    if (!certificate_write(&settings, &error)) {
        printf("%s\n", error.text);
        abort();
    }
}

static inline struct loop *
fixture_loop(void)
{
    struct error_text error = {0};
    struct loop *loop =
        loop_open(&(struct loop_settings){.operations_max = 64, .timers_max = 64}, &error);
    if (loop == NULL) {
        printf("%s\n", error.text);
        exit(1);
    }
    return loop;
}

/* Turns until `condition`, at most 10 seconds. */
#define fixture_turn_until(loop, condition)                                                        \
    do {                                                                                           \
        uint64_t end_us_ = clock_monotonic_us() + 10000000;                                        \
        while (!(condition) && clock_monotonic_us() < end_us_)                                     \
            loop_turn(loop, 100000);                                                               \
        expect(condition);                                                                         \
    } while (0)

#define expect_contains(text, part)                                                                \
    do {                                                                                           \
        const char *text_ = (text);                                                                \
        if (strstr(text_, part) == NULL) {                                                         \
            test_failures_++;                                                                      \
            printf("%s:%d: \"%s\" does not contain \"%s\"\n", __FILE__, __LINE__, text_, part);    \
        }                                                                                          \
    } while (0)

#endif
