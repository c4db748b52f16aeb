/* A session fed whatever comes, in pieces whose sizes the input chooses; every call's reader sees
 * each reply. */
#include "queue/calls.h"

static void
touch(const struct reply *reply)
{
    struct claim_reply claim;
    struct grant_reply grant;
    struct beat_reply beat;
    struct span bits;
    uint64_t numbers[2];
    int64_t number;
    if (claim_read(reply, &claim)) {
        for (size_t i = 0; i < claim.part_count; i++) {
            struct claim_part part;
            if (!claim_read_part(&claim, i, &part))
                continue;
            for (size_t j = 0; j < part.entry_count; j++) {
                struct claim_entry entry;
                struct field fields[8];
                size_t count;
                if (claim_read_entry(&part, j, &entry))
                    (void)claim_entry_fields(&entry, fields, 8, &count);
            }
        }
    }
    (void)grant_read(reply, 3, &grant);
    if (beat_read(reply, &beat)) {
        for (size_t i = 0; i < beat.worker_count; i++) {
            struct beat_worker worker;
            (void)beat_read_worker(&beat, i, &worker);
        }
    }
    if (settle_is_read(reply, 2) && !settle_read(reply, 1, &bits))
        (void)settle_bit(bits, 5);
    (void)recover_read(reply, &numbers[0], &numbers[1]);
    (void)stats_read(reply, "waiting", &number);
    (void)session_trouble_text(session_trouble_of(reply));
}

static void
on_reply(void *context, const struct reply *reply)
{
    (void)context;
    touch(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct session_settings settings = {
        .output_size = 1024, .arena_size = 4096, .waiting_max = 16, .password = "secret"};
    const struct span part = SPAN("X");
    if (size == 0)
        return 0;
    struct session *session = session_open(&settings);
    session_connected(session);
    while (session_command(session, &part, 1, on_reply, NULL))
        continue;
    size_t step = 1 + data[0] % 64;
    for (size_t at = 1; at < size; at += step) {
        size_t piece = size - at < step ? size - at : step;
        if (!session_receive(session, (const char *)data + at, piece))
            break;
    }
    session_lost(session);
    session_close(session);
    return 0;
}
