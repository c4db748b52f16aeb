#include "tests/simulation/store_lua.h"

#include "sender/base/check.h"
#include "tests/simulation/store_lua_memory.h"
#include "tests/simulation/store_lua_redis.h"
#include "tests/simulation/store_lua_values.h"
#include "tests/simulation/store_state.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

/* Garbage is collected between calls, when there is that much: most runs end before. */
enum { GARBAGE_KB_MAX = 8 * 1024 };

/* ---- errors --------------------------------------------------------------------------------- */

/* Puts source and line to an error that nobody caught, and makes a table of it. */
static int
explain_error(lua_State *lua)
{
    lua_Debug where = {0};
    if (!lua_istable(lua, 1)) {
        const char *text = lua_tostring(lua, 1);
        store_lua_push_error(lua, "ERR ", text == NULL ? "(error object is not a string)" : text);
        lua_replace(lua, 1);
    }
    int level = lua_getstack(lua, 1, &where) && lua_getinfo(lua, "Sl", &where) &&
                        strcmp(where.what, "C") == 0
                    ? 2
                    : 1;
    if (lua_getstack(lua, level, &where) && lua_getinfo(lua, "Sl", &where)) {
        lua_pushstring(lua, where.source);
        lua_setfield(lua, 1, "source");
        lua_pushinteger(lua, where.currentline);
        lua_setfield(lua, 1, "line");
    }
    lua_settop(lua, 1);
    return 1;
}

/* pcall() as Redis has it: an error table becomes its text. */
static int
protected_call(lua_State *lua)
{
    luaL_checkany(lua, 1);
    bool good = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0) == 0;
    if (!good && lua_istable(lua, -1)) {
        lua_getfield(lua, -1, "err");
        if (lua_isstring(lua, -1))
            lua_replace(lua, -2);
    }
    lua_pushboolean(lua, good);
    lua_insert(lua, 1);
    return lua_gettop(lua);
}

/* ---- the state ------------------------------------------------------------------------------ */

static int
refuse_read(lua_State *lua)
{
    return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'",
                      lua_tostring(lua, 2));
}

static int
refuse_write(lua_State *lua)
{
    return luaL_error(lua, "Attempt to modify a readonly table");
}

static void
open_library(lua_State *lua, lua_CFunction open, const char *name)
{
    lua_pushcfunction(lua, open);
    lua_pushstring(lua, name);
    lua_call(lua, 1, 0);
}

/* A module of Debian's, as a global. */
static void
open_module(lua_State *lua, const char *name, const char *package)
{
    lua_getglobal(lua, "require");
    lua_pushstring(lua, name);
    if (lua_pcall(lua, 1, 1, 0) != 0) {
        fprintf(stderr, "the Lua module %s is missing: apt-get install %s (%s)\n", name, package,
                lua_tostring(lua, -1));
        check(!"a Lua module is missing");
    }
    lua_setglobal(lua, name);
}

static void
remove_what_redis_lacks(lua_State *lua)
{
    static const char *const removed[] = {"print",  "dofile",  "loadfile",
                                          "module", "require", "package"};
    for (size_t i = 0; i < sizeof(removed) / sizeof(removed[0]); i++) {
        lua_pushnil(lua);
        lua_setglobal(lua, removed[i]);
    }
    lua_getglobal(lua, "math");
    lua_pushnil(lua);
    lua_setfield(lua, -2, "random");
    lua_pop(lua, 1);
}

/* Whoever misses a field of the table on top is told so. */
static void
refuse_missing(lua_State *lua)
{
    lua_newtable(lua);
    lua_pushcfunction(lua, refuse_read);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, -2);
}

/* The two sets of globals, in the registry: while a library is loaded there is only `redis`, and
 * there only what registers. */
#define GLOBALS         "store.globals"
#define LOADING_GLOBALS "store.loading_globals"

static void
make_globals(lua_State *lua, struct store *store)
{
    lua_newtable(lua);
    store_lua_push_loading_redis(lua, store);
    refuse_missing(lua);
    lua_setfield(lua, -2, "redis");
    refuse_missing(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, LOADING_GLOBALS);

    lua_pushvalue(lua, LUA_GLOBALSINDEX);
    refuse_missing(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, GLOBALS);

    lua_newtable(lua); /* stands before either, and stays empty */
    lua_newtable(lua);
    lua_pushcfunction(lua, refuse_write);
    lua_setfield(lua, -2, "__newindex");
    lua_setmetatable(lua, -2);
    lua_replace(lua, LUA_GLOBALSINDEX);
}

static void
use_globals(lua_State *lua, const char *name)
{
    check(lua_getmetatable(lua, LUA_GLOBALSINDEX));
    lua_getfield(lua, LUA_REGISTRYINDEX, name);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 1);
}

void
store_lua_close(lua_State *lua)
{
    void *memory;
    (void)lua_getallocf(lua, &memory);
    lua_close(lua);
    store_lua_memory_close(memory);
}

lua_State *
store_lua_open(struct store *store)
{
    lua_State *lua = lua_newstate(store_lua_memory_resize, store_lua_memory_open());
    check(lua != NULL);
    open_library(lua, luaopen_base, "");
    open_library(lua, luaopen_package, LUA_LOADLIBNAME);
    open_library(lua, luaopen_table, LUA_TABLIBNAME);
    open_library(lua, luaopen_string, LUA_STRLIBNAME);
    open_library(lua, luaopen_math, LUA_MATHLIBNAME);
    open_module(lua, "cjson", "lua-cjson");
    open_module(lua, "bit", "lua-bitop");
    lua_pushcfunction(lua, protected_call);
    lua_setglobal(lua, "pcall");
    store_lua_push_redis(lua, store);
    lua_setglobal(lua, "redis");
    remove_what_redis_lacks(lua);
    make_globals(lua, store);
    use_globals(lua, GLOBALS);
    lua_gc(lua, LUA_GCSTOP, 0);
    return lua;
}

void
store_lua_release(lua_State *lua, int callback)
{
    luaL_unref(lua, LUA_REGISTRYINDEX, callback);
}

/* The text of the error on top, which is popped. */
static void
read_error(lua_State *lua, const char *before, struct error_text *error)
{
    const char *text =
        lua_istable(lua, -1) ? store_lua_text_field(lua, "err") : lua_tostring(lua, -1);
    error_set(error, "%s%s", before, text == NULL ? "?" : text);
    lua_settop(lua, 0);
}

static int
put_compiled(lua_State *lua, const void *data, size_t size, void *context)
{
    (void)lua;
    store_bytes_put(context, data, size);
    return 0;
}

struct store_text *
store_lua_compile(lua_State *lua, struct span text, struct error_text *error)
{
    struct store_bytes compiled = {0};
    if (luaL_loadbuffer(lua, text.data, text.size, "@user_function") != 0) {
        read_error(lua, "Error compiling function: ", error);
        return NULL;
    }
    check(lua_dump(lua, put_compiled, &compiled) == 0);
    lua_settop(lua, 0);
    struct store_text *kept = store_text_new(store_bytes_span(&compiled));
    store_bytes_free(&compiled);
    return kept;
}

bool
store_lua_run(lua_State *lua, struct span compiled, struct error_text *error)
{
    check(luaL_loadbuffer(lua, compiled.data, compiled.size, "@user_function") == 0);
    use_globals(lua, LOADING_GLOBALS);
    bool good = lua_pcall(lua, 0, 0, 0) == 0;
    use_globals(lua, GLOBALS);
    if (!good)
        read_error(lua,
                   lua_istable(lua, -1) ? "Error registering functions: "
                                        : "Error registering functions: ERR ",
                   error);
    return good;
}

static void
push_words(lua_State *lua, const struct span *words, size_t count)
{
    lua_createtable(lua, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_pushlstring(lua, words[i].data, words[i].size);
        lua_rawseti(lua, -2, (int)i + 1);
    }
}

/* An error that the function let through. */
static void
answer_error(lua_State *lua, const struct store_function *function, struct store_bytes *reply)
{
    lua_getfield(lua, -1, "err");
    lua_getfield(lua, -2, "source");
    lua_getfield(lua, -3, "line");
    const char *text = lua_tostring(lua, -3);
    const char *source = lua_tostring(lua, -2);
    const char *line = lua_tostring(lua, -1);
    if (source == NULL || line == NULL)
        store_reply_error(reply, "%s", text == NULL ? "ERR unknown error" : text);
    else
        store_reply_error(reply, "%s script: %.*s, on %s:%s.", text == NULL ? "ERR" : text,
                          SPAN_ARG(store_text_span(function->name)), source, line);
}

void
store_lua_call(lua_State *lua, const struct store_function *function, struct store_request *request,
               size_t keys)
{
    lua_pushcfunction(lua, explain_error);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, function->callback);
    push_words(lua, request->words + 3, keys);
    push_words(lua, request->words + 3 + keys, request->count - 3 - keys);
    if (lua_pcall(lua, 2, 1, 1) == 0)
        store_lua_put_value(lua, request->reply);
    else
        answer_error(lua, function, request->reply);
    lua_settop(lua, 0);
    if (lua_gc(lua, LUA_GCCOUNT, 0) > GARBAGE_KB_MAX)
        lua_gc(lua, LUA_GCCOLLECT, 0);
}
