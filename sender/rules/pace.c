#include "sender/rules/pace.h"

#include "sender/base/check.h"

enum { RATE_MAX = 1000000, PERIOD_MAX_S = 24 * 3600 };

/* "s", "6s", "m", "h" as microseconds. */
static bool
read_period(struct span text, uint64_t *period_us)
{
    uint64_t number = 1;
    uint64_t unit_s;
    if (text.size == 0)
        return false;
    switch (text.data[text.size - 1]) {
    case 's':
        unit_s = 1;
        break;
    case 'm':
        unit_s = 60;
        break;
    case 'h':
        unit_s = 3600;
        break;
    default:
        return false;
    }
    text.size--;
    if (text.size > 0 && (!span_to_u64(text, &number) || number == 0 || number > PERIOD_MAX_S))
        return false;
    *period_us = number * unit_s * 1000000;
    return number * unit_s <= PERIOD_MAX_S;
}

bool
pace_read(struct span text, struct pace *pace, struct error_text *error)
{
    struct span rest = text;
    struct span rate = span_trim(span_split(&rest, ','));
    struct span option = span_trim(rest);
    struct span period = rate;
    struct span count = span_split(&period, '/');
    *pace = (struct pace){0};
    if (!span_to_u64(count, &pace->count) || pace->count == 0 ||
        !read_period(period, &pace->period_us) ||
        pace->count * 1000000 / pace->period_us > RATE_MAX || pace->count > RATE_MAX) {
        error_set(error,
                  "pace: \"%.*s\" is not a rate: write 80/s, 10/m or 1/6s, from 1 to %d a second",
                  SPAN_ARG(text), RATE_MAX);
        return false;
    }
    pace->burst = pace->count * 100000 / pace->period_us;
    if (pace->burst == 0)
        pace->burst = 1;
    if (option.size == 0)
        return true;
    struct span prefix = SPAN("burst=");
    if (span_starts(option, prefix) &&
        span_to_u64((struct span){option.data + prefix.size, option.size - prefix.size},
                    &pace->burst) &&
        pace->burst >= 1 && pace->burst <= RATE_MAX)
        return true;
    error_set(error, "pace: \"%.*s\": after the comma only burst=N, from 1 to %d", SPAN_ARG(text),
              RATE_MAX);
    return false;
}

/*
 * The bucket is a time: how long it has been filling. A token is period / count; a full bucket
 * has filled for burst tokens and forgets what is more. So there are no fractions to lose.
 */
static uint64_t
cost_us(const struct pace_bucket *bucket, uint64_t tokens)
{
    return (tokens * bucket->pace.period_us + bucket->pace.count - 1) / bucket->pace.count;
}

/* `filled_us`, but not longer ago than a full bucket needs. */
static uint64_t
start_us(const struct pace_bucket *bucket, uint64_t now_us)
{
    uint64_t full_us = cost_us(bucket, bucket->pace.burst);
    uint64_t earliest_us = now_us > full_us ? now_us - full_us : 0;
    return bucket->filled_us > earliest_us ? bucket->filled_us : earliest_us;
}

void
pace_bucket_init(struct pace_bucket *bucket, const struct pace *pace, uint32_t workers,
                 uint64_t now_us)
{
    check(workers > 0);
    (void)now_us;
    *bucket = (struct pace_bucket){.pace = *pace};
    bucket->pace.period_us *= workers; /* an equal part of the rate for each */
    if (bucket->pace.burst > workers)
        bucket->pace.burst /= workers;
    else
        bucket->pace.burst = 1;
}

uint32_t
pace_room(const struct pace_bucket *bucket, uint64_t now_us)
{
    if (bucket->pace.count == 0)
        return UINT32_MAX;
    uint64_t since_us = start_us(bucket, now_us);
    if (since_us >= now_us)
        return 0;
    uint64_t room = (now_us - since_us) * bucket->pace.count / bucket->pace.period_us;
    return room < bucket->pace.burst ? (uint32_t)room : (uint32_t)bucket->pace.burst;
}

void
pace_take(struct pace_bucket *bucket, uint32_t count, uint64_t now_us)
{
    if (bucket->pace.count == 0)
        return;
    bucket->filled_us = start_us(bucket, now_us) + cost_us(bucket, count);
}

uint64_t
pace_next_us(const struct pace_bucket *bucket, uint32_t count, uint64_t now_us)
{
    if (bucket->pace.count == 0)
        return now_us;
    if (count > bucket->pace.burst)
        count = (uint32_t)bucket->pace.burst;
    if (pace_room(bucket, now_us) >= count)
        return now_us;
    return start_us(bucket, now_us) + cost_us(bucket, count);
}

uint64_t
pace_wait_us(const struct pace_bucket *bucket, uint32_t count, uint64_t now_us)
{
    if (bucket->pace.count == 0)
        return 0;
    uint64_t end_us = start_us(bucket, now_us) + cost_us(bucket, count);
    return end_us > now_us ? end_us - now_us : 0;
}

uint32_t
pace_worth(const struct pace_bucket *bucket)
{
    return bucket->pace.burst < 2 ? 1 : (uint32_t)(bucket->pace.burst / 2);
}
