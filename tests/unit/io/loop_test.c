#include "sender/io/loop.h"
#include "tests/unit/io/fixture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* What happened, in order, one letter each. */
static char story[64];

static void
tell(char c)
{
    size_t size = strlen(story);
    if (size + 1 < sizeof(story))
        story[size] = c;
}

static void
begin_story(void)
{
    memset(story, 0, sizeof(story));
}

struct teller {
    struct timer timer;
    struct loop_flush flush;
    struct loop *loop;
    char name;
    bool again;
};

static void
on_due(struct timer *timer)
{
    struct teller *teller = container_of(timer, struct teller, timer);
    tell(teller->name);
    if (teller->again)
        timer_start(loop_timers(teller->loop), timer, loop_now_us(teller->loop) + 1000);
}

static void
on_flush(struct loop_flush *flush)
{
    struct teller *teller = container_of(flush, struct teller, flush);
    tell(teller->name);
    if (teller->again)
        loop_flush_later(teller->loop, flush);
    teller->again = false;
}

static void
teller_init(struct teller *teller, struct loop *loop, char name)
{
    *teller = (struct teller){.loop = loop, .name = name, .flush.on_flush = on_flush};
    timer_init(&teller->timer, on_due);
}

static void
timers_come_in_time_and_order(void)
{
    begin_story();
    struct loop *loop = fixture_loop();
    struct teller tellers[3];
    uint64_t start_us = loop_now_us(loop);
    static const uint64_t after_us[3] = {30000, 10000, 20000};
    for (size_t i = 0; i < 3; i++) {
        teller_init(&tellers[i], loop, (char)('a' + i));
        timer_start(loop_timers(loop), &tellers[i].timer, start_us + after_us[i]);
    }
    loop_turn(loop, 5000000); /* a timer is due earlier, and ends the wait */
    uint64_t woken_us = loop_now_us(loop) - start_us;
    expect(woken_us >= 10000 && woken_us < 1000000);
    fixture_turn_until(loop, strlen(story) == 3);
    expect_text(story, "bca");
    expect(loop_now_us(loop) - start_us >= 30000);
    loop_close(loop);
}

static void
a_turn_waits_no_longer_than_asked(void)
{
    struct loop *loop = fixture_loop();
    uint64_t start_us = clock_monotonic_us();
    loop_turn(loop, 20000);
    uint64_t waited_us = clock_monotonic_us() - start_us;
    expect(waited_us >= 19000 && waited_us < 2000000);
    start_us = clock_monotonic_us();
    loop_turn(loop, 0);
    expect(clock_monotonic_us() - start_us < 500000);
    expect_u64(loop_operations(loop), 0);
    loop_close(loop);
}

static void
a_timer_that_starts_itself_does_not_hold_the_turn(void)
{
    begin_story();
    struct loop *loop = fixture_loop();
    struct teller teller;
    teller_init(&teller, loop, 't');
    teller.again = true;
    timer_start(loop_timers(loop), &teller.timer, loop_now_us(loop));
    fixture_turn_until(loop, strlen(story) >= 3);
    timer_stop(loop_timers(loop), &teller.timer);
    loop_close(loop);
}

static void
flushes_come_once_in_the_order_asked(void)
{
    begin_story();
    struct loop *loop = fixture_loop();
    struct teller tellers[3];
    for (size_t i = 0; i < 3; i++)
        teller_init(&tellers[i], loop, (char)('a' + i));
    loop_flush_later(loop, &tellers[2].flush);
    loop_flush_later(loop, &tellers[0].flush);
    loop_flush_later(loop, &tellers[2].flush);
    loop_flush_later(loop, &tellers[1].flush);
    expect_text(story, ""); /* not from inside */
    loop_turn(loop, 0);
    expect_text(story, "cab");
    loop_turn(loop, 0);
    expect_text(story, "cab");
    loop_close(loop);
}

static void
a_flush_asked_from_a_flush_comes_without_waiting(void)
{
    begin_story();
    struct loop *loop = fixture_loop();
    struct teller a, b;
    teller_init(&a, loop, 'a');
    teller_init(&b, loop, 'b');
    a.again = true;
    loop_flush_later(loop, &a.flush);
    loop_flush_later(loop, &b.flush);
    uint64_t start_us = clock_monotonic_us();
    loop_turn(loop, 3000000);
    expect_text(story, "aba"); /* after the others, and the kernel was not waited for */
    expect(clock_monotonic_us() - start_us < 1000000);
    loop_close(loop);
}

struct op {
    struct io_op io;
    struct loop *loop;
    int result;
    unsigned done;
    char bytes[16];
};

static void
on_op(struct io_op *io, int result)
{
    struct op *op = container_of(io, struct op, io);
    op->result = result;
    op->done++;
}

static void
bytes_go_through_a_socket_pair(void)
{
    struct loop *loop = fixture_loop();
    int fds[2];
    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    struct op in = {.io.on_done = on_op}, out = {.io.on_done = on_op};
    io_recv(loop, &in.io, fds[0], in.bytes, sizeof(in.bytes));
    expect_u64(loop_operations(loop), 1);
    loop_turn(loop, 0);
    expect_u64(in.done, 0);
    io_send(loop, &out.io, fds[1], "hello", 5);
    fixture_turn_until(loop, in.done == 1 && out.done == 1);
    expect_u64(in.result, 5);
    expect_u64(out.result, 5);
    expect(memcmp(in.bytes, "hello", 5) == 0);
    expect_u64(loop_operations(loop), 0);

    close(fds[1]);
    in.done = 0;
    io_recv(loop, &in.io, fds[0], in.bytes, sizeof(in.bytes)); /* the same op again */
    fixture_turn_until(loop, in.done == 1);
    expect(in.result == 0);
    io_send(loop, &out.io, fds[0], "x", 1);
    fixture_turn_until(loop, out.done == 2);
    expect(out.result == -EPIPE); /* and no SIGPIPE */
    close(fds[0]);
    loop_close(loop);
}

static void
cancelling_ends_all_of_a_descriptor(void)
{
    struct loop *loop = fixture_loop();
    int fds[2];
    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    struct op in = {.io.on_done = on_op}, other = {.io.on_done = on_op};
    io_recv(loop, &in.io, fds[0], in.bytes, sizeof(in.bytes));
    io_recv(loop, &other.io, fds[1], other.bytes, sizeof(other.bytes));
    loop_turn(loop, 0);
    io_cancel_fd(loop, fds[0]);
    fixture_turn_until(loop, in.done == 1);
    expect(in.result == -ECANCELED);
    expect_u64(other.done, 0); /* the neighbour's is left alone */
    io_recv(loop, &in.io, fds[0], in.bytes, sizeof(in.bytes));
    io_cancel_fd(loop, fds[0]); /* in the same turn */
    io_cancel_fd(loop, fds[1]);
    fixture_turn_until(loop, in.done == 2 && other.done == 1);
    expect(in.result == -ECANCELED && other.result == -ECANCELED);
    io_cancel_fd(loop, fds[1]); /* nothing to cancel: no harm */
    loop_turn(loop, 0);
    expect_u64(other.done, 1);
    close(fds[0]);
    close(fds[1]);
    loop_close(loop);
}

static void
start_too_many(struct loop *loop, struct op *ops, int fd)
{
    for (size_t i = 0; i < 100; i++) {
        ops[i].io.on_done = on_op;
        io_recv(loop, &ops[i].io, fd, ops[i].bytes, 1);
    }
}

static void
start_twice(struct loop *loop, struct op *op, int fd)
{
    op->io.on_done = on_op;
    io_recv(loop, &op->io, fd, op->bytes, 1);
    io_recv(loop, &op->io, fd, op->bytes, 1);
}

static void
broken_beliefs_abort(void)
{
    static struct op ops[100];
    int fds[2];
    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    struct loop *loop = fixture_loop();
    expect_abort(start_too_many(loop, ops, fds[0]));
    expect_abort(start_twice(loop, &ops[0], fds[0]));
    loop_close(loop);
    close(fds[0]);
    close(fds[1]);
}

/* More than the rings' size in all, and more than one turn's worth at once. */
static void
many_operations_in_many_turns(void)
{
    enum { OPS = 1000 };
    struct error_text error = {0};
    struct loop *loop =
        loop_open(&(struct loop_settings){.operations_max = OPS, .timers_max = 1}, &error);
    expect(loop != NULL);
    if (loop == NULL)
        return;
    int fds[2];
    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    static struct op ops[OPS];
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < OPS; i++) {
            ops[i] = (struct op){.io.on_done = on_op};
            io_recv(loop, &ops[i].io, fds[0], ops[i].bytes, 1);
        }
        loop_turn(loop, 0);
        static char bytes[OPS];
        expect_u64((uint64_t)write(fds[1], bytes, sizeof(bytes)), OPS);
        fixture_turn_until(loop, loop_operations(loop) == 0);
        size_t good = 0;
        for (size_t i = 0; i < OPS; i++)
            good += ops[i].done == 1 && ops[i].result == 1;
        expect_u64(good, OPS);
    }
    close(fds[0]);
    close(fds[1]);
    loop_close(loop);
}

/* From here on io_uring_setup() answers `cause` in this process, as a kernel or a container's
 * profile would. */
static bool
refuse_io_uring(int cause)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)cause & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = 4, .filter = filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* In a child, because the filter stays for good. Its exit says whether all was as expected. */
static int
open_refused(int cause, const char *words)
{
    struct error_text error = {0};
    if (!refuse_io_uring(cause))
        return 2;
    struct loop *loop =
        loop_open(&(struct loop_settings){.operations_max = 8, .timers_max = 1}, &error);
    if (loop != NULL)
        return 3;
    if (strstr(error.text, words) != NULL)
        return 0;
    printf("errno %d: \"%s\" does not contain \"%s\"\n", cause, error.text, words);
    fflush(stdout);
    return 4;
}

static void
a_refusal_says_cause_and_remedy(void)
{
    static const struct {
        int cause;
        const char *words;
    } cases[] = {
        {EPERM, "kernel.io_uring_disabled"}, {EPERM, "seccomp"},
        {ENOSYS, "Linux 6.1 or newer"},      {EINVAL, "Linux 6.1 or newer"},
        {ENOMEM, "RLIMIT_MEMLOCK"},          {EMFILE, "RLIMIT_NOFILE"},
        {EIO, "could not be set up"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0)
            _exit(open_refused(cases[i].cause, cases[i].words));
        int status = 0;
        waitpid(child, &status, 0);
        expect_u64(status, 0);
    }
}

int
main(void)
{
    TEST(timers_come_in_time_and_order);
    TEST(a_turn_waits_no_longer_than_asked);
    TEST(a_timer_that_starts_itself_does_not_hold_the_turn);
    TEST(flushes_come_once_in_the_order_asked);
    TEST(a_flush_asked_from_a_flush_comes_without_waiting);
    TEST(bytes_go_through_a_socket_pair);
    TEST(cancelling_ends_all_of_a_descriptor);
    TEST(broken_beliefs_abort);
    TEST(many_operations_in_many_turns);
    TEST(a_refusal_says_cause_and_remedy);
    return test_end();
}
