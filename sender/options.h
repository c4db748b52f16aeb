/*
 * options - the command line of a verb as a table: parsing, --help and its errors come from it.
 */
#ifndef FACTEUR_SENDER_OPTIONS_H
#define FACTEUR_SENDER_OPTIONS_H

#include "sender/base/bytes.h"

/* Exit codes of every verb (DESIGN 1.6, sysexits). */
enum {
    EXIT_GOOD = 0,
    EXIT_NO = 1, /* the answer is no: lint found something, the text is promotional */
    EXIT_USAGE = 64,
    EXIT_DATA = 65,
    EXIT_UNAVAILABLE = 69, /* a service is not there */
    EXIT_TRY_AGAIN = 75,
    EXIT_CONFIGURATION = 78,
};

enum option_kind {
    OPTION_FLAG,   /* bool */
    OPTION_TEXT,   /* const char *, borrowed from argv or the environment */
    OPTION_NUMBER, /* uint64_t */
    OPTION_TIME,   /* uint64_t milliseconds: 500ms, 10s, 5m, 2h, 1d */
    OPTION_LIST,   /* struct option_list: may be given again */
};

enum { OPTION_LIST_MAX = 1024 };

struct option_list {
    const char *items[OPTION_LIST_MAX];
    uint32_t count;
};

struct option_row {
    const char *name; /* without "--" */
    enum option_kind kind;
    void *to;
    const char *argument;    /* "FILE", for --help; NULL for a flag */
    const char *help;        /* what it does, with its default */
    const char *environment; /* a variable that sets it when the flag does not; or NULL */
};

struct verb {
    const char *name;    /* "run"; "cost report" */
    const char *summary; /* one line */
    const char *usage;   /* after the verb: "[options] FILE…" */
    const char *help;    /* paragraphs with an example */
    const struct option_row *rows;
    size_t row_count;
};

/*
 * Reads `argv` (after the verb). What is not an option is moved to the front of argv, and
 * `*rest_count` tells how many there are. Returns -1 to go on, or the exit code: 0 after --help,
 * EXIT_USAGE after an error, which has been printed with the nearest known name.
 */
int options_read(const struct verb *verb, int argc, char **argv, int *rest_count);

/* Sets the option that `key` names ("ca_file" is --ca-file) from a configuration file. False: its
 * value is not of its kind; options_kind() says what it must be. A key without an option is fine
 * for nobody: it is an assertion that the file's keys and the options agree. */
bool options_set(const struct verb *verb, const char *key, const char *value);
const char *options_kind(const struct verb *verb, const char *key);

void options_help(const struct verb *verb);

/* "80", "10s", "250ms" … False if it is not that. */
bool options_time(const char *text, uint64_t *ms);

/* The nearest of `count` names to `text`, or NULL if none is near: for "did you mean". */
const char *options_nearest(const char *text, const char *const *names, size_t count);

#endif
