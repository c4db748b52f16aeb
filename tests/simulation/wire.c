#include "tests/simulation/wire.h"

#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

/* A piece of bytes under way, or the end. */
struct piece {
    struct piece *next;
    uint64_t arrives_us;
    size_t size;
    const char *end; /* the reason; NULL: bytes */
    char data[];
};

/* One direction. */
struct flow {
    struct wire *wire;
    struct piece *first;
    struct piece **last;
    uint64_t last_us;   /* when what was sent last arrives: order is kept */
    struct timer timer; /* the first piece's arrival */
    bool ended;         /* the end is under way or has been told */
    struct wire_end to; /* who hears */
};

struct wire {
    struct world *world;
    const char *name;
    struct flow flows[WIRE_SIDES]; /* by the side that hears */
    uint64_t hole_us;              /* nothing arrives before */
    bool broken;
    bool delivering;
    struct wire *next; /* of all of the world's */
    struct wire **place;
};

static struct wire *wires; /* of the one world there is */

static void free_if_over(struct wire *wire);

static struct flow *
flow_to(struct wire *wire, enum wire_side side)
{
    return &wire->flows[side];
}

static enum wire_side
other(enum wire_side side)
{
    return side == WIRE_LINK ? WIRE_PEER : WIRE_LINK;
}

static void
wait_for_first(struct flow *flow)
{
    struct wire *wire = flow->wire;
    if (flow->first == NULL) {
        timer_stop(&wire->world->agenda, &flow->timer);
        return;
    }
    uint64_t due_us = flow->first->arrives_us;
    if (due_us < wire->hole_us)
        due_us = wire->hole_us;
    timer_start(&wire->world->agenda, &flow->timer, due_us);
}

static struct piece *
take_first(struct flow *flow)
{
    struct piece *piece = flow->first;
    flow->first = piece->next;
    if (flow->first == NULL)
        flow->last = &flow->first;
    return piece;
}

static void
drop_pieces(struct flow *flow)
{
    while (flow->first != NULL)
        free(take_first(flow));
    timer_stop(&flow->wire->world->agenda, &flow->timer);
}

static void
deliver(struct flow *flow, struct piece *piece)
{
    struct wire_end to = flow->to;
    if (piece->end != NULL)
        flow->to.context = NULL;
    if (to.context == NULL)
        return;
    if (piece->end != NULL)
        to.on_end(to.context, piece->end);
    else
        to.on_bytes(to.context, piece->data, piece->size);
}

static void
on_arrival(struct timer *timer)
{
    struct flow *flow = container_of(timer, struct flow, timer);
    struct wire *wire = flow->wire;
    wire->delivering = true;
    if (flow->first->arrives_us <= wire->world->now_us && wire->hole_us <= wire->world->now_us) {
        struct piece *piece = take_first(flow);
        deliver(flow, piece);
        free(piece);
    }
    wait_for_first(flow);
    wire->delivering = false;
    free_if_over(wire);
}

struct wire *
wire_open(struct world *world, const char *name, const struct wire_end *link)
{
    struct wire *wire = check_alloc(1, sizeof(*wire));
    wire->world = world;
    wire->name = name;
    for (int side = 0; side < WIRE_SIDES; side++) {
        wire->flows[side].wire = wire;
        wire->flows[side].last = &wire->flows[side].first;
        timer_init(&wire->flows[side].timer, on_arrival);
    }
    flow_to(wire, WIRE_LINK)->to = *link;
    wire->next = wires;
    wire->place = &wires;
    if (wires != NULL)
        wires->place = &wire->next;
    wires = wire;
    return wire;
}

void
wire_accept(struct wire *wire, const struct wire_end *peer)
{
    flow_to(wire, WIRE_PEER)->to = *peer;
}

static void
free_if_over(struct wire *wire)
{
    if (wire->delivering)
        return;
    for (int side = 0; side < WIRE_SIDES; side++) {
        const struct flow *flow = &wire->flows[side];
        if (flow->to.context != NULL || flow->first != NULL)
            return;
    }
    *wire->place = wire->next;
    if (wire->next != NULL)
        wire->next->place = wire->place;
    free(wire);
}

static void
add_piece(struct flow *flow, const char *data, size_t size, const char *end, uint64_t wait_us)
{
    struct world *world = flow->wire->world;
    struct piece *piece = malloc(sizeof(*piece) + size);
    check(piece != NULL);
    *piece = (struct piece){.arrives_us = world->now_us + wait_us, .size = size, .end = end};
    if (size > 0)
        memcpy(piece->data, data, size);
    if (piece->arrives_us < flow->last_us)
        piece->arrives_us = flow->last_us;
    flow->last_us = piece->arrives_us;
    *flow->last = piece;
    flow->last = &piece->next;
    if (flow->first == piece)
        wait_for_first(flow);
}

static uint64_t
latency_us(struct world *world)
{
    return 10 + random_below(&world->dice, world->weather.latency_us + 1);
}

/* Perhaps it breaks, perhaps it becomes a black hole. */
static void
meet_weather(struct wire *wire)
{
    struct world *world = wire->world;
    if (world_chance(world, world->weather.hole)) {
        wire->hole_us = world->now_us + world_between(world, 100000, 12000000);
        world_tell(world, wire->name, "black hole for %u ms",
                   (unsigned)((wire->hole_us - world->now_us) / 1000));
        for (int side = 0; side < WIRE_SIDES; side++)
            wait_for_first(&wire->flows[side]);
    }
    if (world_chance(world, world->weather.cut))
        wire_break(wire);
}

void
wire_send(struct wire *wire, enum wire_side side, const char *data, size_t size)
{
    struct world *world = wire->world;
    struct flow *flow = flow_to(wire, other(side));
    if (flow->ended || flow->to.context == NULL)
        return; /* to a connection that is gone */
    while (size > 0) {
        size_t part = size;
        if (size > 1 && world_chance(world, world->weather.split))
            part = 1 + random_below(&world->dice, size - 1);
        add_piece(flow, data, part, NULL, latency_us(world));
        data += part;
        size -= part;
    }
    meet_weather(wire);
}

static void
send_end(struct flow *flow, const char *reason, uint64_t wait_us)
{
    if (flow->ended)
        return;
    flow->ended = true;
    add_piece(flow, NULL, 0, reason, wait_us);
}

void
wire_leave(struct wire *wire, enum wire_side side)
{
    struct flow *own = flow_to(wire, side);
    own->to.context = NULL;
    own->ended = true;
    drop_pieces(own);
    send_end(flow_to(wire, other(side)), "closed by the peer", latency_us(wire->world));
    free_if_over(wire);
}

/* Keeps a beginning of what is under way, by bytes; whole, often enough. */
static void
cut_flow(struct flow *flow)
{
    struct world *world = flow->wire->world;
    size_t size = 0;
    struct piece **place = &flow->first;
    for (const struct piece *piece = flow->first; piece != NULL; piece = piece->next)
        size += piece->size;
    size_t keep = random_below(&world->dice, 3) == 0 ? size : random_below(&world->dice, size + 1);
    while (*place != NULL && (*place)->size <= keep && (*place)->end == NULL) {
        keep -= (*place)->size;
        place = &(*place)->next;
    }
    if (*place != NULL && (*place)->end == NULL && keep > 0) {
        (*place)->size = keep;
        place = &(*place)->next;
    }
    flow->last = place;
    struct piece *rest = *place;
    *place = NULL;
    while (rest != NULL) {
        struct piece *next = rest->next;
        free(rest);
        rest = next;
    }
    wait_for_first(flow);
}

/* How long until somebody's half of a broken connection is noticed. */
static uint64_t
notice_us(struct world *world)
{
    if (world_chance(world, world->weather.late_bytes))
        return world_between(world, 0, 6000000);
    return latency_us(world);
}

static void
delay_flow(struct flow *flow, uint64_t wait_us)
{
    uint64_t until_us = flow->wire->world->now_us + wait_us;
    for (struct piece *piece = flow->first; piece != NULL; piece = piece->next)
        if (piece->arrives_us < until_us)
            piece->arrives_us = until_us;
    if (flow->last_us < until_us)
        flow->last_us = until_us;
    wait_for_first(flow);
}

void
wire_abandon(struct wire *wire, enum wire_side side)
{
    struct flow *own = flow_to(wire, side);
    struct flow *flow = flow_to(wire, other(side));
    own->to.context = NULL;
    own->ended = true;
    drop_pieces(own);
    if (!flow->ended) {
        uint64_t wait_us = notice_us(wire->world);
        cut_flow(flow);
        if (wait_us > 100000)
            delay_flow(flow, wait_us);
        send_end(flow, "connection reset by the peer", wait_us);
    }
    free_if_over(wire);
}

void
wire_break(struct wire *wire)
{
    if (wire->broken)
        return;
    wire->broken = true;
    world_tell(wire->world, wire->name, "connection breaks");
    for (int side = 0; side < WIRE_SIDES; side++) {
        struct flow *flow = &wire->flows[side];
        if (flow->ended)
            continue;
        uint64_t wait_us = notice_us(wire->world);
        cut_flow(flow);
        if (wait_us > 100000)
            delay_flow(flow, wait_us);
        send_end(flow, "connection reset by the peer", wait_us);
    }
}

const char *
wire_name(const struct wire *wire)
{
    return wire->name;
}

uint32_t
wire_count(const struct world *world)
{
    uint32_t count = 0;
    for (const struct wire *wire = wires; wire != NULL; wire = wire->next)
        count += wire->world == world ? 1 : 0;
    return count;
}

void
wire_break_all(struct world *world, const char *name)
{
    for (struct wire *wire = wires, *next; wire != NULL; wire = next) {
        next = wire->next;
        if (wire->world == world && (name == NULL || strcmp(name, wire->name) == 0))
            wire_break(wire);
    }
}
