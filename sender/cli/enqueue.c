/* facteur enqueue: JSON lines from files or standard input to the queue. */
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/cli/cli.h"
#include "sender/cli/entry_pipe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char verb_name[] = "enqueue";

enum {
    PROGRESS_US = 100 * 1000,  /* how often the bar moves */
    BULK_SIZE = 64 * 1024,     /* bytes of one bulk entry */
    SAY_US = 30 * 1000 * 1000, /* how often it is said that nothing is written */
};

struct enqueue_options {
    struct cli_store store;
    bool urgent;
    bool single;
    bool dry_run;
    bool quiet;
    bool no_wait;
    uint64_t bulk;
    uint64_t max_backlog;
};

struct enqueuing {
    const struct enqueue_options *options;
    struct account_keys keys;
    struct redis_sync *sync; /* NULL: dry run */
    struct entry_pipe *pipe; /* likewise */
    struct bulk_writer bulk;
    char bulk_memory[BULK_SIZE];
    const char *file;
    uint64_t line;
    uint64_t good;
    uint64_t bad;
    uint64_t size_total; /* bytes of regular files; 0: unknown */
    uint64_t size_done;
    uint64_t shown_us;
    uint64_t said_us; /* that it waits; 0: never */
    bool waiting;
    bool terminal;
};

/* ---- progress ---------------------------------------------------------------------------------
 */

static void
show_progress(struct enqueuing *run, bool last)
{
    uint64_t now_us = clock_monotonic_us();
    if (run->options->quiet || !run->terminal || (!last && now_us - run->shown_us < PROGRESS_US))
        return;
    run->shown_us = now_us;
    char bar[31];
    uint64_t share = run->size_total > 0 ? run->size_done * 30 / run->size_total : last ? 30 : 0;
    if (share > 30)
        share = 30;
    memset(bar, '.', 30);
    memset(bar, '#', share);
    bar[30] = '\0';
    uint64_t count = run->pipe != NULL ? entry_pipe_taken(run->pipe) : run->good;
    fprintf(stderr, "\r[%s] %llu %s, %llu bad%s%s", bar, (unsigned long long)count,
            run->pipe != NULL ? "enqueued" : "good", (unsigned long long)run->bad,
            run->waiting ? " (waiting)" : "          ", last ? "\n" : "");
}

/* A line when it begins, and again after a while, for a log; the bar says it all the time. */
static void
on_wait(void *context, const char *why)
{
    struct enqueuing *run = context;
    uint64_t now_us = clock_monotonic_us();
    run->waiting = true;
    show_progress(run, false);
    if (run->options->quiet || (run->said_us != 0 && now_us - run->said_us < SAY_US))
        return;
    run->said_us = now_us;
    fprintf(stderr, "%sfacteur enqueue: waiting: %s\n", run->terminal ? "\n" : "", why);
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static bool
put(struct enqueuing *run, const struct field *fields, size_t count, uint32_t members)
{
    bool good = entry_pipe_put(run->pipe, fields, count, members);
    run->waiting = false;
    return good;
}

static bool
flush_bulk(struct enqueuing *run)
{
    const struct field bulk = {SPAN("bulk"), buffer_span(&run->bulk.text)};
    if (run->bulk.members == 0)
        return true;
    bool good = put(run, &bulk, 1, run->bulk.members);
    buffer_reset(&run->bulk.text);
    run->bulk.members = 0;
    return good;
}

static bool
write_notification(struct enqueuing *run, const struct field *fields, size_t count)
{
    if (run->pipe == NULL)
        return true;
    if (run->options->bulk > 1) {
        if (bulk_writer_add(&run->bulk, fields, count))
            return run->bulk.members < run->options->bulk || flush_bulk(run);
        if (!flush_bulk(run))
            return false;
        if (bulk_writer_add(&run->bulk, fields, count))
            return true;
    }
    return put(run, fields, count, 1);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static void
say_bad(struct enqueuing *run, struct span field, const char *why)
{
    run->bad++;
    if (run->bad <= 20)
        fprintf(stderr, "%sfacteur enqueue: %s:%llu: %.*s%s%s\n", run->terminal ? "\n" : "",
                run->file, (unsigned long long)run->line, SPAN_ARG(field),
                field.size > 0 ? ": " : "", why);
    if (run->bad == 21)
        fprintf(stderr, "facteur enqueue: more bad lines follow and are only counted\n");
}

/* What a worker would refuse for its shape is refused here, with its file and line. */
static bool
take_line(struct enqueuing *run, struct span line)
{
    struct field fields[NOTIFICATION_FIELDS_MAX];
    size_t count = 0;
    const char *why = "";
    struct notification notification;
    struct span field = {0};
    run->line++;
    if (!enqueue_read_line(line, fields, &count, &why)) {
        say_bad(run, (struct span){0}, why);
        return true;
    }
    if (count == 0)
        return true;
    enum notification_error error = notification_read(fields, count, &notification, &field);
    if (error != NOTIFICATION_OK) {
        say_bad(run, field, notification_error_text(error));
        return true;
    }
    if (!write_notification(run, fields, count))
        return false;
    run->good++;
    return true;
}

static bool
take_file(struct enqueuing *run, FILE *file)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    bool good = true;
    run->line = 0;
    while (good && (size = getline(&line, &capacity, file)) >= 0) {
        run->size_done += (uint64_t)size;
        struct span text = {line, (size_t)size};
        if (text.size > 0 && text.data[text.size - 1] == '\n')
            text.size--;
        good = take_line(run, text);
        show_progress(run, false);
    }
    free(line);
    if (ferror(file)) {
        fprintf(stderr, "facteur enqueue: %s:%llu: cannot read: %s\n", run->file,
                (unsigned long long)run->line, strerror(errno));
        return false;
    }
    return good;
}

static bool
take_files(struct enqueuing *run, int count, char **files)
{
    if (count == 0) {
        run->file = "standard input";
        return take_file(run, stdin);
    }
    for (int i = 0; i < count; i++) {
        struct stat status;
        if (stat(files[i], &status) == 0)
            run->size_total += (uint64_t)status.st_size;
    }
    for (int i = 0; i < count; i++) {
        run->file = files[i];
        FILE *file = fopen(files[i], "re");
        if (file == NULL) {
            fprintf(stderr, "facteur enqueue: cannot open %s: %s\n", files[i], strerror(errno));
            return false;
        }
        bool good = take_file(run, file);
        fclose(file);
        if (!good)
            return false;
    }
    return true;
}

/* What was begun and is not in the queue is named by its ids: nothing needs to be counted by hand.
 */
static int
say_stopped(const struct enqueuing *run)
{
    uint64_t in_doubt = entry_pipe_in_doubt(run->pipe);
    fprintf(stderr, "facteur enqueue: stopped at %s:%llu: %s; %llu are in the queue", run->file,
            (unsigned long long)run->line, entry_pipe_trouble(run->pipe),
            (unsigned long long)entry_pipe_taken(run->pipe));
    if (in_doubt > 0)
        fprintf(stderr, ", %llu more may be", (unsigned long long)in_doubt);
    fprintf(stderr, ". Enqueue again with the same ids: none is sent twice\n");
    return EXIT_TRY_AGAIN;
}

static int
finish(struct enqueuing *run, bool good)
{
    if (run->pipe != NULL)
        good = good && flush_bulk(run) && entry_pipe_finish(run->pipe);
    show_progress(run, true);
    if (!good)
        return say_stopped(run);
    if (!run->options->quiet)
        fprintf(stderr, "%llu %s, %llu bad\n", (unsigned long long)run->good,
                run->pipe == NULL ? "good" : "enqueued", (unsigned long long)run->bad);
    return run->bad > 0 ? EXIT_DATA : EXIT_GOOD;
}

static bool
open_pipe(struct enqueuing *run)
{
    const struct enqueue_options *options = run->options;
    run->sync = cli_store_open(&options->store, verb_name);
    if (run->sync == NULL)
        return false;
    const struct entry_pipe_settings settings = {
        .sync = run->sync,
        .keys = &run->keys,
        .stream = options->urgent ? "urgent" : "queue",
        .backlog_max = options->max_backlog,
        .no_wait = options->no_wait,
        .on_wait = on_wait,
        .context = run,
    };
    run->pipe = entry_pipe_open(&settings);
    return true;
}

static int
enqueue_files(struct enqueuing *run, int count, char **files)
{
    const struct enqueue_options *options = run->options;
    if (!options->dry_run && !open_pipe(run))
        return EXIT_UNAVAILABLE;
    bulk_writer_init(&run->bulk, run->bulk_memory, sizeof(run->bulk_memory),
                     (uint32_t)options->bulk);
    bool good = take_files(run, count, files);
    if (!good && (run->pipe == NULL || entry_pipe_trouble(run->pipe)[0] == '\0')) {
        if (run->pipe != NULL)
            (void)(flush_bulk(run) && entry_pipe_finish(run->pipe));
        return EXIT_DATA; /* a file: said already */
    }
    return finish(run, good);
}

int
cli_enqueue(int argc, char **argv)
{
    struct enqueue_options options = {.bulk = 50};
    const struct option_row rows[] = {
        CLI_STORE_ROWS(&options.store),
        CLI_ACCOUNT_ROW(&options.store, "whose queue"),
        {"urgent", OPTION_FLAG, &options.urgent, NULL, "to the stream urgent: codes, gate changes",
         NULL},
        {"bulk", OPTION_NUMBER, &options.bulk, "N",
         "notifications in one entry, 1 to 64; default 50 (a quarter of the cost in Redis)", NULL},
        {"single", OPTION_FLAG, &options.single, NULL, "one entry each", NULL},
        {"max-backlog", OPTION_NUMBER, &options.max_backlog, "N",
         "wait while so many entries stand in the stream (a bulk is one); 0: never", NULL},
        {"no-wait", OPTION_FLAG, &options.no_wait, NULL,
         "exit 75 instead of waiting: for --max-backlog, or for Redis", NULL},
        {"dry-run", OPTION_FLAG, &options.dry_run, NULL, "check every line, write nothing", NULL},
        {"quiet", OPTION_FLAG, &options.quiet, NULL, "no progress bar, no summary", NULL},
    };
    const struct verb verb = {
        verb_name,
        "JSON lines to the queue",
        "--account BUSINESS/ACCOUNT [options] [FILE…]",
        "One notification a line, with the fields of the contract (README.md). Standard input\n"
        "without a file. A bad line is named and left out; the others go. Exit 65 if one was bad.\n"
        "While Redis' memory is nearly full (85 %), or it takes nothing for a while, it waits and\n"
        "says so. Give each an id: then a run that was interrupted can simply be repeated.\n"
        "\nexample:\n"
        "  echo '{\"to\":\"+33612345678\",\"template\":\"delivery_confirmation\",\"lang\":\"fr\","
        "\"1\":\"Claire\",\"2\":\"CMD-1042\"}' \\\n    | facteur enqueue --account acme/fr",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (options.bulk < 1 || options.bulk > QUEUE_BULK_MAX) {
        fprintf(stderr, "facteur enqueue: --bulk must be from 1 to %d\n", QUEUE_BULK_MAX);
        return EXIT_USAGE;
    }
    if (options.single)
        options.bulk = 1;
    struct enqueuing *run = check_alloc(1, sizeof(*run));
    run->options = &options;
    run->terminal = isatty(STDERR_FILENO) != 0;
    code = EXIT_USAGE;
    if (cli_store_account(&options.store, verb_name, &run->keys))
        code = enqueue_files(run, rest, argv);
    entry_pipe_close(run->pipe);
    redis_sync_close(run->sync);
    free(run);
    return code;
}
