/*
 * store_lua_memory - Lua's memory: small blocks out of slabs, all given back at once.
 *
 * Lua takes and gives thousands of small blocks a call; under a sanitizer each of them cost more
 * than the call.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_LUA_MEMORY_H
#define FACTEUR_TESTS_SIMULATION_STORE_LUA_MEMORY_H

#include <stddef.h>

struct store_lua_memory;

struct store_lua_memory *store_lua_memory_open(void);
void
store_lua_memory_close(struct store_lua_memory *memory); /* after lua_close(); NULL is allowed */

/* A lua_Alloc; `memory` is its context. */
void *store_lua_memory_resize(void *memory, void *block, size_t old_size, size_t new_size);

#endif
