/* Callback data of any bytes. What is read is within its bounds, and is written as it was. */
#include "queue/callback.h"
#include "sender/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct callback callback;
    struct callback again;
    struct buffer out;
    char memory[CALLBACK_SIZE_MAX];
    if (!callback_read((struct span){.data = (const char *)data, .size = size}, &callback))
        return 0;
    struct receipt receipt = callback_receipt(&callback);
    check(receipt_is_good(&receipt));
    buffer_init(&out, memory, sizeof(memory));
    callback_put(&callback, &out);
    check(!out.overflow); /* numbers may have lost zeros in front */
    check(callback_read(buffer_span(&out), &again));
    check(span_equal(again.member, callback.member) && again.index == callback.index &&
          again.millionths == callback.millionths && span_equal(again.cell, callback.cell));
    return 0;
}
