/*
 * chaos_child - one process that we started: killed, stopped, continued and awaited by its own pid.
 *
 * It dies with us: whatever happens to facteur-load, the kernel kills its children, so no sender
 * works on after a test that was interrupted.
 */
#ifndef FACTEUR_LOADTEST_CHAOS_CHILD_H
#define FACTEUR_LOADTEST_CHAOS_CHILD_H

#include "sender/base/bytes.h"

#include <sys/types.h>

enum { CHAOS_PATH_MAX = 256 };

struct chaos_child {
    pid_t pid;    /* 0: not running */
    bool stopped; /* by chaos_child_stop() */
    int status;   /* of waitpid(), of its last life */
};

/*
 * Runs `arguments` (NULL ends them; the first is the program's path, or a name to be found in PATH)
 * with its output added to the file `log`. False with a sentence in `error`. That the program is
 * missing is only seen by its end: status 127.
 */
bool chaos_child_start(struct chaos_child *child, const char *const *arguments, const char *log,
                       struct error_text *error);

bool chaos_child_runs(const struct chaos_child *child); /* started, and not stopped */

/* True once, when it has ended without our doing; then it is not running any more. */
bool chaos_child_has_ended(struct chaos_child *child);

void chaos_child_kill(struct chaos_child *child); /* kill -9, and waits; a stopped one dies too */
void chaos_child_stop(struct chaos_child *child); /* SIGSTOP */
void chaos_child_continue(struct chaos_child *child);

/* SIGTERM, and up to `wait_ms` for its end, else kill -9. True if it ended well: exit 0. */
bool chaos_child_end(struct chaos_child *child, uint64_t wait_ms);

/* Runs a program to its end, which must be exit 0; its output goes nowhere. */
bool chaos_child_run(const char *const *arguments, struct error_text *error);

/* "exit 69", "signal 6": of `status`. */
void chaos_child_put_status(int status, struct buffer *out);

#endif
