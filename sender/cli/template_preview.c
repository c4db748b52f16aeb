/* facteur template preview: a message as the customer will see it, in the terminal. */
#include "sender/base/check.h"
#include "sender/cli/bubble.h"
#include "sender/cli/template_files.h"
#include "sender/cli/template_source.h"
#include "templates/policy/policy.h"
#include "templates/template_text.h"
#include "templates/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char verb_name[] = "template preview";

enum { TEXT_MAX = 160 * 1024, PARAMS_TEXT_MAX = 4096, NAMES_TEXT_MAX = 64 * 1024 };

struct preview {
    struct template_options options;
    const char *language;
    struct option_list set; /* NAME=VALUE */
    const char *params;
    const char *color;
    uint64_t width;

    const struct template *template;
    struct field fields[2 * TEMPLATE_PARAMETERS_MAX + 2];
    size_t field_count;
    uint32_t given; /* how many of them were given; the others stand for themselves */
    char *names;    /* NAMES_TEXT_MAX: "{{1}}" of what was not given */
    char default_params[PARAMS_TEXT_MAX];
    struct arena arena;
    struct values values;
    char *memory; /* TEXT_MAX */
    struct buffer text;
    struct judgement judgement;
    struct span judged; /* what its findings point into */
};

/* ---- values --------------------------------------------------------------------------------- */

static bool
is_set(const struct preview *preview, struct span name)
{
    for (size_t i = 0; i < preview->field_count; i++)
        if (span_equal(preview->fields[i].name, name))
            return true;
    return false;
}

static bool
take_given(struct preview *preview)
{
    for (uint32_t i = 0; i < preview->set.count; i++) {
        struct span value = span_of(preview->set.items[i]);
        struct span name = span_split(&value, '=');
        if (value.data == NULL || name.size == 0) {
            fprintf(stderr,
                    "facteur template preview: --set %s: write NAME=VALUE, as in 1=Claire\n",
                    preview->set.items[i]);
            return false;
        }
        if (span_starts(name, SPAN("p.")))
            name = (struct span){name.data + 2, name.size - 2};
        if (preview->field_count == 2 * TEMPLATE_PARAMETERS_MAX) {
            fprintf(stderr, "facteur template preview: --set: too many values\n");
            return false;
        }
        preview->fields[preview->field_count++] = (struct field){name, value};
    }
    preview->given = (uint32_t)preview->field_count;
    return true;
}

/* What was not given is shown as its variable. */
static void
take_default(struct preview *preview, struct buffer *names, struct span name)
{
    if (name.size == 0 || is_set(preview, name))
        return;
    size_t start = names->size;
    buffer_put_text(names, "{{");
    buffer_put_span(names, name);
    buffer_put_text(names, "}}");
    preview->fields[preview->field_count++] =
        (struct field){name, {names->data + start, names->size - start}};
}

static void
put_default_header(const struct template *template, struct buffer *params)
{
    switch (template->header) {
    case TEMPLATE_HEADER_NONE:
        return;
    case TEMPLATE_HEADER_TEXT:
        if (template->header_text.variable_count > 0 && !template->named)
            buffer_put_text(params, "\"header\":\"{{1}}\"");
        return;
    case TEMPLATE_HEADER_IMAGE:
        buffer_put_text(params, "\"header\":{\"link\":\"https://example.com/image.png\"}");
        return;
    case TEMPLATE_HEADER_VIDEO:
        buffer_put_text(params, "\"header\":{\"link\":\"https://example.com/video.mp4\"}");
        return;
    case TEMPLATE_HEADER_DOCUMENT:
        buffer_put_text(params, "\"header\":{\"link\":\"https://example.com/document.pdf\","
                                "\"filename\":\"document.pdf\"}");
        return;
    case TEMPLATE_HEADER_LOCATION:
        buffer_put_text(params, "\"header\":{\"latitude\":\"0\",\"longitude\":\"0\",\"name\":"
                                "\"{{name}}\",\"address\":\"{{address}}\"}");
        return;
    }
}

/* For what plain values cannot say, unless --params says it. */
static struct span
default_params(struct preview *preview)
{
    const struct template *template = preview->template;
    struct buffer params;
    bool any = false;
    buffer_init(&params, preview->default_params, sizeof(preview->default_params));
    buffer_put_char(&params, '{');
    put_default_header(template, &params);
    for (uint32_t i = 0; i < template->button_count; i++) {
        if (template->buttons[i].kind != TEMPLATE_BUTTON_URL || !template->buttons[i].has_variable)
            continue;
        if (!any)
            buffer_put_text(&params, params.size > 1 ? ",\"buttons\":{" : "\"buttons\":{");
        buffer_printf(&params, "%s\"%u\":\"{{1}}\"", any ? "," : "", i);
        any = true;
    }
    buffer_put_text(&params, any ? "}}" : "}");
    check(!params.overflow);
    return buffer_span(&params);
}

static bool
read_values(struct preview *preview)
{
    const struct template *template = preview->template;
    struct buffer names;
    struct span field;
    if (!take_given(preview))
        return false;
    preview->names = check_alloc(1, NAMES_TEXT_MAX + TEMPLATE_FILE_MAX);
    buffer_init(&names, preview->names, NAMES_TEXT_MAX + TEMPLATE_FILE_MAX);
    for (uint32_t i = 0; i < template->parameter_count; i++)
        take_default(preview, &names, template->parameter_names[i]);
    if (template->named)
        take_default(preview, &names, template->header_parameter);
    const struct values_input input = {
        .fields = preview->fields,
        .count = preview->field_count,
        .named = template->named,
        .params = preview->params != NULL ? span_of(preview->params) : default_params(preview),
    };
    arena_open(&preview->arena, VALUES_PARAMS_MAX * 2);
    enum values_error error =
        values_read(template, &input, &preview->arena, &preview->values, &field);
    if (error == VALUES_OK)
        return true;
    fprintf(stderr, "facteur template preview: parameter %.*s: %s\n", SPAN_ARG(field),
            values_error_text(error));
    return false;
}

/* ---- judging -------------------------------------------------------------------------------- */

static void
judge(struct preview *preview)
{
    const struct template *template = preview->template;
    for (uint32_t i = 0; i < preview->given; i++) {
        preview->judged = preview->fields[i].value;
        policy_judge_parameter(preview->judged, template->language, &preview->judgement);
        if (preview->judgement.promotional)
            return;
    }
    preview->judged = buffer_span(&preview->text);
    policy_judge(preview->judged, template->language, &preview->judgement);
}

/* ---- for eyes ------------------------------------------------------------------------------- */

static void
draw_header(const struct preview *preview, const struct bubble *bubble)
{
    const struct template *template = preview->template;
    char memory[2048];
    struct buffer text;
    buffer_init(&text, memory, sizeof(memory));
    if (template->header == TEMPLATE_HEADER_NONE)
        return;
    if (template->header != TEMPLATE_HEADER_TEXT) {
        buffer_printf(&text, "[%s] ", template_header_text(template->header));
        values_put_header(template, &preview->values, &text);
        if (preview->values.header_field_count > 0 && text.size < 16 &&
            template->header != TEMPLATE_HEADER_LOCATION)
            buffer_put_span(&text, preview->values.header_fields[0].value);
    } else {
        values_put_header(template, &preview->values, &text);
    }
    bubble_text(bubble, buffer_span(&text),
                template->header == TEMPLATE_HEADER_TEXT ? BUBBLE_BOLD : BUBBLE_FAINT);
    bubble_line(bubble);
}

static void
draw_buttons(const struct preview *preview, const struct bubble *bubble)
{
    for (uint32_t i = 0; i < preview->template->button_count; i++) {
        const struct template_button *button = &preview->template->buttons[i];
        struct span value = preview->values.buttons[i];
        char memory[2048 + TEMPLATE_FILE_MAX];
        struct buffer what;
        buffer_init(&what, memory, sizeof(memory));
        const char *sign = "";
        switch (button->kind) {
        case TEMPLATE_BUTTON_QUICK_REPLY:
            sign = "↩";
            break;
        case TEMPLATE_BUTTON_URL:
            sign = "↗";
            buffer_put_span(&what, button->url);
            break;
        case TEMPLATE_BUTTON_PHONE:
            sign = "☎";
            buffer_put_span(&what, button->phone);
            break;
        case TEMPLATE_BUTTON_COPY_CODE:
        case TEMPLATE_BUTTON_OTP:
            sign = "⧉";
            break;
        }
        buffer_put_span(&what, value);
        bubble_button(bubble, sign, button->text, buffer_span(&what));
    }
}

static void
draw(struct preview *preview)
{
    const struct template *template = preview->template;
    struct bubble bubble = {.width = (uint32_t)preview->width};
    struct buffer body;
    char *memory = check_alloc(1, TEXT_MAX);
    bubble.styled = strcmp(preview->color, "always") == 0 ||
                    (strcmp(preview->color, "auto") == 0 && isatty(STDOUT_FILENO) != 0);
    bubble_begin();
    bubble_top(&bubble);
    draw_header(preview, &bubble);
    buffer_init(&body, memory, TEXT_MAX);
    values_put_body(template, &preview->values, &body);
    bubble_text(&bubble, buffer_span(&body), BUBBLE_PLAIN);
    if (template->footer.size > 0) {
        bubble_line(&bubble);
        bubble_text(&bubble, template->footer, BUBBLE_FAINT);
    }
    bubble_bottom(&bubble);
    draw_buttons(preview, &bubble);
    printf("\n%.*s in %.*s, %s, version %016llx; %u characters\n", SPAN_ARG(template->name),
           SPAN_ARG(template->language), template_category_text(template->category),
           (unsigned long long)template->version, template_text_characters(buffer_span(&body)));
    free(memory);
}

static void
print_policy(const struct preview *preview)
{
    const struct judgement *judgement = &preview->judgement;
    printf("policy: %s (%.2f)",
           judgement->promotional ? "promotional, it would be refused" : "fine",
           (double)judgement->score);
    for (uint32_t i = 0; judgement->promotional && i < judgement->finding_count; i++) {
        const struct finding *finding = &judgement->findings[i];
        printf("%s \"%.*s\" (%s)", i == 0 ? ":" : ",", (int)(finding->end - finding->start),
               preview->judged.data + finding->start, finding->rule);
    }
    putchar('\n');
}

/* ---- for programs --------------------------------------------------------------------------- */

static void
print_buttons_json(const struct preview *preview)
{
    static const char *const kinds[] = {"quick_reply", "url", "phone_number", "copy_code", "otp"};
    printf(",\"buttons\":[");
    for (uint32_t i = 0; i < preview->template->button_count; i++) {
        const struct template_button *button = &preview->template->buttons[i];
        printf("%s{\"type\":\"%s\",\"text\":", i == 0 ? "" : ",", kinds[button->kind]);
        print_json_text(button->text);
        printf(",\"url\":");
        print_json_text(button->url);
        printf(",\"phone\":");
        print_json_text(button->phone);
        printf(",\"value\":");
        print_json_text(preview->values.buttons[i]);
        printf("}");
    }
    printf("]");
}

static void
print_missing_json(const struct preview *preview)
{
    printf(",\"not_given\":[");
    for (size_t i = preview->given; i < preview->field_count; i++) {
        printf("%s", i == preview->given ? "" : ",");
        print_json_text(preview->fields[i].name);
    }
    printf("]");
}

static void
print_json(struct preview *preview)
{
    const struct template *template = preview->template;
    const struct judgement *judgement = &preview->judgement;
    char *memory = check_alloc(1, TEXT_MAX);
    struct buffer part;
    buffer_init(&part, memory, TEXT_MAX);
    printf("{\"name\":\"%.*s\",\"lang\":\"%.*s\",\"version\":\"%016llx\",\"category\":\"%s\"",
           SPAN_ARG(template->name), SPAN_ARG(template->language),
           (unsigned long long)template->version, template_category_text(template->category));
    values_put_header(template, &preview->values, &part);
    printf(",\"header\":{\"type\":\"%s\",\"text\":", template->header == TEMPLATE_HEADER_NONE
                                                         ? "none"
                                                         : template_header_text(template->header));
    print_json_text(buffer_span(&part));
    buffer_reset(&part);
    values_put_body(template, &preview->values, &part);
    printf("},\"body\":");
    print_json_text(buffer_span(&part));
    printf(",\"footer\":");
    print_json_text(template->footer);
    print_buttons_json(preview);
    printf(",\"text\":");
    print_json_text(buffer_span(&preview->text));
    print_missing_json(preview);
    printf(",\"promotional\":%s,\"score\":%.3f,\"findings\":[",
           judgement->promotional ? "true" : "false", (double)judgement->score);
    for (uint32_t i = 0; i < judgement->finding_count; i++) {
        const struct finding *finding = &judgement->findings[i];
        printf("%s{\"rule\":\"%s\",\"words\":", i == 0 ? "" : ",", finding->rule);
        print_json_text(
            (struct span){preview->judged.data + finding->start, finding->end - finding->start});
        printf("}");
    }
    printf("]}\n");
    free(memory);
}

/* ---- the verb ------------------------------------------------------------------------------- */

static int
show(struct preview *preview)
{
    int code = EXIT_DATA;
    preview->memory = check_alloc(1, TEXT_MAX);
    buffer_init(&preview->text, preview->memory, TEXT_MAX);
    if (read_values(preview) &&
        values_render(preview->template, &preview->values, &preview->text)) {
        judge(preview);
        if (preview->options.json) {
            print_json(preview);
        } else {
            draw(preview);
            print_policy(preview);
        }
        code = preview->judgement.promotional ? EXIT_NO : EXIT_GOOD;
    }
    if (preview->arena.data != NULL)
        arena_close(&preview->arena);
    free(preview->names);
    free(preview->memory);
    return code;
}

static int
show_file(struct preview *preview, char *path)
{
    struct template_files files;
    if (!template_files_open(verb_name, &path, 1, &files))
        return EXIT_DATA;
    int code = EXIT_NO;
    if (files.count != 1 || files.files[0].template == NULL) {
        template_files_print(&files, preview->options.json);
    } else {
        preview->template = files.files[0].template;
        code = show(preview);
    }
    template_files_close(&files);
    return code;
}

/* By name and --lang; without --lang the only language it has. */
static int
show_named(struct preview *preview, const char *name)
{
    struct template_source source;
    int code = template_source_open(&preview->options, verb_name, &source);
    if (code >= 0)
        return code;
    uint32_t found = 0;
    for (uint32_t i = 0; i < catalogue_count(source.catalogue); i++) {
        const struct template *template = catalogue_at(source.catalogue, i);
        if (!span_equal(template->name, span_of(name)) ||
            (preview->language != NULL &&
             !span_equal(template->language, span_of(preview->language))))
            continue;
        preview->template = template;
        found++;
    }
    if (found == 1)
        code = show(preview);
    else if (found == 0)
        code = template_source_say_unknown(&source, span_of(name), span_of(preview->language));
    else
        code = EXIT_USAGE;
    if (found > 1)
        fprintf(stderr, "facteur template preview: %s is in %u languages: give --lang LANG\n", name,
                found);
    template_source_close(&source);
    return code;
}

static bool
is_file(const char *name)
{
    size_t size = strlen(name);
    return strchr(name, '/') != NULL || strcmp(name, "-") == 0 ||
           (size > 5 && strcmp(name + size - 5, ".json") == 0);
}

static int
run(struct preview *preview, char **names, int count)
{
    if (count != 1) {
        fprintf(stderr, "facteur template preview: give one NAME or FILE; see facteur template "
                        "preview --help\n");
        return EXIT_USAGE;
    }
    if (preview->width < BUBBLE_WIDTH_MIN || preview->width > BUBBLE_WIDTH_MAX) {
        fprintf(stderr, "facteur template preview: --width: from %d to %d\n", BUBBLE_WIDTH_MIN,
                BUBBLE_WIDTH_MAX);
        return EXIT_USAGE;
    }
    return is_file(names[0]) ? show_file(preview, names[0]) : show_named(preview, names[0]);
}

int
cli_template_preview(int argc, char **argv)
{
    struct preview *preview = check_alloc(1, sizeof(*preview));
    preview->color = "auto";
    preview->width = 44;
    template_options_init(&preview->options);
    const struct option_row rows[] = {
        {"lang", OPTION_TEXT, &preview->language, "LANG", "in this language", NULL},
        {"set", OPTION_LIST, &preview->set, "NAME=VALUE", "a parameter; what is not given is shown",
         NULL},
        {"params", OPTION_TEXT, &preview->params, "JSON",
         "header, buttons: as in a notification's params", NULL},
        {"color", OPTION_TEXT, &preview->color, "WHEN",
         "bold and italic: auto (a terminal, default), always, never", NULL},
        {"width", OPTION_NUMBER, &preview->width, "N", "columns of text; default 44", NULL},
        TEMPLATE_STORE_ROWS(&preview->options),
        TEMPLATE_FOLDER_ROW(&preview->options),
        TEMPLATE_JSON_ROW(&preview->options),
    };
    const struct verb verb = {
        verb_name,
        "a message as the customer will see it",
        "NAME|FILE [options]",
        "Fills a template in and draws it, with what the content policy says. A template of the\n"
        "catalogue, or a file that is still being written. Exit 1 if it would be refused.\n"
        "\nexample:\n"
        "  facteur template preview order_shipped --lang fr --set 1=Claire --set 2=CMD-1042",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code < 0)
        code = run(preview, argv, rest);
    free(preview);
    return code;
}
