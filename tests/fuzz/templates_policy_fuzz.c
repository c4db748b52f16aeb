/* Any bytes as a text and as a parameter, in any language: the findings lie within it. */
#include "templates/policy/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_findings(const struct judgement *judgement, size_t size)
{
    for (uint32_t i = 0; i < judgement->finding_count; i++)
        if (judgement->findings[i].start >= judgement->findings[i].end ||
            judgement->findings[i].end > size)
            abort();
    if (!(judgement->score >= 0 && judgement->score <= 1))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const languages[] = {"", "en", "fr", "es"};
    struct span text = {(const char *)data, size};
    struct judgement judgement;
    struct span language = span_of(languages[size > 0 ? data[0] & 3 : 0]);
    policy_judge(text, language, &judgement);
    check_findings(&judgement, size);
    policy_judge_parameter(text, language, &judgement);
    check_findings(&judgement, size);
    return 0;
}
