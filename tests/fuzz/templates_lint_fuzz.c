/* Any bytes as a template file: the lint finds something, or it is one that can be used; and as a
 * record of Redis. */
#include "sender/base/check.h"
#include "templates/lint.h"
#include "templates/stored.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
lint(struct span text)
{
    static struct lint_report report;
    struct error_text error;
    struct template *linted = lint_read(text, &report);
    struct template *read = template_read(text, "fuzz", &error);
    check((linted == NULL) == (report.errors > 0));
    check(linted == NULL || (read != NULL && read->version == linted->version));
    for (uint32_t i = 0; i < report.count; i++)
        check(report.findings[i].line >= 1 && report.findings[i].column >= 1 &&
              report.findings[i].text[0] != '\0');
    template_close(linted);
    template_close(read);
}

/* What is read as a record and written again must be the same. */
static void
store(struct span text)
{
    struct stored_template first;
    struct stored_template second;
    struct error_text error;
    struct buffer out;
    char *copy = malloc(text.size + 1);
    size_t capacity = text.size * 6 + 256;
    char *again = malloc(capacity);
    memcpy(copy, text.data, text.size);
    if (stored_read(SPAN("a/fr"), (struct span){copy, text.size}, &first, &error)) {
        buffer_init(&out, again, capacity);
        stored_put_value(&first, &out);
        check(!out.overflow);
        check(stored_read(SPAN("a/fr"), buffer_span(&out), &second, &error));
        check(span_equal(first.json, second.json) && span_equal(first.who, second.who) &&
              first.at_ms == second.at_ms);
    }
    free(copy);
    free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    if (size == 0)
        return 0;
    lint(text);
    store(text);
    return 0;
}
