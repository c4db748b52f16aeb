/* The JSON object `params` for a template that has every part; what is taken must render. */
#include "templates/values.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char json[] =
    "{\"name\":\"a\",\"language\":\"en\",\"category\":\"UTILITY\",\"components\":["
    "{\"type\":\"HEADER\",\"format\":\"DOCUMENT\"},"
    "{\"type\":\"BODY\",\"text\":\"{{1}} and {{2}}\"},{\"type\":\"FOOTER\",\"text\":\"f\"},"
    "{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"QUICK_REPLY\",\"text\":\"r\"},"
    "{\"type\":\"URL\",\"text\":\"u\",\"url\":\"https://a.b/{{1}}\"},"
    "{\"type\":\"COPY_CODE\"}]}]}";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char arena_memory[4096];
    static char rendered[16384];
    struct error_text error;
    struct template *template = template_read(span_of(json), "input", &error);
    struct arena arena = {.data = arena_memory, .capacity = sizeof(arena_memory)};
    size_t half = size / 2;
    struct field one = {SPAN("1"), {(const char *)data, half}};
    struct values_input input = {
        .fields = &one, .count = size > 0 && data[0] != '{', .params = {(const char *)data, size}};
    if (input.count == 1)
        input.params = (struct span){(const char *)data + half, size - half};
    struct values values;
    struct span field;
    struct buffer text;
    buffer_init(&text, rendered, sizeof(rendered));
    if (values_read(template, &input, &arena, &values, &field) == VALUES_OK &&
        !values_render(template, &values, &text))
        abort();
    template_close(template);
    return 0;
}
