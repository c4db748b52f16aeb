/*
 * lint - everything that is against a template, with its place and how to mend it.
 *
 * template_read() stops at the first error and says it in a sentence; this collects all of them,
 * names the rule, and adds what the format allows but Meta or the content policy does not.
 */
#ifndef FACTEUR_TEMPLATES_LINT_H
#define FACTEUR_TEMPLATES_LINT_H

#include "templates/template.h"

enum { LINT_FINDINGS_MAX = 32, LINT_PATH_MAX = 96 };

enum lint_rule {
#define LINT_RULE(name, word, severity, fix) LINT_##name,
#include "templates/lint_rules.inc"
#undef LINT_RULE
    LINT_RULES
};

struct lint_finding {
    enum lint_rule rule;
    uint32_t line;            /* from 1 */
    uint32_t column;          /* from 1, in bytes */
    char path[LINT_PATH_MAX]; /* "components[1].buttons[0].url"; "" for the file */
    char text[360];           /* what is wrong, often with what to do */
};

struct lint_report {
    uint32_t count;  /* of findings */
    uint32_t errors; /* how many of all are errors, those that did not fit included */
    bool more;       /* not all fitted */
    struct lint_finding findings[LINT_FINDINGS_MAX]; /* in the order of reading */
};

/*
 * Looks at one template's JSON. Returns the template if there is no error (warnings may have been
 * found), for the caller to close; otherwise NULL. Any bytes may come.
 */
struct template *lint_read(struct span json, struct lint_report *report);

const char *lint_rule_word(enum lint_rule rule); /* "unknown_key" … static, as is the next */
const char *lint_rule_fix(enum lint_rule rule);
bool lint_rule_is_error(enum lint_rule rule);

#endif
