#include "sender/attempt_settings.h"

#include "sender/settings.h"

/* An error in what was said of all accounts is told with its line, if it came from the file. */
static bool
refuse(const struct settings_input *input, const char *key, const char *value,
       struct error_text *error)
{
    struct error_text whole;
    uint32_t line = input->config != NULL ? config_line(input->config, key, value) : 0;
    if (line == 0)
        return false;
    error_set(&whole, "%s:%u: %.400s", input->config_path, line, error->text);
    *error = whole;
    return false;
}

struct class_schedule {
    const char *class;
    const char *schedule; /* NULL: it has none of its own */
};

/* The first class whose schedule cannot be read, or NULL. */
static const char *
read_classes(const struct config_classes *classes, struct retries *retries,
             struct error_text *error)
{
    const struct class_schedule rows[] = {
#define RETRY_CLASS(class, name, help) {#name, classes->name},
        RETRY_CLASSES(RETRY_CLASS)
#undef RETRY_CLASS
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].schedule != NULL &&
            !retries_read_class(retries, span_of(rows[i].class), span_of(rows[i].schedule), error))
            return rows[i].class;
    return NULL;
}

/* The file's classes, and those of a flag or the environment over them. */
static bool
read_retries(struct retries *retries, const struct settings_input *input, struct error_text *error)
{
    const struct config *config = input->config != NULL ? config_of(input->config) : NULL;
    if (!retries_read(retries, span_of(input->retry), error))
        return refuse(input, "retry", input->retry, error);
    if (config != NULL && config->retry_classes != NULL) {
        const char *bad = read_classes(config->retry_classes, retries, error);
        if (bad != NULL)
            return refuse(input, config_line(input->config, bad, NULL) > 0 ? bad : "retry_classes",
                          NULL, error);
    }
    return input->retry_classes == NULL ||
           retries_read_classes(retries, span_of(input->retry_classes), error);
}

static bool
read_policy(const char *key, const char *text, enum uncertain_policy *policy,
            struct error_text *error)
{
    for (int i = UNCERTAIN_PARK; i <= UNCERTAIN_RESEND; i++) {
        if (!span_equal(span_of(text), span_of(uncertain_policy_text((enum uncertain_policy)i))))
            continue;
        *policy = (enum uncertain_policy)i;
        return true;
    }
    error_set(error,
              "%s: \"%.40s\" is none of park (kept in dead), drop (given up) and resend (at the "
              "risk of a second message)",
              key, text);
    return false;
}

bool
attempt_settings_read(struct attempt_settings *settings, const struct settings_input *input,
                      struct error_text *error)
{
    if (!read_retries(&settings->retries, input, error))
        return false;
    if (!read_policy("uncertain", input->uncertain, &settings->uncertain, error))
        return refuse(input, "uncertain", input->uncertain, error);
    if (!read_policy("uncertain_codes", input->uncertain_codes, &settings->uncertain_codes, error))
        return refuse(input, "uncertain_codes", input->uncertain_codes, error);
    return true;
}

bool
attempt_settings_own(struct attempt_settings *settings, const struct config_account *account,
                     struct error_text *error)
{
    const char *general = account->uncertain;
    const char *codes = account->uncertain_codes;
    return (account->retry == NULL ||
            retries_read(&settings->retries, span_of(account->retry), error)) &&
           (account->retry_classes == NULL ||
            read_classes(account->retry_classes, &settings->retries, error) == NULL) &&
           (general == NULL || read_policy("uncertain", general, &settings->uncertain, error)) &&
           (codes == NULL ||
            read_policy("uncertain_codes", codes, &settings->uncertain_codes, error));
}
