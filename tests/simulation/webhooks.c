#include "tests/simulation/webhooks.h"

#include "sender/base/check.h"
#include "tests/simulation/notices.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_SIZE = 1024, AGAIN_US = 200000 };

struct receipt_on_its_way {
    struct webhooks *webhooks;
    struct timer timer;
    uint32_t attempt;
    struct receipt_on_its_way *next;
    struct receipt_on_its_way **place; /* of the pointer to it */
};

/* STATUS MEMBER ATTEMPT GRANT INDEX DAY CELL CURRENCY MILLIONTHS WAMID TO REASON */
static void
write_line(const struct attempt *attempt, char line[LINE_MAX_SIZE])
{
    int size =
        snprintf(line, LINE_MAX_SIZE,
                 "%s\t%s\t%" PRIu64 "\t%s\t%" PRIu64 "\t%s\t%s\t%s\t%" PRIu64 "\t%s\t\t%s",
                 attempt->failed ? "failed" : "accepted", attempt->member, attempt->attempt,
                 attempt->grant, attempt->index, attempt->day, attempt->cell, attempt->currency,
                 attempt->millionths, attempt->wamid, attempt->failed ? "undeliverable" : "");
    check(size > 0 && size < LINE_MAX_SIZE);
}

/* False: Redis is away. */
static bool
tell(struct webhooks *webhooks, uint32_t index)
{
    char line[LINE_MAX_SIZE];
    struct attempt *attempt = &webhooks->graph->truth.attempts[index];
    write_line(attempt, line);
    const struct reply *reply = redis_words(webhooks->redis, "FCALL", "facteur_receipt", "2",
                                            notices_account(attempt->account), "facteur:{acme}",
                                            "100000", "3600000", "1", line, NULL);
    if (reply == NULL)
        return false;
    struct span answer = {0};
    const struct reply *first = reply_at(reply, 0);
    if (first == NULL || !reply_text(first, &answer)) {
        struct span words = reply->text;
        if (memmem(words.data, words.size, "unction", 7) == NULL)
            world_fault(webhooks->world, "a receipt of N-%u was refused: %.*s", attempt->number,
                        SPAN_ARG(words));
        return false; /* the library is gone: somebody loads it again */
    }
    attempt->receipts++;
    webhooks->done++;
    webhooks->known += span_equal(answer, SPAN("known")) ? 1 : 0;
    world_tell(webhooks->world, "webhook", "receipt of N-%u (%s, attempt %" PRIu64 " of %s): %.*s",
               attempt->number, attempt->failed ? "failed" : "accepted", attempt->attempt,
               attempt->member, SPAN_ARG(answer));
    return true;
}

static void
end_receipt(struct receipt_on_its_way *receipt)
{
    *receipt->place = receipt->next;
    if (receipt->next != NULL)
        receipt->next->place = receipt->place;
    timer_stop(&receipt->webhooks->world->agenda, &receipt->timer);
    free(receipt);
}

static void
on_arrival(struct timer *timer)
{
    struct receipt_on_its_way *receipt = container_of(timer, struct receipt_on_its_way, timer);
    struct world *world = receipt->webhooks->world;
    if (tell(receipt->webhooks, receipt->attempt))
        end_receipt(receipt);
    else
        timer_start(&world->agenda, timer, world->now_us + AGAIN_US);
}

static void
send_one(struct webhooks *webhooks, uint32_t attempt, uint64_t wait_us)
{
    struct receipt_on_its_way *receipt = check_alloc(1, sizeof(*receipt));
    receipt->webhooks = webhooks;
    receipt->attempt = attempt;
    receipt->next = webhooks->first;
    receipt->place = &webhooks->first;
    if (receipt->next != NULL)
        receipt->next->place = &receipt->next;
    webhooks->first = receipt;
    timer_init(&receipt->timer, on_arrival);
    timer_start(&webhooks->world->agenda, &receipt->timer, webhooks->world->now_us + wait_us);
}

void
webhooks_send(struct webhooks *webhooks, uint32_t attempt, uint64_t answer_us)
{
    struct world *world = webhooks->world;
    const struct weather *weather = &world->weather;
    uint64_t wait_us = answer_us + world_between(world, 0, weather->receipt_us);
    if (world_chance(world, weather->receipt_early))
        wait_us = world_between(world, 0, answer_us);
    send_one(webhooks, attempt, wait_us);
    if (world_chance(world, weather->receipt_twice))
        send_one(webhooks, attempt, wait_us + world_between(world, 0, weather->receipt_us));
}

static void
drop_receipts(struct webhooks *webhooks)
{
    for (struct receipt_on_its_way *receipt = webhooks->first, *next; receipt != NULL;
         receipt = next) {
        next = receipt->next;
        timer_stop(&webhooks->world->agenda, &receipt->timer);
        free(receipt);
    }
    webhooks->first = NULL;
}

static bool
tell_those(struct webhooks *webhooks, bool again)
{
    drop_receipts(webhooks);
    for (uint32_t i = 0; i < webhooks->graph->truth.count; i++)
        if ((again || webhooks->graph->truth.attempts[i].receipts == 0) && !tell(webhooks, i))
            return false;
    return true;
}

bool
webhooks_tell_all(struct webhooks *webhooks)
{
    return tell_those(webhooks, true);
}

bool
webhooks_tell_rest(struct webhooks *webhooks)
{
    return tell_those(webhooks, false);
}

void
webhooks_open(struct webhooks *webhooks, struct world *world, struct redis *redis,
              struct graph *graph)
{
    *webhooks = (struct webhooks){.world = world, .redis = redis, .graph = graph};
}

void
webhooks_close(struct webhooks *webhooks)
{
    drop_receipts(webhooks);
}
