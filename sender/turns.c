#include "sender/turns.h"

#include "sender/base/check.h"

enum {
    CLAIM_QUANTUM = CLAIM_MEMBERS_MAX,   /* a claim */
    GRANT_QUANTUM = LIMIT(64, 8),        /* small enough that a newcomer's turn comes soon */
    SEND_QUANTUM = LIMIT(64, 8),         /* likewise */
    SETTLE_QUANTUM = SETTLE_MEMBERS_MAX, /* a settle */
};

static void
on_wake(struct timer *timer)
{
    struct account *account = container_of(timer, struct account, wake);
    check_magic(account->worker, WORKER_MAGIC);
    turns_stir(account);
    turns_wait(account);
}

void
turns_open(struct worker *worker)
{
    share_init(&worker->claims, CLAIM_QUANTUM);
    share_init(&worker->grants_wanted, GRANT_QUANTUM);
    share_init(&worker->sends, SEND_QUANTUM);
    share_init(&worker->settles, SETTLE_QUANTUM);
    for (uint32_t i = 0; i < worker->account_count; i++)
        timer_init(&worker->accounts[i].wake, on_wake);
}

/* ---- wanting --------------------------------------------------------------------------------- */

static void
join(struct account *account, struct share *share, struct share_turn *turn)
{
    share_join(share, turn);
    worker_work_later(account->worker);
}

void
turns_want_claim(struct account *account)
{
    account->has_more = true;
    if (account->claiming)
        account->wanted_again = true;
    else
        join(account, &account->worker->claims, &account->claim_turn);
}

void
turns_want_grant(struct account *account)
{
    join(account, &account->worker->grants_wanted, &account->grant_turn);
}

void
turns_want_send(struct account *account)
{
    join(account, &account->worker->sends, &account->send_turn);
}

void
turns_want_settle(struct account *account)
{
    if (!account->settling_now)
        join(account, &account->worker->settles, &account->settle_turn);
}

void
turns_stir(struct account *account)
{
    uint64_t now_us = loop_now_us(account->worker->loop);
    if (account->due_us != 0 && account->due_us <= now_us) {
        account->due_us = 0;
        account->has_more = true;
    }
    if (account->has_more && !account->claiming)
        turns_want_claim(account);
    if (account->ready_count > 0)
        turns_want_grant(account);
    if (account->sending.count > 0)
        turns_want_send(account);
    if (account->settling.count > 0 || account->finished != NULL)
        turns_want_settle(account);
}

void
turns_stir_all(struct worker *worker, uint32_t business)
{
    for (uint32_t i = 0; i < worker->account_count; i++)
        if (business == TURNS_ALL || worker->accounts[i].settings->business == business)
            turns_stir(&worker->accounts[i]);
}

/* ---- waiting --------------------------------------------------------------------------------- */

void
turns_wait(struct account *account)
{
    struct worker *worker = account->worker;
    uint64_t now_us = loop_now_us(worker->loop);
    uint64_t next_us = UINT64_MAX;
    uint32_t worth = pace_worth(&account->pace);
    if (worth > account->ready_count)
        worth = account->ready_count;
    const uint64_t times_us[] = {account->due_us, account->paused_until_us,
                                 account->settle_after_us, account->ask_after_us,
                                 worth > 0 ? pace_next_us(&account->pace, worth, now_us) : 0};
    for (size_t i = 0; i < sizeof(times_us) / sizeof(times_us[0]); i++)
        if (times_us[i] > now_us && times_us[i] < next_us)
            next_us = times_us[i];
    if (next_us == UINT64_MAX)
        timer_stop(loop_timers(worker->loop), &account->wake);
    else
        timer_start(loop_timers(worker->loop), &account->wake, next_us);
}

/* ---- whose turn it is ------------------------------------------------------------------------ */

struct account *
turns_first_claim(struct worker *worker)
{
    struct share_turn *turn = share_first(&worker->claims);
    return turn != NULL ? container_of(turn, struct account, claim_turn) : NULL;
}

struct account *
turns_first_grant(struct worker *worker)
{
    struct share_turn *turn = share_first(&worker->grants_wanted);
    return turn != NULL ? container_of(turn, struct account, grant_turn) : NULL;
}

struct account *
turns_first_send(struct worker *worker)
{
    struct share_turn *turn = share_first(&worker->sends);
    return turn != NULL ? container_of(turn, struct account, send_turn) : NULL;
}

struct account *
turns_first_settle(struct worker *worker)
{
    struct share_turn *turn = share_first(&worker->settles);
    return turn != NULL ? container_of(turn, struct account, settle_turn) : NULL;
}
