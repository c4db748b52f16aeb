#include "sender/redis_setup.h"

#include "queue/calls.h"
#include "sender/base/log.h"
#include "sender/base/random.h"
#include "sender/redis_info.h"

#include <stdio.h>
#include <string.h>

enum { SECRET_SIZE = 32, REDIS_MAJOR_MIN = 7 };

static bool
need_version(struct redis_sync *sync, struct error_text *error)
{
    const struct reply *info = redis_sync_words(sync, "INFO", "server", NULL);
    if (info == NULL || info->type != REPLY_STRING) {
        error_set(error, "Redis did not answer INFO: %s",
                  info == NULL ? redis_sync_trouble(sync)
                               : "is the command allowed for this user?");
        return false;
    }
    struct span version = redis_info_value(info->text, SPAN("redis_version"));
    struct span rest = version;
    uint64_t major = 0;
    (void)span_to_u64(span_split(&rest, '.'), &major);
    if (major >= REDIS_MAJOR_MIN)
        return true;
    error_set(error, "Redis %.*s is too old: facteur needs 7.0 or newer (functions)",
              SPAN_ARG(version));
    return false;
}

int
redis_setup_order(struct span a, struct span b)
{
    while (a.data != NULL || b.data != NULL) {
        uint64_t x = 0;
        uint64_t y = 0;
        (void)span_to_u64(span_split(&a, '.'), &x);
        (void)span_to_u64(span_split(&b, '.'), &y);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

bool
redis_setup_library(struct redis_sync *sync, struct error_text *error)
{
    if (!need_version(sync, error))
        return false;
    const struct reply *known = redis_sync_words(sync, "FCALL_RO", "facteur_version", "0", NULL);
    if (known != NULL && known->type == REPLY_STRING) {
        int order = redis_setup_order(known->text, span_of(library_version));
        if (order == 0)
            return true;
        if (order > 0) {
            error_set(
                error,
                "Redis has the function library facteur %.*s, this program brings %s: use the "
                "newer facteur",
                SPAN_ARG(known->text), library_version);
            return false;
        }
    }
    const struct span load[] = {
        SPAN("FUNCTION"), SPAN("LOAD"), SPAN("REPLACE"), {library_text, library_size}};
    const struct reply *loaded = redis_sync_command(sync, load, 4);
    if (loaded != NULL && loaded->type != REPLY_ERROR) {
        log_line(LOG_INFO, "library_loaded", "version=%s", library_version);
        return true;
    }
    if (loaded == NULL)
        error_set(error, "loading the function library: %s", redis_sync_trouble(sync));
    else
        error_set(error, "loading the function library: %s (%.*s)",
                  session_trouble_text(session_trouble_of(loaded)), SPAN_ARG(loaded->text));
    return false;
}

struct span
redis_setup_config(struct redis_sync *sync, const char *name)
{
    const struct reply *reply = redis_sync_words(sync, "CONFIG", "GET", name, NULL);
    const struct reply *value = reply == NULL ? NULL : reply_at(reply, 1);
    return value == NULL ? (struct span){0} : value->text;
}

void
redis_setup_warn(struct redis_sync *sync)
{
    struct span eviction = redis_setup_config(sync, "maxmemory-policy");
    if (eviction.size > 0 && !span_equal(eviction, SPAN("noeviction")))
        log_line(LOG_WARN, "redis_eviction",
                 "maxmemory-policy=%.*s meaning=\"Redis may throw notifications away\" "
                 "remedy=\"set maxmemory-policy noeviction\"",
                 SPAN_ARG(eviction));
    struct span append = redis_setup_config(sync, "appendonly");
    if (append.size > 0 && !span_equal(append, SPAN("yes"))) {
        log_line(LOG_WARN, "redis_persistence",
                 "appendonly=no meaning=\"a restart of Redis loses notifications and outcomes\" "
                 "remedy=\"set appendonly yes and appendfsync always\"");
        return;
    }
    struct span sync_setting = redis_setup_config(sync, "appendfsync");
    if (sync_setting.size > 0 && !span_equal(sync_setting, SPAN("always")))
        log_line(LOG_WARN, "redis_persistence",
                 "appendfsync=%.*s meaning=\"a crash may forget the last second: a message sent in "
                 "it may be sent again\" remedy=\"appendfsync always\"",
                 SPAN_ARG(sync_setting));
}

static bool
fetch_secret(struct redis_sync *sync, const struct account_keys *keys, struct digest_key *key,
             struct error_text *error)
{
    char name[KEYS_BASE_MAX + 8];
    uint8_t fresh[SECRET_SIZE];
    char hex[2 * SECRET_SIZE + 1];
    struct buffer text;
    random_secret(fresh, sizeof(fresh));
    buffer_init(&text, hex, sizeof(hex));
    buffer_put_hex(&text, fresh, sizeof(fresh));
    snprintf(name, sizeof(name), "%s:secret", keys->business);
    (void)redis_sync_words(sync, "SET", name, buffer_text(&text), "NX", NULL);
    const struct reply *secret = redis_sync_words(sync, "GET", name, NULL);
    if (secret == NULL || secret->type != REPLY_STRING || secret->text.size == 0) {
        error_set(error, "cannot read or make the key %s: %.*s", name,
                  secret == NULL ? 0 : (int)secret->text.size,
                  secret == NULL ? "" : secret->text.data);
        return false;
    }
    digest_key_init(key, secret->text.data, secret->text.size);
    return true;
}

bool
redis_setup_secrets(struct redis_sync *sync, struct sender *sender, struct error_text *error)
{
    for (uint32_t i = 0; i < sender->business_count; i++)
        if (!fetch_secret(sync, &sender->accounts[sender->businesses[i]].keys, &sender->secrets[i],
                          error))
            return false;
    return true;
}
