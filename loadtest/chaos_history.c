#include "loadtest/chaos_history.h"

void
chaos_history_forget(struct chaos_history *history)
{
    history->count = 0;
}

void
chaos_history_note(struct chaos_history *history, uint64_t now_us, uint64_t value)
{
    if (history->count > 0) {
        uint64_t last = (history->count - 1) % CHAOS_SAMPLES;
        if (now_us - history->samples[last].at_us < CHAOS_SAMPLE_EVERY_US)
            return;
    }
    history->samples[history->count++ % CHAOS_SAMPLES] =
        (struct chaos_sample){.at_us = now_us, .value = value};
}

uint64_t
chaos_history_at(const struct chaos_history *history, uint64_t at_us)
{
    uint64_t kept = history->count < CHAOS_SAMPLES ? history->count : CHAOS_SAMPLES;
    const struct chaos_sample *sample = NULL;
    for (uint64_t i = 1; i <= kept; i++) {
        sample = &history->samples[(history->count - i) % CHAOS_SAMPLES];
        if (sample->at_us <= at_us)
            break;
    }
    return sample == NULL ? 0 : sample->value;
}
