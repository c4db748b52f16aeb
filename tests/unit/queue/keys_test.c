#include "queue/keys.h"
#include "tests/unit/test.h"

#include <string.h>

static void
names_are_small_letters_digits_and_dashes(void)
{
    static const struct {
        const char *name;
        bool good;
    } cases[] = {
        {"a", true},
        {"acme", true},
        {"0", true},
        {"a-b-", true},
        {"abcdefghijklmnopqrstuvwxyz012345", true},
        {"abcdefghijklmnopqrstuvwxyz0123456", false},
        {"", false},
        {"-a", false},
        {"Acme", false},
        {"a_b", false},
        {"a b", false},
        {"a}", false},
        {"\xc3\xa9", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (keys_name_is_good(span_of(cases[i].name)) != cases[i].good) {
            printf("name \"%s\"\n", cases[i].name);
            expect(!"as the table says");
        }
    expect(!keys_name_is_good((struct span){.data = "a\0b", .size = 3}));
}

static void
reads_business_and_account(void)
{
    struct account_keys keys;
    struct error_text error;
    expect(keys_read(SPAN("acme/fr"), &keys, &error));
    expect_text(keys.business_name, "acme");
    expect_text(keys.account_name, "fr");
    expect_text(keys.business, "facteur:{acme}");
    expect_text(keys.account, "facteur:{acme}:fr");
    char out[KEYS_BASE_MAX + 16];
    expect_span(keys_of(&keys, "events", out, sizeof(out)), SPAN("facteur:{acme}:fr:events"));
}

static void
the_longest_names_fit(void)
{
    struct account_keys keys;
    struct error_text error;
    expect(keys_read(SPAN("abcdefghijklmnopqrstuvwxyz012345/abcdefghijklmnopqrstuvwxyz012345"),
                     &keys, &error));
    expect_text(keys.account,
                "facteur:{abcdefghijklmnopqrstuvwxyz012345}:abcdefghijklmnopqrstuvwxyz012345");
}

static void
says_what_is_wrong(void)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"acme", "\"acme\" is not BUSINESS/ACCOUNT, as in acme/fr"},
        {"", "\"\" is not BUSINESS/ACCOUNT, as in acme/fr"},
        {"Acme/fr", "\"Acme\" is not the name of a business: 1 to 32 small letters, digits and "
                    "dashes, not a dash first"},
        {"acme/",
         "\"\" is not the name of an account: 1 to 32 small letters, digits and dashes, not "
         "a dash first"},
        {"acme/fr/x", "\"fr/x\" is not the name of an account: 1 to 32 small letters, digits and "
                      "dashes, not a dash first"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct account_keys keys;
        struct error_text error = {""};
        expect(!keys_read(span_of(cases[i].text), &keys, &error));
        expect_text(error.text, cases[i].says);
    }
}

static void
a_long_wrong_name_is_cut_in_the_message(void)
{
    char text[2000];
    struct account_keys keys;
    struct error_text error;
    memset(text, 'x', sizeof(text));
    expect(!keys_read((struct span){.data = text, .size = sizeof(text)}, &keys, &error));
    expect(strlen(error.text) < 200);
    expect(strstr(error.text, "BUSINESS/ACCOUNT") != NULL);
}

static void
a_key_that_does_not_fit_is_a_mistake(void)
{
    struct account_keys keys;
    struct error_text error;
    char out[8];
    expect(keys_read(SPAN("acme/fr"), &keys, &error));
    expect_abort(keys_of(&keys, "events", out, sizeof(out)));
}

static void
members_and_grants_have_a_form(void)
{
    static const char *const members[] = {"0-0",    "1732377600000-0",
                                          "u1-2",   "r1-2/1",
                                          "1-2/64", "18446744073709551615-18446744073709551615/64"};
    static const char *const others[] = {
        "",      "1",    "1-",     "-1",     "1-2-3",   "x1-2", "uu1-2",
        "1-2/0", "1-2/", "1-2/65", "1-2/01", "1-2/1/1", "1-2 ", "18446744073709551616-0"};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        expect(keys_member_is_good(span_of(members[i])));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        expect(!keys_member_is_good(span_of(others[i])));
    expect(keys_grant_is_good(SPAN("0123456789abcdef.1")));
    expect(!keys_grant_is_good(SPAN("0123456789abcdef.")));
    expect(!keys_grant_is_good(SPAN("0123456789abcdef1")));
    expect(!keys_grant_is_good(SPAN("0123456789abcdeg.1")));
    expect(!keys_grant_is_good(SPAN("0123456789abcdef.1u")));
}

int
main(void)
{
    TEST(names_are_small_letters_digits_and_dashes);
    TEST(reads_business_and_account);
    TEST(the_longest_names_fit);
    TEST(says_what_is_wrong);
    TEST(a_long_wrong_name_is_cut_in_the_message);
    TEST(a_key_that_does_not_fit_is_a_mistake);
    TEST(members_and_grants_have_a_form);
    return test_end();
}
