#include "sender/page.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

bool
page_is_help(const char *argument, enum page_form *form)
{
    static const char *const names[PAGE_FORMS] = {
        [PAGE_TEXT] = "text", [PAGE_MAN] = "man", [PAGE_BASH] = "bash", [PAGE_ZSH] = "zsh"};
    *form = PAGE_TEXT;
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        return true;
    for (int i = 0; i < PAGE_FORMS; i++) {
        *form = (enum page_form)i;
        if (strncmp(argument, "--help=", 7) == 0 && strcmp(argument + 7, names[i]) == 0)
            return true;
    }
    return false;
}

static bool
takes_file(const struct option_row *row)
{
    return row->argument != NULL && strcmp(row->argument, "FILE") == 0;
}

static bool
takes_folder(const struct option_row *row)
{
    return row->argument != NULL && strcmp(row->argument, "FOLDER") == 0;
}

/* ---- the manual page --------------------------------------------------------------------------
 */

/* The code point at `*text`, which moves on. Our own texts are UTF-8. */
static uint32_t
take_code(const char **text)
{
    const uint8_t *bytes = (const uint8_t *)*text;
    unsigned more = bytes[0] >= 0xF0 ? 3 : bytes[0] >= 0xE0 ? 2 : bytes[0] >= 0xC0 ? 1 : 0;
    uint32_t code = more == 0 ? bytes[0] : bytes[0] & (0x3Fu >> more);
    for (unsigned i = 1; i <= more && bytes[i] != 0; i++)
        code = code << 6 | (bytes[i] & 0x3Fu);
    *text += more + 1;
    return code;
}

/* A line that begins with . or ' would be a command; a hyphen would become a dash. */
static void
put_troff(const char *text, size_t size)
{
    const char *end = text + size;
    bool line_start = true;
    while (text < end) {
        uint32_t code = take_code(&text);
        if (line_start && (code == '.' || code == '\'' || code == 0x2026))
            printf("\\&");
        line_start = code == '\n';
        if (code == '\\')
            printf("\\e");
        else if (code == '-')
            printf("\\-");
        else if (code == '\'')
            printf("\\(aq");
        else if (code == 0x2026) /* an ellipsis, which not every terminal has */
            printf("...");
        else if (code < 128)
            putchar((int)code);
        else
            printf("\\[u%04X]", code);
    }
}

void
page_print_troff(const char *text)
{
    put_troff(text, strlen(text));
}

/* Help texts are lines; what is indented is an example and stays as it stands. */
static void
print_paragraphs(const char *help)
{
    bool as_it_stands = false;
    for (const char *line = help; line != NULL && *line != '\0';) {
        const char *next = strchr(line, '\n');
        size_t size = next != NULL ? (size_t)(next - line) : strlen(line);
        bool indented = size > 2 && line[0] == ' ' && line[1] == ' ';
        if (indented != as_it_stands && size > 0)
            printf(indented ? ".RS 4\n.nf\n" : ".fi\n.RE\n");
        as_it_stands = size > 0 ? indented : as_it_stands;
        if (size == 0 && !as_it_stands)
            printf(".PP");
        else if (strncmp(line, "example", 7) == 0)
            printf(".SH EXAMPLE");
        else
            put_troff(indented ? line + 2 : line, indented ? size - 2 : size);
        putchar('\n');
        line = next != NULL ? next + 1 : NULL;
    }
    if (as_it_stands)
        printf(".fi\n.RE\n");
}

static void
print_man_row(const struct option_row *row)
{
    printf(".TP\n\\fB\\-\\-");
    page_print_troff(row->name);
    printf("\\fR");
    if (row->argument != NULL) {
        printf(" \\fI");
        page_print_troff(row->argument);
        printf("\\fR");
    }
    putchar('\n');
    page_print_troff(row->help);
    if (row->environment != NULL) {
        printf("\n.br\nEnvironment: ");
        page_print_troff(row->environment);
    }
    putchar('\n');
}

static void
print_exit_codes(void)
{
    static const struct {
        int code;
        const char *text;
    } codes[] = {
        {EXIT_GOOD, "good"},
        {EXIT_NO, "the answer is no"},
        {EXIT_USAGE, "the command line is wrong"},
        {EXIT_DATA, "bad data"},
        {EXIT_UNAVAILABLE, "a service is not there"},
        {EXIT_TRY_AGAIN, "try again"},
        {EXIT_CONFIGURATION, "bad configuration"},
    };
    printf(".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        printf(".TP\n%d\n%s\n", codes[i].code, codes[i].text);
}

static void
print_man(const struct verb *verb)
{
    char title[64];
    snprintf(title, sizeof(title), "facteur-%s", verb->name);
    for (char *at = title; *at != '\0'; at++)
        *at = *at == ' ' ? '-' : *at;
    printf(".TH \"");
    for (const char *at = title; *at != '\0'; at++)
        putchar(toupper((unsigned char)*at));
    printf("\" 1 \"\" \"facteur %s\" \"facteur\"\n.SH NAME\n", FACTEUR_VERSION);
    page_print_troff(title);
    printf(" \\- ");
    page_print_troff(verb->summary);
    printf("\n.SH SYNOPSIS\n\\fBfacteur %s\\fR ", verb->name);
    page_print_troff(verb->usage);
    printf("\n.SH DESCRIPTION\n");
    print_paragraphs(verb->help);
    printf(".SH OPTIONS\n");
    for (size_t i = 0; i < verb->row_count; i++)
        print_man_row(&verb->rows[i]);
    printf(".TP\n\\fB\\-\\-help\\fR\nthis text\n");
    print_exit_codes();
    printf(".SH SEE ALSO\n\\fBfacteur\\fR(1)\n");
}

/* ---- bash: lists of words ---------------------------------------------------------------------
 */

static void
print_words(const struct verb *verb, const char *variable,
            bool (*belongs)(const struct option_row *row))
{
    printf("        %s='", variable);
    for (size_t i = 0; i < verb->row_count; i++)
        if (belongs(&verb->rows[i]))
            printf("--%s ", verb->rows[i].name);
    printf("'\n");
}

static bool
takes_anything(const struct option_row *row)
{
    return row->kind != OPTION_FLAG;
}

static bool
is_option(const struct option_row *row)
{
    return row->name[0] != '\0';
}

/* Does the verb take files without an option? Its usage says so. */
static bool
takes_files(const struct verb *verb)
{
    return strstr(verb->usage, "FILE") != NULL || strstr(verb->usage, "FOLDER") != NULL;
}

static void
print_bash(const struct verb *verb)
{
    printf("    '%s')\n", verb->name);
    print_words(verb, "options", is_option);
    print_words(verb, "values", takes_anything);
    print_words(verb, "files", takes_file);
    print_words(verb, "folders", takes_folder);
    printf("        rest='%s' ;;\n", takes_files(verb) ? "files" : "");
}

/* ---- zsh: the words of _arguments -------------------------------------------------------------
 */

/* Inside '…', and inside the brackets of a description. */
static void
put_zsh(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            printf("'\\''");
        else if (strchr("[]:\\", *text) != NULL)
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void
print_zsh(const struct verb *verb)
{
    printf("    ('%s') _arguments -S", verb->name);
    for (size_t i = 0; i < verb->row_count; i++) {
        const struct option_row *row = &verb->rows[i];
        printf(" \\\n        '%s--%s%s[", row->kind == OPTION_LIST ? "*" : "", row->name,
               row->kind == OPTION_FLAG ? "" : "=");
        put_zsh(row->help);
        putchar(']');
        if (row->kind != OPTION_FLAG) {
            putchar(':');
            put_zsh(row->argument);
            printf(":%s", takes_file(row) ? "_files" : takes_folder(row) ? "_files -/" : "");
        }
        putchar('\'');
    }
    printf(" \\\n        '--help[what it does, with an example]'%s ;;\n",
           takes_files(verb) ? " '*:FILE:_files'" : "");
}

/* ---- all --------------------------------------------------------------------------------------
 */

void
page_print(const struct verb *verb, enum page_form form)
{
    switch (form) {
    case PAGE_TEXT:
        options_help(verb);
        break;
    case PAGE_MAN:
        print_man(verb);
        break;
    case PAGE_BASH:
        print_bash(verb);
        break;
    case PAGE_ZSH:
        print_zsh(verb);
        break;
    case PAGE_FORMS:
        break;
    }
}
