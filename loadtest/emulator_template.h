/*
 * emulator_template - the templates that the emulated business has, read from Meta's JSON files.
 *
 * Only what a send request is judged by: name, language, category, status, and which parameters
 * header, body and buttons ask for. The emulator's own reading, with jansson, once at start.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_TEMPLATE_H
#define FACTEUR_LOADTEST_EMULATOR_TEMPLATE_H

#include "loadtest/emulator_bill.h"

enum {
    EMULATOR_TEMPLATE_PARAMETERS_MAX = 64,
    EMULATOR_TEMPLATE_BUTTONS_MAX = 10,
    EMULATOR_TEMPLATES_MAX = 8192,
};

enum emulator_template_status {
    EMULATOR_TEMPLATE_APPROVED, /* also when the file says nothing */
    EMULATOR_TEMPLATE_PAUSED,
    EMULATOR_TEMPLATE_DISABLED,
    EMULATOR_TEMPLATE_PENDING, /* and anything else: cannot be sent, as if it were not there */
};

enum emulator_button {
    EMULATOR_BUTTON_PLAIN,       /* takes no parameter: a phone number, a URL without variable */
    EMULATOR_BUTTON_QUICK_REPLY, /* may take a payload */
    EMULATOR_BUTTON_URL,         /* needs its suffix */
    EMULATOR_BUTTON_COPY_CODE,   /* needs a coupon code */
    EMULATOR_BUTTON_CODE,        /* of one-time codes: needs the code, as a URL's suffix */
    EMULATOR_BUTTON_FLOW,        /* may take an action */
};

struct emulator_template {
    struct span name;
    struct span language;
    uint16_t index; /* in its set */
    enum emulator_category category;
    enum emulator_template_status status;
    bool named;               /* {{first_name}} rather than {{1}} */
    bool body_only;           /* Meta's limit of the whole text is larger then */
    uint32_t parameter_count; /* of the body */
    struct span parameters[EMULATOR_TEMPLATE_PARAMETERS_MAX]; /* names, or "1", "2", … */
    uint32_t body_characters; /* of the body's text without its variables */
    struct span header_type;  /* of the parameter its header needs: "text", "image", …; empty */
    uint32_t button_count;
    enum emulator_button buttons[EMULATOR_TEMPLATE_BUTTONS_MAX];
};

struct emulator_templates;

/* An empty set. */
struct emulator_templates *emulator_templates_open(void);
void emulator_templates_close(struct emulator_templates *templates); /* NULL is allowed */

/* Adds what is in every *.json under `folder`, subfolders too. False: see error. */
bool emulator_templates_read_folder(struct emulator_templates *templates, const char *folder,
                                    struct error_text *error);

/* Adds one template, an array of them, or {"data": […]} as Graph lists them. `source` begins the
 * sentence of an error. */
bool emulator_templates_add(struct emulator_templates *templates, struct span json,
                            const char *source, struct error_text *error);

/* From now on a template that is there already is replaced, as an edit at Meta would. */
void emulator_templates_allow_edits(struct emulator_templates *templates);

/* NULL if there is none of that name in that language. */
const struct emulator_template *emulator_templates_find(const struct emulator_templates *templates,
                                                        struct span name, struct span language);
const struct emulator_template *emulator_templates_at(const struct emulator_templates *templates,
                                                      uint16_t index);
uint32_t emulator_templates_count(const struct emulator_templates *templates);

/* Characters (code points) of UTF-8 text. */
uint32_t emulator_characters(struct span text);

#endif
