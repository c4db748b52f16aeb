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

#include "sender/base/bytes.h"

enum { POLICY_FINDINGS_MAX = 8, POLICY_TEXT_MAX = 65536 /* bytes looked at; more is refused */ };

struct finding {
    const char *rule;  /* "percent_off", "coupon", … static; listed in policy/rules.h */
    uint32_t start;    /* bytes in the text as the producer sent it */
    uint32_t end;
    float weight;
};

struct judgement {
    bool promotional;
    float score; /* 0 … 1; promotional from POLICY_THRESHOLD on */
    uint32_t finding_count;
    struct finding findings[POLICY_FINDINGS_MAX]; /* the weightiest first */
};

/* `language`: "fr", "pt_BR", … or empty: then all languages' rules apply. */
void policy_judge(struct span text, struct span language, struct judgement *judgement);
/* The same with the stricter measure for a single parameter: links, length, one offer suffices. */
void policy_judge_parameter(struct span text, struct span language, struct judgement *judgement);

#endif
