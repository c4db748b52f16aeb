#include "sender/io/link.h"
#include "tests/unit/io/fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/un.h>

struct doorman {
    struct listener *listener;
    unsigned accepted;
    unsigned close_after; /* closes its listener after so many; 0: never */
};

static void
on_accept(void *context, int fd)
{
    struct doorman *doorman = context;
    doorman->accepted++;
    close(fd);
    if (doorman->accepted == doorman->close_after)
        listener_close(doorman->listener);
}

static struct listener *
open_at(struct loop *loop, struct link_address address, struct doorman *doorman,
        struct error_text *error)
{
    *error = (struct error_text){0};
    doorman->listener = listener_open(loop, &address, on_accept, doorman, error);
    return doorman->listener;
}

static int
knock(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    expect(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

static void
it_accepts_until_closed(void)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "", NULL};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct loop *loop = fixture_loop();
        struct doorman doorman = {.close_after = 3};
        struct error_text error;
        expect(open_at(loop, (struct link_address){.host = hosts[i]}, &doorman, &error) != NULL);
        expect_text(error.text, "");
        if (i == 1) { /* localhost may be ::1, where knock() does not knock */
            listener_close(doorman.listener);
            loop_close(loop);
            continue;
        }
        int fds[3];
        for (int k = 0; k < 3; k++)
            fds[k] = knock(listener_port(doorman.listener));
        fixture_turn_until(loop, doorman.accepted == 3);
        loop_close(loop); /* closed from on_accept: nothing is left in the kernel */
        for (int k = 0; k < 3; k++)
            close(fds[k]);
    }
}

static void
a_place_that_is_taken_is_named(void)
{
    struct loop *loop = fixture_loop();
    struct doorman first = {0}, second = {0};
    struct error_text error;
    expect(open_at(loop, (struct link_address){.host = "127.0.0.1"}, &first, &error) != NULL);
    uint16_t port = listener_port(first.listener);
    struct link_address taken = {.host = "127.0.0.1", .port = port};
    expect(open_at(loop, taken, &second, &error) == NULL);
    expect_contains(error.text, "cannot listen on 127.0.0.1:");
    expect_contains(error.text, "in use");
    listener_close(first.listener);
    loop_close(loop);

    loop = fixture_loop();
    expect(open_at(loop, taken, &second, &error) != NULL); /* free again at once */
    listener_close(second.listener);

    struct link_address socket_file = {.unix_path = fixture_path("listener.sock")};
    expect(open_at(loop, socket_file, &first, &error) != NULL);
    expect(open_at(loop, socket_file, &second, &error) == NULL);
    expect_contains(error.text, "listener.sock exists already");
    listener_close(first.listener);
    loop_close(loop);
    expect(access(socket_file.unix_path, F_OK) != 0); /* it took its file away */
}

static void
a_place_that_cannot_be_is_named(void)
{
    static const struct {
        struct link_address address;
        const char *words;
    } cases[] = {
        {{.host = "no-such-host.invalid"}, "cannot listen on no-such-host.invalid"},
        {{.host = "192.0.2.1", .port = 4443}, "cannot listen on 192.0.2.1:4443"},
        {{.unix_path = "/nonexistent/a.sock"}, "/nonexistent/a.sock"},
        {{.unix_path = "/a-path-that-is-much-too-long/a-path-that-is-much-too-long/a-path-that-is-"
                       "much-too-long/a-path-that-is-much-too-long"},
         "at most 107 characters"},
    };
    struct loop *loop = fixture_loop();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct doorman doorman = {0};
        struct error_text error;
        expect(open_at(loop, cases[i].address, &doorman, &error) == NULL);
        expect_contains(error.text, cases[i].words);
    }
    loop_close(loop);
}

/* Out of descriptors it rests, and goes on when there are some: it neither spins nor gives up. */
static void
it_survives_a_lack_of_descriptors(void)
{
    struct loop *loop = fixture_loop();
    struct doorman doorman = {0};
    struct error_text error;
    expect(open_at(loop, (struct link_address){.host = "127.0.0.1"}, &doorman, &error) != NULL);
    int client = knock(listener_port(doorman.listener));
    expect(freopen(fixture_path("log"), "w", stderr) != NULL); /* where its warning goes */
    struct rlimit limit, none;
    expect(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 3;
    expect(setrlimit(RLIMIT_NOFILE, &none) == 0);
    for (int i = 0; i < 3; i++)
        loop_turn(loop, 10000);
    expect_u64(doorman.accepted, 0);
    expect_u64(loop_operations(loop), 0); /* it rests */
    expect(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    fixture_turn_until(loop, doorman.accepted == 1);

    int again = knock(listener_port(doorman.listener));
    fixture_turn_until(loop, doorman.accepted == 2);
    listener_close(doorman.listener);
    loop_close(loop);
    close(client);
    close(again);
}

int
main(void)
{
    TEST(it_accepts_until_closed);
    TEST(a_place_that_is_taken_is_named);
    TEST(a_place_that_cannot_be_is_named);
    TEST(it_survives_a_lack_of_descriptors);
    return test_end();
}
