#include "loadtest/emulator_delayed.h"

#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB = 256, SLABS_MAX = EMULATOR_DELAYED_MAX / SLAB };

static struct emulator_delayed *
take(struct emulator_server *server)
{
    if (server->free_delayed == NULL) {
        if (server->slab_count == SLABS_MAX)
            return NULL;
        if (server->slabs == NULL)
            server->slabs = check_alloc(SLABS_MAX, sizeof(struct emulator_delayed *));
        struct emulator_delayed *slab = check_alloc(SLAB, sizeof *slab);
        server->slabs[server->slab_count++] = slab;
        for (int i = 0; i < SLAB; i++) {
            slab[i].next = server->free_delayed;
            server->free_delayed = &slab[i];
        }
    }
    struct emulator_delayed *delayed = server->free_delayed;
    server->free_delayed = delayed->next;
    return delayed;
}

static void
link_in(struct emulator_connection *connection, struct emulator_delayed *delayed)
{
    delayed->connection = connection;
    delayed->previous = NULL;
    delayed->next = connection->delayed;
    if (delayed->next != NULL)
        delayed->next->previous = delayed;
    connection->delayed = delayed;
}

bool
emulator_delayed_start(struct emulator_connection *connection, int32_t stream_id,
                       const struct emulator_answer *answer, void (*on_due)(struct timer *timer))
{
    struct emulator_delayed *delayed = take(connection->server);
    if (delayed == NULL)
        return false;
    link_in(connection, delayed);
    timer_init(&delayed->timer, on_due);
    delayed->stream_id = stream_id;
    delayed->step = 0;
    delayed->fault = answer->fault;
    delayed->coin = answer->coin;
    delayed->status = answer->status;
    delayed->content_type = answer->content_type;
    delayed->size = (uint32_t)answer->body.size;
    delayed->sent = 0;
    delayed->large =
        answer->body.size > sizeof delayed->body ? check_alloc(1, answer->body.size) : NULL;
    if (answer->body.size > 0)
        memcpy(delayed->large != NULL ? delayed->large : delayed->body, answer->body.data,
               answer->body.size);
    emulator_delayed_again(delayed, answer->delay_us);
    return true;
}

void
emulator_delayed_again(struct emulator_delayed *delayed, uint64_t after_us)
{
    struct loop *loop = delayed->connection->server->loop;
    timer_start(loop_timers(loop), &delayed->timer, loop_now_us(loop) + after_us);
}

void
emulator_delayed_end(struct emulator_delayed *delayed)
{
    struct emulator_connection *connection = delayed->connection;
    timer_stop(loop_timers(connection->server->loop), &delayed->timer);
    free(delayed->large);
    if (delayed->next != NULL)
        delayed->next->previous = delayed->previous;
    if (delayed->previous != NULL)
        delayed->previous->next = delayed->next;
    else
        connection->delayed = delayed->next;
    delayed->next = connection->server->free_delayed;
    connection->server->free_delayed = delayed;
}

struct span
emulator_delayed_body(const struct emulator_delayed *delayed)
{
    return (struct span){.data = delayed->large != NULL ? delayed->large : delayed->body,
                         .size = delayed->size};
}

void
emulator_delayed_close(struct emulator_server *server)
{
    for (uint32_t i = 0; i < server->slab_count; i++)
        free(server->slabs[i]);
    free(server->slabs);
    server->slabs = NULL;
    server->slab_count = 0;
    server->free_delayed = NULL;
}
