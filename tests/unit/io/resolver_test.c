#include "sender/io/resolver.h"
#include "tests/unit/io/fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void
literals_are_told_from_names(void)
{
    static const struct {
        const char *host;
        int family; /* 0: a name */
    } cases[] = {
        {"127.0.0.1", AF_INET},
        {"255.255.255.255", AF_INET},
        {"::1", AF_INET6},
        {"[::1]", AF_INET6},
        {"2001:db8::a", AF_INET6},
        {"localhost", 0},
        {"graph.facebook.com", 0},
        {"1.2.3", 0},
        {"256.0.0.1", 0},
        {"", 0},
        {"[]", 0},
        {"[127.0.0.1]", 0},
        {"[::1", 0},
        {":::", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resolver_address address;
        bool literal = resolver_literal(cases[i].host, 8443, &address);
        expect_u64(literal, cases[i].family != 0);
        if (!literal)
            continue;
        expect_u64(address.bytes.ss_family, cases[i].family);
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address.bytes;
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address.bytes;
        expect_u64(ntohs(cases[i].family == AF_INET ? v4->sin_port : v6->sin6_port), 8443);
    }
}

struct asker {
    unsigned answers;
    size_t count;
    char error[512];
};

static void
on_answer(void *context, const struct resolver_answer *answer)
{
    struct asker *asker = context;
    asker->answers++;
    asker->count = answer->count;
    snprintf(asker->error, sizeof(asker->error), "%s", answer->error.text);
    expect((answer->count == 0) == (answer->error.text[0] != '\0'));
}

static void
many_ask_and_each_is_answered_once(void)
{
    enum { ASKERS = 200 };
    struct loop *loop = fixture_loop();
    struct resolver *resolver = resolver_open(loop);
    static struct asker askers[ASKERS];
    struct lookup *lookups[ASKERS];
    for (size_t i = 0; i < ASKERS; i++)
        lookups[i] =
            resolver_lookup(resolver, "localhost", (uint16_t)(i % 3), on_answer, &askers[i]);
    for (size_t i = 0; i < ASKERS; i += 4)
        resolver_abandon(lookups[i]);
    uint64_t end_us = clock_monotonic_us() + 10000000;
    size_t answered = 0;
    while (answered < ASKERS - ASKERS / 4 && clock_monotonic_us() < end_us) {
        loop_turn(loop, 10000);
        answered = 0;
        for (size_t i = 0; i < ASKERS; i++)
            answered += askers[i].answers;
    }
    for (size_t i = 0; i < ASKERS; i++) {
        expect_u64(askers[i].answers, i % 4 != 0);
        expect_u64(askers[i].count > 0, i % 4 != 0);
    }
    resolver_close(resolver);
    loop_close(loop);
}

static void
closing_does_not_wait_for_answers(void)
{
    for (int turns = 0; turns < 3; turns++) {
        struct loop *loop = fixture_loop();
        struct resolver *resolver = resolver_open(loop);
        struct asker asker = {0};
        for (int i = 0; i < 5; i++)
            resolver_abandon(resolver_lookup(resolver, i % 2 == 0 ? "localhost" : "a.invalid", 1,
                                             on_answer, &asker));
        for (int i = 0; i < turns; i++)
            loop_turn(loop, 1000);
        uint64_t start_us = clock_monotonic_us();
        resolver_close(resolver);
        loop_close(loop);
        expect(clock_monotonic_us() - start_us < 1000000);
        expect_u64(asker.answers, 0);
    }
}

static void
names_that_cannot_be_are_answered(void)
{
    struct loop *loop = fixture_loop();
    struct resolver *resolver = resolver_open(loop);
    char longest[400];
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    struct asker asker = {0};
    resolver_lookup(resolver, longest, 1, on_answer, &asker);
    expect_u64(asker.answers, 0); /* from the turn, not from inside */
    fixture_turn_until(loop, asker.answers == 1);
    expect_contains(asker.error, "at most 255 characters");
    resolver_lookup(resolver, "no such host", 1, on_answer, &asker);
    fixture_turn_until(loop, asker.answers == 2);
    expect_contains(asker.error, "no such host");
    resolver_close(resolver);
    loop_close(loop);
}

int
main(void)
{
    TEST(literals_are_told_from_names);
    TEST(many_ask_and_each_is_answered_once);
    TEST(closing_does_not_wait_for_answers);
    TEST(names_that_cannot_be_are_answered);
    return test_end();
}
