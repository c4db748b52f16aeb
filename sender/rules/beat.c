#include "sender/rules/beat.h"

bool
beat_look(struct beat_watch *watch, uint64_t beat, uint64_t now_us, uint64_t lease_us)
{
    bool known = watch->looked && watch->beat == beat;
    uint64_t gap_us = known && now_us > watch->looked_us ? now_us - watch->looked_us : 0;
    watch->beat = beat;
    watch->looked = true;
    watch->looked_us = now_us;
    watch->still_us = known ? watch->still_us : 0;
    watch->still_us += gap_us < lease_us / 2 ? gap_us : lease_us / 2;
    if (!known || watch->still_us < lease_us)
        return false;
    watch->still_us = 0;
    return true;
}
