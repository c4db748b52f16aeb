/*
 * A seeded crowd: links of every kind open, talk, pause, close and reset at random, from callbacks
 * and from outside. Whatever happens, each is closed exactly once, says nothing afterwards, and
 * leaves no descriptor and no memory behind (the latter is asan's to say).
 */
#include "sender/base/check.h"
#include "sender/base/random.h"
#include "sender/io/link.h"
#include "tests/unit/io/fixture.h"

#include <dirent.h>

enum { CLIENTS = 12, TURNS = 1000, PEOPLE_MAX = 64 };

struct crowd;

struct person {
    struct crowd *crowd;
    struct link *link; /* NULL: free */
    uint64_t to_send;
    uint64_t given;
    uint64_t received;
    bool ended; /* link_close() or link_reset() was called */
};

struct crowd {
    struct loop *loop;
    struct random random;
    struct tls_context *client_tls, *server_tls;
    struct listener *listeners[3]; /* TCP, unix, TCP with TLS */
    struct link_settings settings[3];
    struct person people[PEOPLE_MAX]; /* the first CLIENTS dial, the others were accepted */
    unsigned opened, closed, spoke_after_end, wrong, talks;
};

static char
byte_at(uint64_t index)
{
    return (char)(index * 13 + (index >> 7));
}

static void
maybe_act(struct person *person)
{
    struct random *random = &person->crowd->random;
    switch (random_below(random, 40)) {
    case 0:
        link_close(person->link);
        person->ended = true;
        break;
    case 1:
        link_reset(person->link);
        person->ended = true;
        break;
    case 2:
    case 3:
        link_pause(person->link);
        break;
    case 4:
    case 5:
    case 6:
        link_resume(person->link);
        break;
    default:
        person->to_send += random_below(random, 20000);
        link_flush(person->link);
    }
}

static void
on_open(void *context)
{
    struct person *person = context;
    person->crowd->spoke_after_end += person->ended;
    person->crowd->opened++;
    maybe_act(person);
}

static void
on_bytes(void *context, const char *data, size_t size)
{
    struct person *person = context;
    person->crowd->spoke_after_end += person->ended;
    for (size_t i = 0; i < size; i += 97)
        person->crowd->wrong += data[i] != byte_at(person->received + i);
    person->received += size;
    person->crowd->talks++;
    maybe_act(person);
}

static void
on_output(void *context, struct buffer *out)
{
    struct person *person = context;
    person->crowd->spoke_after_end += person->ended;
    while (person->given < person->to_send && buffer_room(out) > 0)
        buffer_put_char(out, byte_at(person->given++));
    maybe_act(person);
}

static void
on_close(void *context, const char *reason, bool opened)
{
    struct person *person = context;
    (void)opened;
    expect(reason[0] != '\0');
    expect(person->link != NULL && link_bytes_sent(person->link) <= person->given);
    link_flush(person->link); /* late calls do no harm */
    link_close(person->link);
    person->link = NULL;
    person->crowd->closed++;
}

static const struct link_events events = {on_open, on_bytes, on_output, on_close};

static struct person *
arrive(struct crowd *crowd, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (crowd->people[i].link != NULL)
            continue;
        crowd->people[i] =
            (struct person){.crowd = crowd, .to_send = random_below(&crowd->random, 100000)};
        return &crowd->people[i];
    }
    return NULL;
}

static void
accept_as(struct crowd *crowd, int fd, size_t kind)
{
    struct person *person = arrive(crowd, CLIENTS, PEOPLE_MAX);
    if (person == NULL) {
        close(fd);
        return;
    }
    struct link_settings settings = crowd->settings[kind];
    settings.tls = kind == 2 ? crowd->server_tls : NULL;
    person->link = link_accepted(crowd->loop, fd, &settings, &events, person);
}

static void
on_accept_tcp(void *context, int fd)
{
    accept_as(context, fd, 0);
}

static void
on_accept_unix(void *context, int fd)
{
    accept_as(context, fd, 1);
}

static void
on_accept_tls(void *context, int fd)
{
    accept_as(context, fd, 2);
}

static void
gather(struct crowd *crowd, uint64_t seed)
{
    struct error_text error = {0};
    crowd->loop =
        loop_open(&(struct loop_settings){.operations_max = PEOPLE_MAX * LINK_OPERATIONS + 3,
                                          .timers_max = PEOPLE_MAX * LINK_TIMERS + 3},
                  &error);
    check(crowd->loop != NULL);
    random_seed(&crowd->random, seed);
    crowd->client_tls = tls_client_context(
        &(struct tls_client_settings){.ca_file = fixture_path("good.crt"), .alpn = "h2"}, &error);
    crowd->server_tls = tls_server_context(
        &(struct tls_server_settings){fixture_path("good.crt"), fixture_path("good.key"), "h2"},
        &error);
    void (*const on_accept[3])(void *context, int fd) = {on_accept_tcp, on_accept_unix,
                                                         on_accept_tls};
    for (size_t kind = 0; kind < 3; kind++) {
        struct link_address address = {.host = "127.0.0.1"};
        if (kind == 1)
            address.unix_path = fixture_path("churn.sock");
        crowd->listeners[kind] =
            listener_open(crowd->loop, &address, on_accept[kind], crowd, &error);
        check(crowd->listeners[kind] != NULL);
        address.port = listener_port(crowd->listeners[kind]);
        crowd->settings[kind] = (struct link_settings){
            .address = address,
            .tls = kind == 2 ? crowd->client_tls : NULL,
            .connect_timeout_us = 50000,
            .output_size = 1000 + random_below(&crowd->random, 100000),
        };
    }
}

static void
stir(struct crowd *crowd)
{
    struct random *random = &crowd->random;
    if (random_chance(random, 0.3)) {
        struct person *person = arrive(crowd, 0, CLIENTS);
        if (person != NULL)
            person->link =
                link_open(crowd->loop, &crowd->settings[random_below(random, 3)], &events, person);
    }
    struct person *person = &crowd->people[random_below(random, PEOPLE_MAX)];
    if (person->link != NULL)
        maybe_act(person);
}

static void
disperse(struct crowd *crowd)
{
    for (size_t i = 0; i < PEOPLE_MAX; i++)
        if (crowd->people[i].link != NULL)
            link_close(crowd->people[i].link);
    for (size_t kind = 0; kind < 3; kind++)
        listener_close(crowd->listeners[kind]);
    /* A few may come in while the listeners close: they are closed when they have come. */
    for (int turn = 0; turn < 5; turn++) {
        loop_turn(crowd->loop, 1000);
        for (size_t i = 0; i < PEOPLE_MAX; i++)
            if (crowd->people[i].link != NULL)
                link_close(crowd->people[i].link);
    }
    loop_close(crowd->loop);
    tls_context_close(crowd->client_tls);
    tls_context_close(crowd->server_tls);
}

static size_t
descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    check(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void
a_crowd_comes_and_goes(void)
{
    size_t before = descriptors();
    for (uint64_t seed = 1; seed <= 2; seed++) {
        static struct crowd crowd;
        crowd = (struct crowd){0};
        gather(&crowd, seed);
        for (int turn = 0; turn < TURNS; turn++) {
            stir(&crowd);
            loop_turn(crowd.loop, turn % 8 == 0 ? 200 : 0);
        }
        disperse(&crowd);
        expect(crowd.opened > 200 && crowd.talks > 500); /* else the test tests nothing */
        expect(crowd.closed >= crowd.opened);
        expect_u64(crowd.spoke_after_end, 0);
        expect_u64(crowd.wrong, 0);
        for (size_t i = 0; i < PEOPLE_MAX; i++)
            expect(crowd.people[i].link == NULL);
        expect_u64(descriptors(), before);
    }
}

int
main(void)
{
    fixture_certificate("good", "127.0.0.1", -1, 29);
    TEST(a_crowd_comes_and_goes);
    return test_end();
}
