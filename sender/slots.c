#include "sender/slots.h"

#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

/* ---- lists ---------------------------------------------------------------------------------- */

void
list_push(struct delivery_list *list, struct delivery *delivery)
{
    check(delivery->next == NULL && list->last != delivery);
    if (list->last != NULL)
        list->last->next = delivery;
    else
        list->first = delivery;
    list->last = delivery;
    list->count++;
}

static void
list_push_first(struct delivery_list *list, struct delivery *delivery)
{
    check(delivery->next == NULL && list->last != delivery);
    delivery->next = list->first;
    list->first = delivery;
    if (list->last == NULL)
        list->last = delivery;
    list->count++;
}

struct delivery *
list_pop(struct delivery_list *list)
{
    struct delivery *delivery = list->first;
    if (delivery == NULL)
        return NULL;
    list->first = delivery->next;
    if (list->first == NULL)
        list->last = NULL;
    delivery->next = NULL;
    list->count--;
    return delivery;
}

/* ---- slots ---------------------------------------------------------------------------------- */

struct delivery *
slots_take(struct worker *worker)
{
    struct delivery *delivery = list_pop(&worker->free_deliveries);
    if (delivery == NULL)
        return NULL;
    check_magic(delivery, DELIVERY_MAGIC);
    check(delivery->state == DELIVERY_FREE);
    return delivery;
}

/* Everything but the slot's own memory starts anew, so nothing of one message reaches the next. */
static void
clear_delivery(struct worker *worker, struct delivery *delivery)
{
    memset(delivery, 0, offsetof(struct delivery, memory));
    delivery->magic = DELIVERY_MAGIC;
    delivery->worker = worker;
    delivery->arena = (struct arena){.data = delivery->memory, .capacity = SLOT_MEMORY};
}

void
slots_unpin(struct worker *worker, struct batch *batch)
{
    check(batch->pins > 0);
    if (--batch->pins > 0)
        return;
    batch->next = worker->free_batches;
    worker->free_batches = batch;
    worker->batches_free++;
}

void
slots_give(struct delivery *delivery)
{
    struct worker *worker = delivery->worker;
    check(delivery->next == NULL && delivery->exchange_memory == NULL);
    check(delivery->grant == NULL && delivery->hold == NULL);
    if (delivery->batch != NULL)
        slots_unpin(worker, delivery->batch);
    if (delivery->edition != NULL)
        editions_give(delivery->edition);
    clear_delivery(worker, delivery);
    list_push_first(&worker->free_deliveries, delivery); /* the next is taken while it is warm */
    worker_work_later(worker);
}

/* ---- start and end -------------------------------------------------------------------------- */

void
slots_open(struct worker *worker)
{
    worker->recent = recent_new(RECENT_SIZE);
    worker->deliveries = check_alloc(DELIVERIES_MAX, sizeof(*worker->deliveries));
    for (uint32_t i = 0; i < DELIVERIES_MAX; i++) {
        clear_delivery(worker, &worker->deliveries[i]);
        list_push(&worker->free_deliveries, &worker->deliveries[i]);
    }
    worker->batches = check_alloc(BATCHES_MAX, sizeof(*worker->batches));
    for (uint32_t i = 0; i < BATCHES_MAX; i++) {
        arena_open(&worker->batches[i].arena, BATCH_ARENA_SIZE);
        worker->batches[i].next = worker->free_batches;
        worker->free_batches = &worker->batches[i];
    }
    worker->batches_free = BATCHES_MAX;
    worker->holds = check_alloc(HOLDS_MAX, sizeof(*worker->holds));
    worker->grants = check_alloc(GRANTS_MAX, sizeof(*worker->grants));
    for (uint32_t i = 0; i < HOLDS_MAX; i++) {
        worker->holds[i].next = worker->free_holds;
        worker->free_holds = &worker->holds[i];
    }
    worker->holds_free = HOLDS_MAX;
    for (uint32_t i = 0; i < GRANTS_MAX; i++) {
        worker->grants[i].next = worker->free_grants;
        worker->free_grants = &worker->grants[i];
    }
}

void
slots_close(struct worker *worker)
{
    for (uint32_t i = 0; i < BATCHES_MAX; i++)
        arena_close(&worker->batches[i].arena);
    free(worker->deliveries);
    free(worker->batches);
    free(worker->holds);
    free(worker->grants);
    recent_free(worker->recent);
}
