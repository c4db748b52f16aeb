#include "sender/cost/zone.h"
#include "sender/cost/zone_rule.h"
#include "tests/unit/test.h"

#include <string.h>
#include <time.h>

static struct zone *
open_zone(const char *name)
{
    struct error_text error = {{0}};
    struct zone *zone = zone_open(name, &error);
    expect_text(error.text, "");
    if (zone == NULL)
        exit(1);
    return zone;
}

static uint64_t
utc_ms(const char *text)
{
    struct tm tm = {0};
    expect(strptime(text, "%Y-%m-%d %H:%M:%S", &tm) != NULL);
    return (uint64_t)timegm(&tm) * 1000;
}

/* By hand, from the zones' laws. */
static void
knows_when_a_day_begins(void)
{
    static const struct {
        const char *zone;
        const char *utc;
        const char *day;
    } cases[] = {
        {"UTC", "2026-11-23 23:59:59", "2026-11-23"},
        {"UTC", "2026-11-24 00:00:00", "2026-11-24"},
        {"Europe/Paris", "2026-09-30 21:59:59", "2026-09-30"}, /* summer: UTC+2 */
        {"Europe/Paris", "2026-09-30 22:00:00", "2026-10-01"},
        {"Europe/Paris", "2026-12-31 22:59:59", "2026-12-31"}, /* winter: UTC+1 */
        {"Europe/Paris", "2026-12-31 23:00:00", "2027-01-01"},
        {"Europe/Paris", "2026-10-24 22:00:00", "2026-10-25"}, /* a day of 25 hours */
        {"Europe/Paris", "2026-10-25 22:59:59", "2026-10-25"},
        {"Europe/Paris", "2026-10-25 23:00:00", "2026-10-26"},
        {"Europe/Paris", "2027-03-27 23:00:00", "2027-03-28"}, /* a day of 23 hours */
        {"Europe/Paris", "2027-03-28 21:59:59", "2027-03-28"},
        {"Europe/Paris", "2027-03-28 22:00:00", "2027-03-29"},
        {"America/Sao_Paulo", "2026-10-01 02:59:59", "2026-09-30"},
        {"America/Sao_Paulo", "2026-10-01 03:00:00", "2026-10-01"},
        {"Asia/Kolkata", "2026-09-30 18:29:59", "2026-09-30"}, /* UTC+5:30 */
        {"Asia/Kolkata", "2026-09-30 18:30:00", "2026-10-01"},
        {"Asia/Kathmandu", "2026-09-30 18:15:00", "2026-10-01"},
        {"Pacific/Kiritimati", "2026-09-30 10:00:00", "2026-10-01"}, /* UTC+14 */
        {"Pacific/Pago_Pago", "2026-10-01 10:59:59", "2026-09-30"},  /* UTC-11 */
        {"Pacific/Apia", "2011-12-30 09:59:59", "2011-12-29"}, /* the day that Samoa left out */
        {"Pacific/Apia", "2011-12-30 10:00:00", "2011-12-31"},
        {"America/New_York", "1970-01-01 00:00:00", "1970-01-01"}, /* not before 1970 */
        {"Europe/Paris", "2126-07-01 21:59:59", "2126-07-01"},     /* beyond the file's changes */
        {"Europe/Paris", "2126-07-01 22:00:00", "2126-07-02"},
        {"Europe/Dublin", "2126-07-01 22:59:59", "2126-07-01"}, /* winter time is its "summer" */
        {"Europe/Dublin", "2126-07-01 23:00:00", "2126-07-02"},
        {"Europe/Dublin", "2126-01-01 23:59:59", "2126-01-01"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char day[DAY_SIZE + 1];
        struct zone *zone = open_zone(cases[i].zone);
        zone_day(zone, utc_ms(cases[i].utc), day);
        if (strcmp(day, cases[i].day) != 0)
            printf("%s at %s\n", cases[i].zone, cases[i].utc);
        expect_text(day, cases[i].day);
        zone_close(zone);
    }
    zone_close(NULL);
}

/* A part of all zones beside Python's reading of the same files: see zone_oracle.py. */
static void
agrees_with_python(void)
{
    FILE *oracle = popen("python3 tests/unit/cost/zone_oracle.py 1/4", "r");
    struct zone *zone = NULL;
    char name[128];
    char day[32];
    long long unix_s;
    int offset_s;
    uint32_t lines = 0;
    uint32_t zones = 0;
    while (oracle != NULL &&
           fscanf(oracle, "%127s %lld %d %31s", name, &unix_s, &offset_s, day) == 4) {
        char got[DAY_SIZE + 1];
        if (zone == NULL || strcmp(zone_name(zone), name) != 0) {
            zone_close(zone);
            zone = open_zone(name);
            zones++;
        }
        zone_day(zone, (uint64_t)unix_s * 1000 + 999, got);
        if (zone_offset_s(zone, unix_s) != offset_s || strcmp(got, day) != 0) {
            printf("%s at %lld: %d, %s\n", name, unix_s, zone_offset_s(zone, unix_s), got);
            expect_u64(zone_offset_s(zone, unix_s), offset_s);
        }
        lines++;
    }
    zone_close(zone);
    expect(oracle != NULL && pclose(oracle) == 0);
    printf("%u moments in %u zones\n", lines, zones);
    expect(lines > 20000 && zones > 100);
}

static void
reads_rules(void)
{
    static const struct {
        const char *text;
        const char *utc;
        int32_t offset_s;
    } cases[] = {
        {"UTC0", "2026-11-23 12:00:00", 0},
        {"EST5", "2026-11-23 12:00:00", -18000},
        {"<+0545>-5:45", "2026-11-23 12:00:00", 20700},
        {"<-0330>3:30:30", "2026-11-23 12:00:00", -12630},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29 00:59:59", 3600},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29 01:00:00", 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25 00:59:59", 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25 01:00:00", 3600},
        /* the southern half: summer over the new year */
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-12-31 23:59:59", 39600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-01 00:00:00", 36000},
        /* summer time that is behind, Dublin */
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-01 00:00:00", 3600},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-01 00:00:00", 0},
        /* RFC 8536: summer time all year */
        {"EST5EDT,0/0,J365/25", "2026-01-01 04:59:59", -14400},
        {"EST5EDT,0/0,J365/25", "2026-01-01 05:00:00", -14400},
        {"EST5EDT,0/0,J365/25", "2028-12-31 23:00:00", -14400},
        /* hours beyond a day, Greenland and Gaza */
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29 00:59:59", -7200},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29 01:00:00", -3600},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-27 23:59:59", 7200},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-28 00:00:00", 10800},
        /* J60 is 1 March in every year, 59 only in some */
        {"AAA0BBB,J60/0,J300/0", "2028-02-29 23:59:59", 0},
        {"AAA0BBB,J60/0,J300/0", "2028-03-01 00:00:00", 3600},
        {"AAA0BBB,59/0,J300/0", "2028-02-29 00:00:00", 3600},
        {"AAA0BBB,59/0,J300/0", "2027-02-28 23:59:59", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct zone_rule rule;
        expect(zone_rule_read(span_of(cases[i].text), &rule));
        int32_t offset_s = zone_rule_offset_s(&rule, (int64_t)(utc_ms(cases[i].utc) / 1000));
        if (offset_s != cases[i].offset_s)
            printf("%s at %s: %d, expected %d\n", cases[i].text, cases[i].utc, offset_s,
                   cases[i].offset_s);
        expect(offset_s == cases[i].offset_s);
    }
}

static void
refuses_what_is_no_rule(void)
{
    static const char *const cases[] = {
        "",
        "5",
        "ES5",
        "EST",
        "EST25",
        "EST5:60",
        "EST5:",
        "EST5EDT", /* no dates */
        "EST5EDT,",
        "EST5EDT,M3.2.0",
        "EST5EDT,M3.2.0,M11.1.0,",
        "EST5EDT,M3.2.0,M11.1.0 ",
        "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0",
        "EST5EDT,M3.2,M11.1.0",
        "EST5EDT,J0,J365",
        "EST5EDT,J366,J1",
        "EST5EDT,366,1",
        "EST5EDT,M3.2.0/168,M11.1.0",
        "<EST5EDT,M3.2.0,M11.1.0",
        "<+0_>5",
        "EST99999999999999999999",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct zone_rule rule;
        if (zone_rule_read(span_of(cases[i]), &rule))
            printf("\"%s\"\n", cases[i]);
        expect(!zone_rule_read(span_of(cases[i]), &rule));
    }
}

static void
refuses_what_is_no_name(void)
{
    static const struct {
        const char *name;
        const char *words;
    } cases[] = {
        {"", "\"\" is no time zone: give an IANA name"},
        {"/etc/passwd", "is no time zone"},
        {"../../../etc/passwd", "is no time zone"},
        {"Europe/../../../etc/passwd", "is no time zone"},
        {"Europe//Paris", "is no time zone"},
        {"Europe/Paris\n", "is no time zone"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "is no time zone"},
        {"Europe/Pari", "time zone \"Europe/Pari\" is not known here"},
        {"europe/paris", "with its capitals"},
        {"Europe", "cannot be read: Is a directory"},
        {"zone1970.tab", "is no time zone"},
        {"tzdata", "is not known here"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error_text error = {{0}};
        expect(zone_open(cases[i].name, &error) == NULL);
        if (strstr(error.text, cases[i].words) == NULL)
            expect_text(error.text, cases[i].words);
    }
}

static size_t
load(const char *path, char *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    size_t got = file != NULL ? fread(bytes, 1, size, file) : 0;
    expect(file != NULL && fclose(file) == 0 && got > 44);
    return got;
}

/* Cut anywhere, a file is refused; with any byte changed it is refused or read, in its memory. */
static void
judges_damaged_files(void)
{
    static char bytes[ZONE_FILE_MAX];
    static char broken[ZONE_FILE_MAX];
    size_t size = load(ZONE_FOLDER "/Europe/Paris", bytes, sizeof(bytes));
    struct error_text error = {{0}};
    uint32_t read = 0;
    for (size_t cut = 0; cut + 1 < size; cut++) {
        char *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        expect(zone_read((struct span){.data = copy, .size = cut}, "Cut", &error) == NULL);
        expect(strstr(error.text, "time zone Cut: its file is damaged") != NULL);
        free(copy);
    }
    for (size_t at = 0; at < size; at++) {
        memcpy(broken, bytes, size);
        broken[at] = (char)(broken[at] ^ 0x80);
        struct zone *zone =
            zone_read((struct span){.data = broken, .size = size}, "Broken", &error);
        if (zone != NULL) {
            int32_t offset_s = zone_offset_s(zone, 1795435200);
            expect(offset_s > -27 * 3600 && offset_s < 27 * 3600);
            read++;
        }
        zone_close(zone);
    }
    expect(read > 0 && read < size);
}

static void
reads_versions_and_bounds(void)
{
    /* Version 1: one change, at 1000 s, from UTC to UTC+1. */
    static const char one[] = "TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                              "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\4"
                              "\0\0\3\xe8\1\0\0\0\0\0\0\0\0\x0e\x10\0\0"
                              "AAA";
    char bytes[sizeof(one)];
    struct error_text error = {{0}};
    struct span text = {.data = bytes, .size = sizeof(one)};
    memcpy(bytes, one, sizeof(one));
    struct zone *zone = zone_read(text, "One", &error);
    expect_text(error.text, "");
    if (zone != NULL) {
        expect_u64(zone_offset_s(zone, 999), 0);
        expect_u64(zone_offset_s(zone, 1000), 3600);
        expect_u64(zone_offset_s(zone, 4000000000), 3600);
        expect_text(zone_name(zone), "One");
    }
    zone_close(zone);
    static const struct {
        size_t at;
        char byte;
        const char *words;
    } cases[] = {
        {0, 'X', "does not begin with TZif"},
        {4, '9', "its version is not known"},
        {4, '2', "it is cut short"},
        {33, 'x', "counts more than a zone has"}, /* changes */
        {38, 'x', "counts more than a zone has"}, /* kinds */
        {39, 0, "it has no clock at all"},
        {31, 1, "counts leap seconds"},
        {48, 2, "a clock that it does not have"},
        {56, 2, "more than a day away"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memcpy(bytes, one, sizeof(one));
        bytes[cases[i].at] = cases[i].byte;
        zone = zone_read(text, "One", &error);
        if (zone != NULL || strstr(error.text, cases[i].words) == NULL)
            expect_text(error.text, cases[i].words);
        zone_close(zone);
    }
}

static void
shares_zones(void)
{
    struct zone_table *table = calloc(1, sizeof(*table));
    struct error_text error = {{0}};
    const struct zone *paris = zone_table_take(table, "Europe/Paris", &error);
    expect(paris != NULL && zone_table_take(table, "Europe/Paris", &error) == paris);
    expect(zone_table_take(table, "UTC", &error) != paris);
    expect(zone_table_take(table, "Nowhere", &error) == NULL);
    expect_u64(table->count, 2);
    zone_table_close(table);
    zone_table_close(table);
    expect_text(zone_name(zone_utc()), "UTC");
    free(table);
}

int
main(void)
{
    TEST(knows_when_a_day_begins);
    TEST(agrees_with_python);
    TEST(reads_rules);
    TEST(refuses_what_is_no_rule);
    TEST(refuses_what_is_no_name);
    TEST(judges_damaged_files);
    TEST(reads_versions_and_bounds);
    TEST(shares_zones);
    return test_end();
}
