#include "templates/json_place.h"
#include "tests/unit/test.h"

#include <string.h>

static const char text[] = "{\n"
                           "  \"a\": 1,\n"
                           "  \"b\\\"c\": \"},{[\",\n"
                           "  \"list\": [ [1, {\"x\": \"]\"}], {\"y\": {\"z\": true}},\n"
                           "            \"last\" ],\n"
                           "\t\"empty\": [], \"none\": {}\n"
                           "}";

static const struct {
    const char *path;
    uint32_t line;
    uint32_t column;
} places[] = {
    {"", 1, 1},
    {"a", 2, 3},
    {"list", 4, 3},
    {"list[0]", 4, 13},
    {"list[0][1].x", 4, 18},
    {"list[1]", 4, 30},
    {"list[1].y.z", 4, 37},
    {"list[2]", 5, 13},
    {"list[3]", 4, 3}, /* not there: what should hold it */
    {"list[1].q", 4, 30},
    {"empty", 6, 2},
    {"empty[0]", 6, 2},
    {"none", 6, 15},
    {"none.x", 6, 15},
    {"a.b", 2, 3},
    {"missing", 1, 1},
    {"missing.deeper", 1, 1},
    {"list[x]", 4, 3},
    {"list[", 4, 3},
    {"..", 1, 1},
};

static void
finds_keys_and_elements(void)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct json_place place = json_place_find(span_of(text), places[i].path);
        if (place.line != places[i].line || place.column != places[i].column)
            printf("of %s:\n", places[i].path);
        expect_u64(place.line, places[i].line);
        expect_u64(place.column, places[i].column);
    }
}

/* Any bytes: some place within them, and nothing behind their end is read. */
static void
bears_any_bytes(void)
{
    static const char *const paths[] = {"list[1].y.z", "b", "empty[0]", ""};
    for (size_t size = 0; size < sizeof(text); size++) {
        char *copy = malloc(size + 1);
        memcpy(copy, text, size);
        for (size_t k = 0; k < size; k++) {
            char before = copy[k];
            copy[k] = "\"\\[]{}:, "[(k + size) % 9];
            for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                struct json_place place = json_place_find((struct span){copy, size}, paths[i]);
                expect(place.line >= 1 && place.line <= 7 && place.column >= 1);
            }
            copy[k] = before;
        }
        free(copy);
    }
}

int
main(void)
{
    TEST(finds_keys_and_elements);
    TEST(bears_any_bytes);
    return test_end();
}
