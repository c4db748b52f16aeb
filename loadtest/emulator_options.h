/*
 * emulator_options - what facteur-emulator was asked for.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_OPTIONS_H
#define FACTEUR_LOADTEST_EMULATOR_OPTIONS_H

#include "loadtest/emulator_fault.h"
#include "loadtest/emulator_judge.h"
#include "loadtest/emulator_latency.h"

struct emulator_options {
    char host[256];
    uint16_t port; /* 0: any free one */
    const char *certificate;
    const char *key;
    const char *certificate_folder; /* of --make-certificate */
    const char *token;
    const char *token_file;
    const char *templates;
    const char *rates;
    const char *markets;
    const char *prefixes;
    const char *currency;
    char day[11]; /* "YYYY-MM-DD" */
    const char *tally;
    struct emulator_phone phones[EMULATOR_PHONES_MAX];
    uint32_t phone_count;
    uint32_t limit_per_s; /* of each phone number; 0: none */
    uint32_t streams;
    uint64_t idle_us;
    uint64_t seed;
    struct emulator_faults faults;
    struct emulator_latency latency;
    bool quiet;
};

enum emulator_options_result {
    EMULATOR_OPTIONS_GOOD,
    EMULATOR_OPTIONS_HELP, /* --help or --version was given and has been answered */
    EMULATOR_OPTIONS_BAD,  /* said on standard error */
};

/* The strings are those of `arguments`. `today_ms`: Unix time, for the billing day. */
enum emulator_options_result emulator_options_read(struct emulator_options *options, int count,
                                                   char **arguments, uint64_t today_ms);

#endif
