#include "sender/redis_info.h"

#include <stdio.h>

struct span
redis_info_value(struct span info, struct span name)
{
    while (info.data != NULL && info.size > 0) {
        struct span line = span_split(&info, '\n');
        if (span_starts(line, name) && line.size > name.size && line.data[name.size] == ':')
            return span_trim((struct span){line.data + name.size + 1, line.size - name.size - 1});
    }
    return (struct span){0};
}

void
redis_info_read(struct span text, struct redis_info *info)
{
    struct span run = redis_info_value(text, SPAN("run_id"));
    struct span replication = redis_info_value(text, SPAN("master_replid"));
    struct span host = redis_info_value(text, SPAN("master_host"));
    struct span port = redis_info_value(text, SPAN("master_port"));
    *info = (struct redis_info){0};
    if (run.size > 0 && run.size <= 40 && replication.size <= 40)
        snprintf(info->identity, sizeof(info->identity), "%.*s/%.*s", SPAN_ARG(run),
                 SPAN_ARG(replication));
    info->replica = span_equal(redis_info_value(text, SPAN("role")), SPAN("slave"));
    info->loading = span_equal(redis_info_value(text, SPAN("loading")), SPAN("1"));
    if (info->replica && host.size > 0)
        snprintf(info->master, sizeof(info->master), "%.*s port %.*s", SPAN_ARG(host),
                 SPAN_ARG(port));
}
