#include "sender/cli/template_change.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"

#include <stdio.h>
#include <stdlib.h>

static void
on_bad(void *context, const struct error_text *error)
{
    const struct template_change *change = context;
    fprintf(stderr, "facteur %s: %s\n", change->verb, error->text);
}

static const char *
word_of(const struct stored_template *before, const struct stored_template *after)
{
    if (after->json.size == 0)
        return "removed";
    if (before == NULL || before->json.size == 0)
        return "added";
    return span_equal(before->json, after->json) ? "unchanged" : "changed";
}

static void
print_one(const struct template_change *change, const struct template_store *store,
          const struct stored_template *after, bool first)
{
    const struct stored_template *before = template_store_find(store, after->name, after->language);
    const char *word = word_of(before, after);
    struct span version = before == NULL ? SPAN("") : before->version;
    if (change->options->json) {
        printf("%s{\"action\":\"%s\",\"name\":\"%.*s\",\"lang\":\"%.*s\",\"before\":",
               first ? "" : ",", word, SPAN_ARG(after->name), SPAN_ARG(after->language));
        print_json_text(version);
        printf(",\"after\":");
        print_json_text(after->version);
        printf("}");
        return;
    }
    printf("%-10s", word);
    print_padded(after->name, 32);
    printf(" ");
    print_padded(after->language, 7);
    printf(" %-16.*s  %.*s\n", SPAN_ARG(version), SPAN_ARG(after->version));
}

static void
print_changes(const struct template_change *change, const struct template_store *store,
              const struct stored_template *changes, uint32_t count, uint64_t number)
{
    bool json = change->options->json;
    if (json)
        printf("{\"number\":%llu,\"dry_run\":%s,\"changes\":[", (unsigned long long)number,
               change->dry_run ? "true" : "false");
    for (uint32_t i = 0; i < count; i++)
        print_one(change, store, &changes[i], i == 0);
    if (json)
        printf("]}\n");
    else if (change->dry_run)
        printf("nothing was written (--dry-run)\n");
    else
        printf("catalogue %llu; running senders take it in within a second\n",
               (unsigned long long)number);
}

/* What is there already, word for word, is not written again. */
static uint32_t
without_unchanged(const struct template_store *store, const struct stored_template *changes,
                  uint32_t count, struct stored_template *written)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct stored_template *before =
            template_store_find(store, changes[i].name, changes[i].language);
        if (before == NULL || !span_equal(before->json, changes[i].json))
            written[kept++] = changes[i];
    }
    return kept;
}

static enum template_store_answer
try_once(const struct template_change *change, struct redis_sync *sync,
         const struct account_keys *keys, int *code)
{
    const struct stored_complaints complaints = {on_bad, (void *)(uintptr_t)change};
    struct template_store store;
    struct error_text error;
    enum template_store_answer answer = TEMPLATE_STORE_FAILED;
    struct stored_template *changes = check_alloc(2 * STORE_CHANGES_MAX, sizeof(*changes));
    struct stored_template *written = changes + STORE_CHANGES_MAX;
    *code = EXIT_UNAVAILABLE;
    if (!template_store_read(sync, keys, true, &complaints, &store, &error)) {
        fprintf(stderr, "facteur %s: %s\n", change->verb, error.text);
        free(changes);
        return answer;
    }
    uint64_t now_ms = clock_unix_ms();
    for (uint32_t i = 0; i < STORE_CHANGES_MAX; i++)
        changes[i] = (struct stored_template){.who = span_of(change->options->who),
                                              .why = span_of(change->options->why),
                                              .at_ms = now_ms};
    int count = change->plan(change->context, &store, changes);
    if (count >= 0) {
        uint32_t write = without_unchanged(&store, changes, (uint32_t)count, written);
        uint64_t number = store.number;
        answer = TEMPLATE_STORE_DONE;
        if (write > 0 && !change->dry_run)
            answer = template_store_change(sync, keys, &store, written, write, &number, &error);
        if (answer == TEMPLATE_STORE_DONE)
            print_changes(change, &store, changes, (uint32_t)count, number);
        else if (answer == TEMPLATE_STORE_FAILED)
            fprintf(stderr, "facteur %s: %s\n", change->verb, error.text);
    } else {
        *code = EXIT_NO;
    }
    template_store_close(&store);
    free(changes);
    return answer;
}

int
template_change_do(const struct template_change *change)
{
    struct account_keys keys;
    int code = EXIT_TRY_AGAIN;
    if (!template_options_keys(change->options, change->verb, &keys) ||
        !template_options_reason(change->options, change->verb))
        return EXIT_USAGE;
    struct redis_sync *sync = cli_store_open(&change->options->store, change->verb);
    if (sync == NULL)
        return EXIT_UNAVAILABLE;
    enum template_store_answer answer = TEMPLATE_STORE_CHANGED;
    for (int i = 0; answer == TEMPLATE_STORE_CHANGED && i < TEMPLATE_CHANGE_TRIES; i++)
        answer = try_once(change, sync, &keys, &code);
    redis_sync_close(sync);
    if (answer == TEMPLATE_STORE_CHANGED) {
        fprintf(stderr, "facteur %s: others change the catalogue all the time: try again\n",
                change->verb);
        return EXIT_TRY_AGAIN;
    }
    return answer == TEMPLATE_STORE_DONE ? EXIT_GOOD : code;
}
