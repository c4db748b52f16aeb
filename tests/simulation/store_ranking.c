#include "tests/simulation/store_ranking.h"

#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

void
store_ranking_free(struct store_ranking *ranking)
{
    for (uint32_t i = 0; i < ranking->scores.count; i++)
        store_text_drop(ranking->sorted[i].member);
    free(ranking->sorted);
    store_dict_free(&ranking->scores);
    *ranking = (struct store_ranking){0};
}

struct store_ranking
store_ranking_copy(const struct store_ranking *ranking)
{
    uint32_t count = ranking->scores.count;
    struct store_ranking copy = {.scores = store_dict_copy(&ranking->scores), .capacity = count};
    copy.sorted = store_grown(NULL, (count + 1) * sizeof(*copy.sorted));
    for (uint32_t i = 0; i < count; i++) {
        copy.sorted[i] = ranking->sorted[i];
        store_text_hold(copy.sorted[i].member);
    }
    return copy;
}

uint32_t
store_ranking_count(const struct store_ranking *ranking)
{
    return ranking->scores.count;
}

bool
store_ranking_score(const struct store_ranking *ranking, struct span member, double *score)
{
    const struct store_entry *entry = store_dict_find(&ranking->scores, member);
    if (entry == NULL)
        return false;
    *score = entry->score;
    return true;
}

/* Below zero: the ranked one stands before score and member. */
static int
compare(const struct store_ranked *ranked, double score, struct span member)
{
    if (ranked->score != score)
        return ranked->score < score ? -1 : 1;
    struct span own = store_text_span(ranked->member);
    size_t shared = own.size < member.size ? own.size : member.size;
    int order = shared == 0 ? 0 : memcmp(own.data, member.data, shared);
    return order != 0 ? order : (own.size > member.size) - (own.size < member.size);
}

/* The place at which score and member stand, or should. `count` entries are sorted. */
static uint32_t
place_of(const struct store_ranking *ranking, uint32_t count, double score, struct span member)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(&ranking->sorted[middle], score, member) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
take_out(struct store_ranking *ranking, uint32_t count, double score, struct span member)
{
    uint32_t place = place_of(ranking, count, score, member);
    check(place < count && compare(&ranking->sorted[place], score, member) == 0);
    struct store_ranked *at = ranking->sorted + place;
    store_text_drop(at->member);
    memmove(at, at + 1, (count - place - 1) * sizeof(*at));
}

bool
store_ranking_set(struct store_ranking *ranking, struct span member, double score)
{
    uint32_t count = ranking->scores.count;
    struct store_entry *entry = store_dict_find(&ranking->scores, member);
    bool is_new = entry == NULL;
    if (is_new)
        entry = store_dict_add(&ranking->scores, member);
    else
        take_out(ranking, count--, entry->score, member);
    entry->score = score;
    STORE_GROW(ranking->sorted, count, ranking->capacity);
    uint32_t place = place_of(ranking, count, score, member);
    struct store_ranked *at = ranking->sorted + place;
    memmove(at + 1, at, (count - place) * sizeof(*at));
    *at = (struct store_ranked){.score = score, .member = store_text_hold(entry->name)};
    return is_new;
}

bool
store_ranking_remove(struct store_ranking *ranking, struct span member)
{
    struct store_entry *entry = store_dict_find(&ranking->scores, member);
    if (entry == NULL)
        return false;
    take_out(ranking, ranking->scores.count, entry->score, member);
    store_dict_remove(&ranking->scores, entry);
    return true;
}

uint32_t
store_ranking_place(const struct store_ranking *ranking, double score, bool above)
{
    uint32_t low = 0;
    uint32_t high = ranking->scores.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        double found = ranking->sorted[middle].score;
        if (found < score || (above && found == score))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
