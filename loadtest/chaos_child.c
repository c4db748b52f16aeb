#include "loadtest/chaos_child.h"
#include "sender/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_NOT_FOUND = 127, LOOK_MS = 5 };

/* In the child: its own files and signals, then the program. */
static _Noreturn void
become(const char *const *arguments, int log)
{
    sigset_t none;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
        dup2(log, STDERR_FILENO) >= 0) {
        (void)close_range(STDERR_FILENO + 1, ~0U, 0);
        execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    }
    _exit(EXIT_NOT_FOUND);
}

bool
chaos_child_start(struct chaos_child *child, const char *const *arguments, const char *log,
                  struct error_text *error)
{
    check(child->pid == 0);
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) {
        error_set(error, "%s: %s", log, strerror(errno));
        return false;
    }
    pid_t pid = fork();
    if (pid == 0)
        become(arguments, file);
    int cause = errno;
    (void)close(file);
    if (pid < 0) {
        error_set(error, "%s: no process can be started: %s", arguments[0], strerror(cause));
        return false;
    }
    *child = (struct chaos_child){.pid = pid};
    return true;
}

bool
chaos_child_runs(const struct chaos_child *child)
{
    return child->pid != 0 && !child->stopped;
}

static void
forget(struct chaos_child *child)
{
    child->pid = 0;
    child->stopped = false;
}

bool
chaos_child_has_ended(struct chaos_child *child)
{
    if (child->pid == 0 || waitpid(child->pid, &child->status, WNOHANG) != child->pid)
        return false;
    forget(child);
    return true;
}

static void
send_signal(const struct chaos_child *child, int number)
{
    if (child->pid != 0)
        check(kill(child->pid, number) == 0);
}

void
chaos_child_kill(struct chaos_child *child)
{
    if (child->pid == 0)
        return;
    send_signal(child, SIGKILL);
    while (waitpid(child->pid, &child->status, 0) < 0)
        check(errno == EINTR);
    forget(child);
}

void
chaos_child_stop(struct chaos_child *child)
{
    send_signal(child, SIGSTOP);
    child->stopped = child->pid != 0;
}

void
chaos_child_continue(struct chaos_child *child)
{
    send_signal(child, SIGCONT);
    child->stopped = false;
}

bool
chaos_child_end(struct chaos_child *child, uint64_t wait_ms)
{
    const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
    if (child->pid == 0)
        return true;
    chaos_child_continue(child);
    send_signal(child, SIGTERM);
    for (uint64_t waited_ms = 0; waited_ms < wait_ms; waited_ms += LOOK_MS) {
        if (chaos_child_has_ended(child))
            return WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0;
        (void)nanosleep(&look, NULL);
    }
    chaos_child_kill(child);
    return false;
}

bool
chaos_child_run(const char *const *arguments, struct error_text *error)
{
    struct chaos_child child = {0};
    if (!chaos_child_start(&child, arguments, "/dev/null", error))
        return false;
    while (waitpid(child.pid, &child.status, 0) < 0)
        check(errno == EINTR);
    if (WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0)
        return true;
    error_set(error, "%s failed", arguments[0]);
    return false;
}

void
chaos_child_put_status(int status, struct buffer *out)
{
    if (WIFSIGNALED(status))
        buffer_printf(out, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        buffer_printf(out, "exit %d", WEXITSTATUS(status));
}
