#include "sender/cost/rate_findings.h"
#include "sender/base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(check_alloc(1, size), text, size);
}

void
rate_findings_add(struct rate_findings *findings, enum rate_level level, struct rate_site site,
                  const char *remedy, const char *format, ...)
{
    va_list arguments;
    findings->errors += level == RATE_ERROR ? 1 : 0;
    if (findings->items == NULL)
        findings->items = check_alloc(RATE_FINDINGS_MAX, sizeof(*findings->items));
    if (findings->count == RATE_FINDINGS_MAX) {
        findings->left_out++;
        return;
    }
    struct rate_finding *finding = &findings->items[findings->count++];
    *finding =
        (struct rate_finding){.level = level, .file = copy_text(site.file), .line = site.line};
    va_start(arguments, format);
    (void)vsnprintf(finding->what, sizeof(finding->what), format, arguments);
    va_end(arguments);
    (void)snprintf(finding->remedy, sizeof(finding->remedy), "%s", remedy);
}

void
rate_findings_close(struct rate_findings *findings)
{
    for (uint32_t i = 0; i < findings->count; i++)
        free(findings->items[i].file);
    free(findings->items);
    *findings = (struct rate_findings){.count = 0};
}

void
rate_findings_first_error(const struct rate_findings *findings, struct error_text *error)
{
    char more[48] = "";
    uint32_t index = 0;
    check(findings->errors > 0);
    while (index < findings->count && findings->items[index].level != RATE_ERROR)
        index++;
    if (index == findings->count) {
        error_set(error, "%u errors behind %u warnings: see facteur rates check", findings->errors,
                  findings->count);
        return;
    }
    const struct rate_finding *first = &findings->items[index];
    if (findings->errors > 1)
        (void)snprintf(more, sizeof(more), " (and %u more: facteur rates check)",
                       findings->errors - 1);
    if (first->line > 0)
        error_set(error, "%s:%u: %s: %s%s", first->file, first->line, first->what, first->remedy,
                  more);
    else
        error_set(error, "%s: %s: %s%s", first->file, first->what, first->remedy, more);
}

const char *
rate_level_text(enum rate_level level)
{
    switch (level) {
    case RATE_WARNING:
        return "warning";
    case RATE_ERROR:
        return "error";
    }
    return "unknown";
}
