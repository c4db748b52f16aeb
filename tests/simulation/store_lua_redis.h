/* store_lua_redis - the table `redis` of Lua: call, pcall, register_function and the rest. */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_LUA_REDIS_H
#define FACTEUR_TESTS_SIMULATION_STORE_LUA_REDIS_H

#include <lua.h>

struct store;

void store_lua_push_redis(lua_State *lua, struct store *store);
/* The one while a library is loaded: it registers functions, and cannot call. */
void store_lua_push_loading_redis(lua_State *lua, struct store *store);

#endif
