#include "sender/graph/error_table.h"

#include <stddef.h>

#define GRAPH_ERROR(first, last, http, kind, words)                                                \
    {.code_first = (first),                                                                        \
     .code_last = (last),                                                                          \
     .http_status = (http),                                                                        \
     .class = GRAPH_ERROR_##kind,                                                                  \
     .title = (words)},

static const struct graph_error errors[] = {
#include "sender/graph/error_table.inc"
};

const struct graph_error *
error_table_find(int32_t code)
{
    size_t low = 0;
    size_t high = sizeof(errors) / sizeof(errors[0]);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code < errors[middle].code_first)
            high = middle;
        else if (code > errors[middle].code_last)
            low = middle + 1;
        else
            return &errors[middle];
    }
    return NULL;
}

const char *graph_error_class_text(enum graph_error_class class)
{
    switch (class) {
    case GRAPH_ERROR_NONE:
        return "none";
    case GRAPH_ERROR_BACKOFF:
        return "backoff";
    case GRAPH_ERROR_RETRY_LIMITED:
        return "retry_limited";
    case GRAPH_ERROR_PAIR_BACKOFF:
        return "pair_backoff";
    case GRAPH_ERROR_DROP:
        return "drop";
    case GRAPH_ERROR_DEFER_24H:
        return "defer_24h";
    case GRAPH_ERROR_REROUTE_TEMPLATE:
        return "reroute_template";
    case GRAPH_ERROR_REROUTE_CLOUD:
        return "reroute_cloud";
    case GRAPH_ERROR_STOP_TEMPLATE:
        return "stop_template";
    case GRAPH_ERROR_STOP_COUNTRY:
        return "stop_country";
    case GRAPH_ERROR_STOP_PHONE:
        return "stop_phone";
    case GRAPH_ERROR_STOP_ACCOUNT:
        return "stop_account";
    case GRAPH_ERROR_OPERATOR:
        return "operator";
    }
    return "unknown";
}
