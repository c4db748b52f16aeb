#include "tests/simulation/operators.h"

#include "tests/simulation/run.h"

#include <stdio.h>

enum { DEAD_MAX = 16 };

/* What somebody found in dead, and chose. */
struct dead_choice {
    struct notice *notice;
    bool told; /* its end was told as an outcome: it is not parked */
    char id[32];
};

static void
call_pause(struct run *run, uint32_t account, const char *word)
{
    const struct reply *reply =
        redis_words(&run->redis, "FCALL", "facteur_pause", "2", notices_account(account),
                    "facteur:{acme}", word, "operator", "simulated", NULL);
    world_tell(&run->world, "operator", "%s account %u: %s", word, account,
               reply == NULL ? "redis is away" : "done");
}

void
operators_pause(struct run *run, uint32_t account)
{
    call_pause(run, account, "pause");
}

void
operators_resume(struct run *run, uint32_t account)
{
    call_pause(run, account, "resume");
}

void
operators_bring_token(struct run *run)
{
    for (uint32_t i = 0; i < GRAPH_ACCOUNTS_MAX; i++)
        run->graph.token_is_bad[i] = false;
}

/* ---- what is dead -----------------------------------------------------------------------------
 */

static bool
read_choice(struct run *run, uint32_t account, const struct reply *dead, struct dead_choice *choice)
{
    const struct reply *fields = reply_at(dead, 1);
    struct span entry = {0};
    struct span type = {0};
    for (size_t i = 0; fields != NULL && i + 1 < fields->count; i += 2) {
        if (reply_is_text(fields->elements[i], "entry"))
            entry = fields->elements[i + 1]->text;
        if (reply_is_text(fields->elements[i], "type"))
            type = fields->elements[i + 1]->text;
    }
    choice->notice = notices_find(&run->notices, account, entry);
    choice->told = !span_equal(type, SPAN("uncertain"));
    snprintf(choice->id, sizeof(choice->id), "%.*s", SPAN_ARG(dead->elements[0]->text));
    return choice->notice != NULL;
}

static uint32_t
choose_dead(struct run *run, uint32_t account, struct dead_choice *choices)
{
    char key[64];
    uint32_t count = 0;
    snprintf(key, sizeof(key), "%s:dead", notices_account(account));
    const struct reply *dead = redis_words(&run->redis, "XRANGE", key, "-", "+", NULL);
    for (size_t i = 0; dead != NULL && i < dead->count && count < DEAD_MAX; i++)
        if (read_choice(run, account, dead->elements[i], &choices[count]) &&
            world_chance(&run->world, 500000))
            count++;
    return count;
}

static bool
is_done(struct run *run, const struct dead_choice *choice, const struct reply *reply,
        const char *what)
{
    const struct reply *answer = reply_at(reply, 0);
    if (answer == NULL || !reply_is_text(answer, "ok"))
        return false;
    world_tell(&run->world, "operator", "%s N-%u", what, choice->notice->number);
    return true;
}

void
operators_requeue(struct run *run, uint32_t account)
{
    struct dead_choice choices[DEAD_MAX];
    uint32_t count = choose_dead(run, account, choices);
    for (uint32_t i = 0; i < count; i++) {
        const struct reply *reply =
            redis_words(&run->redis, "FCALL", "facteur_requeue", "2", notices_account(account),
                        "facteur:{acme}", "operator", "simulated", "1", choices[i].id, NULL);
        if (!is_done(run, &choices[i], reply, "requeues"))
            continue;
        choices[i].notice->requeued += choices[i].told ? 1 : 0;
        choices[i].notice->requeued_us = run->world.now_us;
    }
}

void
operators_purge(struct run *run, uint32_t account)
{
    struct dead_choice choices[DEAD_MAX];
    uint32_t count = choose_dead(run, account, choices);
    for (uint32_t i = 0; i < count; i++) {
        const struct reply *reply = redis_words(
            &run->redis, "FCALL", "facteur_purge", "2", notices_account(account), "facteur:{acme}",
            "operator", "simulated", "3600000", "1", choices[i].id, NULL);
        if (!is_done(run, &choices[i], reply, "purges"))
            continue;
        choices[i].notice->purged += choices[i].told ? 0 : 1; /* that was its end */
        choices[i].notice->purged_us = run->world.now_us;
    }
}
