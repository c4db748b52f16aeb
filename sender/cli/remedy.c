#include "sender/cli/remedy.h"

#include <string.h>

/* The first row that fits. A reason is FIELD, a colon, and words. */
static const struct {
    const char *type;
    const char *begins;
    const char *holds; /* "": whatever it says */
    enum remedy remedy;
    const char *advice;
} rows[] = {
    {"uncertain", "", "", REMEDY_DECIDE,
     "a receipt still settles it; to send it again may send it twice"},
    {"failed", "", "", REMEDY_REQUEUE, "mend it at Meta's, whose words these are"},
    {"dead", "", "", REMEDY_REQUEUE, "see to the cause of its last attempt"},
    {"refused", "template: ", "not in the catalogue", REMEDY_REQUEUE,
     "add the template (facteur template add)"},
    {"refused", "lang: ", "not in language", REMEDY_REQUEUE,
     "add the template in that language (facteur template add)"},
    {"refused", "template: ", "marketing", REMEDY_REQUEUE,
     "promotional content does not go out; if the template is none, correct its category"},
    {"refused", "template: ", "longer than Meta takes", REMEDY_REQUEUE, "shorten the template"},
    {"refused", "policy: ", "(in the text)", REMEDY_REQUEUE,
     "change the template's words (facteur template add)"},
    {"refused", "policy: ", "", REMEDY_ANEW, "its parameter holds these words"},
    {"refused", "to: ", "has opted out", REMEDY_REQUEUE,
     "if they ask for it again, end the opt-out (facteur optout remove)"},
    {"refused", "recipient: ", "has opted out", REMEDY_REQUEUE,
     "if they ask for it again, end the opt-out (facteur optout remove)"},
    {"refused", "to: ", "", REMEDY_ANEW, "the number is none (facteur phone says why)"},
    {"refused", "parameter ", "is not in the template", REMEDY_ANEW,
     "leave the parameter out, or add it to the template and requeue"},
    {"refused", "entry: ", "record in later", REMEDY_ANEW,
     "look at it, for something else wrote it"},
    {"refused", "entry: ", "", REMEDY_ANEW, "in smaller entries"},
    {"refused", "bulk: ", "1 to 64 lines", REMEDY_ANEW, "in bulks of 1 to 64 lines"},
    {"refused", "bulk: ", "", REMEDY_ANEW, "its line is no notification"},
    {"refused", "", "", REMEDY_ANEW, "the field is wrong in the entry itself"},
};

static bool
holds(struct span text, const char *words)
{
    return words[0] == '\0' ||
           (text.size > 0 && memmem(text.data, text.size, words, strlen(words)) != NULL);
}

enum remedy
remedy_find(struct span type, struct span reason, const char **advice)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!span_equal(type, span_of(rows[i].type)) ||
            !span_starts(reason, span_of(rows[i].begins)) || !holds(reason, rows[i].holds))
            continue;
        *advice = rows[i].advice;
        return rows[i].remedy;
    }
    *advice = "see to its cause"; /* of a type that we do not know yet */
    return REMEDY_REQUEUE;
}

const char *
remedy_text(enum remedy remedy)
{
    switch (remedy) {
    case REMEDY_REQUEUE:
        return "requeue";
    case REMEDY_ANEW:
        return "anew";
    case REMEDY_DECIDE:
        return "decide";
    }
    return "";
}

bool
remedy_is_word(const char *text)
{
    return strcmp(text, "requeue") == 0 || strcmp(text, "anew") == 0 || strcmp(text, "decide") == 0;
}
