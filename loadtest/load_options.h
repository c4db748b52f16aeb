/*
 * load_options - facteur-load's command line: one table gives the parser, the help and the errors.
 */
#ifndef FACTEUR_LOADTEST_LOAD_OPTIONS_H
#define FACTEUR_LOADTEST_LOAD_OPTIONS_H

#include "loadtest/load_events.h"
#include "queue/calls.h"

enum load_verb { LOAD_FILL = 1, LOAD_AUDIT = 2, LOAD_RUN = 4, LOAD_CHAOS = 8 };

/* Exit codes, as facteur's own. */
enum { LOAD_EXIT_GOOD = 0, LOAD_EXIT_NO = 1, LOAD_EXIT_USAGE = 64, LOAD_EXIT_UNAVAILABLE = 69 };

struct load_options {
    enum load_verb verb;
    const char *redis;
    struct account_keys accounts[LOAD_ACCOUNTS_MAX];
    uint32_t account_count;
    uint64_t messages;
    uint64_t seed;
    uint64_t bulk; /* members an entry; 1: plain entries */
    uint64_t countries;
    double promotional, bad, urgent, duplicates;  /* shares, 0 … 1 */
    const char *templates;                        /* folder */
    const char *emulator;                         /* https://host:port, or NULL */
    const char *ca_file;                          /* or NULL */
    uint64_t sender_pid, redis_pid, emulator_pid; /* 0: not asked */
    uint64_t timeout_s;
    uint64_t show_refused;
    bool json, quiet, live, again;
    uint64_t kills, senders;         /* of chaos */
    uint64_t own_accounts;           /* how many its house has */
    const char *only;                /* kinds of fault as written, or NULL: all */
    uint32_t fault_kinds;            /* the same, a bit each */
    const char *aof;                 /* appendfsync of its Redis */
    const char *policy;              /* of what is uncertain, as written */
    enum uncertain_policy uncertain; /* the same */
    double early;                    /* share of receipts that come during the faults */
    bool keep;                       /* its folder */
    bool failover;                   /* a replica takes over */
    uint64_t given;                  /* a bit for each flag of the table that was written */
};

enum load_parse {
    LOAD_PARSE_OK,
    LOAD_PARSE_HELP,  /* help was asked for and is printed */
    LOAD_PARSE_ERROR, /* see the error */
};

/* `arguments` after the program's name. Help goes to standard output. */
enum load_parse load_options_read(struct load_options *options, int count, char **arguments,
                                  struct error_text *error);

/* Was this flag ("messages") written, rather than left at its default? */
bool load_options_given(const struct load_options *options, const char *name);

/* The generator that these options describe. */
void load_options_generator(const struct load_options *options,
                            const struct load_templates *templates, struct generator *generator);

#endif
