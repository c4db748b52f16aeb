/* The log writes to standard error, so each test takes that away for a while and reads it back. */
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

static char heard[256 * 1024];
static size_t heard_size;
static FILE *file;
static int stderr_before;

static void
listen_begin(void)
{
    file = tmpfile();
    stderr_before = dup(STDERR_FILENO);
    if (file == NULL || stderr_before < 0 || dup2(fileno(file), STDERR_FILENO) < 0)
        exit(2);
}

static void
listen_end(void)
{
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    rewind(file);
    heard_size = fread(heard, 1, sizeof(heard) - 1, file);
    heard[heard_size] = '\0';
    fclose(file);
}

static size_t
count_of(const char *word)
{
    size_t count = 0;
    for (const char *at = heard; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

/* A new second begins, so that a burst lies in one. */
static void
await_second(void)
{
    uint64_t second = clock_unix_ms() / 1000;
    while (clock_unix_ms() / 1000 == second)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void
a_line_is_logfmt(void)
{
    listen_begin();
    log_line(LOG_WARN, "redis_lost", "host=%s cause=\"%s\"", "10.0.0.7", "reset by peer");
    listen_end();
    struct tm tm = {0};
    const char *rest = strptime(heard, "at=%Y-%m-%dT%H:%M:%S", &tm);
    expect(rest != NULL && rest[0] == '.' && rest[4] == 'Z');
    int64_t age = (int64_t)(clock_unix_ms() / 1000) - (int64_t)timegm(&tm);
    expect(age >= 0 && age <= 5);
    expect(strstr(heard, "Z level=warn event=redis_lost host=10.0.0.7 cause=\"reset by peer\"\n"));
    expect_u64(count_of("\n"), 1);
}

static void
levels_have_words(void)
{
    listen_begin();
    log_line(LOG_INFO, "a", "x=1");
    log_line(LOG_WARN, "b", "x=1");
    log_line(LOG_ERROR, "c", "%s", "");
    listen_end();
    expect_u64(count_of("level=info event=a x=1\n"), 1);
    expect_u64(count_of("level=warn event=b x=1\n"), 1);
    expect_u64(count_of("level=error event=c\n"), 1);
}

/* What a peer says may not begin a line of its own, nor move a terminal's cursor. */
static void
control_characters_become_spaces(void)
{
    listen_begin();
    log_line(LOG_INFO, "answer", "text=\"%s\"", "a\nat=2026 level=error event=forged\r\x1b[2J\x7f");
    log_line(LOG_INFO, "accents", "text=%s", "\xc3\xa9t\xc3\xa9");
    listen_end();
    expect_u64(count_of("\n"), 2);
    expect_u64(count_of("text=\"a at=2026 level=error event=forged  [2J \"\n"), 1);
    expect_u64(count_of("\xc3\xa9t\xc3\xa9\n"), 1);
}

static void
long_lines_are_cut(void)
{
    static char text[8000];
    memset(text, 'x', sizeof(text) - 1);
    listen_begin();
    log_line(LOG_INFO, "long", "text=%s", text);
    log_line(LOG_INFO, text, "text=%s", text);
    listen_end();
    expect_u64(count_of("\n"), 2);
    expect(heard_size > 2 * 1900 && heard_size <= 2 * 2048);
}

static void
errno_is_left_alone(void)
{
    listen_begin();
    errno = EADDRINUSE;
    log_line(LOG_INFO, "failed", "x=1");
    expect_u64(errno, EADDRINUSE);
    int closed = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    errno = ENOENT;
    log_line(LOG_INFO, "nowhere", "x=1");
    expect_u64(errno, ENOENT);
    dup2(closed, STDERR_FILENO);
    close(closed);
    listen_end();
    expect_u64(count_of("event=failed"), 1);
    expect_u64(count_of("event=nowhere"), 0);
}

static void
write_once(int number)
{
    log_line(LOG_INFO, "flood", "n=%d", number);
}

static void
a_burst_is_held_back_and_said_later(void)
{
    listen_begin();
    await_second();
    for (int i = 0; i < 100; i++)
        write_once(i);
    log_line(LOG_INFO, "other_place", "x=1");
    await_second();
    write_once(100);
    write_once(101);
    listen_end();
    expect_u64(count_of("event=flood"), LOG_BURST + 2);
    expect_u64(count_of("event=other_place x=1\n"), 1); /* each place has a burst of its own */
    expect_u64(count_of("n=9\n"), 1);
    expect_u64(count_of("n=10\n"), 0);
    expect_u64(count_of("n=100 held_back=90\n"), 1);
    expect_u64(count_of("n=101\n"), 1);
}

static void *
flood(void *context)
{
    struct log_site *site = context;
    for (int i = 0; i < 2000; i++)
        log_write(site, LOG_INFO, "crowd", "text=%s", "abcdefghijklmnopqrstuvwxyz");
    return NULL;
}

/* Four threads at one place: whole lines only, and no line is neither written nor counted. */
static void
threads_do_not_mix_lines(void)
{
    struct log_site site = {0};
    pthread_t threads[4];
    listen_begin();
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, flood, &site) != 0)
            exit(2);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    await_second();
    log_write(&site, LOG_INFO, "crowd", "text=%s", "abcdefghijklmnopqrstuvwxyz");
    listen_end();
    size_t lines = count_of("\n");
    expect_u64(count_of("Z level=info event=crowd text=abcdefghijklmnopqrstuvwxyz"), lines);
    uint64_t held = 0;
    for (const char *at = heard; (at = strstr(at, "held_back=")) != NULL; at++)
        held += strtoull(at + 10, NULL, 10);
    expect_u64(lines + held, 4 * 2000 + 1);
    expect(held > 0);
}

int
main(void)
{
    TEST(a_line_is_logfmt);
    TEST(levels_have_words);
    TEST(control_characters_become_spaces);
    TEST(long_lines_are_cut);
    TEST(errno_is_left_alone);
    TEST(a_burst_is_held_back_and_said_later);
    TEST(threads_do_not_mix_lines);
    return test_end();
}
