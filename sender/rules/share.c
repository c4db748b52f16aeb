#include "sender/rules/share.h"

#include "sender/base/check.h"

#include <stddef.h>

enum {
    DEBT_TURNS_MAX = 64
}; /* what is owed beyond so many turns is let off: nobody waits longer */

void
share_init(struct share *share, uint32_t quantum)
{
    check(quantum > 0);
    *share = (struct share){.quantum = quantum};
}

bool
share_has(const struct share_turn *turn)
{
    return turn->next != NULL;
}

void
share_join(struct share *share, struct share_turn *turn)
{
    if (share_has(turn))
        return;
    if (turn->credit > 0)
        turn->credit = 0;
    share->count++;
    if (share->first == NULL) {
        turn->next = turn->previous = share->first = turn;
        return;
    }
    turn->next = share->first;
    turn->previous = share->first->previous;
    turn->previous->next = turn;
    turn->next->previous = turn;
}

void
share_leave(struct share *share, struct share_turn *turn)
{
    if (!share_has(turn))
        return;
    check(share->count > 0);
    share->count--;
    turn->next->previous = turn->previous;
    turn->previous->next = turn->next;
    if (share->first == turn)
        share->first = share->count > 0 ? turn->next : NULL;
    turn->next = turn->previous = NULL;
}

/* Its turn begins with a quantum. Who owes more than that passes: each time round it owes less. */
struct share_turn *
share_first(struct share *share)
{
    while (share->first != NULL && share->first->credit <= 0) {
        share->first->credit += share->quantum;
        if (share->first->credit <= 0)
            share->first = share->first->next;
    }
    return share->first;
}

uint32_t
share_credit(const struct share *share)
{
    check(share->first != NULL && share->first->credit > 0);
    return share->count == 1 ? UINT32_MAX : (uint32_t)share->first->credit;
}

void
share_pay(struct share *share, struct share_turn *turn, uint32_t units)
{
    int64_t debt_max = (int64_t)share->quantum * DEBT_TURNS_MAX;
    turn->credit -= units;
    if (turn->credit < -debt_max)
        turn->credit = -debt_max;
    if (turn->credit > 0 || share->first != turn)
        return;
    if (share->count == 1)
        turn->credit = 0; /* it took nothing from anybody */
    share->first = turn->next;
}

void
share_pass(struct share *share)
{
    check(share->first != NULL);
    if (share->first->credit > 0)
        share->first->credit = 0;
    share->first = share->first->next;
}
