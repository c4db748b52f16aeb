#include "tests/unit/sender/fake_worker.h"

static struct fake_worker fake;

#define FRENCH "template", "delivery_confirmation", "lang", "fr"
#define THREE  "1", "Claire", "2", "CMD-1042", "3", "mardi"

/* ---- until the grant ------------------------------------------------------------------------ */

struct walk {
    const char *words[24];
    const char *type;   /* of its outcome; NULL: it waits for its grant */
    const char *reason; /* its beginning */
};

static void
expect_outcome(const struct delivery *delivery, const char *type, const char *reason)
{
    expect(delivery->state == DELIVERY_SETTLING);
    expect_u64(fake.account.settling.count, 1);
    expect_text(delivery->outcome.type == NULL ? "" : delivery->outcome.type, type);
    if (!span_starts(delivery->outcome.reason, span_of(reason)))
        printf("reason is \"%.*s\", expected \"%s…\"\n", SPAN_ARG(delivery->outcome.reason),
               reason);
    expect(span_starts(delivery->outcome.reason, span_of(reason)));
}

static void
expect_ready(const struct delivery *delivery)
{
    expect(delivery->state == DELIVERY_GRANTING);
    expect_u64(fake.account.ready[delivery->source].count, 1);
    expect_u64(fake.account.ready_count, 1);
    if (delivery->state == DELIVERY_SETTLING)
        printf("it ended: %.*s\n", SPAN_ARG(delivery->outcome.reason));
}

static void
expect_walks(const struct walk *walks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct delivery *delivery = fake_entry(&fake, walks[i].words, 1000);
        delivery_run(delivery);
        if (walks[i].type == NULL)
            expect_ready(delivery);
        else
            expect_outcome(delivery, walks[i].type, walks[i].reason);
    }
}

static void
good_ones_are_quoted_and_wait_for_their_grant(void)
{
    static const struct walk walks[] = {
        {{"to", "+33612345678", FRENCH, THREE, NULL}, NULL, NULL},
        {{"to", "33 6 12-34 (56) 78", FRENCH, THREE, NULL}, NULL, NULL},
        {{"recipient", "FR.13491208655302741918", FRENCH, THREE, NULL}, NULL, NULL},
        {{"to", "+33612345678", FRENCH, THREE, "id", "x", "ref", "y", NULL}, NULL, NULL},
        {{"to", "+33612345678", "template", "one_time_code", "lang", "en", "1", "491827", NULL},
         NULL,
         NULL},
    };
    expect_walks(walks, sizeof(walks) / sizeof(walks[0]));
    struct delivery *delivery = fake_entry(&fake, walks[0].words, 1000);
    delivery_run(delivery);
    expect_ready(delivery);
    expect(delivery->batch == NULL); /* it is in the slot whole: its batch is not kept for it */
    expect_u64(fake.batch.pins, 1);
    expect(delivery->quote.millionths > 0);
    expect(span_starts((struct span){delivery->quote.cell, delivery->quote.cell_size},
                       SPAN("fr|FR|France|utility|delivery_confirmation|2018")));
}

/* Each refusal begins with the name of the field that must be mended. */
static void
bad_ones_are_refused_by_the_name_of_their_field(void)
{
    static const struct walk walks[] = {
        {{"to", "+33612345678", FRENCH, THREE, "colour", "red", NULL}, "refused", "colour: "},
        {{FRENCH, THREE, NULL}, "refused", "to: "},
        {{"to", "0612345678", FRENCH, THREE, NULL}, "refused", "to: "},
        {{"to", "+3361234567", FRENCH, THREE, NULL}, "refused", "to: "},
        {{"to", "hello", FRENCH, THREE, NULL}, "refused", "to: "},
        {{"recipient", "nobody", FRENCH, THREE, NULL}, "refused", "recipient: "},
        {{"to", "+33612345678", "recipient", "FR.134912", FRENCH, THREE, NULL},
         "refused",
         "recipient: "},
        {{"to", "+33612345678", "lang", "fr", THREE, NULL}, "refused", "template: "},
        {{"to", "+33612345678", "template", "nope", "lang", "fr", THREE, NULL},
         "refused",
         "template: \"nope\" is not in the catalogue"},
        {{"to", "+33612345678", "template", "delivery_confirmation", THREE, NULL},
         "refused",
         "lang: "},
        {{"to", "+33612345678", "template", "delivery_confirmation", "lang", "xx", THREE, NULL},
         "refused",
         "lang: template \"delivery_confirmation\" is not in language \"xx\""},
        {{"to", "+33612345678", FRENCH, "1", "Claire", "2", "CMD-1042", NULL},
         "refused",
         "parameter 3: "},
        {{"to", "+33612345678", FRENCH, THREE, "4", "more", NULL}, "refused", "parameter 4: "},
        {{"to", "+33612345678", FRENCH, "1", "\xff", "2", "b", "3", "c", NULL}, "refused", "1: "},
        {{"to", "+33612345678", FRENCH, "1", "a", "3", "c", NULL}, "refused", "2: "},
        {{"to", "+33612345678", FRENCH, THREE, "expires", "soon", NULL}, "refused", "expires: "},
        {{"to", "+33612345678", FRENCH, THREE, "not_before", "-1", NULL},
         "refused",
         "not_before: "},
        {{"to", "+33612345678", "text", "bonjour", NULL}, "refused", "template: "},
    };
    expect_walks(walks, sizeof(walks) / sizeof(walks[0]));
    expect_u64(fake.delivery.outcome.action, SETTLE_DEAD);
    expect(fake.delivery.outcome.release_id); /* mended, it may come again under its id */
}

static void
promotional_ones_are_refused_with_the_words(void)
{
    static const struct walk walks[] = {
        {{"to", "+33612345678", FRENCH, "1", "Claire", "2", "CMD-1042", "3",
          "mardi. -50% sur tout le magasin, profitez-en vite !", NULL},
         "refused",
         "policy: promotional (in a parameter): \""},
    };
    expect_walks(walks, 1);
    expect(fake.delivery.outcome.findings.size > 0);
    expect(span_starts(fake.delivery.outcome.findings, SPAN("[{\"rule\":\"")));
    expect_u64(fake.delivery.outcome.action, SETTLE_DEAD);
}

static void
unlisted_numbers_are_the_accounts_choice(void)
{
    const char *const words[] = {"to", "+330000000000", FRENCH, THREE, NULL};
    struct phone phone;
    phone_read(SPAN("+330000000000"), &phone);
    expect(phone.status == PHONE_UNLISTED || phone.status == PHONE_INVALID);
    fake.settings.strict_numbers = true;
    struct delivery *delivery = fake_entry(&fake, words, 0);
    delivery_run(delivery);
    expect_outcome(delivery, "refused", "to: ");
    fake.settings.strict_numbers = false;
    delivery = fake_entry(&fake, words, 0);
    delivery_run(delivery);
    if (phone.status == PHONE_UNLISTED)
        expect_ready(delivery);
}

static void
time_decides_before_anything_else(void)
{
    static const uint64_t hour_ms = 3600 * 1000;
    char past[24];
    char soon[24];
    uint64_t now_ms = clock_unix_ms();
    snprintf(past, sizeof(past), "%" PRIu64, now_ms - 1);
    snprintf(soon, sizeof(soon), "%" PRIu64, now_ms + hour_ms);
    const char *const expired[] = {"to", "rubbish", FRENCH, "expires", past, NULL};
    const char *const later[] = {"to", "+33612345678", FRENCH, THREE, "not_before", soon, NULL};
    const char *const plain[] = {"to", "+33612345678", FRENCH, THREE, NULL};
    const char *const due[] = {"to", "+33612345678", FRENCH, THREE, "not_before", past, NULL};
    const char *const kept[] = {"to", "+33612345678", FRENCH, THREE, "expires", soon, NULL};
    const char *const code[] = {"to", "+33612345678", "template", "one_time_code", "lang", "en",
                                "1",  "491827",       NULL};
    static const struct {
        const char *what;
        uint64_t age_ms;
        const char *type; /* "": later; NULL: ready */
    } expected[] = {
        {"expired", 0, "expired"},
        {"later", 0, ""},
        {"plain, young", 23 * 3600 * 1000, NULL},
        {"plain, old", 25 * 3600 * 1000, "expired"},
        {"scheduled long ago, due now", (uint64_t)9 * 24 * 3600 * 1000, NULL},
        {"expires later than its age allows", (uint64_t)9 * 24 * 3600 * 1000, NULL},
        {"code, young", 9 * 60 * 1000, NULL},
        {"code, old", 11 * 60 * 1000, "expired"},
    };
    const char *const *const words[] = {expired, later, plain, plain, due, kept, code, code};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct delivery *delivery = fake_entry(&fake, words[i], expected[i].age_ms);
        int before = test_failures_;
        delivery->attempts = 2;
        delivery_run(delivery);
        if (expected[i].type == NULL)
            expect_ready(delivery);
        else
            expect_outcome(delivery, expected[i].type,
                           expected[i].type[0] == '\0' ? "not_before" : "expires: ");
        expect_u64(delivery->attempts, 2);
        if (test_failures_ != before)
            printf("in: %s\n", expected[i].what);
    }
    struct delivery *delivery = fake_entry(&fake, later, 0);
    delivery_run(delivery);
    expect_u64(delivery->outcome.action, SETTLE_LATER);
    expect_u64(delivery->outcome.time_ms, now_ms + hour_ms);
    expect_u64(delivery->outcome.attempts, 0);
}

static void
members_of_bulk_entries_are_lines(void)
{
    static char good[] = "{\"to\":\"+33612345678\",\"template\":\"delivery_confirmation\","
                         "\"lang\":\"fr\",\"1\":\"Claire\",\"2\":1042,\"3\":\"mardi\"}";
    static char broken[] = "{\"to\":\"+33612345678\"";
    static char doubled[] = "{\"to\":\"+33612345678\",\"to\":\"+33612345679\"}";
    struct delivery *delivery = fake_delivery(&fake, 0);
    delivery->raw_line = span_of(good);
    delivery_run(delivery);
    expect_ready(delivery);
    expect(delivery->batch == NULL);
    delivery = fake_delivery(&fake, 0);
    delivery->raw_line = span_of(broken);
    delivery_run(delivery);
    expect_outcome(delivery, "refused", "bulk: ");
    expect(delivery->batch != NULL); /* what it names borrows from there */
    delivery = fake_delivery(&fake, 0);
    delivery->raw_line = span_of(doubled);
    delivery_run(delivery);
    expect_outcome(delivery, "refused", "to: ");
    delivery = fake_delivery(&fake, 0);
    delivery->raw_line = SPAN("");
    delivery_run(delivery);
    expect_outcome(delivery, "refused", "bulk: ");
}

static void
what_cannot_be_taken_apart_says_why(void)
{
    struct delivery *delivery = fake_delivery(&fake, 0);
    delivery->unreadable = "entry: larger than can be";
    delivery_run(delivery);
    expect_outcome(delivery, "refused", "entry: larger than can be");
}

static void
large_ones_keep_their_batch(void)
{
    static char text[600];
    memset(text, 'a', sizeof(text) - 1);
    const char *const words[] = {"to", "+33612345678", FRENCH, "1", text, "2", "b", "3", "c", NULL};
    struct delivery *delivery = fake_entry(&fake, words, 0);
    delivery_run(delivery);
    expect_ready(delivery);
    expect(delivery->batch == &fake.batch);
    expect_u64(fake.batch.pins, 2);
}

static void
without_a_rate_card_it_waits(void)
{
    const char *const words[] = {"to", "+33612345678", FRENCH, THREE, NULL};
    memcpy(fake.settings.currency, "XTS", 4);
    struct delivery *delivery = fake_entry(&fake, words, 0);
    delivery_run(delivery);
    memcpy(fake.settings.currency, "USD", 4);
    expect_outcome(delivery, "", "no rate card");
    expect_u64(delivery->outcome.action, SETTLE_LATER);
    expect(delivery->outcome.time_ms > clock_unix_ms());
    expect_u64(delivery->outcome.attempts, 0);
}

/* ---- from the grant on ---------------------------------------------------------------------- */

static struct delivery *
granted(uint64_t age_us)
{
    const char *const words[] = {"to", "+33612345678", FRENCH, THREE, "id", "x", NULL};
    return fake_granted(&fake, words, age_us);
}

static void
what_is_granted_is_sent_in_time_or_given_back(void)
{
    struct delivery *delivery = granted(0);
    delivery_run(delivery);
    expect(delivery->state == DELIVERY_SENDING);
    expect_u64(fake.account.sending.count, 1);

    delivery = granted(3600ull * 1000 * 1000);
    expect(delivery_is_stale(delivery, clock_unix_ms()));
    delivery_run(delivery);
    expect_outcome(delivery, "", "granted but not sent in time");
    expect_u64(delivery->outcome.action, SETTLE_LATER);
    expect_u64(delivery->outcome.attempts, 0);

    delivery = granted(0);
    fake.grant.name = SPAN("fedcba9876543210.2"); /* of a name that was fenced */
    expect(delivery_is_stale(delivery, clock_unix_ms()));
    delivery_run(delivery);
    expect_outcome(delivery, "", "granted but not sent in time");

    delivery = granted(0);
    delivery->end_ms = clock_unix_ms() - 1;
    expect(delivery_is_stale(delivery, clock_unix_ms()));
    delivery_run(delivery);
    expect_outcome(delivery, "expired", "expires: ");
    expect_u64(delivery->outcome.action, SETTLE_FREE); /* nothing left: its id is free again */

    delivery = granted(0);
    delivery->possible_duplicate = true;
    delivery->end_ms = clock_unix_ms() - 1;
    delivery_run(delivery);
    expect_outcome(delivery, "expired", "expires: ");
    expect_u64(delivery->outcome.action, SETTLE_DROP);

    delivery = granted(0);
    fake.worker.draining = true;
    delivery_run(delivery);
    fake.worker.draining = false;
    expect_outcome(delivery, "", "granted but not sent in time");
}

static void
what_waits_too_long_expires(void)
{
    const char *const words[] = {"to", "+33612345678", FRENCH, THREE, NULL};
    struct delivery *delivery = fake_entry(&fake, words, 0);
    delivery_run(delivery);
    expect_ready(delivery);
    (void)list_pop(&fake.account.ready[SOURCE_QUEUE]);
    expect(!delivery_expire(delivery, delivery->end_ms - 1));
    expect(delivery->state == DELIVERY_GRANTING);
    expect(delivery_expire(delivery, delivery->end_ms));
    expect_outcome(delivery, "expired", "expires: ");
}

/* ---- lists ---------------------------------------------------------------------------------- */

static void
lists_are_queues(void)
{
    static struct delivery three[3];
    struct delivery_list list = {0};
    expect(list_pop(&list) == NULL);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++)
            list_push(&list, &three[i]);
        expect_u64(list.count, 3);
        for (int i = 0; i < 3; i++) {
            expect(list_pop(&list) == &three[i]);
            expect(three[i].next == NULL);
        }
        expect_u64(list.count, 0);
        expect(list.first == NULL && list.last == NULL);
    }
    list_push(&list, &three[0]);
    expect_abort(list_push(&list, &three[0])); /* twice in a list: both would lose their way */
    list_push(&list, &three[1]);
    expect_abort(list_push(&list, &three[0]));
}

static void
states_have_words(void)
{
    for (int state = DELIVERY_FREE; state <= DELIVERY_TELLING; state++)
        expect(delivery_state_text((enum delivery_state)state)[0] != '\0');
}

int
main(void)
{
    fake_open(&fake);
    TEST(good_ones_are_quoted_and_wait_for_their_grant);
    TEST(bad_ones_are_refused_by_the_name_of_their_field);
    TEST(promotional_ones_are_refused_with_the_words);
    TEST(unlisted_numbers_are_the_accounts_choice);
    TEST(time_decides_before_anything_else);
    TEST(members_of_bulk_entries_are_lines);
    TEST(what_cannot_be_taken_apart_says_why);
    TEST(large_ones_keep_their_batch);
    TEST(without_a_rate_card_it_waits);
    TEST(what_is_granted_is_sent_in_time_or_given_back);
    TEST(what_waits_too_long_expires);
    TEST(lists_are_queues);
    TEST(states_have_words);
    fake_close(&fake);
    return test_end();
}
