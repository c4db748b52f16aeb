#include "sender/cli/template_source.h"

#include "sender/base/check.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
template_options_init(struct template_options *options)
{
    const struct passwd *user = getpwuid(geteuid()); /* cron and containers set no USER */
    *options = (struct template_options){.folder = FACTEUR_SOURCE_DIR "/templates/catalogue",
                                         .who = user != NULL ? user->pw_name : ""};
}

bool
template_options_keys(const struct template_options *options, const char *verb,
                      struct account_keys *keys)
{
    char account[KEYS_NAME_MAX * 2 + 8];
    struct error_text error;
    if (options->business == NULL) {
        if (options->store.accounts.count > 0)
            return cli_store_account(&options->store, verb, keys);
        fprintf(stderr,
                "facteur %s: whose templates? Give --business BUSINESS or --account "
                "BUSINESS/ACCOUNT (or set FACTEUR_ACCOUNT)\n",
                verb);
        return false;
    }
    (void)snprintf(account, sizeof(account), "%.40s/x", options->business);
    if (keys_read(span_of(account), keys, &error))
        return true;
    fprintf(stderr, "facteur %s: --business %s: a business is named with a-z, 0-9 and -\n", verb,
            options->business);
    return false;
}

bool
template_options_reason(const struct template_options *options, const char *verb)
{
    size_t why = options->why == NULL ? 0 : strlen(options->why);
    size_t who = strlen(options->who);
    if (span_trim(span_of(options->why)).size == 0)
        fprintf(stderr, "facteur %s: why? Give --reason TEXT: it stands in the log\n", verb);
    else if (span_trim(span_of(options->who)).size == 0)
        fprintf(stderr, "facteur %s: who are you? Give --by NAME\n", verb);
    else if (why > STORED_WHY_MAX || !span_is_utf8(span_of(options->why)))
        fprintf(stderr, "facteur %s: --reason: at most %d bytes of UTF-8\n", verb, STORED_WHY_MAX);
    else if (who > STORED_WHO_MAX || !span_is_utf8(span_of(options->who)))
        fprintf(stderr, "facteur %s: --by: at most %d bytes of UTF-8\n", verb, STORED_WHO_MAX);
    else
        return true;
    return false;
}

/* ---- the source ----------------------------------------------------------------------------- */

static void
on_bad(void *context, const struct error_text *error)
{
    const struct template_source *source = context;
    fprintf(stderr, "facteur %s: %s\n", source->verb, error->text);
}

static int
read_store(const struct template_options *options, struct template_source *source)
{
    const struct stored_complaints complaints = {on_bad, source};
    struct account_keys keys;
    struct error_text error;
    if (options->store.redis == NULL && !options->store.dev)
        return -1;
    if (!template_options_keys(options, source->verb, &keys))
        return EXIT_USAGE;
    struct redis_sync *sync = cli_store_open(&options->store, source->verb);
    if (sync == NULL)
        return EXIT_UNAVAILABLE;
    source->has_store =
        template_store_read(sync, &keys, false, &complaints, &source->store, &error);
    redis_sync_close(sync);
    if (source->has_store)
        return -1;
    fprintf(stderr, "facteur %s: %s\n", source->verb, error.text);
    return EXIT_UNAVAILABLE;
}

int
template_source_open(const struct template_options *options, const char *verb,
                     struct template_source *source)
{
    const struct stored_complaints complaints = {on_bad, source};
    struct error_text error;
    *source = (struct template_source){.verb = verb};
    int code = read_store(options, source);
    if (code >= 0)
        return code;
    source->files = catalogue_open_folder(options->folder, &error);
    if (source->files != NULL)
        source->catalogue = stored_catalogue(source->store.stored, source->store.count,
                                             source->files, &complaints, &error);
    if (source->catalogue != NULL)
        return -1;
    fprintf(stderr, "facteur %s: %s\n", verb, error.text);
    template_source_close(source);
    return EXIT_DATA;
}

void
template_source_close(struct template_source *source)
{
    catalogue_close(source->catalogue);
    catalogue_close(source->files);
    template_store_close(&source->store);
    source->catalogue = NULL;
    source->files = NULL;
}

const struct stored_template *
template_source_stored(const struct template_source *source, const struct template *template)
{
    return template_store_find(&source->store, template->name, template->language);
}

int
template_source_say_unknown(const struct template_source *source, struct span name,
                            struct span language)
{
    const struct catalogue *catalogue = source->catalogue;
    const char *names[CATALOGUE_TEMPLATES_MAX];
    char *copies = check_alloc(CATALOGUE_TEMPLATES_MAX, TEMPLATE_NAME_MAX + 1);
    size_t count = 0;
    bool known = false;
    fprintf(stderr, "facteur %s: %.*s", source->verb, SPAN_ARG(name));
    for (uint32_t i = 0; i < catalogue_count(catalogue); i++) {
        const struct template *template = catalogue_at(catalogue, i);
        char *copy = copies + count * (TEMPLATE_NAME_MAX + 1);
        (void)snprintf(copy, TEMPLATE_NAME_MAX + 1, "%.*s", SPAN_ARG(template->name));
        names[count++] = copy;
        if (!span_equal(template->name, name))
            continue;
        fprintf(stderr, known ? ", %.*s" : " is not in %.*s; it is in ",
                SPAN_ARG(known ? template->language : language));
        if (!known)
            fprintf(stderr, "%.*s", SPAN_ARG(template->language));
        known = true;
    }
    const char *near = NULL;
    char wanted[TEMPLATE_NAME_MAX + 1];
    (void)snprintf(wanted, sizeof(wanted), "%.*s",
                   name.size > TEMPLATE_NAME_MAX ? TEMPLATE_NAME_MAX : (int)name.size, name.data);
    if (!known)
        near = options_nearest(wanted, names, count);
    if (!known)
        fprintf(stderr, " is not in the catalogue%s%s", near != NULL ? "; did you mean " : "",
                near != NULL ? near : "");
    fprintf(stderr, "\nsee facteur template list\n");
    free(copies);
    return EXIT_NO;
}

/* ---- words ---------------------------------------------------------------------------------- */

const char *
template_header_text(enum template_header header)
{
    switch (header) {
    case TEMPLATE_HEADER_NONE:
        return "-";
    case TEMPLATE_HEADER_TEXT:
        return "text";
    case TEMPLATE_HEADER_IMAGE:
        return "image";
    case TEMPLATE_HEADER_VIDEO:
        return "video";
    case TEMPLATE_HEADER_DOCUMENT:
        return "document";
    case TEMPLATE_HEADER_LOCATION:
        return "location";
    }
    return "-";
}
