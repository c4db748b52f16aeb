/*
 * corpus - our own texts to learn from: templates/policy/corpus/LANG.txt and LANG-NAME.txt,
 * and values.tsv beside them.
 *
 *     # a comment
 *     @trans delivery                       what the lines below are: a label and a kind
 *     Hi {first}, your parcel {order} [has arrived|is here] [today|on {date}].
 *
 * `[a|b|]` is one of its alternatives, which may be empty and hold slots, but no brackets. `{slot}`
 * is a value of values.tsv: `slot<TAB>language or *<TAB>value`, one a row. `\[`, `\{`, `\|` stand
 * for themselves.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_TRAIN_CORPUS_H
#define FACTEUR_TEMPLATES_POLICY_TRAIN_CORPUS_H

#include "sender/base/bytes.h"
#include "sender/base/random.h"

enum corpus_label {
    CORPUS_TRANS, /* a notification */
    CORPUS_NEAR,  /* a notification in promotional words */
    CORPUS_HAM,   /* personal chat */
    CORPUS_VALUE, /* a parameter as it should be */
    CORPUS_PROMO,
    CORPUS_BAIT,  /* an offer as it is smuggled into a parameter */
    CORPUS_MIXED, /* a notification and an offer in one text */
    CORPUS_LABELS,
};

enum { CORPUS_LANGUAGES_MAX = 32, CORPUS_TEXT_MAX = 2048 };

struct corpus_line {
    enum corpus_label label;
    uint32_t language; /* index into languages */
    struct span kind;
    struct span text; /* as written */
};

struct corpus_value {
    struct span slot;
    struct span language; /* "*": every one */
    struct span value;
};

struct corpus {
    char *memory[CORPUS_LANGUAGES_MAX + 1]; /* of the files, which the spans point into */
    char languages[CORPUS_LANGUAGES_MAX][8];
    uint32_t language_count;
    struct corpus_line *lines;
    uint32_t line_count;
    struct corpus_value *values;
    uint32_t value_count;
};

/* Reads the folder's files in the order of their names. False: see error (file and line). */
bool corpus_open(struct corpus *corpus, const char *folder, struct error_text *error);
void corpus_close(struct corpus *corpus);

/*
 * One of the texts that a line stands for. False: a slot that values.tsv does not know, or brackets
 * that do not close; see error.
 */
bool corpus_expand(const struct corpus *corpus, const struct corpus_line *line,
                   struct random *random, struct buffer *out, struct error_text *error);

bool corpus_is_promotional(enum corpus_label label);
const char *corpus_label_text(enum corpus_label label);

#endif
