/*
 * wire - a connection of the simulated net: bytes under way between a worker's link and its peer.
 *
 * What either side gives arrives at the other in order, in pieces and with delays that the dice
 * give, or is lost when the connection breaks: then each side still gets a beginning of what was
 * under way, and learns of the end on its own, perhaps much later. A black hole holds everything
 * for a while.
 *
 * The wire frees itself when both ends have ended. Nothing is delivered from inside a call of an
 * end's, only from the world's agenda.
 */
#ifndef FACTEUR_TESTS_SIMULATION_WIRE_H
#define FACTEUR_TESTS_SIMULATION_WIRE_H

#include "tests/simulation/world.h"

struct wire;

/* How an end hears. After on_end, and after its own wire_leave(), it hears no more. */
struct wire_end {
    void (*on_bytes)(void *context, const char *data, size_t size);
    void (*on_end)(void *context, const char *reason);
    void *context; /* NULL: nobody is there (any more) */
};

enum wire_side { WIRE_LINK, WIRE_PEER, WIRE_SIDES };

struct wire *wire_open(struct world *world, const char *name, const struct wire_end *link);
void wire_accept(struct wire *wire, const struct wire_end *peer); /* once: the other end */

/* From `side` to the other one. */
void wire_send(struct wire *wire, enum wire_side side, const char *data, size_t size);

/* `side` ends it: what it has sent still arrives, then the other hears of the end. */
void wire_leave(struct wire *wire, enum wire_side side);
/* `side` is gone without a word, as a killed process: of what is under way from it perhaps only the
 * beginning arrives, perhaps late, for nobody waits for it. */
void wire_abandon(struct wire *wire, enum wire_side side);
/* It breaks, now. */
void wire_break(struct wire *wire);

const char *wire_name(const struct wire *wire);

/* All of a world's wires, for storms and for the check that none is left. */
uint32_t wire_count(const struct world *world);
void wire_break_all(struct world *world, const char *name); /* of that peer, or NULL: every one */

#endif
