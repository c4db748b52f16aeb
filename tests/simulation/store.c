#include "tests/simulation/store.h"

#include "queue/calls.h"
#include "sender/base/check.h"
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

#include <stdarg.h>
#include <stdlib.h>

enum { MEMORY_USED = 1024 * 1024, WORDS_MAX = 64 };

struct store_mark {
    struct store_keys keys;
    struct store_image *images; /* of the libraries; owned */
};

static void
make_id(struct store *store, char *id)
{
    for (int i = 0; i < 40; i++)
        id[i] = "0123456789abcdef"[random_below(&store->random, 16)];
    id[40] = '\0';
}

struct store *
store_open(const struct store_settings *settings)
{
    struct store *store = check_alloc(1, sizeof(*store));
    check(settings->now_us > 0);
    store->magic = STORE_MAGIC;
    random_seed(&store->random, settings->seed);
    store->shuffle = settings->in_order ? 0 : random_next(&store->random) | 1;
    store->now_us = settings->now_us;
    store->started_us = settings->now_us;
    store->memory_used = MEMORY_USED;
    make_id(store, store->run_id);
    make_id(store, store->replication_id);
    if (settings->begin != NULL)
        store->keys = store_keys_copy(&settings->begin->keys);
    store_functions_restart(store, settings->begin == NULL ? NULL : settings->begin->images);
    return store;
}

void
store_close(struct store *store)
{
    if (store == NULL)
        return;
    check_magic(store, STORE_MAGIC);
    check(store->clients == NULL);
    store_functions_close(&store->functions);
    store_keys_free(&store->keys);
    store_list_free(&store->ready);
    store_bytes_free(&store->call_reply);
    if (store->call_arena.data != NULL)
        arena_close(&store->call_arena);
    store->magic = 0;
    free(store);
}

/* ---- time ----------------------------------------------------------------------------------- */

void
store_set_time(struct store *store, uint64_t now_us)
{
    check_magic(store, STORE_MAGIC);
    check(now_us > 0);
    store->now_us = now_us;
    for (struct store_client *client = store->clients; client != NULL && store->blocked_count > 0;
         client = client->next) {
        const struct store_blockade *blockade = &client->blockade;
        if (!blockade->is_on || blockade->until_us == 0 || blockade->until_us > now_us)
            continue;
        store_reply_nil_array(&client->reply);
        store_client_unblock_now(client);
    }
    store_client_serve(store);
}

uint64_t
store_time(const struct store *store)
{
    return store->now_us;
}

bool
store_next_timeout(const struct store *store, uint64_t *at_us)
{
    bool found = false;
    for (const struct store_client *client = store->clients; client != NULL;
         client = client->next) {
        uint64_t until_us = client->blockade.until_us;
        if (!client->blockade.is_on || until_us == 0 || (found && until_us >= *at_us))
            continue;
        *at_us = until_us;
        found = true;
    }
    return found;
}

/* ---- faults --------------------------------------------------------------------------------- */

struct store_mark *
store_mark(struct store *store)
{
    struct store_mark *mark = check_alloc(1, sizeof(*mark));
    mark->keys = store_keys_copy(&store->keys);
    mark->images = store_images_take(&store->functions);
    return mark;
}

void
store_mark_drop(struct store_mark *mark)
{
    if (mark == NULL)
        return;
    store_keys_free(&mark->keys);
    store_images_drop(mark->images);
    free(mark);
}

void
store_crash(struct store *store, const struct store_mark *mark)
{
    check_magic(store, STORE_MAGIC);
    store_client_crash_all(store);
    store_list_free(&store->ready);
    store->client_ids = 0;
    store->started_us = store->now_us;
    make_id(store, store->run_id);
    struct store_image *own = mark == NULL ? store_images_take(&store->functions) : NULL;
    store_functions_restart(store, mark == NULL ? own : mark->images);
    store_images_drop(own);
    if (mark != NULL) {
        store_keys_free(&store->keys);
        store->keys = store_keys_copy(&mark->keys);
    }
}

void
store_set_trouble(struct store *store, enum store_trouble trouble)
{
    store->trouble = trouble;
}

void
store_set_memory(struct store *store, uint64_t used, uint64_t max)
{
    store->memory_used = used;
    store->memory_max = max;
}

/* ---- direct access -------------------------------------------------------------------------- */

const struct reply *
store_call(struct store *store, const struct span *words, size_t count)
{
    check_magic(store, STORE_MAGIC);
    struct store_request request = {
        .store = store, .words = words, .count = count, .reply = &store->call_reply};
    store->call_reply.size = 0;
    const struct store_command *command = store_command_find(words, count);
    if (store_command_is_sound(command, &request))
        store_command_run(command, &request);
    store_client_serve(store);
    return store_reply_read(store_bytes_span(&store->call_reply), &store->call_arena);
}

const struct reply *
store_words(struct store *store, const char *word, ...)
{
    struct span words[WORDS_MAX];
    size_t count = 0;
    va_list arguments;
    va_start(arguments, word);
    for (; word != NULL; word = va_arg(arguments, const char *)) {
        check(count < WORDS_MAX);
        words[count++] = span_of(word);
    }
    va_end(arguments);
    return store_call(store, words, count);
}

void
store_load_library(struct store *store)
{
    const struct span words[] = {
        SPAN("FUNCTION"), SPAN("LOAD"), SPAN("REPLACE"), {library_text, library_size}};
    const struct reply *reply = store_call(store, words, 4);
    check(reply->type == REPLY_STRING);
}

uint64_t
store_command_count(const struct store *store)
{
    return store->commands;
}
