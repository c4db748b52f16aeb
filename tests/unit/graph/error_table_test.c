#include "sender/graph/error_table.h"
#include "tests/unit/test.h"

#include <string.h>

/* Every code of Meta's page, written down a second time. */
static const struct {
    int32_t code;
    int http_status;
    enum graph_error_class class;
} rows[] = {
    /* clang-format off */
    {0, 401, GRAPH_ERROR_STOP_ACCOUNT},
    {1, 400, GRAPH_ERROR_RETRY_LIMITED},
    {2, 503, GRAPH_ERROR_BACKOFF},
    {3, 500, GRAPH_ERROR_STOP_ACCOUNT},
    {4, 400, GRAPH_ERROR_BACKOFF},
    {10, 403, GRAPH_ERROR_STOP_ACCOUNT},
    {33, 400, GRAPH_ERROR_STOP_PHONE},
    {100, 400, GRAPH_ERROR_DROP},
    {190, 401, GRAPH_ERROR_STOP_ACCOUNT},
    {200, 403, GRAPH_ERROR_STOP_ACCOUNT},
    {201, 403, GRAPH_ERROR_STOP_ACCOUNT},
    {368, 403, GRAPH_ERROR_STOP_ACCOUNT},
    {80007, 400, GRAPH_ERROR_BACKOFF},
    {80008, 0, GRAPH_ERROR_BACKOFF},
    {130403, 0, GRAPH_ERROR_DROP},
    {130429, 400, GRAPH_ERROR_BACKOFF},
    {130472, 400, GRAPH_ERROR_DROP},
    {130497, 403, GRAPH_ERROR_STOP_COUNTRY},
    {131000, 500, GRAPH_ERROR_RETRY_LIMITED},
    {131005, 403, GRAPH_ERROR_STOP_ACCOUNT},
    {131008, 400, GRAPH_ERROR_DROP},
    {131009, 400, GRAPH_ERROR_DROP},
    {131016, 500, GRAPH_ERROR_BACKOFF},
    {131020, 400, GRAPH_ERROR_DROP},
    {131021, 400, GRAPH_ERROR_DROP},
    {131026, 400, GRAPH_ERROR_DROP},
    {131030, 400, GRAPH_ERROR_DROP},
    {131031, 403, GRAPH_ERROR_STOP_ACCOUNT},
    {131037, 400, GRAPH_ERROR_STOP_PHONE},
    {131041, 400, GRAPH_ERROR_DROP},
    {131042, 400, GRAPH_ERROR_STOP_ACCOUNT},
    {131044, 400, GRAPH_ERROR_OPERATOR},
    {131045, 500, GRAPH_ERROR_STOP_PHONE},
    {131047, 400, GRAPH_ERROR_REROUTE_TEMPLATE},
    {131048, 400, GRAPH_ERROR_BACKOFF},
    {131049, 400, GRAPH_ERROR_DEFER_24H},
    {131050, 400, GRAPH_ERROR_DROP},
    {131051, 400, GRAPH_ERROR_DROP},
    {131052, 400, GRAPH_ERROR_DROP},
    {131053, 400, GRAPH_ERROR_RETRY_LIMITED},
    {131055, 400, GRAPH_ERROR_REROUTE_CLOUD},
    {131056, 400, GRAPH_ERROR_PAIR_BACKOFF},
    {131057, 500, GRAPH_ERROR_BACKOFF},
    {131062, 0, GRAPH_ERROR_DROP},
    {131063, 0, GRAPH_ERROR_STOP_TEMPLATE},
    {131064, 0, GRAPH_ERROR_STOP_ACCOUNT},
    {131201, 206, GRAPH_ERROR_DROP},
    {131207, 403, GRAPH_ERROR_DROP},
    {131208, 429, GRAPH_ERROR_BACKOFF},
    {132000, 400, GRAPH_ERROR_DROP},
    {132001, 404, GRAPH_ERROR_STOP_TEMPLATE},
    {132005, 400, GRAPH_ERROR_DROP},
    {132007, 400, GRAPH_ERROR_STOP_TEMPLATE},
    {132012, 400, GRAPH_ERROR_DROP},
    {132015, 400, GRAPH_ERROR_STOP_TEMPLATE},
    {132016, 400, GRAPH_ERROR_STOP_TEMPLATE},
    {132018, 400, GRAPH_ERROR_DROP},
    {132068, 400, GRAPH_ERROR_STOP_TEMPLATE},
    {132069, 400, GRAPH_ERROR_BACKOFF},
    {133000, 500, GRAPH_ERROR_STOP_PHONE},
    {133004, 503, GRAPH_ERROR_BACKOFF},
    {133005, 400, GRAPH_ERROR_STOP_PHONE},
    {133006, 400, GRAPH_ERROR_STOP_PHONE},
    {133008, 400, GRAPH_ERROR_STOP_PHONE},
    {133009, 400, GRAPH_ERROR_STOP_PHONE},
    {133010, 400, GRAPH_ERROR_STOP_PHONE},
    {133015, 400, GRAPH_ERROR_BACKOFF},
    {133016, 400, GRAPH_ERROR_STOP_PHONE},
    {134011, 400, GRAPH_ERROR_STOP_ACCOUNT},
    {134100, 400, GRAPH_ERROR_REROUTE_CLOUD},
    {134101, 400, GRAPH_ERROR_BACKOFF},
    {134102, 500, GRAPH_ERROR_REROUTE_CLOUD},
    {135000, 400, GRAPH_ERROR_DROP},
    {138000, 401, GRAPH_ERROR_OPERATOR},
    {200005, 0, GRAPH_ERROR_OPERATOR},
    {200006, 0, GRAPH_ERROR_OPERATOR},
    {200007, 0, GRAPH_ERROR_OPERATOR},
    {2388012, 0, GRAPH_ERROR_OPERATOR},
    {2388019, 0, GRAPH_ERROR_OPERATOR},
    {2388039, 0, GRAPH_ERROR_OPERATOR},
    {2388040, 0, GRAPH_ERROR_OPERATOR},
    {2388047, 0, GRAPH_ERROR_OPERATOR},
    {2388072, 0, GRAPH_ERROR_OPERATOR},
    {2388073, 0, GRAPH_ERROR_OPERATOR},
    {2388091, 0, GRAPH_ERROR_OPERATOR},
    {2388093, 0, GRAPH_ERROR_OPERATOR},
    {2388103, 0, GRAPH_ERROR_OPERATOR},
    {2388293, 0, GRAPH_ERROR_OPERATOR},
    {2388299, 0, GRAPH_ERROR_OPERATOR},
    {2494100, 0, GRAPH_ERROR_BACKOFF},
    {2593107, 400, GRAPH_ERROR_OPERATOR},
    {2593108, 400, GRAPH_ERROR_OPERATOR},
    /* clang-format on */
};

static void
finds_every_row(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct graph_error *error = error_table_find(rows[i].code);
        expect(error != NULL);
        if (error == NULL)
            continue;
        expect(error->code_first <= rows[i].code && rows[i].code <= error->code_last);
        expect_text(graph_error_class_text(error->class), graph_error_class_text(rows[i].class));
        expect_u64(error->http_status, rows[i].http_status);
        expect(error->title[0] != '\0');
        expect(error->class != GRAPH_ERROR_NONE);
    }
    expect_u64(sizeof(rows) / sizeof(rows[0]), 92);
}

/* A table out of order would hide some of its rows from the search. */
static void
is_sorted(void)
{
    const struct graph_error *first = error_table_find(rows[0].code);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct graph_error *error = &first[i];
        expect(error == error_table_find(rows[i].code));
        expect(error->code_first <= error->code_last);
        expect(i == 0 || first[i - 1].code_last < error->code_first);
    }
}

static void
knows_the_range(void)
{
    for (int32_t code = 200; code <= 299; code++)
        expect_u64(error_table_find(code)->class, GRAPH_ERROR_STOP_ACCOUNT);
}

static void
knows_no_others(void)
{
    static const int32_t unknown[] = {-1,     INT32_MIN, 5,      34,      199,    300,
                                      130430, 131999,    132002, 2593109, 999999, INT32_MAX};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        expect(error_table_find(unknown[i]) == NULL);
}

static void
has_words_for_every_class(void)
{
    for (int i = GRAPH_ERROR_NONE; i <= GRAPH_ERROR_OPERATOR; i++)
        for (int other = GRAPH_ERROR_NONE; other < i; other++)
            expect(strcmp(graph_error_class_text((enum graph_error_class)i),
                          graph_error_class_text((enum graph_error_class)other)) != 0);
}

int
main(void)
{
    TEST(finds_every_row);
    TEST(is_sorted);
    TEST(knows_the_range);
    TEST(knows_no_others);
    TEST(has_words_for_every_class);
    return test_end();
}
