/* store_lua_values - what Redis says as values of Lua, and values of Lua as what Redis says. */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_LUA_VALUES_H
#define FACTEUR_TESTS_SIMULATION_STORE_LUA_VALUES_H

#include "tests/simulation/store_bytes.h"

#include <lua.h>

/* Pushes {err = CODE TEXT}; the code brings its space: "ERR ". */
void store_lua_push_error(lua_State *lua, const char *code, const char *text);
int store_lua_raise(lua_State *lua, const char *text); /* the same with ERR, raised */

/* Pushes a reply, read from *at, which moves behind it: nil becomes false. */
void store_lua_push_reply(lua_State *lua, struct span bytes, size_t *at);
/* Answers with the value on top, which stays there: numbers lose their fraction, false is nil, an
 * array ends before its first nil. */
void store_lua_put_value(lua_State *lua, struct store_bytes *reply);
/* The text under this name of the table on top, pushed. NULL: there is none, nothing was pushed. */
const char *store_lua_text_field(lua_State *lua, const char *name);

#endif
