#include "tests/simulation/audit_bill.h"

#include "sender/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MAX = 512 };

static struct bill_cell *
find_cell(struct audit_bill *bill, const char *day, const char *field)
{
    for (uint32_t i = 0; i < bill->count; i++)
        if (strcmp(bill->cells[i].day, day) == 0 && strcmp(bill->cells[i].field, field) == 0)
            return &bill->cells[i];
    check(bill->count < CELLS_MAX);
    struct bill_cell *cell = &bill->cells[bill->count++];
    snprintf(cell->day, sizeof(cell->day), "%s", day);
    snprintf(cell->field, sizeof(cell->field), "%s", field);
    return cell;
}

static void
add_attempt(struct audit_bill *bill, const struct attempt *attempt)
{
    char field[256];
    snprintf(field, sizeof(field), "%s#%s", attempt->cell, attempt->currency);
    struct bill_cell *cell = find_cell(bill, attempt->day, field);
    if (attempt->failed)
        return;
    const struct run *run = bill->run;
    if (run->notices.notices[attempt->number].forgotten ||
        mishaps_excuse(&run->mishaps, attempt->at_us)) {
        cell->maybe_count++;
        cell->maybe_millionths += attempt->millionths;
        return;
    }
    cell->count++;
    cell->millionths += attempt->millionths;
}

static bool
ends_with(struct span text, const char *end)
{
    size_t size = strlen(end);
    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

/* One day of the ledger: CELL#CUR.count and CELL#CUR.millionths. */
static void
read_day(struct audit_bill *bill, const char *day)
{
    char key[160];
    snprintf(key, sizeof(key), "facteur:{acme}:cost:%s", day);
    const struct reply *ledger = redis_words(&bill->run->redis, "HGETALL", key, NULL);
    for (size_t i = 0; ledger != NULL && i + 1 < ledger->count; i += 2) {
        struct span name = ledger->elements[i]->text;
        uint64_t number = 0;
        char field[256];
        if (!span_to_u64(ledger->elements[i + 1]->text, &number))
            world_fault(&bill->run->world, "the ledger says %.*s of %.*s",
                        SPAN_ARG(ledger->elements[i + 1]->text), SPAN_ARG(name));
        bool is_count = ends_with(name, ".count");
        size_t size = name.size - strlen(is_count ? ".count" : ".millionths");
        snprintf(field, sizeof(field), "%.*s", (int)size, name.data);
        struct bill_cell *cell = find_cell(bill, day, field);
        if (is_count)
            cell->booked_count = number;
        else
            cell->booked_millionths = number;
    }
}

void
audit_bill_open(struct audit_bill *bill, struct run *run)
{
    *bill = (struct audit_bill){.run = run};
    bill->cells = check_alloc(CELLS_MAX, sizeof(*bill->cells));
    for (uint32_t i = 0; i < run->graph.truth.count; i++)
        add_attempt(bill, &run->graph.truth.attempts[i]);
    const struct reply *keys = redis_words(&run->redis, "KEYS", "facteur:{acme}:cost:*", NULL);
    char days[8][16];
    uint32_t count = 0;
    for (size_t i = 0; keys != NULL && i < keys->count && count < 8; i++) {
        struct span key = keys->elements[i]->text;
        snprintf(days[count++], sizeof(days[0]), "%.10s", key.data + key.size - 10);
    }
    for (uint32_t i = 0; i < count; i++)
        read_day(bill, days[i]);
}

void
audit_bill_tell(struct audit_bill *bill, struct span price)
{
    uint64_t millionths = 0;
    if (!span_to_u64(price, &millionths))
        world_fault(&bill->run->world, "an accepted outcome has no price");
    bill->told_count++;
    bill->told_millionths += millionths;
}

static bool
is_between(uint64_t least, uint64_t more, uint64_t number)
{
    return number >= least && number <= least + more;
}

void
audit_bill_close(struct audit_bill *bill)
{
    uint64_t count = 0;
    uint64_t millionths = 0;
    for (uint32_t i = 0; i < bill->count; i++) {
        const struct bill_cell *cell = &bill->cells[i];
        count += cell->booked_count;
        millionths += cell->booked_millionths;
        if (!is_between(cell->count, cell->maybe_count, cell->booked_count) ||
            !is_between(cell->millionths, cell->maybe_millionths, cell->booked_millionths))
            world_fault(&bill->run->world,
                        "%s %s: Meta bills %" PRIu64 " for %" PRIu64 ", the ledger has %" PRIu64
                        " for %" PRIu64,
                        cell->day, cell->field, cell->count, cell->millionths, cell->booked_count,
                        cell->booked_millionths);
    }
    if (count != bill->told_count || millionths != bill->told_millionths)
        world_fault(&bill->run->world,
                    "the ledger has %" PRIu64 " for %" PRIu64 ", the events tell %" PRIu64
                    " for %" PRIu64,
                    count, millionths, bill->told_count, bill->told_millionths);
    free(bill->cells);
}
