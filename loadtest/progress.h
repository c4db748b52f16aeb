/*
 * progress - one line that says how far it is: rewritten on a terminal, every two seconds a new one
 * elsewhere, none when it shall be quiet. Goes to standard error, so that output can be piped.
 */
#ifndef FACTEUR_LOADTEST_PROGRESS_H
#define FACTEUR_LOADTEST_PROGRESS_H

#include "sender/base/bytes.h"

enum progress_style { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_TERMINAL };

struct progress {
    enum progress_style style;
    const char *what; /* "filling" */
    uint64_t total;
    uint64_t before;   /* how far it was at the beginning: not counted in the rate */
    uint64_t begun_us; /* monotonic */
    uint64_t shown_us;
    uint64_t shown; /* how far it was then */
    bool visible;   /* something is on the terminal's last line */
};

/* PROGRESS_TERMINAL if standard error is one, else PROGRESS_LINES; NONE if `quiet`. */
enum progress_style progress_style_here(bool quiet);

void progress_begin(struct progress *progress, enum progress_style style, const char *what,
                    uint64_t total, uint64_t now_us);
/* Shows `done` of the total, if it is time to, followed by `note` (may be ""). */
void progress_show(struct progress *progress, uint64_t done, const char *note, uint64_t now_us);
/* Shows it a last time, whatever the time. */
void progress_end(struct progress *progress, uint64_t done, const char *note, uint64_t now_us);

/* The line itself, without rewriting: "filling  [####----]  12,345 of 20,000   61 %  85,100/s". */
void progress_put(const struct progress *progress, uint64_t done, const char *note, uint64_t now_us,
                  struct buffer *line);

/* 12,345,678 */
void progress_put_count(struct buffer *out, uint64_t count);

#endif
