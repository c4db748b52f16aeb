/*
 * store_function - Redis' function libraries: loaded, listed, called. They live in one Lua state
 * for as long as the process does; their text stays with the data.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_FUNCTION_H
#define FACTEUR_TESTS_SIMULATION_STORE_FUNCTION_H

#include "tests/simulation/store_list.h"

#include <lua.h>

struct store;

enum store_function_flag {
    STORE_FUNCTION_NO_WRITES = 1,
    STORE_FUNCTION_ALLOW_OOM = 2,
    STORE_FUNCTION_ALLOW_STALE = 4,
    STORE_FUNCTION_NO_CLUSTER = 8,
    STORE_FUNCTION_CROSS_SLOTS = 16,
};

struct store_function {
    struct store_text *name; /* held */
    int callback;            /* its place in Lua's registry */
    uint32_t flags;          /* of enum store_function_flag */
};

struct store_library {
    struct store_library *next;
    struct store_text *name;     /* held */
    struct store_text *code;     /* held: the whole text, its first line included */
    struct store_text *compiled; /* held: the same as Lua's bytes, which load four times as fast */
    struct store_function *functions;
    uint32_t count;
    uint32_t capacity;
};

struct store_functions {
    lua_State *lua;
    struct store_library *libraries;
    struct store_library *loading; /* under FUNCTION LOAD */
    bool is_running;               /* inside FCALL */
    bool is_read_only;             /* ... of one that must not write */
    struct span *words;            /* of the command that Lua calls */
    size_t word_capacity;
    struct store_bytes reply; /* to it */
};

void store_functions_close(struct store_functions *functions);

/* What a library is without a Lua state: kept in marks. */
struct store_image {
    struct store_image *next;
    struct store_text *code;     /* held */
    struct store_text *compiled; /* held */
};

struct store_image *store_images_take(const struct store_functions *functions); /* NULL: none */
void store_images_drop(struct store_image *images);
/* A new Lua state with these libraries and no others, as a process has that was started anew. */
void store_functions_restart(struct store *store, const struct store_image *images);

const struct store_function *store_function_find(const struct store_functions *functions,
                                                 struct span name);
/* The flags of a command that calls this function; `flags` if there is none of the name. */
uint32_t store_function_flags(const struct store_functions *functions, struct span name,
                              uint32_t flags);

#endif
