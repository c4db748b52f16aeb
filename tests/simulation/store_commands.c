#include "tests/simulation/store_commands.h"

#include "sender/base/check.h"
#include "tests/simulation/store_state.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Short names for the table. */
enum {
    READ = 0,
    WRITE = STORE_COMMAND_WRITE,
    TAKES = STORE_COMMAND_WRITE | STORE_COMMAND_DENY_OOM,
    ALWAYS = STORE_COMMAND_LOADING | STORE_COMMAND_STALE,
    OWN = ALWAYS | STORE_COMMAND_NO_SCRIPT, /* of the connection, not of the data */
    DOOR = OWN | STORE_COMMAND_BUSY,
    NOW = STORE_COMMAND_NOW,
    NO_SCRIPT = STORE_COMMAND_NO_SCRIPT,
};

/* Sorted by name. */
static const struct store_command commands[] = {
    {"AUTH", -2, DOOR, store_auth},
    {"CLIENT GETNAME", 2, OWN, store_client_getname},
    {"CLIENT ID", 2, OWN, store_client_id_command},
    {"CLIENT KILL", -3, OWN, store_client_kill},
    {"CLIENT SETNAME", 3, OWN, store_client_setname},
    {"CLIENT UNBLOCK", -3, OWN, store_client_unblock},
    {"CONFIG GET", -3, OWN, store_config_get},
    {"CONFIG SET", -4, OWN, store_config_set},
    {"DBSIZE", 1, READ, store_dbsize},
    {"DEL", -2, WRITE, store_del},
    {"DISCARD", 1, DOOR | NOW, store_discard},
    {"DUMP", 2, READ, store_dump},
    {"ECHO", 2, READ, store_echo},
    {"EXEC", 1, OWN | NOW, store_exec},
    {"EXISTS", -2, READ, store_exists},
    {"EXPIRE", -3, WRITE, store_expire},
    {"FCALL", -3, NO_SCRIPT | STORE_COMMAND_STALE, store_fcall},
    {"FCALL_RO", -3, NO_SCRIPT | STORE_COMMAND_STALE, store_fcall_ro},
    {"FLUSHALL", -1, WRITE, store_flushall},
    {"FLUSHDB", -1, WRITE, store_flushall},
    {"FUNCTION DELETE", 3, WRITE | NO_SCRIPT, store_function_delete},
    {"FUNCTION FLUSH", -2, WRITE | NO_SCRIPT, store_function_flush},
    {"FUNCTION KILL", 2, NO_SCRIPT | STORE_COMMAND_BUSY, store_function_kill},
    {"FUNCTION LIST", -2, NO_SCRIPT, store_function_list},
    {"FUNCTION LOAD", -3, TAKES | NO_SCRIPT, store_function_load},
    {"GET", 2, READ, store_get},
    {"HDEL", -3, WRITE, store_hdel},
    {"HELLO", -1, DOOR, store_hello},
    {"HEXISTS", 3, READ, store_hexists},
    {"HGET", 3, READ, store_hget},
    {"HGETALL", 2, READ, store_hgetall},
    {"HINCRBY", 4, TAKES, store_hincrby},
    {"HKEYS", 2, READ, store_hkeys},
    {"HLEN", 2, READ, store_hlen},
    {"HMGET", -3, READ, store_hmget},
    {"HSCAN", -3, READ, store_hscan},
    {"HSET", -4, TAKES, store_hset},
    {"HSETNX", 4, TAKES, store_hsetnx},
    {"HSTRLEN", 3, READ, store_hstrlen},
    {"HVALS", 2, READ, store_hvals},
    {"INCR", 2, TAKES, store_incr},
    {"INCRBY", 3, TAKES, store_incrby},
    {"INFO", -1, ALWAYS, store_info},
    {"KEYS", 2, READ, store_keys_command},
    {"LINDEX", 3, READ, store_lindex},
    {"LINSERT", 5, TAKES, store_linsert},
    {"LLEN", 2, READ, store_llen},
    {"LPOP", -2, WRITE, store_lpop},
    {"LPUSH", -3, TAKES, store_lpush},
    {"LRANGE", 4, READ, store_lrange},
    {"LREM", 4, WRITE, store_lrem},
    {"MGET", -2, READ, store_mget},
    {"MULTI", 1, DOOR | NOW, store_multi},
    {"PERSIST", 2, WRITE, store_persist},
    {"PEXPIRE", -3, WRITE, store_pexpire},
    {"PEXPIREAT", -3, WRITE, store_pexpireat},
    {"PEXPIRETIME", 2, READ, store_pexpiretime},
    {"PING", -1, STORE_COMMAND_IS_PING, store_ping},
    {"PTTL", 2, READ, store_pttl},
    {"QUIT", -1, DOOR | NOW, store_quit},
    {"RESTORE", -4, TAKES, store_restore},
    {"ROLE", 1, OWN, store_role},
    {"RPOP", -2, WRITE, store_rpop},
    {"RPUSH", -3, TAKES, store_rpush},
    {"SADD", -3, TAKES, store_sadd},
    {"SCAN", -2, READ, store_scan},
    {"SCARD", 2, READ, store_scard},
    {"SELECT", 2, ALWAYS, store_select},
    {"SET", -3, TAKES, store_set},
    {"SISMEMBER", 3, READ, store_sismember},
    {"SMEMBERS", 2, READ, store_smembers},
    {"SMISMEMBER", -3, READ, store_smismember},
    {"SREM", -3, WRITE, store_srem},
    {"SSCAN", -3, READ, store_sscan},
    {"STRLEN", 2, READ, store_strlen},
    {"TIME", 1, ALWAYS, store_time_command},
    {"TTL", 2, READ, store_ttl},
    {"TYPE", 2, READ, store_type},
    {"UNLINK", -2, WRITE, store_del},
    {"UNWATCH", 1, DOOR, store_unwatch},
    {"WATCH", -2, DOOR | NOW, store_watch},
    {"XADD", -5, TAKES, store_xadd},
    {"XDEL", -3, WRITE, store_xdel},
    {"XLEN", 2, READ, store_xlen},
    {"XRANGE", -4, READ, store_xrange},
    {"XREAD", -4, READ, store_xread},
    {"XREVRANGE", -4, READ, store_xrevrange},
    {"XSETID", -3, TAKES, store_xsetid},
    {"XTRIM", -4, WRITE, store_xtrim},
    {"ZADD", -4, TAKES, store_zadd},
    {"ZCARD", 2, READ, store_zcard},
    {"ZCOUNT", 4, READ, store_zcount},
    {"ZMSCORE", -3, READ, store_zmscore},
    {"ZRANGE", -4, READ, store_zrange},
    {"ZRANGEBYSCORE", -4, READ, store_zrangebyscore},
    {"ZREM", -3, WRITE, store_zrem},
    {"ZSCORE", 3, READ, store_zscore},
    {"ZUNIONSTORE", -4, TAKES, store_zunionstore},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]), NAME_SIZE_MAX = 24 };

static bool
has_subcommands(struct span word)
{
    return store_is_word(word, "CLIENT") || store_is_word(word, "CONFIG") ||
           store_is_word(word, "FUNCTION");
}

static int
compare_name(const void *name, const void *command)
{
    return strcmp(name, ((const struct store_command *)command)->name);
}

static void
put_upper(struct buffer *name, struct span word)
{
    for (size_t i = 0; i < word.size; i++) {
        char c = word.data[i];
        buffer_put_char(name, (char)(c >= 'a' && c <= 'z' ? c - 32 : c));
    }
}

const struct store_command *
store_command_find(const struct span *words, size_t count)
{
    char memory[NAME_SIZE_MAX + 1];
    struct buffer name;
    buffer_init(&name, memory, NAME_SIZE_MAX);
    if (count == 0 || words[0].size > NAME_SIZE_MAX)
        return NULL;
    put_upper(&name, words[0]);
    if (count > 1 && has_subcommands(words[0])) {
        buffer_put_char(&name, ' ');
        put_upper(&name, words[1]);
    }
    if (name.overflow || memchr(memory, '\0', name.size) != NULL)
        return NULL;
    memory[name.size] = '\0';
    return bsearch(memory, commands, COMMAND_COUNT, sizeof(commands[0]), compare_name);
}

uint32_t
store_command_flags(const struct store_command *command, const struct store_request *request)
{
    if (command->run == store_fcall || command->run == store_fcall_ro)
        return store_function_flags(&request->store->functions, request->words[1], command->flags);
    return command->flags;
}

static int
shown(struct span text, size_t most)
{
    return (int)(text.size < most ? text.size : most);
}

static void
answer_unknown(const struct store_request *request)
{
    struct span name = request->words[0];
    struct store_bytes said = {0};
    char memory[NAME_SIZE_MAX];
    struct buffer upper;
    buffer_init(&upper, memory, sizeof(memory));
    if (has_subcommands(name) && request->count == 1) {
        store_request_arity(request);
        return;
    }
    if (has_subcommands(name)) {
        put_upper(&upper, name);
        store_reply_error(request->reply, "ERR unknown subcommand '%.*s'. Try %.*s HELP.",
                          shown(request->words[1], 128), request->words[1].data,
                          SPAN_ARG(buffer_span(&upper)));
        return;
    }
    for (size_t i = 1; i < request->count && said.size < 128; i++)
        store_bytes_printf(&said, "'%.*s' ", shown(request->words[i], 128 - said.size),
                           request->words[i].data);
    store_reply_error(request->reply, "ERR unknown command '%.*s', with args beginning with: %.*s",
                      shown(name, 128), name.data, (int)said.size, said.size > 0 ? said.data : "");
    store_bytes_free(&said);
}

bool
store_command_is_sound(const struct store_command *command, const struct store_request *request)
{
    if (command == NULL) {
        answer_unknown(request);
        return false;
    }
    size_t least = (size_t)abs(command->arity);
    if (request->count < least || (command->arity > 0 && request->count != least)) {
        char name[NAME_SIZE_MAX + 1];
        size_t i = 0;
        for (; command->name[i] != '\0'; i++)
            name[i] =
                (char)(command->name[i] == ' '                              ? '|'
                       : command->name[i] >= 'A' && command->name[i] <= 'Z' ? command->name[i] + 32
                                                                            : command->name[i]);
        name[i] = '\0';
        store_reply_error(request->reply, "ERR wrong number of arguments for '%s' command", name);
        return false;
    }
    return true;
}

const char *
store_command_trouble(const struct store *store, uint32_t flags)
{
    bool is_full = store->trouble == STORE_OOM ||
                   (store->memory_max > 0 && store->memory_used > store->memory_max);
    if (is_full && (flags & STORE_COMMAND_DENY_OOM) != 0)
        return "OOM command not allowed when used memory > 'maxmemory'.";
    switch (store->trouble) {
    case STORE_WELL:
    case STORE_OOM:
        return NULL;
    case STORE_MISCONF:
        if ((flags & (STORE_COMMAND_WRITE | STORE_COMMAND_IS_PING)) == 0)
            return NULL;
        return "MISCONF Errors writing to the AOF file: No space left on device";
    case STORE_READONLY:
        if ((flags & STORE_COMMAND_WRITE) == 0)
            return NULL;
        return "READONLY You can't write against a read only replica.";
    case STORE_MASTERDOWN:
        if ((flags & STORE_COMMAND_WRITE) != 0)
            return "READONLY You can't write against a read only replica.";
        if ((flags & STORE_COMMAND_STALE) != 0)
            return NULL;
        return "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
    case STORE_LOADING:
        if ((flags & STORE_COMMAND_LOADING) != 0)
            return NULL;
        return "LOADING Redis is loading the dataset in memory";
    case STORE_BUSY:
        if ((flags & STORE_COMMAND_BUSY) != 0)
            return NULL;
        return "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN "
               "NOSAVE.";
    }
    return NULL;
}

const struct store_command *
store_command_admit(const struct store_request *request, uint32_t *flags)
{
    const struct store_command *command = store_command_find(request->words, request->count);
    if (!store_command_is_sound(command, request))
        return NULL;
    *flags = store_command_flags(command, request);
    const char *trouble = store_command_trouble(request->store, *flags);
    if (trouble == NULL)
        return command;
    store_reply_error(request->reply, "%s", trouble);
    return NULL;
}

void
store_command_run(const struct store_command *command, struct store_request *request)
{
    request->store->commands++;
    command->run(request);
}
