/*
 * learnt - the model's part of a judgement: how much a text is like advertising, and which of its
 * words say so.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_LEARNT_H
#define FACTEUR_TEMPLATES_POLICY_LEARNT_H

#include "sender/base/bytes.h"

struct learnt {
    float margin;   /* of the part of the text that is most like advertising; see model.h */
    uint32_t words; /* in that part */
    uint32_t start; /* bytes of the words that say so; start == end: none stand out */
    uint32_t end;
};

/* Looks at all of the text; words are only looked for where the margin is at least `explain`. */
void learnt_judge(struct span text, float explain, struct learnt *learnt);

#endif
