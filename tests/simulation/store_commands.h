/*
 * store_commands - the table of all commands, and the judgement before each: is it known, has it
 * enough words, does Redis answer it now.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_COMMANDS_H
#define FACTEUR_TESTS_SIMULATION_STORE_COMMANDS_H

#include "tests/simulation/store_request.h"

enum store_command_flag {
    STORE_COMMAND_WRITE = 1,      /* changes data */
    STORE_COMMAND_DENY_OOM = 2,   /* takes memory */
    STORE_COMMAND_LOADING = 4,    /* answered while Redis reads its files */
    STORE_COMMAND_STALE = 8,      /* answered by a replica without master */
    STORE_COMMAND_NO_SCRIPT = 16, /* not inside functions */
    STORE_COMMAND_BUSY = 32,      /* answered while a script runs for too long */
    STORE_COMMAND_NOW = 64,       /* inside MULTI too it is done at once */
    STORE_COMMAND_IS_PING = 128,  /* refused when Redis cannot write its files */
};

typedef void store_command_f(struct store_request *request);

struct store_command {
    const char *name; /* upper case; a subcommand has a space: "CLIENT ID" */
    int arity;        /* words in all; below zero: at least so many */
    uint32_t flags;   /* of enum store_command_flag */
    store_command_f *run;
};

/* NULL: unknown. Subcommands are found by two words. */
const struct store_command *store_command_find(const struct span *words, size_t count);
/* The command's flags; of FCALL those that its function was registered with. */
uint32_t store_command_flags(const struct store_command *command,
                             const struct store_request *request);
/* Finds and judges. NULL: refused, and the refusal was answered. `flags` gets what was judged by.
 */
const struct store_command *store_command_admit(const struct store_request *request,
                                                uint32_t *flags);
/* What the trouble of now says of a command with these flags; NULL: nothing. */
const char *store_command_trouble(const struct store *store, uint32_t flags);
/* Known, and enough words; otherwise it was answered. */
bool store_command_is_sound(const struct store_command *command,
                            const struct store_request *request);
/* Runs it. The caller has judged. */
void store_command_run(const struct store_command *command, struct store_request *request);

/* All of them, by the file that has them. */
store_command_f store_get, store_set, store_mget, store_incrby;
store_command_f store_del, store_exists, store_type, store_pexpire, store_expire, store_pexpireat;
store_command_f store_persist, store_pttl, store_ttl, store_pexpiretime, store_keys_command;
store_command_f store_scan, store_dbsize, store_flushall, store_dump, store_restore;
store_command_f store_hset, store_hget, store_hmget, store_hdel, store_hgetall, store_hkeys;
store_command_f store_hvals, store_hlen, store_hexists, store_hincrby, store_hscan;
store_command_f store_hstrlen, store_hsetnx, store_strlen, store_incr, store_zcount, store_zmscore;
store_command_f store_sadd, store_srem, store_smembers, store_sismember, store_smismember;
store_command_f store_scard, store_sscan;
store_command_f store_rpush, store_lpush, store_lpop, store_rpop, store_llen, store_lrange;
store_command_f store_lindex, store_linsert, store_lrem;
store_command_f store_zadd, store_zrem, store_zcard, store_zscore, store_zrange;
store_command_f store_zrangebyscore, store_zunionstore;
store_command_f store_xadd, store_xdel, store_xlen, store_xrange, store_xrevrange, store_xtrim;
store_command_f store_xread, store_xsetid;
store_command_f store_ping, store_echo, store_time_command, store_info, store_role, store_select;
store_command_f store_auth, store_hello, store_quit, store_config_get, store_config_set;
store_command_f store_client_id_command, store_client_kill, store_client_unblock;
store_command_f store_client_setname, store_client_getname;
store_command_f store_multi, store_exec, store_discard, store_watch, store_unwatch;
store_command_f store_fcall, store_fcall_ro, store_function_load, store_function_list;
store_command_f store_function_flush, store_function_delete, store_function_kill;

#endif
