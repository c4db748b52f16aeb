#include "tests/simulation/store_lua.h"

#include "sender/base/check.h"
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

/* ---- errors --------------------------------------------------------------------------------- */

/* Pushes {err = "CODE words"}; a text without a code gets ERR. */
static void
push_error(lua_State *lua, const char *code, const char *text)
{
    lua_createtable(lua, 0, 1);
    lua_pushfstring(lua, "%s%s", code, text);
    lua_setfield(lua, -2, "err");
}

static int
raise(lua_State *lua, const char *text)
{
    push_error(lua, "ERR ", text);
    return lua_error(lua);
}

/* Puts source and line to an error that nobody caught, and makes a table of it. */
static int
explain_error(lua_State *lua)
{
    lua_Debug where = {0};
    if (!lua_istable(lua, 1)) {
        const char *text = lua_tostring(lua, 1);
        push_error(lua, "ERR ", text == NULL ? "(error object is not a string)" : text);
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

/* ---- replies become values ------------------------------------------------------------------ */

static void
push_reply(lua_State *lua, struct span bytes, size_t *at)
{
    struct store_reply_head head = store_reply_read_head(bytes, at);
    luaL_checkstack(lua, 3, "a reply is nested too deeply");
    if (head.type == ':') {
        lua_pushnumber(lua, (lua_Number)head.number);
    } else if (head.type == '+' || head.type == '-') {
        lua_createtable(lua, 0, 1);
        lua_pushlstring(lua, head.text.data, head.text.size);
        lua_setfield(lua, -2, head.type == '+' ? "ok" : "err");
    } else if (head.number < 0) {
        lua_pushboolean(lua, 0);
    } else if (head.type == '$') {
        lua_pushlstring(lua, head.text.data, head.text.size);
    } else {
        lua_createtable(lua, (int)head.number, 0);
        for (int64_t i = 1; i <= head.number; i++) {
            push_reply(lua, bytes, at);
            lua_rawseti(lua, -2, (int)i);
        }
    }
}

/* ---- values become replies ------------------------------------------------------------------ */

/* The text under this name of the table on top, pushed; nothing pushed if there is none. */
static const char *
text_field(lua_State *lua, const char *name)
{
    lua_pushstring(lua, name);
    lua_rawget(lua, -2);
    if (lua_type(lua, -1) == LUA_TSTRING)
        return lua_tostring(lua, -1);
    lua_pop(lua, 1);
    return NULL;
}

static void put_value(lua_State *lua, struct store_bytes *reply);

/* An array ends before its first nil. */
static void
put_table(lua_State *lua, struct store_bytes *reply)
{
    const char *text = text_field(lua, "err");
    int count = 0;
    if (text != NULL) {
        store_reply_error(reply, "%s", text);
        lua_pop(lua, 1);
        return;
    }
    text = text_field(lua, "ok");
    if (text != NULL) {
        store_reply_status(reply, text);
        lua_pop(lua, 1);
        return;
    }
    for (;; count++) {
        lua_rawgeti(lua, -1, count + 1);
        bool is_end = lua_isnil(lua, -1);
        lua_pop(lua, 1);
        if (is_end)
            break;
    }
    store_reply_array(reply, (size_t)count);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(lua, -1, i);
        put_value(lua, reply);
        lua_pop(lua, 1);
    }
}

/* The value on top, which stays there. */
static void
put_value(lua_State *lua, struct store_bytes *reply)
{
    struct span text;
    if (!lua_checkstack(lua, 4)) {
        store_reply_error(reply, "ERR reached lua stack limit");
        return;
    }
    switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
        text.data = lua_tolstring(lua, -1, &text.size);
        store_reply_text(reply, text);
        break;
    case LUA_TBOOLEAN:
        if (lua_toboolean(lua, -1))
            store_reply_i64(reply, 1);
        else
            store_reply_nil(reply);
        break;
    case LUA_TNUMBER:
        store_reply_i64(reply, (int64_t)lua_tonumber(lua, -1));
        break;
    case LUA_TTABLE:
        put_table(lua, reply);
        break;
    default:
        store_reply_nil(reply);
    }
}

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
        return raise(lua, "redis.call/pcall can only be called inside a script invocation");
    if (count == 0)
        wrong = "Please specify at least one argument for this redis lib call";
    else if (!read_words(lua, functions, count))
        wrong = "Lua redis lib command arguments must be strings or integers";
    if (wrong != NULL && raises)
        return raise(lua, wrong);
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
        push_error(lua, "ERR ", wrong);
    else
        push_reply(lua, store_bytes_span(&functions->reply), &at);
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

/* (name, callback), or a table of function_name, callback, flags and description. */
static int
register_function(lua_State *lua)
{
    struct store *store = lua_touserdata(lua, lua_upvalueindex(1));
    uint32_t flags = 0;
    struct span name;
    if (store->functions.loading == NULL)
        return raise(lua, "redis.register_function can only be called on FUNCTION LOAD command");
    if (lua_gettop(lua) == 1 && lua_istable(lua, 1)) {
        lua_getfield(lua, 1, "flags");
        if (lua_istable(lua, -1) && !read_flags(lua, &flags))
            return raise(lua, "unknown flag given");
        lua_getfield(lua, 1, "function_name");
        lua_getfield(lua, 1, "callback");
    } else if (lua_gettop(lua) != 2) {
        return raise(lua, "wrong number of arguments to redis.register_function");
    }
    if (lua_type(lua, -2) != LUA_TSTRING)
        return raise(lua,
                     "function_name argument given to redis.register_function must be a string");
    if (!lua_isfunction(lua, -1))
        return raise(lua, "callback argument given to redis.register_function must be a function");
    name.data = lua_tolstring(lua, -2, &name.size);
    int callback = luaL_ref(lua, LUA_REGISTRYINDEX);
    const char *wrong = store_library_register(store->functions.loading, name, callback, flags);
    if (wrong == NULL)
        return 0;
    luaL_unref(lua, LUA_REGISTRYINDEX, callback);
    return raise(lua, wrong);
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
        push_error(lua, "ERR ", "wrong number or type of arguments");
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

static void
set_redis(lua_State *lua, struct store *store)
{
    lua_newtable(lua);
    set_function(lua, store, "call", redis_call, true);
    set_function(lua, store, "pcall", redis_call, false);
    set_function(lua, store, "register_function", register_function, false);
    set_function(lua, store, "log", log_nothing, false);
    lua_pushliteral(lua, "err");
    lua_pushcclosure(lua, make_reply, 1);
    lua_setfield(lua, -2, "error_reply");
    lua_pushliteral(lua, "ok");
    lua_pushcclosure(lua, make_reply, 1);
    lua_setfield(lua, -2, "status_reply");
    set_number(lua, "LOG_DEBUG", 0);
    set_number(lua, "LOG_VERBOSE", 1);
    set_number(lua, "LOG_NOTICE", 2);
    set_number(lua, "LOG_WARNING", 3);
    set_number(lua, "REDIS_VERSION_NUM", STORE_VERSION_NUMBER);
    lua_pushliteral(lua, STORE_VERSION);
    lua_setfield(lua, -2, "REDIS_VERSION");
    lua_setglobal(lua, "redis");
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

/* No global appears or is missed by mistake. */
static void
protect_globals(lua_State *lua)
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
    lua_newtable(lua);
    lua_pushcfunction(lua, refuse_read);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_write);
    lua_setfield(lua, -2, "__newindex");
    lua_setmetatable(lua, LUA_GLOBALSINDEX);
}

lua_State *
store_lua_open(struct store *store)
{
    lua_State *lua = luaL_newstate();
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
    set_redis(lua, store);
    protect_globals(lua);
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
    const char *text = lua_istable(lua, -1) ? text_field(lua, "err") : lua_tostring(lua, -1);
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
    if (lua_pcall(lua, 0, 0, 0) == 0)
        return true;
    read_error(lua,
               lua_istable(lua, -1) ? "Error registering functions: "
                                    : "Error registering functions: ERR ",
               error);
    return false;
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
        put_value(lua, request->reply);
    else
        answer_error(lua, function, request->reply);
    lua_settop(lua, 0);
}
