#include "sender/outcome.h"
#include "sender/base/json.h"
#include "tests/unit/sender/fake_worker.h"

static struct fake_worker fake;

enum { AT = 42 };

/* The event's JSON, NUL-terminated; it must fit what was announced for it. */
static const char *
json_of(const struct delivery *delivery)
{
    static char text[OUTCOME_SIZE_MAX + 1];
    struct buffer out;
    buffer_init(&out, text, sizeof(text) - 1);
    outcome_put_json(delivery, AT, &out);
    expect(!out.overflow);
    expect(out.size <= outcome_json_size_max(delivery));
    expect(outcome_json_size_max(delivery) <= OUTCOME_SIZE_MAX);
    text[out.size] = '\0';
    return text;
}

/* The raw value of a name in a flat object; "-" if it is not there, "!" if it is no JSON. */
static const char *
value_of(const char *json, const char *name)
{
    static char copy[OUTCOME_SIZE_MAX + 1];
    static char value[OUTCOME_SIZE_MAX + 1];
    struct field fields[32];
    struct json_object object = {.fields = fields, .capacity = 32};
    snprintf(copy, sizeof(copy), "%s", json);
    if (json_read_flat(span_of(copy), &object, NULL) != JSON_OK)
        return "!";
    for (size_t i = 0; i < object.count; i++) {
        if (span_equal(fields[i].name, span_of(name))) {
            snprintf(value, sizeof(value), "%.*s", SPAN_ARG(fields[i].value));
            return value;
        }
    }
    return "-";
}

static struct delivery *
walked(const char *const *words)
{
    struct delivery *delivery = fake_entry(&fake, words, 0);
    delivery_run(delivery);
    return delivery;
}

static const char *const good[] = {"to",   "+33612345678", "template", "delivery_confirmation",
                                   "lang", "fr",           "1",        "Claire",
                                   "2",    "CMD-1042",     "3",        "mardi",
                                   "id",   "order-7",      "ref",      "a \"ref\"",
                                   NULL};

static void
an_accepted_one_tells_all_of_the_contract(void)
{
    struct delivery *delivery = walked(good);
    delivery->attempts = 1;
    (void)outcome_accept(delivery, SPAN("wamid.ABC="));
    const char *json = json_of(delivery);
    expect_text(value_of(json, "type"), "accepted");
    expect_text(value_of(json, "entry"), fake.entry);
    expect_text(value_of(json, "id"), "order-7");
    expect_text(value_of(json, "ref"), "a \"ref\"");
    expect_text(value_of(json, "country"), "FR");
    expect_text(value_of(json, "market"), "France");
    expect_text(value_of(json, "category"), "utility");
    expect_text(value_of(json, "template"), "delivery_confirmation");
    expect_text(value_of(json, "lang"), "fr");
    expect_text(value_of(json, "currency"), "USD");
    expect_text(value_of(json, "attempt"), "2");
    expect_text(value_of(json, "wamid"), "wamid.ABC=");
    expect_text(value_of(json, "at"), "42");
    expect_text(value_of(json, "reason"), "-");
    char price[24];
    snprintf(price, sizeof(price), "%" PRIu64, delivery->quote.millionths);
    expect_text(value_of(json, "price"), price);
}

static void
recipients_are_not_written_in_clear(void)
{
    struct delivery *delivery = walked(good);
    (void)outcome_accept(delivery, SPAN("wamid.ABC="));
    const char *json = json_of(delivery);
    expect(strstr(json, "612345678") == NULL);
    expect_u64(strlen(value_of(json, "to")), (uint64_t)2 * DIGEST_SIZE);
    fake.sender.settings.clear_recipients = true;
    expect_text(value_of(json_of(delivery), "to"), "+33612345678");
    fake.sender.settings.clear_recipients = false;
}

static void
only_what_may_be_billed_has_a_price(void)
{
    struct delivery *delivery = walked(good);
    (void)outcome_uncertain(delivery, 7, SPAN("lost"));
    expect(strcmp(value_of(json_of(delivery), "price"), "0") != 0);
    delivery = walked(good);
    (void)outcome_drop(delivery, "failed", SPAN("no"));
    expect_text(value_of(json_of(delivery), "price"), "0");
    delivery = walked(good);
    (void)outcome_dead(delivery, "dead", false, SPAN("no more"));
    expect_text(value_of(json_of(delivery), "price"), "0");
    expect_text(value_of(json_of(delivery), "reason"), "no more");
}

/* Only what may be a second message says so. */
static void
a_possible_duplicate_is_flagged(void)
{
    struct delivery *delivery = walked(good);
    (void)outcome_accept(delivery, SPAN("wamid.X"));
    expect_text(value_of(json_of(delivery), "possible_duplicate"), "-");
    delivery = walked(good);
    delivery->possible_duplicate = true;
    (void)outcome_accept(delivery, SPAN("wamid.X"));
    expect_text(value_of(json_of(delivery), "possible_duplicate"), "true");
    delivery = walked(good);
    delivery->possible_duplicate = true;
    (void)outcome_drop(delivery, "expired", SPAN("expires"));
    expect_text(value_of(json_of(delivery), "possible_duplicate"), "true");
}

static void
recipients_are_hashed_unless_told_otherwise(void)
{
    char memory[OUTCOME_RECIPIENT_MAX];
    struct delivery *delivery = walked(good);
    struct span hashed = outcome_recipient(delivery, memory);
    expect_u64(hashed.size, OUTCOME_RECIPIENT_MAX);
    expect(hashed.data == memory);
    fake.sender.settings.clear_recipients = true;
    expect_span(outcome_recipient(delivery, memory), SPAN("+33612345678"));
    fake.sender.settings.clear_recipients = false;
    delivery = fake_delivery(&fake, 0);
    expect_u64(outcome_recipient(delivery, memory).size, 0); /* nobody is known yet */
}

static void
what_goes_on_tells_nothing(void)
{
    struct delivery *delivery = walked(good);
    (void)outcome_later(delivery, 1, 0, SPAN("throttled"));
    expect_text(json_of(delivery), "");
    expect_u64(outcome_json_size_max(delivery), 0);
}

static void
an_outcome_before_the_check_is_json_too(void)
{
    struct delivery *delivery = fake_delivery(&fake, 0);
    delivery->unreadable = "entry: too large";
    delivery_run(delivery);
    expect_text(value_of(json_of(delivery), "type"), "refused");
    expect_text(value_of(json_of(delivery), "reason"), "entry: too large");
    expect_text(value_of(json_of(delivery), "country"), "-");
}

static void
findings_are_an_array_inside(void)
{
    const char *const words[] = {
        "to",       "+33612345678",
        "template", "delivery_confirmation",
        "lang",     "fr",
        "1",        "Claire",
        "2",        "CMD-1042",
        "3",        "-50% sur tout, profitez-en vite, code promo \"NOEL\\20\"",
        NULL};
    struct delivery *delivery = walked(words);
    const char *json = json_of(delivery);
    expect_text(value_of(json, "type"), "refused");
    expect(span_starts(span_of(value_of(json, "findings")), SPAN("[{\"rule\":")));
}

/* As long as a producer can make it, and every byte to be escaped. */
static void
the_longest_fits_what_is_set_aside(void)
{
    static char name[NOTIFICATION_NAME_MAX + 1];
    static char note[QUEUE_ID_MAX + 1];
    static char reason[2000];
    memset(name, 1, NOTIFICATION_NAME_MAX);
    memset(note, 2, QUEUE_ID_MAX);
    memset(reason, 3, sizeof(reason) - 1);
    const char *const words[] = {"recipient", "FR.134912", "template", name, "lang", name,
                                 "ref",       note,        "id",       "x",  NULL};
    struct delivery *delivery = walked(words);
    expect(delivery->state == DELIVERY_SETTLING);
    delivery->notification.id = span_of(note);
    delivery->notification.recipient = span_of(name);
    fake.sender.settings.clear_recipients = true;
    delivery->phone.e164_size = 0;
    delivery->outcome.reason = (struct span){reason, 300};
    delivery->outcome.wamid = (struct span){reason, 300};
    expect(strlen(json_of(delivery)) > 15000);
    expect(strcmp(value_of(json_of(delivery), "type"), "refused") == 0);
    fake.sender.settings.clear_recipients = false;
}

static void
reasons_are_cut_and_not_the_slot_broken(void)
{
    static char reason[5000];
    memset(reason, 'r', sizeof(reason) - 1);
    struct delivery *delivery = walked(good);
    (void)outcome_drop(delivery, "failed", span_of(reason));
    expect(delivery->outcome.reason.size > 0 && delivery->outcome.reason.size <= 300);
    delivery = walked(good);
    while (arena_take(&delivery->arena, 16) != NULL)
        continue; /* the slot is full */
    (void)outcome_drop(delivery, "failed", span_of(reason));
    (void)json_of(delivery);
    expect(delivery->arena.size <= delivery->arena.capacity);
}

static void
one_outcome_each(void)
{
    struct delivery *delivery = walked(good);
    (void)outcome_accept(delivery, SPAN("wamid.ABC="));
    expect_abort((void)outcome_drop(delivery, "failed", SPAN("no"))); /* it was decided */
}

int
main(void)
{
    fake_open(&fake);
    TEST(an_accepted_one_tells_all_of_the_contract);
    TEST(recipients_are_not_written_in_clear);
    TEST(only_what_may_be_billed_has_a_price);
    TEST(a_possible_duplicate_is_flagged);
    TEST(recipients_are_hashed_unless_told_otherwise);
    TEST(what_goes_on_tells_nothing);
    TEST(an_outcome_before_the_check_is_json_too);
    TEST(findings_are_an_array_inside);
    TEST(the_longest_fits_what_is_set_aside);
    TEST(reasons_are_cut_and_not_the_slot_broken);
    TEST(one_outcome_each);
    fake_close(&fake);
    return test_end();
}
