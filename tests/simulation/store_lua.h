/*
 * store_lua - Lua 5.1 as Redis has it: what a library may use, redis.call, and how values of Lua
 * become replies and back.
 *
 * Missing on purpose, so that whoever uses it learns it: math.random, struct, cmsgpack, os, RESP3.
 * And as stock Lua has no tables that can only be read, a library might change `string` here.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_LUA_H
#define FACTEUR_TESTS_SIMULATION_STORE_LUA_H

#include "tests/simulation/store_function.h"
#include "tests/simulation/store_request.h"

/* A new state for this store. Needs the modules cjson and bit: Debian's lua-cjson and lua-bitop. */
lua_State *store_lua_open(struct store *store);
void store_lua_close(lua_State *lua);
void store_lua_release(lua_State *lua, int callback);

/* A library's text as Lua's bytes, the caller's. NULL: an error was written, as FUNCTION LOAD says
 * it. */
struct store_text *store_lua_compile(lua_State *lua, struct span text, struct error_text *error);
/* Runs what was compiled: it registers functions with store->functions.loading. False: an error was
 * written. */
bool store_lua_run(lua_State *lua, struct span compiled, struct error_text *error);

/* Calls a function with words[3…] as `keys` keys and the rest as arguments, and answers. */
void store_lua_call(lua_State *lua, const struct store_function *function,
                    struct store_request *request, size_t keys);

/* For redis.register_function: NULL, or what is wrong. The callback belongs to the library then. */
const char *store_library_register(struct store_library *library, struct span name, int callback,
                                   uint32_t flags);
bool store_function_flag_of(struct span name, uint32_t *flag); /* false: unknown */

#endif
