/* A template's JSON: whatever comes, the reader answers with a template that can be used, or with
 * a sentence. */
#include "templates/policy/policy.h"
#include "templates/template.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error_text error = {""};
    struct template *template =
        template_read((struct span){(const char *)data, size}, "input", &error);
    if ((template == NULL) != (error.text[0] != '\0'))
        abort();
    if (template != NULL) {
        struct judgement judgement;
        policy_judge_template(template, &judgement);
    }
    template_close(template);
    return 0;
}
