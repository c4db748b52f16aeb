/*
 * How many numbers a second one core looks up: phone_read() over the lines of a file that is in
 * memory already, CPU time, the best of five rounds.
 *
 *   cost_phone_bench FILE      (loadtest/phone_bench.sh makes the file and runs it)
 */
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/cost/phone.h"
#include "sender/cost/phone_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, NUMBERS_MAX = 10 * 1000 * 1000 };

struct numbers {
    char *memory;
    struct span *lines;
    size_t count;
};

static bool
read_numbers(const char *path, struct numbers *numbers)
{
    FILE *file = fopen(path, "re");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return false;
    long size = ftell(file);
    rewind(file);
    if (size <= 0)
        return false;
    numbers->memory = check_alloc((uint64_t)size, 1);
    numbers->lines = check_alloc(NUMBERS_MAX, sizeof(*numbers->lines));
    struct span rest = {numbers->memory, fread(numbers->memory, 1, (size_t)size, file)};
    fclose(file);
    while (rest.size > 0 && numbers->count < NUMBERS_MAX)
        numbers->lines[numbers->count++] = span_split(&rest, '\n');
    return numbers->count > 0;
}

static void
measure(const char *name, const struct numbers *numbers, bool plain)
{
    const struct phone_table *table = phone_table_builtin();
    uint64_t best_us = UINT64_MAX;
    uint64_t by_status[PHONE_INVALID + 1] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start_us = clock_cpu_us();
        for (size_t i = 0; i < numbers->count; i++) {
            struct phone phone;
            if (plain)
                phone_read_plain(table, numbers->lines[i], &phone);
            else
                phone_read_by(table, numbers->lines[i], &phone);
            by_status[phone.status]++;
        }
        uint64_t took_us = clock_cpu_us() - start_us;
        best_us = took_us < best_us ? took_us : best_us;
    }
    printf("%-17s %5.1f M/s (%.1f ns a number; valid %.1f %%)\n", name,
           (double)numbers->count / (double)best_us,
           1000.0 * (double)best_us / (double)numbers->count,
           100.0 * (double)by_status[PHONE_VALID] / ((double)numbers->count * ROUNDS));
}

int
main(int argc, char **argv)
{
    struct numbers numbers = {0};
    if (argc != 2 || !read_numbers(argv[1], &numbers)) {
        fprintf(stderr, "usage: cost_phone_bench FILE, one number a line\n");
        return 64;
    }
    measure("phone_read_plain", &numbers, true);
    measure("phone_read", &numbers, false);
    free(numbers.lines);
    free(numbers.memory);
    return 0;
}
