#include "sender/redis_address.h"
#include "tests/unit/test.h"

#include <string.h>

static void
addresses_are_read(void)
{
    static const struct {
        const char *text, *unix_path, *host;
        uint16_t port;
        bool tls;
    } cases[] = {
        {"unix:/run/redis.sock", "/run/redis.sock", "", 0, false},
        {"unix:///run/redis.sock", "/run/redis.sock", "", 0, false},
        {"/run/redis.sock", "/run/redis.sock", "", 0, false},
        {"/run/a@b.sock", "/run/a@b.sock", "", 0, false},
        {"tcp://127.0.0.1:6380", "", "127.0.0.1", 6380, false},
        {"tcp://redis", "", "redis", 6379, false},
        {"redis://redis.example:1", "", "redis.example", 1, false},
        {"rediss://redis.example", "", "redis.example", 6380, true},
        {"rediss://redis.example:65535", "", "redis.example", 65535, true},
        {"tcp://[::1]:7000", "", "::1", 7000, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct redis_address address = {0};
        struct error_text error = {0};
        if (!redis_address_read(cases[i].text, &address, &error))
            printf("%s: %s\n", cases[i].text, error.text);
        expect_text(error.text, "");
        expect_u64(address.place_count, 1);
        expect_text(address.places[0].unix_path, cases[i].unix_path);
        expect_text(address.places[0].host, cases[i].host);
        expect_u64(address.places[0].port, cases[i].port);
        expect(address.places[0].tls == cases[i].tls);
        expect(redis_address_wants_tls(&address) == cases[i].tls);
    }
}

static void
several_places_stand_in_one_address(void)
{
    struct redis_address address = {0};
    struct error_text error = {0};
    char text[REDIS_PLACE_TEXT_SIZE];
    expect(redis_address_read("tcp://one:7000, unix:/two.sock,rediss://three", &address, &error));
    expect_text(error.text, "");
    expect_u64(address.place_count, 3);
    expect_text(redis_place_text(&address.places[0], text), "tcp://one:7000");
    expect_text(redis_place_text(&address.places[1], text), "unix:/two.sock");
    expect_text(redis_place_text(&address.places[2], text), "rediss://three:6380");
    expect(redis_address_wants_tls(&address));
    expect(redis_address_read("tcp://one", &address, &error));
    expect_u64(address.place_count, 1);
    expect(!redis_address_wants_tls(&address));
}

static void
what_is_no_address_is_refused_with_a_sentence(void)
{
    static char long_path[200] = "unix:/";
    static char long_host[400] = "tcp://";
    memset(long_path + 6, 'p', sizeof(long_path) - 7);
    memset(long_host + 6, 'h', sizeof(long_host) - 7);
    const char *const cases[] = {"",
                                 "redis.example:6379",
                                 "http://redis.example",
                                 "unix:",
                                 "unix://",
                                 "tcp://",
                                 "tcp://:6379",
                                 "tcp://h:0",
                                 "tcp://h:65536",
                                 "tcp://h:6379/0",
                                 "tcp://h:http",
                                 "tcp://h:99999999999999999999",
                                 "tcp://h,",
                                 ",tcp://h",
                                 "tcp://h,,tcp://i",
                                 "tcp://a,tcp://b,tcp://c,tcp://d,tcp://e,tcp://f,tcp://g,tcp://h,"
                                 "tcp://i",
                                 long_path,
                                 long_host};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct redis_address address = {0};
        struct error_text error = {0};
        expect(!redis_address_read(cases[i], &address, &error));
        expect(strstr(error.text, "Redis address") != NULL);
    }
}

static void
a_password_in_an_address_is_refused_and_not_repeated(void)
{
    static const char *const cases[] = {"redis://bob:geheim@redis.example:6379",
                                        "rediss://:geheim@redis.example", "tcp://geheim@h",
                                        "http://bob:geheim@h", "bob:geheim@h:6379"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct redis_address address = {0};
        struct error_text error = {0};
        expect(!redis_address_read(cases[i], &address, &error));
        expect(error.text[0] != '\0');
        expect(strstr(error.text, "geheim") == NULL);
    }
}

int
main(void)
{
    TEST(addresses_are_read);
    TEST(several_places_stand_in_one_address);
    TEST(what_is_no_address_is_refused_with_a_sentence);
    TEST(a_password_in_an_address_is_refused_and_not_repeated);
    return test_end();
}
