#include "templates/policy/policy.h"
#include "sender/base/check.h"
#include "templates/policy/fold.h"
#include "templates/policy/learnt.h"
#include "templates/policy/links.h"
#include "templates/policy/rules.h"
#include "templates/policy/terms.h"

#include <math.h>

enum {
    SENTENCE_HITS_MAX = 16,
    SENTENCE_APPLIED_MAX = 4,
    APPLIED_REACH = 56, /* bytes between what was applied and the words that say so */
    OVERLAP = 256,      /* bytes that two chunks share, so that a phrase is whole in one of them */
    LONG_PARAMETER = 60,
    PHRASE = 3, /* words; of a parameter with less the model says nothing */
};

/* How much each thing counts. Chosen on texts that are not in this repository; see README.md. */
static const float weight_of_link = 0.08f;
static const float weight_of_short_link = 0.2f;
static const float weight_of_short_link_alone = 0.55f; /* in a parameter */
static const float weight_of_shouting = 0.1f;
static const float weight_of_length = 0.25f;
static const float weight_of_disguise = 0.25f;
static const float commercial = 0.4f;          /* a parameter's score that makes its length count */
static const float share_when_applied = 0.25f; /* of an offer that was applied already */
static const float factor_in_parameter = 1.5f;
/* Of the model's margin and what the rules add to it: refused from here on. See README.md. */
static const float margin_refused = 2.4f;
static const float margin_refused_in_parameter = 2.6f;
static const float margin_of_rules = 2.0f; /* of a score of 1 */

static const struct {
    const char *name;
    enum rule_kind kind;
} rules[RULE_COUNT] = {
#define X(name, text, kind, about) [RULE_##name] = {text, RULE_IS_##kind},
    RULES(X)
#undef X
};

struct hit {
    enum rule rule;
    float weight;
    uint32_t start; /* bytes in the whole text */
    uint32_t end;
};

struct judge {
    struct judgement *judgement;
    float weights[RULE_COUNT]; /* the best of each rule so far */
    float factor;
    uint8_t languages;
    uint32_t base; /* where the chunk starts in the text */
    uint32_t applied_count;
    struct hit applied[SENTENCE_APPLIED_MAX]; /* where this sentence says that it happened */
    uint32_t hit_count;
    struct hit hits[SENTENCE_HITS_MAX]; /* of this sentence */
};

static uint8_t
languages_for(struct span language)
{
    if (span_starts(language, SPAN("en")))
        return TERMS_EN;
    if (span_starts(language, SPAN("fr")))
        return TERMS_FR;
    if (span_starts(language, SPAN("es")))
        return TERMS_ES;
    return TERMS_ALL;
}

/* Keeps the weightiest findings in order, the earlier of two equals first. */
static void
add_finding(struct judgement *judgement, const struct hit *hit)
{
    const char *rule = rules[hit->rule].name;
    uint32_t at = judgement->finding_count;
    for (uint32_t i = 0; i < at; i++) /* found in the chunk before, too */
        if (judgement->findings[i].start == hit->start && judgement->findings[i].rule == rule)
            return;
    if (at == POLICY_FINDINGS_MAX) {
        if (judgement->findings[at - 1].weight >= hit->weight)
            return;
        at--;
    } else {
        judgement->finding_count++;
    }
    while (at > 0 && judgement->findings[at - 1].weight < hit->weight) {
        judgement->findings[at] = judgement->findings[at - 1];
        at--;
    }
    judgement->findings[at] =
        (struct finding){.rule = rule, .start = hit->start, .end = hit->end, .weight = hit->weight};
}

static void
add_hit(struct judge *judge, const struct hit *hit)
{
    if (hit->weight > judge->weights[hit->rule])
        judge->weights[hit->rule] = hit->weight;
    add_finding(judge->judgement, hit);
}

static bool
is_applied(const struct judge *judge, const struct hit *hit)
{
    for (uint32_t i = 0; i < judge->applied_count; i++)
        if (judge->applied[i].start <= hit->end + APPLIED_REACH &&
            hit->start <= judge->applied[i].end + APPLIED_REACH)
            return true;
    return false;
}

/* A sentence says by itself whether its offer is made or was applied. */
static void
end_sentence(struct judge *judge)
{
    for (uint32_t i = 0; i < judge->hit_count; i++) {
        struct hit *hit = &judge->hits[i];
        if (rules[hit->rule].kind == RULE_IS_OFFER && is_applied(judge, hit))
            hit->weight *= share_when_applied;
        add_hit(judge, hit);
    }
    judge->hit_count = 0;
    judge->applied_count = 0;
}

static void
take_term(struct judge *judge, const struct fold *fold, const struct term *term, uint32_t at,
          uint32_t end)
{
    struct hit hit = {.rule = (enum rule)term->rule,
                      .weight = (float)term->weight * 0.01f * judge->factor,
                      .start = judge->base + fold->starts[at],
                      .end = judge->base + fold->ends[end - 1]};
    switch (rules[hit.rule].kind) {
    case RULE_IS_APPLIED:
        if (judge->applied_count < SENTENCE_APPLIED_MAX)
            judge->applied[judge->applied_count++] = hit;
        return;
    case RULE_IS_NOTHING:
        return;
    case RULE_IS_OFFER:
    case RULE_IS_PUSH:
    case RULE_IS_SIGN:
        break;
    }
    uint8_t marks = 0;
    for (uint32_t i = at; i < end; i++)
        marks |= fold->marks[i];
    if ((marks & FOLD_HIDDEN) != 0)
        hit.weight += weight_of_disguise;
    if (judge->hit_count == SENTENCE_HITS_MAX)
        end_sentence(judge);
    judge->hits[judge->hit_count++] = hit;
}

static void
scan(struct judge *judge, const struct fold *fold)
{
    uint32_t at = 0;
    while (at < fold->size) {
        uint8_t symbol = fold->symbols[at];
        if (symbol == FOLD_SPACE || symbol == FOLD_BREAK) {
            if (symbol == FOLD_BREAK || (fold->marks[at] & FOLD_LINE) != 0)
                end_sentence(judge);
            at++;
            continue;
        }
        uint32_t end = at;
        const struct term *term = terms_match(fold, at, judge->languages, &end);
        if (term != NULL) {
            take_term(judge, fold, term, at, end);
            at = end;
        } else {
            at++;
        }
        if (fold_is_letter(fold->symbols[at - 1]))
            while (at < fold->size && fold_is_letter(fold->symbols[at]))
                at++;
    }
    end_sentence(judge);
}

/* Capitals and exclamation marks: only beside something else. */
static void
take_shouting(struct judge *judge, const struct fold *fold, struct span chunk)
{
    struct hit hit = {.rule = RULE_SHOUTING, .start = judge->base};
    if (fold->exclamations > 1)
        hit.weight += weight_of_shouting;
    if (fold->capital_words > 2 && fold->capital_words * 3 > fold->words)
        hit.weight += weight_of_shouting;
    hit.end = judge->base + (uint32_t)chunk.size;
    if (hit.weight > 0 && hit.weight > judge->weights[RULE_SHOUTING])
        add_hit(judge, &hit);
}

static void
take_links(struct judge *judge, struct span text, bool parameter)
{
    struct link link;
    uint32_t at = 0;
    while (links_next(text, &at, &link)) {
        bool alone = link.end - link.start == span_trim(text).size;
        struct hit hit = {.rule = link.is_short ? RULE_SHORT_LINK : RULE_LINK,
                          .start = link.start,
                          .end = link.end};
        if (link.is_short)
            hit.weight = parameter ? weight_of_short_link_alone : weight_of_short_link;
        else if (!alone)
            hit.weight = parameter ? weight_of_link * 2 : weight_of_link;
        if (hit.weight > judge->weights[hit.rule])
            add_hit(judge, &hit);
    }
}

/* Where a chunk of `text` that starts at `at` ends: after a space if there is one near, and never
 * within a character. */
static uint32_t
chunk_end(struct span text, uint32_t at)
{
    if (text.size - at <= FOLD_CHUNK)
        return (uint32_t)text.size;
    uint32_t end = at + FOLD_CHUNK;
    for (uint32_t back = end; back > end - OVERLAP / 2; back--)
        if (text.data[back - 1] == ' ')
            return back;
    while (end > at + FOLD_CHUNK - 4 && ((unsigned char)text.data[end] & 0xc0) == 0x80)
        end--;
    return end;
}

/* Where the next chunk starts: some bytes earlier, at a word if there is one near. */
static uint32_t
chunk_next(struct span text, uint32_t end)
{
    uint32_t start = end - OVERLAP;
    for (uint32_t i = start; i < start + OVERLAP / 2; i++)
        if (text.data[i] == ' ')
            return i + 1;
    while (start > end - OVERLAP - 4 && ((unsigned char)text.data[start] & 0xc0) == 0x80)
        start--;
    return start;
}

static void
judge_chunks(struct judge *judge, struct span text)
{
    struct fold fold;
    uint32_t at = 0;
    float factor = judge->factor;
    while (at < text.size) {
        uint32_t end = chunk_end(text, at);
        struct span chunk = {.data = text.data + at, .size = end - at};
        fold_text(chunk, &fold);
        judge->base = at;
        judge->factor = fold.words > 0 ? factor : 1.0f; /* "-20 %" alone is a value */
        scan(judge, &fold);
        take_shouting(judge, &fold, chunk);
        at = end == text.size ? end : chunk_next(text, end);
    }
}

static bool
is_long(struct span text)
{
    uint32_t characters = 0;
    for (size_t i = 0; i < text.size && characters <= LONG_PARAMETER; i++)
        characters += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return characters > LONG_PARAMETER;
}

static void
sum_up(const struct judge *judge)
{
    struct judgement *judgement = judge->judgement;
    float offer = 0;
    float push = 0;
    float sign = 0;
    for (uint32_t i = 0; i < RULE_COUNT; i++) {
        float *sum = rules[i].kind == RULE_IS_OFFER  ? &offer
                     : rules[i].kind == RULE_IS_PUSH ? &push
                                                     : &sign;
        *sum += judge->weights[i];
    }
    float score = offer + push;
    if (score > 0.1f) /* links and capitals alone say nothing */
        score += sign;
    else if (judge->weights[RULE_SHORT_LINK] >= POLICY_THRESHOLD)
        score = judge->weights[RULE_SHORT_LINK];
    judgement->score = score > 1 ? 1 : score;
    judgement->promotional = judgement->score >= POLICY_THRESHOLD;
}

/* What rules do not know the model may: texts of any kind, in the languages it has learnt. */
static void
take_learnt(struct judge *judge, struct span text, bool parameter)
{
    struct judgement *judgement = judge->judgement;
    struct learnt learnt;
    float refused = parameter ? margin_refused_in_parameter : margin_refused;
    refused -= margin_of_rules * judgement->score;
    learnt_judge(text, refused, &learnt);
    if (learnt.words < (parameter ? PHRASE : 1))
        return;
    float score = 1 / (1 + expf(refused - learnt.margin));
    if (score < POLICY_THRESHOLD) /* between: how near it came */
        score = score < judgement->score ? judgement->score : score;
    bool alone = !judgement->promotional; /* a rule that refused it explains better */
    if (score >= POLICY_THRESHOLD && alone && learnt.end > learnt.start) {
        struct hit hit = {
            .rule = RULE_LEARNT, .weight = score, .start = learnt.start, .end = learnt.end};
        add_finding(judgement, &hit);
    }
    if (score > judgement->score)
        judgement->score = score;
    judgement->promotional = judgement->score >= POLICY_THRESHOLD;
}

static void
judge_text(struct span text, struct span language, bool parameter, struct judgement *judgement)
{
    *judgement = (struct judgement){0};
    struct judge judge = {.judgement = judgement,
                          .factor = parameter ? factor_in_parameter : 1.0f,
                          .languages = languages_for(language)};
    if (text.size > POLICY_TEXT_MAX) {
        struct hit hit = {.rule = RULE_LENGTH, .weight = 1, .end = POLICY_TEXT_MAX};
        add_hit(&judge, &hit);
        judgement->score = 1;
        judgement->promotional = true;
        return;
    }
    judge_chunks(&judge, text);
    take_links(&judge, text, parameter);
    sum_up(&judge);
    if (parameter && judgement->score >= commercial && is_long(text)) {
        struct hit hit = {
            .rule = RULE_LENGTH, .weight = weight_of_length, .end = (uint32_t)text.size};
        add_hit(&judge, &hit);
        sum_up(&judge);
    }
    take_learnt(&judge, text, parameter);
}

void
policy_judge(struct span text, struct span language, struct judgement *judgement)
{
    judge_text(text, language, false, judgement);
}

void
policy_judge_parameter(struct span text, struct span language, struct judgement *judgement)
{
    judge_text(text, language, true, judgement);
}

void
policy_judge_template(const struct template *template, struct judgement *judgement)
{
    char memory[TEMPLATE_WHOLE_MAX];
    struct buffer text;
    buffer_init(&text, memory, sizeof(memory));
    template_put_whole(template, &text);
    check(!text.overflow);
    policy_judge(buffer_span(&text), template->language, judgement);
}
