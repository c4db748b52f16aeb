#include "sender/config.h"

#include "sender/base/check.h"
#include "sender/limits.h"
#include "sender/options.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_SIZE_MAX = 1024 * 1024 };

struct config_file {
    char *text; /* the whole file, NUL-terminated, to find lines in */
    size_t size;
    struct config *config;
};

/* ---- the schema: the file's keys, for libcyaml and for "did you mean" -------------------------
 */

#define TEXT_FIELD(structure, name)                                                                \
    CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, name, 0,    \
                           CYAML_UNLIMITED)

static const cyaml_schema_field_t class_fields[] = {
#define RETRY_CLASS(class, name, help) TEXT_FIELD(struct config_classes, name),
    RETRY_CLASSES(RETRY_CLASS)
#undef RETRY_CLASS
        CYAML_FIELD_END,
};

static const cyaml_schema_field_t account_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct config_account, name, 0,
                           CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("phone_number_id", CYAML_FLAG_POINTER, struct config_account,
                           phone_number_id, 0, CYAML_UNLIMITED),
    TEXT_FIELD(struct config_account, token_file),
    TEXT_FIELD(struct config_account, token_environment),
    TEXT_FIELD(struct config_account, currency),
    TEXT_FIELD(struct config_account, time_zone),
    TEXT_FIELD(struct config_account, numbers),
    TEXT_FIELD(struct config_account, pace),
    TEXT_FIELD(struct config_account, fallback),
    TEXT_FIELD(struct config_account, retry),
    TEXT_FIELD(struct config_account, uncertain),
    TEXT_FIELD(struct config_account, uncertain_codes),
    CYAML_FIELD_MAPPING_PTR("retry_classes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                            struct config_account, retry_classes, class_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t account_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_account, account_fields)};

static const cyaml_schema_field_t business_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct config_business, name, 0,
                           CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE("accounts", CYAML_FLAG_POINTER, struct config_business, accounts,
                         &account_value, 1, ACCOUNTS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t business_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_business, business_fields)};

static const cyaml_schema_field_t config_fields[] = {
#define CONFIG_TEXT(name, help) TEXT_FIELD(struct config, name),
#include "sender/config.inc"
#undef CONFIG_TEXT
    CYAML_FIELD_MAPPING_PTR("retry_classes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                            struct config, retry_classes, class_fields),
    CYAML_FIELD_SEQUENCE("businesses", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config,
                         businesses, &business_value, 1, BUSINESSES_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t config_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, config_fields)};

static const char *const known_keys[] = {
#define CONFIG_TEXT(name, help) #name,
#include "sender/config.inc"
#undef CONFIG_TEXT
#define RETRY_CLASS(class, name, help) #name,
    RETRY_CLASSES(RETRY_CLASS)
#undef RETRY_CLASS
        "retry_classes",
    "businesses",
    "name",
    "accounts",
    "phone_number_id",
    "token_environment",
    "pace",
};

/* ---- lines ------------------------------------------------------------------------------------
 */

/* Does `line` (without its spaces and dashes in front) say `key:`, and hold `value`? */
static bool
line_says(struct span line, const char *key, const char *value)
{
    size_t key_size = strlen(key);
    while (line.size > 0 && (line.data[0] == ' ' || line.data[0] == '-'))
        line = (struct span){line.data + 1, line.size - 1};
    if (!span_starts(line, span_of(key)) || line.size <= key_size || line.data[key_size] != ':')
        return false;
    return value == NULL || memmem(line.data, line.size, value, strlen(value)) != NULL;
}

/* From line `first` (1 …) on; 0 if there is none. */
static uint32_t
find_line(const struct config_file *file, const char *key, const char *value, uint32_t first)
{
    struct span rest = {file->text, file->size};
    for (uint32_t number = 1; rest.data != NULL; number++) {
        struct span line = span_split(&rest, '\n');
        if (number >= first && line_says(line, key, value))
            return number;
    }
    return 0;
}

uint32_t
config_line(const struct config_file *file, const char *key, const char *value)
{
    return find_line(file, key, value, 1);
}

/* ---- libcyaml's words in ours ------------------------------------------------------------------
 */

struct complaint {
    char what[256]; /* its first sentence */
    uint32_t line;  /* of its innermost place, 0 if it named none */
};

/* libcyaml tells through its log: first what is wrong, then where, from the inside out. */
static void
on_log(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    struct complaint *complaint = context;
    char text[512];
    (void)level;
    vsnprintf(text, sizeof(text), format, arguments);
    const char *line = strstr(text, "(line: ");
    if (line != NULL && complaint->line == 0)
        complaint->line = (uint32_t)strtoul(line + 7, NULL, 10);
    if (complaint->what[0] == '\0' && strncmp(text, "Load: ", 6) == 0)
        snprintf(complaint->what, sizeof(complaint->what), "%.*s", (int)strcspn(text + 6, "\n"),
                 text + 6);
}

static void
explain(const struct config_file *file, const char *path, const struct complaint *complaint,
        struct error_text *error)
{
    static const char unexpected[] = "Unexpected key: ";
    static const char missing[] = "Missing required mapping field: ";
    static const char twice[] = "Mapping field already seen: ";
    const char *what = complaint->what;
    uint32_t line = complaint->line > 0 ? complaint->line : 1;
    if (strncmp(what, unexpected, sizeof(unexpected) - 1) == 0) {
        const char *key = what + sizeof(unexpected) - 1;
        const char *near =
            options_nearest(key, known_keys, sizeof(known_keys) / sizeof(known_keys[0]));
        uint32_t found = find_line(file, key, NULL, line);
        error_set(error, "%s:%u: unknown key \"%s\"%s%s%s", path, found > 0 ? found : line, key,
                  near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
                  near != NULL ? "\"?" : "");
    } else if (strncmp(what, missing, sizeof(missing) - 1) == 0) {
        error_set(error, "%s:%u: \"%s\" is missing here", path, line, what + sizeof(missing) - 1);
    } else if (strncmp(what, twice, sizeof(twice) - 1) == 0) {
        const char *key = what + sizeof(twice) - 1;
        uint32_t found = find_line(file, key, NULL, find_line(file, key, NULL, 1) + 1);
        error_set(error, "%s:%u: the key \"%s\" stands twice", path, found > 0 ? found : line, key);
    } else if (strncmp(what, "libyaml", 7) == 0 && memchr(file->text, '\t', file->size) != NULL) {
        const char *tab = memchr(file->text, '\t', file->size);
        for (line = 1; tab != NULL && tab > file->text; tab--)
            line += tab[-1] == '\n' ? 1 : 0;
        error_set(error, "%s:%u: a tab: YAML wants spaces", path, line);
    } else {
        error_set(error, "%s:%u: %s", path, line, what[0] != '\0' ? what : "not readable as YAML");
    }
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static bool
read_text(const char *path, struct config_file *file, struct error_text *error)
{
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        error_set(error, "cannot read the configuration %s: %s", path, strerror(errno));
        return false;
    }
    file->text = check_alloc(1, CONFIG_SIZE_MAX + 1);
    file->size = fread(file->text, 1, CONFIG_SIZE_MAX, stream);
    bool whole = file->size < CONFIG_SIZE_MAX && !ferror(stream);
    fclose(stream);
    if (!whole)
        error_set(error, "cannot read the configuration %s: not a file of less than 1 MiB", path);
    else if (memchr(file->text, '\0', file->size) != NULL)
        error_set(error, "%s: has a NUL byte: not a text file", path);
    else
        return true;
    return false;
}

static bool
parse(const char *path, struct config_file *file, struct error_text *error)
{
    struct complaint complaint = {0};
    const cyaml_config_t settings = {
        .log_fn = on_log,
        .log_ctx = &complaint,
        .log_level = CYAML_LOG_ERROR,
        .mem_fn = cyaml_mem,
    };
    cyaml_data_t *data = NULL;
    cyaml_err_t result = cyaml_load_data((const uint8_t *)file->text, file->size, &settings,
                                         &config_value, &data, NULL);
    file->config = data;
    if (result == CYAML_OK && file->config != NULL)
        return true;
    if (complaint.what[0] == '\0')
        snprintf(complaint.what, sizeof(complaint.what), "%s",
                 result == CYAML_OK ? "the file is empty" : cyaml_strerror(result));
    explain(file, path, &complaint, error);
    return false;
}

struct config_file *
config_open(const char *path, struct error_text *error)
{
    struct config_file *file = check_alloc(1, sizeof(*file));
    if (read_text(path, file, error) && parse(path, file, error))
        return file;
    config_close(file);
    return NULL;
}

void
config_close(struct config_file *file)
{
    static const cyaml_config_t settings = {.mem_fn = cyaml_mem};
    if (file == NULL)
        return;
    if (file->config != NULL)
        cyaml_free(&settings, &config_value, file->config, 0);
    free(file->text);
    free(file);
}

const struct config *
config_of(const struct config_file *file)
{
    return file->config;
}
