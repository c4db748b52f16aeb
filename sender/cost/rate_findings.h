/*
 * rate_findings - what is wrong with rate cards, each with its place and what to do.
 *
 * An error is what facteur refuses or cannot send by; a warning is what an operator should know.
 */
#ifndef FACTEUR_SENDER_COST_RATE_FINDINGS_H
#define FACTEUR_SENDER_COST_RATE_FINDINGS_H

#include "sender/base/bytes.h"

enum { RATE_FINDINGS_MAX = 1000 /* kept; more are counted only */ };

enum rate_level { RATE_WARNING, RATE_ERROR };

struct rate_finding {
    enum rate_level level;
    char *file;    /* owned by the findings */
    uint32_t line; /* 0: the file as a whole */
    char what[480];
    char remedy[240];
};

/* Zeroed is empty. */
struct rate_findings {
    struct rate_finding *items; /* owned */
    uint32_t count;
    uint32_t left_out; /* beyond RATE_FINDINGS_MAX */
    uint32_t errors;   /* of all, also of those left out */
};

struct rate_site {
    const char *file;
    uint32_t line;
};

/* `remedy`: what to do, copied. What is too long is cut. */
void rate_findings_add(struct rate_findings *findings, enum rate_level level, struct rate_site site,
                       const char *remedy, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void rate_findings_close(struct rate_findings *findings);

/* "FILE:LINE: what: remedy" of the first error, and how many more there are. Needs one. */
void rate_findings_first_error(const struct rate_findings *findings, struct error_text *error);

const char *rate_level_text(enum rate_level level); /* "warning", "error" */

#endif
