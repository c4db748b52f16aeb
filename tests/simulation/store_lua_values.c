#include "tests/simulation/store_lua_values.h"

#include "tests/simulation/store_reply.h"

#include <lauxlib.h>

void
store_lua_push_error(lua_State *lua, const char *code, const char *text)
{
    lua_createtable(lua, 0, 1);
    lua_pushfstring(lua, "%s%s", code, text);
    lua_setfield(lua, -2, "err");
}

int
store_lua_raise(lua_State *lua, const char *text)
{
    store_lua_push_error(lua, "ERR ", text);
    return lua_error(lua);
}

/* ---- replies become values ------------------------------------------------------------------ */

void
store_lua_push_reply(lua_State *lua, struct span bytes, size_t *at)
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
            store_lua_push_reply(lua, bytes, at);
            lua_rawseti(lua, -2, (int)i);
        }
    }
}

/* ---- values become replies ------------------------------------------------------------------ */

const char *
store_lua_text_field(lua_State *lua, const char *name)
{
    lua_pushstring(lua, name);
    lua_rawget(lua, -2);
    if (lua_type(lua, -1) == LUA_TSTRING)
        return lua_tostring(lua, -1);
    lua_pop(lua, 1);
    return NULL;
}

/* An array ends before its first nil. */
static void
put_table(lua_State *lua, struct store_bytes *reply)
{
    const char *text = store_lua_text_field(lua, "err");
    int count = 0;
    if (text != NULL) {
        store_reply_error(reply, "%s", text);
        lua_pop(lua, 1);
        return;
    }
    text = store_lua_text_field(lua, "ok");
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
        store_lua_put_value(lua, reply);
        lua_pop(lua, 1);
    }
}

void
store_lua_put_value(lua_State *lua, struct store_bytes *reply)
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
