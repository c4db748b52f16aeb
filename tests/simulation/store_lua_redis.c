#include "tests/simulation/store_lua_redis.h"

#include "sender/base/check.h"
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_lua.h"
#include "tests/simulation/store_lua_values.h"
#include "tests/simulation/store_state.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

/* ---- redis.call ----------------------------------------------------------------------------- */

/* The words of a call, from the stack, where they stay: numbers become texts there. False: an
 * argument is neither. */
static bool
read_words(lua_State *lua, struct store_functions *functions, size_t count)
{
    if (functions->word_capacity < count) {
        functions->words = store_grown(functions->words, count * sizeof(*functions->words));
        functions->word_capacity = count;
    }
    for (size_t i = 0; i < count; i++) {
        int place = (int)i + 1;
        if (lua_type(lua, place) == LUA_TNUMBER) {
            char digits[64];
            int size = snprintf(digits, sizeof(digits), "%.17g", lua_tonumber(lua, place));
            lua_pushlstring(lua, digits, (size_t)size);
            lua_replace(lua, place);
        }
        if (lua_type(lua, place) != LUA_TSTRING)
            return false;
        functions->words[i].data = lua_tolstring(lua, place, &functions->words[i].size);
    }
    return true;
}

/* NULL, or why a function may not call this. */
static const char *
refusal_of(const struct store *store, const struct store_command *command, size_t count)
{
    if (command == NULL)
        return "Unknown Redis command called from script";
    if (command->arity > 0 ? count != (size_t)command->arity : count < (size_t)-command->arity)
        return "Wrong number of args calling Redis command from script";
    if ((command->flags & STORE_COMMAND_NO_SCRIPT) != 0)
        return "This Redis command is not allowed from script";
    if (store->functions.is_read_only && (command->flags & STORE_COMMAND_WRITE) != 0)
        return "Write commands are not allowed from read-only scripts.";
    return NULL;
}

/* redis.call (upvalue 2 true: raises errors) and redis.pcall. */
static int
redis_call(lua_State *lua)
{
    struct store *store = lua_touserdata(lua, lua_upvalueindex(1));
    bool raises = lua_toboolean(lua, lua_upvalueindex(2));
    struct store_functions *functions = &store->functions;
    size_t count = (size_t)lua_gettop(lua);
    size_t at = 0;
    const char *wrong = NULL;
    if (!functions->is_running)
        return store_lua_raise(lua,
                               "redis.call/pcall can only be called inside a script invocation");
    if (count == 0)
        wrong = "Please specify at least one argument for this redis lib call";
    else if (!read_words(lua, functions, count))
        wrong = "Lua redis lib command arguments must be strings or integers";
    if (wrong != NULL && raises)
        return store_lua_raise(lua, wrong);
    if (wrong == NULL) {
        const struct store_command *command = store_command_find(functions->words, count);
        struct store_request request = {.store = store,
                                        .words = functions->words,
                                        .count = count,
                                        .reply = &functions->reply,
                                        .in_function = true};
        functions->reply.size = 0;
        wrong = refusal_of(store, command, count);
        if (wrong == NULL)
            store_command_run(command, &request);
    }
    lua_settop(lua, 0);
    if (wrong != NULL)
        store_lua_push_error(lua, "ERR ", wrong);
    else
        store_lua_push_reply(lua, store_bytes_span(&functions->reply), &at);
    if (raises && (wrong != NULL || functions->reply.data[0] == '-'))
        return lua_error(lua);
    return 1;
}

/* ---- redis.register_function and the rest --------------------------------------------------- */

/* The flags in the table on top. False: one is unknown. */
static bool
read_flags(lua_State *lua, uint32_t *flags)
{
    bool good = true;
    *flags = 0;
    for (int i = 1; good; i++) {
        uint32_t flag = 0;
        lua_rawgeti(lua, -1, i);
        bool is_end = lua_isnil(lua, -1);
        good = is_end || (lua_isstring(lua, -1) &&
                          store_function_flag_of(span_of(lua_tostring(lua, -1)), &flag));
        *flags |= flag;
        lua_pop(lua, 1);
        if (is_end)
            return true;
    }
    return good;
}

/* {function_name = …, callback = …, flags = {…}} becomes name and callback on top. */
static const char *
unfold_table(lua_State *lua, uint32_t *flags)
{
    if (!lua_istable(lua, 1))
        return "calling redis.register_function with a single argument is only applicable to Lua "
               "table (representing named arguments).";
    lua_getfield(lua, 1, "flags");
    if (lua_istable(lua, -1) && !read_flags(lua, flags))
        return "unknown flag given";
    lua_getfield(lua, 1, "function_name");
    lua_getfield(lua, 1, "callback");
    if (lua_isnil(lua, -2))
        return "redis.register_function must get a function name argument";
    if (lua_isnil(lua, -1))
        return "redis.register_function must get a callback argument";
    if (lua_type(lua, -2) != LUA_TSTRING)
        return "function_name argument given to redis.register_function must be a string";
    if (!lua_isfunction(lua, -1))
        return "callback argument given to redis.register_function must be a function";
    return NULL;
}

static const char *
judge_pair(lua_State *lua)
{
    if (lua_gettop(lua) != 2)
        return "wrong number of arguments to redis.register_function";
    if (lua_type(lua, 1) != LUA_TSTRING)
        return "first argument to redis.register_function must be a string";
    return lua_isfunction(lua, 2) ? NULL
                                  : "second argument to redis.register_function must be a function";
}

/* (name, callback), or a table. */
static int
register_function(lua_State *lua)
{
    struct store *store = lua_touserdata(lua, lua_upvalueindex(1));
    uint32_t flags = 0;
    struct span name;
    if (store->functions.loading == NULL)
        return store_lua_raise(
            lua, "redis.register_function can only be called on FUNCTION LOAD command");
    const char *wrong = lua_gettop(lua) == 1 ? unfold_table(lua, &flags) : judge_pair(lua);
    if (wrong != NULL)
        return store_lua_raise(lua, wrong);
    name.data = lua_tolstring(lua, -2, &name.size);
    int callback = luaL_ref(lua, LUA_REGISTRYINDEX);
    wrong = store_library_register(store->functions.loading, name, callback, flags);
    if (wrong == NULL)
        return 0;
    luaL_unref(lua, LUA_REGISTRYINDEX, callback);
    return store_lua_raise(lua, wrong);
}

static int
log_nothing(lua_State *lua)
{
    (void)lua;
    return 0;
}

/* redis.error_reply and redis.status_reply: upvalue 1 is the field's name. */
static int
make_reply(lua_State *lua)
{
    const char *field = lua_tostring(lua, lua_upvalueindex(1));
    if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING) {
        store_lua_push_error(lua, "ERR ", "wrong number or type of arguments");
        return 1;
    }
    const char *text = lua_tostring(lua, 1);
    bool is_error = strcmp(field, "err") == 0;
    if (is_error && text[0] == '-')
        text++;
    lua_createtable(lua, 0, 1);
    lua_pushfstring(lua, "%s%s", is_error && strchr(text, ' ') == NULL ? "ERR " : "", text);
    lua_setfield(lua, -2, field);
    return 1;
}

static void
set_function(lua_State *lua, struct store *store, const char *name, lua_CFunction function,
             bool flag)
{
    lua_pushlightuserdata(lua, store);
    lua_pushboolean(lua, flag);
    lua_pushcclosure(lua, function, 2);
    lua_setfield(lua, -2, name);
}

static void
set_number(lua_State *lua, const char *name, lua_Integer number)
{
    lua_pushinteger(lua, number);
    lua_setfield(lua, -2, name);
}

/* What both tables `redis` have: the one while a library is loaded, and the one afterwards. */
static void
set_constants(lua_State *lua, struct store *store)
{
    set_function(lua, store, "log", log_nothing, false);
    set_number(lua, "LOG_DEBUG", 0);
    set_number(lua, "LOG_VERBOSE", 1);
    set_number(lua, "LOG_NOTICE", 2);
    set_number(lua, "LOG_WARNING", 3);
    set_number(lua, "REDIS_VERSION_NUM", STORE_VERSION_NUMBER);
    lua_pushliteral(lua, STORE_VERSION);
    lua_setfield(lua, -2, "REDIS_VERSION");
}

void
store_lua_push_redis(lua_State *lua, struct store *store)
{
    lua_newtable(lua);
    set_constants(lua, store);
    set_function(lua, store, "call", redis_call, true);
    set_function(lua, store, "pcall", redis_call, false);
    lua_pushliteral(lua, "err");
    lua_pushcclosure(lua, make_reply, 1);
    lua_setfield(lua, -2, "error_reply");
    lua_pushliteral(lua, "ok");
    lua_pushcclosure(lua, make_reply, 1);
    lua_setfield(lua, -2, "status_reply");
}

void
store_lua_push_loading_redis(lua_State *lua, struct store *store)
{
    lua_newtable(lua);
    set_constants(lua, store);
    set_function(lua, store, "register_function", register_function, false);
}
