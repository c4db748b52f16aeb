/*
 * verdict: the first byte chooses the HTTP status, the rest is the body. What is judged accepted
 * has an id that jansson finds too, what is judged an error has its code, and a body without its
 * last byte is never an answer.
 */
#include "sender/base/check.h"
#include "sender/graph/response.h"
#include "sender/graph/verdict.h"

#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct verdict verdict;

static void
judge(int status, struct span body)
{
    struct h2_exchange exchange = {.status = status, .complete = true};
    exchange.response =
        (struct buffer){.data = (char *)body.data, .size = body.size, .capacity = body.size};
    verdict_judge(&exchange, H2_ANSWERED, &verdict);
    check(verdict.reason.size <= sizeof(verdict.reason_text));
}

static void
check_with_jansson(struct span body)
{
    json_t *root = json_loadb(body.data, body.size, 0, NULL);
    check(json_is_object(root));
    if (verdict.kind == VERDICT_ACCEPTED) {
        const json_t *message = json_array_get(json_object_get(root, "messages"), 0);
        const json_t *id = json_object_get(message, "id");
        check(json_is_string(id));
        struct span text = {.data = json_string_value(id), .size = json_string_length(id)};
        check(text.size > 0 && text.size <= RESPONSE_ID_MAX && span_equal(text, verdict.wamid));
        check(json_is_null(json_object_get(root, "error")) ||
              json_object_get(root, "error") == NULL);
    } else {
        const json_t *code = json_object_get(json_object_get(root, "error"), "code");
        check(json_is_integer(code) && json_integer_value(code) == verdict.code);
    }
    json_decref(root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 201, 206, 301, 400, 401, 403, 404, 429, 500, 502, 503};
    if (size == 0)
        return 0;
    int status = statuses[data[0] % (sizeof(statuses) / sizeof(statuses[0]))];
    struct span body = {.data = (const char *)data + 1, .size = size - 1};
    judge(status, body);
    if (verdict.kind == VERDICT_UNCERTAIN)
        return 0;
    check_with_jansson(body);
    struct span cut = span_trim(body);
    cut.size--;
    judge(status, cut);
    check(verdict.kind == VERDICT_UNCERTAIN);
    return 0;
}
