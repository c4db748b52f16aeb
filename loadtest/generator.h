/*
 * generator - notification N of a seed: always the same, whoever asks and in whatever order.
 *
 * Each N has a dice of its own, so the audit can say of any message what was written and what is
 * expected of it, without keeping the messages. What decides (kind, account, recipient, copy) is
 * rolled before anything that depends on the templates: the audit needs no templates.
 */
#ifndef FACTEUR_LOADTEST_GENERATOR_H
#define FACTEUR_LOADTEST_GENERATOR_H

#include "loadtest/load_numbers.h"
#include "loadtest/load_templates.h"

enum {
    GENERATED_FIELDS_MAX = LOAD_PARAMETERS_MAX + 8,
    GENERATED_TEXT_MAX = 4096, /* bytes of all values of one notification */
    GENERATED_ID_MAX = 48,     /* "18446744073709551615/18446744073709551615" */
};

enum generated_kind {
    GENERATED_FINE,        /* must not be refused */
    GENERATED_PROMOTIONAL, /* an offer was smuggled into a parameter: must not be accepted */
    GENERATED_BAD,         /* must not be accepted; see the fault */
    GENERATED_KINDS
};

enum generated_fault {
    FAULT_NONE,
    FAULT_NO_RECIPIENT,
    FAULT_BAD_NUMBER,
    FAULT_UNKNOWN_TEMPLATE,
    FAULT_UNKNOWN_LANGUAGE,
    FAULT_MISSING_PARAMETER,
    FAULT_EXTRA_PARAMETER,
    FAULT_UNKNOWN_FIELD,
    FAULT_ENCODING,       /* a parameter that is not UTF-8 */
    FAULT_MALFORMED_LINE, /* a bulk member that is not JSON; in bulk only */
    FAULTS
};

struct generator {
    uint64_t seed;
    uint64_t messages;  /* N is 0 … messages - 1 */
    uint32_t accounts;  /* N's account is an index below this; > 0 */
    uint32_t countries; /* the first so many of load_numbers */
    bool bulk;          /* written as bulk members: more can go wrong */
    double promotional; /* shares of all, 0 … 1 */
    double bad;
    double urgent;
    double duplicates; /* share that repeats the id of an earlier one */
    const struct load_templates
        *templates; /* borrowed; NULL: only generator_plan() may be called */
};

/* What is decided of N without looking at templates. */
struct generated_plan {
    enum generated_kind kind;
    enum generated_fault fault;
    bool urgent;
    uint32_t account;
    uint64_t id_of; /* whose id it carries: N itself, or the earlier one that it repeats */
    const struct load_country *country;
    char to[LOAD_NUMBER_SIZE]; /* the recipient it is meant for, "+33…" */
};

struct generated {
    uint64_t n;
    struct generated_plan plan;
    uint32_t field_count;
    struct field fields[GENERATED_FIELDS_MAX]; /* spans into `text`; id and ref come first */
    struct span offer; /* of a promotional one: the parameter that holds the offer */
    const struct load_template *template;
    struct buffer buffer;
    char text[GENERATED_TEXT_MAX];
};

void generator_plan(const struct generator *generator, uint64_t n, struct generated_plan *plan);
void generator_make(const struct generator *generator, uint64_t n, struct generated *generated);

/* The notification as a line of a bulk entry, with its fault if it has one; no newline. */
void generated_put_line(const struct generated *generated, struct buffer *line);

/* "SEED-N", the producer's id; "SEED/N", the ref that tells copies of one id apart. */
void generator_put_id(const struct generator *generator, uint64_t n, struct buffer *out);
void generator_put_ref(const struct generator *generator, uint64_t n, struct buffer *out);
/* N from such a ref; false if it is not one of this generator's. */
bool generator_read_ref(const struct generator *generator, struct span ref, uint64_t *n);

const char *generated_kind_text(enum generated_kind kind);    /* "fine", … static */
const char *generated_fault_text(enum generated_fault fault); /* "no recipient", … static */

#endif
