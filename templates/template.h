/*
 * template - one template in one language, as Meta has it: parsed once, never changed.
 *
 * The file format is Meta's own JSON (the body of POST /{WABA}/message_templates): name, language,
 * category, parameter_format, components. Texts are cut at their variables when the template is
 * read, so that rendering a notification copies bytes and looks nothing up.
 *
 * Immutable after template_read(); any thread may read.
 */
#ifndef FACTEUR_TEMPLATES_TEMPLATE_H
#define FACTEUR_TEMPLATES_TEMPLATE_H

#include "sender/base/bytes.h"

enum {
    TEMPLATE_NAME_MAX = 200,   /* bytes. Meta allows 512; a receipt's callback data must hold it */
    TEMPLATE_LANGUAGE_MAX = 8, /* "prs_AF" is the longest of Meta's */
    TEMPLATE_PARAMETERS_MAX = 32, /* variables in one body */
    TEMPLATE_BUTTONS_MAX = 10,    /* Meta's limit */
    TEMPLATE_FILE_MAX = 64 * 1024 /* bytes of one template's JSON */
};

enum template_category {
    TEMPLATE_UTILITY,
    TEMPLATE_AUTHENTICATION,
    TEMPLATE_MARKETING,
};

enum template_header {
    TEMPLATE_HEADER_NONE,
    TEMPLATE_HEADER_TEXT, /* with at most one variable */
    TEMPLATE_HEADER_IMAGE,
    TEMPLATE_HEADER_VIDEO,
    TEMPLATE_HEADER_DOCUMENT,
    TEMPLATE_HEADER_LOCATION,
};

enum template_button_kind {
    TEMPLATE_BUTTON_QUICK_REPLY,
    TEMPLATE_BUTTON_URL,
    TEMPLATE_BUTTON_PHONE,
    TEMPLATE_BUTTON_COPY_CODE,
    TEMPLATE_BUTTON_OTP,
};

/* A text cut at its variables: literal, variable, literal, variable, … literal. */
struct template_text {
    struct span whole;                                 /* as written, with {{…}} */
    struct span literals[TEMPLATE_PARAMETERS_MAX + 1]; /* unescaped text between variables */
    uint8_t variables[TEMPLATE_PARAMETERS_MAX];        /* index into the parameter names */
    uint32_t variable_count;                           /* literals: one more */
    uint32_t literal_size;       /* bytes of all literals: what the text is without its variables */
    uint32_t literal_characters; /* the same in code points */
};

struct template_button {
    enum template_button_kind kind;
    struct span text;
    struct span url;   /* of a URL button: what stands before its variable */
    struct span phone; /* of a phone button */
    bool has_variable; /* a URL with a suffix; copy code and OTP always have one */
};

struct template
{
    struct span name;
    struct span language;
    enum template_category category;
    bool named;                                           /* {{first_name}} rather than {{1}} */
    uint32_t parameter_count;                             /* of the body */
    struct span parameter_names[TEMPLATE_PARAMETERS_MAX]; /* "1", "2", … or names, in order */
    struct template_text body;
    enum template_header header;
    struct template_text header_text; /* of TEMPLATE_HEADER_TEXT; its only variable has index 0 */
    struct span header_parameter;     /* that variable's name, "1" or a name; empty: none */
    struct span footer;               /* empty: none */
    struct template_button buttons[TEMPLATE_BUTTONS_MAX];
    uint32_t button_count;
    uint64_t version; /* a hash of the file's meaning: two equal templates have equal versions,
                         whatever their white space, key order, examples and ids */
    uint32_t index;   /* dense, 0 .. catalogue_count() - 1: for tables that belong to a template */
    void *memory;     /* owns what the spans borrow */
};

/*
 * Reads one template from Meta's JSON. Returns NULL on failure, with what is wrong, which field,
 * and what to do in `error`; `source` (a file name, or "standard input") begins the sentence.
 *
 * Lengths are Meta's and in code points. An authentication template may leave out the body's text,
 * as Meta's format does: then the body is Meta's sentence ("*{{1}}* is your verification code."),
 * with the security recommendation if asked for, and the footer says when the code expires.
 */
struct template *template_read(struct span json, const char *source, struct error_text *error);
void template_close(struct template *template); /* NULL is allowed */

/*
 * Writes all that does not change from one notification to the next, with {{…}} where a variable
 * stands: header, body, footer, button texts, one a line. TEMPLATE_WHOLE_MAX bytes hold any
 * template; a smaller buffer overflows.
 */
enum { TEMPLATE_WHOLE_MAX = 8 * 1024 };
void template_put_whole(const struct template *template, struct buffer *text);

bool template_name_is_good(struct span name);         /* its letters; its length is another rule */
bool template_language_is_good(struct span language); /* "fr", "en_US", "prs_AF": its shape */
const char *template_category_text(enum template_category category); /* "utility", … static */

#endif
