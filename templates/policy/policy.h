/*
 * policy - is a text promotional? The content policy: rules per language on a folded text.
 *
 * A notification is judged on the text the customer will read and on each parameter alone, because
 * "Your order {{1}} has shipped" is innocent and {{1}} = "12. FLASH SALE -50 %" is not. Mixed
 * content counts as promotional, as Meta counts it.
 *
 * Pure, bounded time, no allocation; any thread.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_POLICY_H
#define FACTEUR_TEMPLATES_POLICY_POLICY_H

#include "templates/template.h"

#define POLICY_THRESHOLD 0.5f /* of a score */

enum { POLICY_FINDINGS_MAX = 8, POLICY_TEXT_MAX = 65536 /* bytes looked at; more is refused */ };

struct finding {
    const char *rule; /* "percent_off", "coupon", … static; listed in policy/rules.h */
    uint32_t start;   /* bytes in the text as the producer sent it */
    uint32_t end;
    float weight; /* what it adds to the score */
};

struct judgement {
    bool promotional;
    float score; /* 0 … 1; promotional from POLICY_THRESHOLD on */
    uint32_t finding_count;
    struct finding findings[POLICY_FINDINGS_MAX]; /* the weightiest first */
};

/* `language`: "fr", "fr_CA", … English, French and Spanish have rules of their own; of the other
 * languages' rules only strong phrases apply to them. Empty or any other: all rules apply. Bytes
 * that are not UTF-8 are tolerated. */
void policy_judge(struct span text, struct span language, struct judgement *judgement);
/* The same with the stricter measure for a single parameter: links, length, one offer suffices. */
void policy_judge_parameter(struct span text, struct span language, struct judgement *judgement);

/*
 * The fixed text of a template, once when it is read. The findings' offsets are those of what
 * template_put_whole() writes.
 */
void policy_judge_template(const struct template *template, struct judgement *judgement);

#endif
