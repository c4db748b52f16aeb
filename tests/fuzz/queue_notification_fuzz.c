/* A bulk field of any bytes: split, each line read. Then the same bytes as plain fields, one a
 * line, cut at the first equals sign. */
#include "queue/notification.h"
#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

static void
judge(enum notification_error error, const struct notification *notification)
{
    if (error != NOTIFICATION_OK) {
        check(strlen(notification_error_text(error)) > 0);
        return;
    }
    check((notification->to.size > 0) != (notification->recipient.size > 0));
    check(notification->parameter_count <= NOTIFICATION_PARAMETERS_MAX);
    for (uint32_t i = 0; i < notification->parameter_count; i++)
        check(notification->parameters[i].name.size > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span lines[QUEUE_BULK_MAX];
    struct field fields[QUEUE_BULK_MAX];
    struct notification notification;
    struct span field;
    char *copy = malloc(size + 1);
    memcpy(copy, data, size);
    uint32_t count = notification_split_bulk((struct span){.data = copy, .size = size}, lines);
    for (uint32_t i = 0; i < count; i++) {
        struct span rest = lines[i];
        fields[i].name = span_split(&rest, '=');
        fields[i].value = rest;
    }
    judge(notification_read(fields, count, &notification, &field), &notification);
    for (uint32_t i = 0; i < count; i++)
        judge(notification_read_line(lines[i], &notification, &field), &notification);
    free(copy);
    return 0;
}
