#include "loadtest/load_record.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { RECORD_KEY_MAX = KEYS_BASE_MAX + 8, RECORD_MAX = 512 };

static void
key_of(const struct load_options *options, char key[RECORD_KEY_MAX])
{
    (void)snprintf(key, RECORD_KEY_MAX, "%s:load", options->accounts[0].business);
}

void
load_record_put(const struct load_options *options, struct buffer *json)
{
    buffer_printf(json,
                  "{\"messages\":%" PRIu64 ",\"bulk\":%" PRIu64 ",\"countries\":%" PRIu64
                  ",\"accounts\":%u,\"promotional\":%.17g,\"bad\":%.17g,\"urgent\":%.17g,"
                  "\"duplicates\":%.17g}",
                  options->messages, options->bulk, options->countries, options->account_count,
                  options->promotional, options->bad, options->urgent, options->duplicates);
}

bool
load_record_take(struct load_options *options, struct span json)
{
    const struct {
        const char *name;
        uint64_t *count;
        double *share;
    } wanted[] = {
        {"messages", &options->messages, NULL},
        {"bulk", &options->bulk, NULL},
        {"countries", &options->countries, NULL},
        {"promotional", NULL, &options->promotional},
        {"bad", NULL, &options->bad},
        {"urgent", NULL, &options->urgent},
        {"duplicates", NULL, &options->duplicates},
    };
    json_t *record = json_loadb(json.data, json.size, 0, NULL);
    bool good = json_is_object(record);
    for (size_t i = 0; good && i < sizeof wanted / sizeof wanted[0]; i++) {
        const json_t *value = json_object_get(record, wanted[i].name);
        if (!json_is_number(value) || json_number_value(value) < 0 ||
            json_number_value(value) > AUDIT_MESSAGES_MAX)
            good = false;
        else if (load_options_given(options, wanted[i].name))
            continue;
        else if (wanted[i].count != NULL)
            *wanted[i].count = (uint64_t)json_number_value(value);
        else
            *wanted[i].share = json_number_value(value);
    }
    json_decref(record);
    return good && options->messages > 0 && options->countries > 0 &&
           options->countries <= load_country_count();
}

/* 1 found, 0 not, -1 lost. */
static int
look_up(struct load_redis *redis, const struct load_options *options, uint64_t seed,
        struct span *json, struct error_text *error)
{
    char key[RECORD_KEY_MAX];
    char field[24];
    key_of(options, key);
    (void)snprintf(field, sizeof field, "%" PRIu64, seed);
    const char *const parts[] = {"HGET", key, field, NULL};
    const struct reply *reply = load_redis_ask(redis, parts, error);
    if (reply == NULL)
        return -1;
    *json = reply->text;
    return reply->type == REPLY_STRING ? 1 : 0;
}

/* The highest seed that was filled; 0 if none was. False: Redis is lost. */
static bool
last_seed(struct load_redis *redis, const struct load_options *options, uint64_t *last,
          struct error_text *error)
{
    char key[RECORD_KEY_MAX];
    key_of(options, key);
    const char *const parts[] = {"HKEYS", key, NULL};
    const struct reply *reply = load_redis_ask(redis, parts, error);
    *last = 0;
    for (size_t i = 0; reply != NULL && i < reply->count; i++) {
        uint64_t seed = 0;
        if (span_to_u64(reply->elements[i]->text, &seed) && seed > *last)
            *last = seed;
    }
    return reply != NULL;
}

/* How many accounts that record says were filled; 0 if it does not say. */
static uint64_t
accounts_of(struct span json)
{
    json_t *record = json_loadb(json.data, json.size, 0, NULL);
    const json_t *accounts = json_object_get(record, "accounts");
    uint64_t count = json_is_integer(accounts) ? (uint64_t)json_integer_value(accounts) : 0;
    json_decref(record);
    return count;
}

enum load_record
load_record_read(struct load_redis *redis, struct load_options *options, struct error_text *error)
{
    if (!load_options_given(options, "seed")) {
        uint64_t last = 0;
        if (!last_seed(redis, options, &last, error))
            return LOAD_RECORD_LOST;
        if (last > 0)
            options->seed = last;
    }
    struct span json;
    int found = look_up(redis, options, options->seed, &json, error);
    if (found < 0)
        return LOAD_RECORD_LOST;
    if (found == 0 || !load_record_take(options, json))
        return LOAD_RECORD_NONE;
    uint64_t accounts = accounts_of(json);
    if (accounts == options->account_count)
        return LOAD_RECORD_FOUND;
    error_set(error,
              "seed %" PRIu64 " was filled for %" PRIu64
              " accounts, %u are named: name them all, in "
              "the same order, with --account",
              options->seed, accounts, options->account_count);
    return LOAD_RECORD_UNLIKE;
}

bool
load_record_choose(struct load_redis *redis, struct load_options *options, struct error_text *error)
{
    if (!load_options_given(options, "seed")) {
        uint64_t last = 0;
        if (!last_seed(redis, options, &last, error))
            return false;
        options->seed = last + 1;
        return true;
    }
    struct span json;
    int found = look_up(redis, options, options->seed, &json, error);
    if (found > 0 && !options->again) {
        error_set(error,
                  "seed %" PRIu64
                  " was written here before: all its ids would be duplicates; choose "
                  "another --seed, leave it out, or say --again",
                  options->seed);
        return false;
    }
    return found >= 0;
}

bool
load_record_write(struct load_redis *redis, const struct load_options *options,
                  struct error_text *error)
{
    char key[RECORD_KEY_MAX];
    char field[24];
    char memory[RECORD_MAX];
    struct buffer json;
    key_of(options, key);
    (void)snprintf(field, sizeof field, "%" PRIu64, options->seed);
    buffer_init(&json, memory, sizeof memory);
    load_record_put(options, &json);
    const char *const parts[] = {"HSET", key, field, buffer_text(&json), NULL};
    return load_redis_ask(redis, parts, error) != NULL;
}
