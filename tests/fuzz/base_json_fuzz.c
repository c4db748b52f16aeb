/* Any bytes through the flat reader; what it gives out is written and must read back the same. */
#include "sender/base/check.h"
#include "sender/base/json.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 70 };

static bool
lies_in(struct span part, const char *memory, size_t size)
{
    return part.data >= memory && part.data <= memory + size &&
           part.size <= (size_t)(memory + size - part.data);
}

static void
read_back(struct span text)
{
    size_t capacity = text.size * 6 + 16;
    char *memory = check_alloc(1, capacity);
    struct buffer out;
    buffer_init(&out, memory, capacity);
    buffer_put_text(&out, "{\"a\":");
    json_put_string(&out, text);
    buffer_put_char(&out, '}');
    check(!out.overflow);
    struct field field;
    struct json_object object = {.fields = &field, .capacity = 1};
    check(json_read_flat(buffer_span(&out), &object, NULL) == JSON_OK && object.count == 1);
    check(span_is_utf8(field.value));
    check(!span_is_utf8(text) || span_equal(field.value, text));
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_back((struct span){.data = (const char *)data, .size = size});
    char *copy = check_alloc(1, size + 1);
    if (size > 0)
        memcpy(copy, data, size);
    struct field fields[FIELDS_MAX];
    struct json_object object = {.fields = fields, .capacity = size % 2 == 0 ? FIELDS_MAX : 3};
    uint64_t raw;
    enum json_error error =
        json_read_flat((struct span){.data = copy, .size = size}, &object, &raw);
    check(object.error_at <= size && object.count <= object.capacity);
    for (size_t i = 0; i < object.count; i++) {
        check(lies_in(fields[i].name, copy, size) && lies_in(fields[i].value, copy, size));
        check(span_is_utf8(fields[i].name) && span_is_utf8(fields[i].value));
        read_back(fields[i].value);
    }
    check(error != JSON_DUPLICATE || lies_in(fields[object.count].name, copy, size));
    free(copy);
    return 0;
}
