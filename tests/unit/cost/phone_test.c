#include "sender/base/clock.h"
#include "sender/cost/phone.h"
#include "sender/cost/phone_table.h"
#include "tests/unit/test.h"

#include <string.h>

struct vector {
    const char *text;
    const char *country;
};

/* One number of many a numbering plan, and more of the plans that share a calling code. */
static const struct vector valid_numbers[] = {
    /* clang-format off */
    {"+24721187", "AC"}, {"+971900039168", "AE"},
    {"+93402376007", "AF"}, {"+5491169839784", "AR"},
    {"+61130098879497", "AU"}, {"+35818168986", "AX"},
    {"+35818170198", "AX"}, {"+35818185391", "AX"},
    {"+12463132323", "BB"}, {"+97393100539", "BH"},
    {"+2290129742503", "BJ"}, {"+590590278695", "BL"},
    {"+590590299093", "BL"}, {"+590590512231", "BL"},
    {"+59139444091", "BO"}, {"+5997854856", "BQ"},
    {"+5997959151", "BQ"}, {"+5997968463", "BQ"},
    {"+5511983196901", "BR"}, {"+9758455710", "BT"},
    {"+5016177238", "BZ"}, {"+13103931", "CA"},
    {"+13654970982", "CA"}, {"+19022644226", "CA"},
    {"+61891622197", "CC"}, {"+61891623603", "CC"},
    {"+61891627936", "CC"}, {"+243982665441", "CD"},
    {"+41901468907", "CH"}, {"+2250179534060", "CI"},
    {"+23788838928", "CM"}, {"+8695071995347", "CN"},
    {"+59995711089", "CW"}, {"+59996585183", "CW"},
    {"+59997322640", "CW"}, {"+61851235498", "CX"},
    {"+61891647002", "CX"}, {"+61891647723", "CX"},
    {"+4915865415222", "DE"}, {"+18099655460", "DO"},
    {"+18293944309", "DO"}, {"+18298707211", "DO"},
    {"+213800034539", "DZ"}, {"+208003653694", "EG"},
    {"+2917357237", "ER"}, {"+34703980693", "ES"},
    {"+3584799541940", "FI"}, {"+33855905653", "FR"},
    {"+447089358267", "GB"}, {"+441481254655", "GG"},
    {"+447911141126", "GG"}, {"+449806446266", "GG"},
    {"+22430326106", "GN"}, {"+5926068031", "GY"},
    {"+50480021897644", "HN"}, {"+38575129852", "HR"},
    {"+50999620995", "HT"}, {"+628091639967", "ID"},
    {"+972151304155812", "IL"}, {"+447524744177", "IM"},
    {"+447524815900", "IM"}, {"+447624128379", "IM"},
    {"+911861717882585", "IN"}, {"+96416601463", "IQ"},
    {"+39055327063", "IT"}, {"+441534548390", "JE"},
    {"+447509894285", "JE"}, {"+447937014842", "JE"},
    {"+16584490347", "JM"}, {"+16587921492", "JM"},
    {"+18769091693", "JM"}, {"+96290022767", "JO"},
    {"+816060290529", "JP"}, {"+2548003656700", "KE"},
    {"+8501933780825", "KP"}, {"+77262506128", "KZ"},
    {"+77516201091", "KZ"}, {"+77634529719", "KZ"},
    {"+8562055060882", "LA"}, {"+231883291125", "LR"},
    {"+212528984176", "MA"}, {"+37745392027", "MC"},
    {"+590590002794", "MF"}, {"+590590131617", "MF"},
    {"+590590584147", "MF"}, {"+529322877327", "MX"},
    {"+6065162746", "MY"}, {"+22787837834", "NE"},
    {"+672316626", "NF"}, {"+23470089196708", "NG"},
    {"+31669360042", "NL"}, {"+6838882842", "NU"},
    {"+645086523505", "NZ"}, {"+96871415232", "OM"},
    {"+92459111397014", "PK"}, {"+48800960880", "PL"},
    {"+17873691011", "PR"}, {"+17874753077", "PR"},
    {"+17878507758", "PR"}, {"+351884261837", "PT"},
    {"+595608008102", "PY"}, {"+79680117340", "RU"},
    {"+966112920209", "SA"}, {"+658002375439", "SG"},
    {"+4779536175", "SJ"}, {"+4779609112", "SJ"},
    {"+4779965783", "SJ"}, {"+421985132402", "SK"},
    {"+221361843045", "SN"}, {"+5978039581", "SR"},
    {"+2908246", "TA"}, {"+2908424", "TA"},
    {"+2908851", "TA"}, {"+6907463598", "TK"},
    {"+21653791563", "TN"}, {"+6760800684", "TO"},
    {"+903769852386", "TR"}, {"+380677048930", "UA"},
    {"+13075321134", "US"}, {"+15175091902", "US"},
    {"+18337749576", "US"}, {"+390669820709", "VA"},
    {"+390669826864", "VA"}, {"+390669854239", "VA"},
    {"+17844586568", "VC"}, {"+13408840334", "VI"},
    {"+262268972555", "YT"}, {"+262268976256", "YT"},
    {"+262976990930", "YT"}, {"+278612471510", "ZA"},
    /* clang-format on */
};

static struct phone
read_text(const char *text)
{
    struct phone phone;
    memset(&phone, 0xee, sizeof(phone)); /* what was in it before must not matter */
    phone_read(span_of(text), &phone);
    return phone;
}

static void
expect_phone(const char *text, enum phone_status status, const char *country)
{
    struct phone phone = read_text(text);
    int before = test_failures_;
    expect_text(phone_status_text(phone.status), phone_status_text(status));
    expect_text(phone.country, country);
    if (before != test_failures_)
        printf("  of \"%s\"\n", text);
}

static void
expect_reason(const char *text, enum phone_reason reason)
{
    struct phone phone = read_text(text);
    int before = test_failures_;
    expect_text(phone_reason_text(phone.reason), phone_reason_text(reason));
    expect_text(phone_status_text(phone.status), "invalid");
    expect_text(phone.e164, "");
    expect_u64(phone.e164_size, 0);
    expect_u64(phone.country[0] != '\0', phone.calling_code != 0);
    if (before != test_failures_)
        printf("  of \"%s\"\n", text);
}

static void
knows_every_plan(void)
{
    for (size_t i = 0; i < sizeof(valid_numbers) / sizeof(valid_numbers[0]); i++) {
        const struct vector *vector = &valid_numbers[i];
        expect_phone(vector->text, PHONE_VALID, vector->country);
        expect_phone(vector->text + 1, PHONE_VALID, vector->country); /* bare digits too */
        struct phone phone = read_text(vector->text);
        expect_text(phone.e164, vector->text);
        expect_u64(phone.e164_size, strlen(vector->text));
        expect_u64(phone.reason, PHONE_GOOD);
        char code[8];
        snprintf(code, sizeof(code), "+%u", phone.calling_code);
        expect(span_starts(span_of(vector->text), span_of(code)));
    }
}

/* Where a calling code alone, or a prefix alone, would give the wrong country. */
static void
is_not_trapped(void)
{
    static const struct vector traps[] = {
        {"+12025550123", "US"},  {"+14165550123", "CA"},  {"+13103931", "CA"},
        {"+13105550123", "US"},  {"+18095550123", "DO"},  {"+18295550123", "DO"},
        {"+18765550123", "JM"},  {"+16585550123", "JM"},  {"+17875550123", "PR"},
        {"+19395550123", "PR"},  {"+12423595123", "BS"},  {"+14413701234", "BM"},
        {"+18005550123", "US"},  {"+77011234567", "KZ"},  {"+77711234567", "KZ"},
        {"+79161234567", "RU"},  {"+74951234567", "RU"},  {"+447911123456", "GG"},
        {"+447700300123", "JE"}, {"+447700700123", "JE"}, {"+447700812345", "JE"},
        {"+447400123456", "GB"}, {"+442071234567", "GB"}, {"+441534123456", "JE"},
        {"+390669812345", "VA"}, {"+390612345678", "IT"}, {"+393123456789", "IT"},
        {"+212528812345", "MA"}, {"+212528912345", "MA"}, {"+212650123456", "MA"},
        {"+262639012345", "YT"}, {"+262692123456", "RE"}, {"+5993181234", "BQ"},
        {"+59995181234", "CW"},  {"+29051234", "SH"},     {"+2908123", "TA"},
        {"+358181234567", "AX"}, {"+358412345678", "FI"}, {"+4779123456", "SJ"},
        {"+4740612345", "NO"},   {"+61891621234", "CC"},  {"+61891641234", "CX"},
        {"+61412345678", "AU"},  {"+33612345678", "FR"},  {"+4915123456789", "DE"},
    };
    for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++)
        expect_phone(traps[i].text, PHONE_VALID, traps[i].country);
}

/* WhatsApp's own ids of people whose numbering plan has changed: sent as they are, and the country
 * is certain. */
static void
keeps_whatsapp_forms(void)
{
    static const struct vector forms[] = {
        {"5215512345678", "MX"}, {"+5217791095691", "MX"}, {"+553186371020", "BR"},
        {"556198894414", "BR"},  {"22507123456", "CI"},    {"+22547548071", "CI"},
        {"+22520301234", "CI"},  {"22990123456", "BJ"},    {"+22966646896", "BJ"},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct phone phone = read_text(forms[i].text);
        expect_phone(forms[i].text, PHONE_LEGACY, forms[i].country);
        expect_u64(phone.reason, PHONE_GOOD);
        const char *digits = forms[i].text[0] == '+' ? forms[i].text + 1 : forms[i].text;
        expect_text(phone.e164 + 1, digits); /* never rewritten */
    }
    static const struct vector today[] = {
        {"+525512345678", "MX"},  {"+5547991234567", "BR"}, {"+553131234567", "BR"},
        {"+2250712345678", "CI"}, {"+2290190123456", "BJ"}, {"5491123456789", "AR"},
        {"541123456789", "AR"},
    };
    for (size_t i = 0; i < sizeof(today) / sizeof(today[0]); i++)
        expect_phone(today[i].text, PHONE_VALID, today[i].country);
    /* Nearly such a form: no number of today stands behind it. */
    expect_phone("+5210012345678", PHONE_INVALID, "MX");
    expect_phone("+552061234567", PHONE_UNLISTED, "BR");
    expect_phone("+2251234567", PHONE_INVALID, "CI");
    expect_phone("+54111590100019", PHONE_INVALID, "AR"); /* the trunk's 15 kept */
}

static void
folds_the_forms_of_one_person(void)
{
    static const struct {
        const char *text;
        const char *folded;
    } cases[] = {
        {"+5215512345678", "525512345678"},  {"+525512345678", "525512345678"},
        {"+5491123456789", "541123456789"},  {"+541123456789", "541123456789"},
        {"+5531986371020", "553186371020"},  {"+553186371020", "553186371020"},
        {"+5511941234567", "5511941234567"}, /* without its 9 it is a landline */
        {"+551141234567", "551141234567"},   {"+33612345678", "33612345678"},
        {"+22507123456", "22507123456"},     {"+13103931", "13103931"},
    };
    char digits[PHONE_FOLDED_MAX + 1];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct phone phone = read_text(cases[i].text);
        memset(digits, 'x', sizeof(digits));
        expect_u64(phone_fold(&phone, digits), strlen(cases[i].folded));
        expect_text(digits, cases[i].folded);
    }
    struct phone phone = read_text("+49 1520 1234567 890");
    expect_text(phone.e164, "");
    expect_abort(phone_fold(&phone, digits)); /* an invalid number is nobody's */
    expect(phone_read_scoped_id(SPAN("FR.1349"), &phone));
    expect_u64(phone_fold(&phone, digits), 0);
    expect_text(digits, "");
}

/* Digits are read by eight from both ends: one bad byte is found wherever it is. */
static void
finds_a_bad_byte_anywhere(void)
{
    for (size_t size = 1; size <= 20; size++) {
        for (size_t at = 0; at < size; at++) {
            for (int byte = 0; byte < 256; byte++) {
                char text[21] = "+";
                struct phone phone;
                memset(text + 1, '7', size);
                text[1 + at] = (char)byte;
                bool digit = byte >= '0' && byte <= '9';
                struct span span = {text, 1 + size};
                phone_read_plain(phone_table_builtin(), span, &phone);
                if ((phone.reason == PHONE_BAD_CHARACTER) == digit)
                    expect_span(span, SPAN("judged by its bytes"));
                if (phone.status != PHONE_INVALID)
                    expect_span(span_of(phone.e164), span);
                span = (struct span){text + 1, size}; /* a + in front is no bad byte */
                phone_read_plain(phone_table_builtin(), span, &phone);
                if ((phone.reason == PHONE_BAD_CHARACTER) == (digit || (at == 0 && byte == '+')))
                    expect_span(span, SPAN("judged by its bytes"));
            }
        }
    }
}

/* For who wants E.164 and nothing else. */
static void
reads_plainly(void)
{
    static const struct {
        const char *text;
        enum phone_reason reason;
    } cases[] = {
        {"+33612345678", PHONE_GOOD},
        {"33612345678", PHONE_GOOD},
        {"+33 612345678", PHONE_BAD_CHARACTER},
        {"+33612345678 ", PHONE_BAD_CHARACTER},
        {"+3361234567890123 ", PHONE_BAD_CHARACTER},
        {"+3361234567890123", PHONE_TOO_LONG},
        {"", PHONE_EMPTY},
        {"+", PHONE_EMPTY},
        {"++33612345678", PHONE_BAD_CHARACTER},
        {"\u200e+33612345678", PHONE_BAD_CHARACTER},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct phone phone;
        phone_read_plain(phone_table_builtin(), span_of(cases[i].text), &phone);
        expect_text(phone_reason_text(phone.reason), phone_reason_text(cases[i].reason));
    }
}

static void
drops_what_people_write(void)
{
    static const char *const texts[] = {
        "+33 6 12 34 56 78",
        "+33-6-12-34-56-78",
        "+33.6.12.34.56.78",
        "(+33) 6 12345678",
        "  +33612345678 ",
        "33 612 345 678",
        "+33\u00a06\u00a012\u00a034\u00a056\u00a078",
        "+33\u202f612\u2009345\u200a678",
        "\u202a+33612345678\u202c",
        "\u2066+33612345678\u2069",
        "\u200e+33612345678",
        "+336123\u200b45678",
        "\ufeff+33612345678",
        "+33\u20116\u201012\u2013345678",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect_phone(texts[i], PHONE_VALID, "FR");
        expect_text(read_text(texts[i]).e164, "+33612345678");
    }
}

static void
refuses_other_characters(void)
{
    static const char *const texts[] = {
        "+33612345678x",
        "tel:+33612345678",
        "+33+612345678",
        "33612345678+",
        "++33612345678",
        "+33612345678,",
        "+33612345678\n",
        "+33\t612345678",
        "6.91959E+9",
        "undefined",
        "+33/612345678",
        "'+33612345678",
        "-\xff",
        "+3361234567\xc2",
        "+336123\xe2\x80",
        "\uff0b33612345678",
        "+3361234567\u0668",
        "+336\xe0\x82\xa0 12345678",
        "+33612345678;ext=1",
        "=33612345678",
        "\xf0\x9f\x93\x9e+33612345678",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_reason(texts[i], PHONE_BAD_CHARACTER);
    struct phone phone;
    phone_read(SPAN("+3361\0002345678"), &phone);
    expect_u64(phone.reason, PHONE_BAD_CHARACTER);
}

static void
says_why_not(void)
{
    static const struct {
        const char *text;
        enum phone_reason reason;
    } cases[] = {
        {"", PHONE_EMPTY},
        {"+", PHONE_EMPTY},
        {" () - ", PHONE_EMPTY},
        {"0033612345678", PHONE_INTERNATIONAL_00},
        {"+0033612345678", PHONE_INTERNATIONAL_00},
        {"0612345678", PHONE_NATIONAL},
        {"+0612345678", PHONE_NATIONAL},
        {"0", PHONE_NATIONAL},
        {"3", PHONE_TOO_SHORT},
        {"+33612", PHONE_TOO_SHORT},
        {"+3361234567", PHONE_TOO_SHORT},
        {"+112", PHONE_TOO_SHORT},
        {"+336123456789", PHONE_TOO_LONG},
        {"+3361234567890123", PHONE_TOO_LONG},
        {"99999999999999999999999999999999999999", PHONE_TOO_LONG},
        {"+1202555012", PHONE_BAD_LENGTH}, /* +1 has numbers of 8 and 11 digits */
        {"+21012345678", PHONE_UNKNOWN_CODE},
        {"+99912345678", PHONE_UNKNOWN_CODE},
        {"+80012345678", PHONE_NO_COUNTRY},  /* freephone */
        {"+881612345678", PHONE_NO_COUNTRY}, /* satellite */
        {"+888123456789012", PHONE_NO_COUNTRY},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_reason(cases[i].text, cases[i].reason);
}

/* A range that nobody has still has a country, so it can be priced; so does what is refused for its
 * length. */
static void
tells_the_country_of_unlisted(void)
{
    static const struct vector unlisted[] = {
        {"+33012345678", "FR"},  {"+12021551234", "US"},  {"+14161551234", "CA"},
        {"+12420551234", "BS"},  {"+15550123456", "US"},  {"+77031234567", "KZ"},
        {"+447611000000", "GB"}, {"+441481000000", "GG"}, {"+29012345", "SH"},
        {"+5999123456", "CW"},
    };
    for (size_t i = 0; i < sizeof(unlisted) / sizeof(unlisted[0]); i++) {
        expect_phone(unlisted[i].text, PHONE_UNLISTED, unlisted[i].country);
        expect_u64(read_text(unlisted[i].text).reason, PHONE_UNASSIGNED);
        expect_text(read_text(unlisted[i].text).e164, unlisted[i].text);
    }
    expect_phone("+3361234567", PHONE_INVALID, "FR");
    expect_phone("+1416555012", PHONE_INVALID, "CA");
    expect_phone("+180955501", PHONE_INVALID, "DO");
    expect_phone("+7701123456", PHONE_INVALID, "KZ");
    expect_phone("+80012345678", PHONE_INVALID, "");
}

static void
reads_scoped_ids(void)
{
    struct phone phone;
    expect(phone_read_scoped_id(SPAN("FR.13491208655302741918"), &phone));
    expect_u64(phone.status, PHONE_VALID);
    expect_text(phone.country, "FR");
    expect_text(phone.e164, "");
    expect_u64(phone.calling_code, 0);
    expect(phone_read_scoped_id(SPAN("US.a"), &phone));
    expect_text(phone.country, "US");

    static const char *const bad[] = {
        "",        "FR",      "FR.",     "fr.123",      "F1.123",       "FRA.123",
        ".123",    "FR.12 3", "FR.12-3", "FR.\xc3\xa9", "+33612345678", "33612345678",
        "@claire", "FR:123",  "FR.1.2",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect(!phone_read_scoped_id(span_of(bad[i]), &phone));
        expect_u64(phone.status, PHONE_INVALID);
        expect_text(phone.country, "");
    }
    char longest[140] = "FR.";
    memset(longest + 3, '7', 129);
    expect(phone_read_scoped_id((struct span){.data = longest, .size = 3 + 128}, &phone));
    expect(!phone_read_scoped_id((struct span){.data = longest, .size = 3 + 129}, &phone));
    expect_u64(phone.reason, PHONE_TOO_LONG);
}

static void
has_words_for_everything(void)
{
    for (int i = PHONE_GOOD; i <= PHONE_UNASSIGNED; i++)
        for (int other = PHONE_GOOD; other < i; other++)
            expect(strcmp(phone_reason_text((enum phone_reason)i),
                          phone_reason_text((enum phone_reason)other)) != 0);
    expect_text(phone_status_text(PHONE_UNLISTED), "unlisted");
}

/* A guard against a slow path, far below what is measured (47 million a second, one core of 2026).
 */
static void
is_fast(void)
{
    enum { ROUNDS = 2000 };
    size_t count = sizeof(valid_numbers) / sizeof(valid_numbers[0]);
    uint64_t found = 0;
    struct phone phone;
    uint64_t start_us = clock_cpu_us();
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < count; i++) {
            phone_read(span_of(valid_numbers[i].text), &phone);
            found += phone.status == PHONE_VALID;
        }
    uint64_t took_us = clock_cpu_us() - start_us;
    expect_u64(found, ROUNDS * count);
    printf("%.1f million numbers a second\n", (double)found / (double)(took_us + 1));
    expect(took_us < ROUNDS * count); /* a microsecond each, even with sanitizers */
}

int
main(void)
{
    TEST(knows_every_plan);
    TEST(is_not_trapped);
    TEST(keeps_whatsapp_forms);
    TEST(folds_the_forms_of_one_person);
    TEST(finds_a_bad_byte_anywhere);
    TEST(reads_plainly);
    TEST(drops_what_people_write);
    TEST(refuses_other_characters);
    TEST(says_why_not);
    TEST(tells_the_country_of_unlisted);
    TEST(reads_scoped_ids);
    TEST(has_words_for_everything);
    TEST(is_fast);
    return test_end();
}
