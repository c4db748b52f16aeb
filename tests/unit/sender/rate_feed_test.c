#include "sender/rate_feed.h"
#include "sender/sender.h"
#include "tests/unit/cost/rates.h"

#include <pthread.h>

enum { WORKERS = 3, SECOND_US = 1000 * 1000 };

static const uint64_t NOV_23_MS = 1795435200000; /* 2026-11-23T12:00:00Z */

/* Rate cards in a file that tests write, and the accounts that are billed by them. */
struct desk {
    char path[32];
    struct markets *markets;
    struct account_settings accounts[2];
    struct rate_feed_settings settings;
    struct rate_feed *feed;
    uint64_t now_us;
};

static void
write_cards(const struct desk *desk, const char *text)
{
    FILE *file = fopen(desk->path, "wb");
    expect(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void
open_desk(struct desk *desk, const char *text)
{
    struct error_text error = {{0}};
    *desk = (struct desk){.markets = open_small_markets()};
    write_file(text, desk->path);
    for (size_t i = 0; i < 2; i++) {
        expect(
            keys_read(i == 0 ? SPAN("acme/fr") : SPAN("acme/br"), &desk->accounts[i].keys, &error));
        memcpy(desk->accounts[i].currency, "USD", 4);
        desk->accounts[i].zone = zone_utc();
    }
    desk->settings = (struct rate_feed_settings){
        .path = desk->path,
        .markets = desk->markets,
        .accounts = desk->accounts,
        .account_count = 2,
        .workers = WORKERS,
    };
    desk->feed = rate_feed_open(&desk->settings, NOV_23_MS, &error);
    expect_text(error.text, "");
    if (desk->feed == NULL)
        exit(1);
}

static void
close_desk(struct desk *desk)
{
    rate_feed_close(desk->feed);
    markets_close(desk->markets);
    unlink(desk->path);
}

/* A look of the main thread, a second later. */
static void
look(struct desk *desk)
{
    desk->now_us += SECOND_US;
    rate_feed_look(desk->feed, desk->now_us, NOV_23_MS);
}

static uint64_t
price(const struct rate_use *use)
{
    uint64_t millionths = 0;
    expect(rate_card_price(rate_book_card(use->book, "USD"), 0, RATE_UTILITY, "2026-11-23",
                           &millionths));
    return millionths;
}

static void
judges_every_account(void)
{
    static const struct {
        const char *cards;
        const char *currency;
        const char *zone;
        uint64_t now_ms;
        const char *words; /* "" : all can be billed */
    } cases[] = {
        {FULL("1", "2026-10-01"), "USD", "UTC", NOV_23_MS, ""},
        {FULL("1", "2026-10-01") FULL_IN("1", "2026-10-01", "BRL"), "BRL", "UTC", NOV_23_MS, ""},
        {FULL("1", "2026-10-01"), "BRL", "UTC", NOV_23_MS,
         "account acme/br: there is no rate card in BRL: add that currency's card"},
        {FULL("1", "2026-10-01") FULL_IN("1", "2027-01-01", "BRL"), "BRL", "UTC", NOV_23_MS,
         "no rate card in BRL is in force on 2026-11-23 (UTC), the first begins on 2027-01-01"},
        {FULL("1", "2026-10-01") "Other,utility,1,BRL,2026-10-01,\n", "BRL", "UTC", NOV_23_MS,
         "cards:8: the BRL card of 2026-10-01, in force on 2026-11-23 (UTC), has no utility price "
         "for \"North\", and lacks prices of 2 markets"},
        /* A newer card with a hole: not before it is in force. */
        {FULL("1", "2026-10-01") FULL_IN("1", "2026-10-01", "BRL") "North,utility,1,BRL,2026-11-24,"
                                                                   "\n",
         "BRL", "UTC", NOV_23_MS, ""},
        {FULL("1", "2026-10-01") FULL_IN("1", "2026-10-01", "BRL") "North,utility,1,BRL,2026-11-24,"
                                                                   "\n",
         "BRL", "Pacific/Kiritimati", NOV_23_MS, "in force on 2026-11-24 (Pacific/Kiritimati)"},
        {"North,utility,1,BRL,2026-01-01,\n" FULL("1", "2026-10-01")
             FULL_IN("1", "2026-10-01", "BRL"),
         "BRL", "UTC", NOV_23_MS, ""},
        /* The first second of a card, and the last one without, in its zone. */
        {FULL("1", "2026-01-01") FULL_IN("1", "2026-10-01", "BRL"), "BRL", "America/Sao_Paulo",
         1790823600000, ""},
        {FULL("1", "2026-01-01") FULL_IN("1", "2026-10-01", "BRL"), "BRL", "America/Sao_Paulo",
         1790823599999, "in force on 2026-09-30 (America/Sao_Paulo)"},
    };
    struct desk desk;
    struct zone_table *zones = calloc(1, sizeof(*zones));
    open_desk(&desk, HEADER FULL("1", "2026-10-01"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[2048];
        struct error_text error = {{0}};
        snprintf(text, sizeof(text), "%s%s", HEADER, cases[i].cards);
        struct rate_book *book = read_book(text, desk.markets);
        snprintf(desk.accounts[1].currency, 4, "%s", cases[i].currency);
        desk.accounts[1].zone = zone_table_take(zones, cases[i].zone, &error);
        bool good = rate_feed_judge(book, &desk.settings, cases[i].now_ms, &error);
        if (good != (cases[i].words[0] == '\0') || strstr(error.text, cases[i].words) == NULL)
            expect_text(error.text, cases[i].words);
        rate_book_close(book);
    }
    close_desk(&desk);
    zone_table_close(zones);
    free(zones);
}

static void
does_not_open_what_cannot_bill(void)
{
    struct desk desk;
    struct error_text error = {{0}};
    open_desk(&desk, HEADER FULL("1", "2026-10-01"));
    write_cards(&desk, HEADER "North,utility,1,USD,2026-10-01,\n");
    expect(rate_feed_open(&desk.settings, NOV_23_MS, &error) == NULL);
    expect(strstr(error.text, "account acme/fr: ") != NULL);
    expect(strstr(error.text, ":2: the USD card of 2026-10-01") != NULL);
    write_cards(&desk, HEADER "North,utility,\"1,5\",USD,2026-10-01,\n");
    expect(rate_feed_open(&desk.settings, NOV_23_MS, &error) == NULL);
    expect(strstr(error.text, ":2: \"1,5\" is not a price") != NULL);
    rate_feed_close(NULL);
    close_desk(&desk);
}

static void
takes_in_what_has_changed(void)
{
    struct desk desk;
    struct rate_use uses[WORKERS] = {{0}};
    open_desk(&desk, HEADER FULL("1", "2026-10-01"));
    for (uint32_t i = 0; i < WORKERS; i++)
        rate_feed_use(desk.feed, i, &uses[i]);
    expect_u64(price(&uses[0]), 1000000);
    look(&desk);
    write_cards(&desk, HEADER FULL("2", "2026-10-01"));
    look(&desk); /* changed: is somebody still writing it? */
    rate_feed_use(desk.feed, 0, &uses[0]);
    expect_u64(price(&uses[0]), 1000000);
    look(&desk);                          /* it stood still */
    expect_u64(price(&uses[0]), 1000000); /* a turn has one book from its begin to its end */
    uint64_t serial = uses[0].serial;
    rate_feed_use(desk.feed, 0, &uses[0]);
    expect_u64(price(&uses[0]), 2000000);
    expect(uses[0].serial != serial);
    expect_u64(price(&uses[1]), 1000000); /* valid as long as this one has not looked */

    /* Another change waits until the book before is given up. */
    write_cards(&desk, HEADER FULL("3", "2026-10-01"));
    for (int i = 0; i < 5; i++)
        look(&desk);
    rate_feed_use(desk.feed, 0, &uses[0]);
    expect_u64(price(&uses[0]), 2000000);
    expect_u64(price(&uses[1]), 1000000);
    rate_feed_use(desk.feed, 1, &uses[1]);
    rate_feed_leave(desk.feed, 2); /* one that has ended holds nothing up */
    look(&desk);
    rate_feed_use(desk.feed, 1, &uses[1]);
    expect_u64(price(&uses[1]), 3000000);
    close_desk(&desk);
}

static void
keeps_the_old_ones_when_the_new_are_bad(void)
{
    static const char *const bad[] = {
        "",
        "nonsense",
        HEADER "North,utility,1,USD,2026-10-01,\n",
        HEADER FULL("9", "2026-10-01") "North,marketing,0.1.2,USD,2026-10-01,\n",
        HEADER FULL_IN("9", "2026-10-01", "EUR"),
        HEADER FULL("9", "2027-01-01"),
    };
    struct desk desk;
    struct rate_use use = {0};
    open_desk(&desk, HEADER FULL("1", "2026-10-01"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_cards(&desk, bad[i]);
        for (int k = 0; k < 3; k++)
            look(&desk);
        rate_feed_use(desk.feed, 0, &use);
        expect_u64(price(&use), 1000000);
    }
    unlink(desk.path);
    for (int k = 0; k < 3; k++)
        look(&desk);
    rate_feed_use(desk.feed, 0, &use);
    expect_u64(price(&use), 1000000);
    write_cards(&desk, HEADER FULL("4", "2026-10-01")); /* mended */
    for (int k = 0; k < 3; k++)
        look(&desk);
    rate_feed_use(desk.feed, 0, &use);
    expect_u64(price(&use), 4000000);
    close_desk(&desk);
}

/* Looks are a second apart, however often the main thread comes by. */
static void
looks_once_a_second(void)
{
    struct desk desk;
    struct rate_use use = {0};
    open_desk(&desk, HEADER FULL("1", "2026-10-01"));
    look(&desk);
    write_cards(&desk, HEADER FULL("2", "2026-10-01"));
    for (uint64_t us = 0; us < 2 * SECOND_US; us += SECOND_US / 10)
        rate_feed_look(desk.feed, desk.now_us + us, NOV_23_MS);
    rate_feed_use(desk.feed, 0, &use);
    expect_u64(price(&use), 1000000); /* one look since */
    rate_feed_look(desk.feed, desk.now_us + 2 * SECOND_US, NOV_23_MS);
    rate_feed_use(desk.feed, 0, &use);
    expect_u64(price(&use), 2000000);
    close_desk(&desk);
}

/* ---- threads -----------------------------------------------------------------------------------
 */

struct reader {
    struct desk *desk;
    uint32_t number;
    _Atomic bool *stop;
    uint64_t turns;
    uint64_t bad;
    uint64_t seen; /* the last price */
};

/* A worker's turns: every price of one turn is of one card, and cards only become newer. */
static void *
reader_main(void *context)
{
    struct reader *reader = context;
    struct rate_use use = {0};
    while (!atomic_load(reader->stop)) {
        rate_feed_use(reader->desk->feed, reader->number, &use);
        const struct rate_card *card = rate_book_card(use.book, "USD");
        uint64_t first = 0;
        for (uint32_t i = 0; i < 50; i++) {
            uint64_t north = 0;
            (void)rate_card_price(card, 0, RATE_UTILITY, "2026-11-23", &north);
            first = i == 0 ? north : first;
            reader->bad += north != first || north < reader->seen || north == 0;
        }
        reader->seen = first;
        reader->turns++;
    }
    rate_feed_leave(reader->desk->feed, reader->number);
    return NULL;
}

static void
changes_under_readers(void)
{
    enum { CHANGES = 60 };
    struct desk desk;
    struct reader readers[WORKERS];
    pthread_t threads[WORKERS];
    _Atomic bool stop = false;
    open_desk(&desk, HEADER FULL("1", "2026-10-01"));
    for (uint32_t i = 0; i < WORKERS; i++) {
        readers[i] = (struct reader){.desk = &desk, .number = i, .stop = &stop};
        expect(pthread_create(&threads[i], NULL, reader_main, &readers[i]) == 0);
    }
    for (uint32_t change = 2; change <= CHANGES; change++) {
        char text[1024];
        snprintf(text, sizeof(text), HEADER FULL("%u", "2026-10-01"), change);
        write_cards(&desk, text);
        for (uint32_t i = 0; i < 4; i++) {
            look(&desk);
            usleep(500);
        }
    }
    atomic_store(&stop, true);
    uint64_t turns = 0;
    for (uint32_t i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        expect_u64(readers[i].bad, 0);
        expect(readers[i].seen > 10 * 1000000);
        turns += readers[i].turns;
    }
    printf("%llu turns over %d changes\n", (unsigned long long)turns, CHANGES);
    close_desk(&desk);
}

int
main(void)
{
    TEST(judges_every_account);
    TEST(does_not_open_what_cannot_bill);
    TEST(takes_in_what_has_changed);
    TEST(keeps_the_old_ones_when_the_new_are_bad);
    TEST(looks_once_a_second);
    TEST(changes_under_readers);
    return test_end();
}
