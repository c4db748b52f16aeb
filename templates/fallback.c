#include "templates/fallback.h"

#include <string.h>

static bool
is_language(const struct fallback_language *language, struct span code)
{
    return span_equal(span_of(language->code), code);
}

/* One past the chain that `index` is in. */
static uint32_t
end_of_chain(const struct fallback *fallback, uint32_t index)
{
    do
        index++;
    while (index < fallback->count && !fallback->languages[index].begins_chain);
    return index;
}

static bool
add_language(struct fallback *fallback, struct span code, uint32_t first, struct error_text *error)
{
    bool begins = fallback->count == first;
    if (!(begins && span_equal(code, SPAN("*"))) && !template_language_is_good(code)) {
        error_set(error,
                  "fallback: \"%.*s\" is not a language of Meta's: write fr_CA>fr>en, or *>en for "
                  "every language",
                  code.size > 40 ? 40 : (int)code.size, code.size == 0 ? "" : code.data);
        return false;
    }
    for (uint32_t i = first; i < fallback->count; i++) {
        if (is_language(&fallback->languages[i], code)) {
            error_set(error, "fallback: %.*s is twice in one chain: keep one", SPAN_ARG(code));
            return false;
        }
    }
    if (fallback->count == FALLBACK_LANGUAGES_MAX) {
        error_set(error, "fallback: more than %d languages in all chains", FALLBACK_LANGUAGES_MAX);
        return false;
    }
    struct fallback_language *language = &fallback->languages[fallback->count++];
    memset(language->code, 0, sizeof(language->code));
    memcpy(language->code, code.data, code.size);
    language->begins_chain = begins;
    return true;
}

/* A language begins one chain at most: which one would be meant? */
static bool
begins_once(const struct fallback *fallback, uint32_t first, struct error_text *error)
{
    const struct fallback_language *language = &fallback->languages[first];
    for (uint32_t i = 0; i < first; i++) {
        if (fallback->languages[i].begins_chain &&
            is_language(language, span_of(fallback->languages[i].code))) {
            error_set(error, "fallback: %s begins two chains: join them", language->code);
            return false;
        }
    }
    return true;
}

static bool
add_chain(struct fallback *fallback, struct span chain, struct error_text *error)
{
    uint32_t first = fallback->count;
    do {
        if (!add_language(fallback, span_trim(span_split(&chain, '>')), first, error))
            return false;
    } while (chain.data != NULL);
    if (fallback->count - first < 2) {
        error_set(error, "fallback: %s alone: a chain has two languages at least, as in fr_CA>fr",
                  fallback->languages[first].code);
        return false;
    }
    return begins_once(fallback, first, error);
}

bool
fallback_add(struct fallback *fallback, struct span text, struct error_text *error)
{
    uint32_t before = fallback->count;
    do {
        if (!add_chain(fallback, span_trim(span_split(&text, ',')), error)) {
            fallback->count = before;
            return false;
        }
    } while (text.data != NULL);
    return true;
}

/* Where the rest of `language`'s chain begins: the chain that it begins, else the first one that it
 * is in; `count` if there is none. */
static uint32_t
after_language(const struct fallback *fallback, struct span language)
{
    uint32_t found = fallback->count;
    for (uint32_t i = 0; i < fallback->count; i++) {
        if (!is_language(&fallback->languages[i], language) || end_of_chain(fallback, i) == i + 1)
            continue;
        if (fallback->languages[i].begins_chain)
            return i + 1;
        if (found == fallback->count)
            found = i + 1;
    }
    return found;
}

static const struct template *
find_from(const struct fallback *fallback, const struct catalogue *catalogue, struct span name,
          uint32_t index)
{
    if (index == fallback->count)
        return NULL;
    uint32_t end = end_of_chain(fallback, index - 1);
    const struct template *template = NULL;
    for (; template == NULL && index < end; index++)
        template = catalogue_find(catalogue, name, span_of(fallback->languages[index].code), NULL);
    return template;
}

const struct template *
fallback_find(const struct fallback *fallback, const struct catalogue *catalogue, struct span name,
              struct span language, bool *name_known)
{
    bool known = false;
    const struct template *template = catalogue_find(catalogue, name, language, &known);
    if (name_known != NULL)
        *name_known = known;
    if (template != NULL || !known || fallback->count == 0)
        return template;
    template = find_from(fallback, catalogue, name, after_language(fallback, language));
    if (template == NULL)
        template = find_from(fallback, catalogue, name, after_language(fallback, SPAN("*")));
    return template;
}
