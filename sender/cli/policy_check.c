/* facteur policy check: texts in, one verdict a line out. */
#include "sender/base/json.h"
#include "sender/cli/cli.h"
#include "templates/policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char verb_name[] = "policy check";

struct policy_options {
    bool json;
    bool parameter;
    const char *language;
};

struct policy_case {
    struct span text;
    struct span language;
};

static void
judge(const struct policy_options *options, const struct policy_case *one,
      struct judgement *judgement)
{
    if (options->parameter)
        policy_judge_parameter(one->text, one->language, judgement);
    else
        policy_judge(one->text, one->language, judgement);
}

static void
print_json(const struct policy_case *one, const struct judgement *judgement)
{
    static char memory[POLICY_FINDINGS_MAX * (6 * POLICY_TEXT_MAX + 128)];
    struct buffer out;
    buffer_init(&out, memory, sizeof(memory));
    for (uint32_t i = 0; i < judgement->finding_count; i++) {
        const struct finding *finding = &judgement->findings[i];
        buffer_put_text(&out, i == 0 ? "{\"rule\":" : ",{\"rule\":");
        json_put_string(&out, span_of(finding->rule));
        buffer_put_text(&out, ",\"words\":");
        json_put_string(
            &out, (struct span){one->text.data + finding->start, finding->end - finding->start});
        buffer_printf(&out, ",\"start\":%u,\"end\":%u}", finding->start, finding->end);
    }
    printf("{\"promotional\":%s,\"score\":%.3f,\"findings\":[%.*s]}\n",
           judgement->promotional ? "true" : "false", (double)judgement->score, (int)out.size,
           out.data);
}

static void
print_words(const struct policy_case *one, const struct judgement *judgement)
{
    printf("%-11s %.2f ", judgement->promotional ? "promotional" : "fine",
           (double)judgement->score);
    for (uint32_t i = 0; i < judgement->finding_count; i++) {
        const struct finding *finding = &judgement->findings[i];
        printf(" %s \"%.*s\"", finding->rule, (int)(finding->end - finding->start),
               one->text.data + finding->start);
    }
    putchar('\n');
}

static bool
check_one(const struct policy_options *options, const struct policy_case *one)
{
    struct judgement judgement;
    judge(options, one, &judgement);
    if (options->json)
        print_json(one, &judgement);
    else
        print_words(one, &judgement);
    fflush(stdout); /* a verb in a pipe answers line by line */
    return judgement.promotional;
}

/* {"text":…,"lang":…}: a JSON line. Its memory is changed in place. */
static bool
read_json_line(struct span line, struct policy_case *one, uint64_t number)
{
    struct field fields[16];
    struct json_object object = {.fields = fields, .capacity = 16};
    uint64_t raw;
    enum json_error error = json_read_flat(line, &object, &raw);
    bool has_text = false;
    if (error != JSON_OK) {
        fprintf(stderr, "facteur policy check: line %llu, byte %zu: %s\n",
                (unsigned long long)number, object.error_at + 1, json_error_text(error));
        return false;
    }
    for (size_t i = 0; i < object.count; i++) {
        if (span_equal(fields[i].name, SPAN("text")) && (raw >> i & 1) == 0) {
            one->text = fields[i].value;
            has_text = true;
        } else if (span_equal(fields[i].name, SPAN("lang")) && (raw >> i & 1) == 0) {
            one->language = fields[i].value;
        }
    }
    if (!has_text)
        fprintf(stderr, "facteur policy check: line %llu: \"text\" is missing, or no string\n",
                (unsigned long long)number);
    return has_text;
}

static int
check_lines(const struct policy_options *options)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    uint64_t number = 0;
    bool promotional = false;
    bool bad = false;
    while ((size = getline(&line, &capacity, stdin)) >= 0) {
        number++;
        struct span text = {line, (size_t)size};
        if (text.size > 0 && text.data[text.size - 1] == '\n')
            text.size--;
        struct policy_case one = {.text = text, .language = span_of(options->language)};
        if (span_trim(text).size > 0 && span_trim(text).data[0] == '{' &&
            !read_json_line(text, &one, number)) {
            bad = true;
            if (options->json) /* one line in, one line out, in order */
                printf("{\"error\":\"not a line of {\\\"text\\\",\\\"lang\\\"}\",\"line\":%llu}\n",
                       (unsigned long long)number);
            continue;
        }
        promotional = check_one(options, &one) || promotional;
    }
    free(line);
    return bad ? EXIT_DATA : promotional ? EXIT_NO : EXIT_GOOD;
}

int
cli_policy_check(int argc, char **argv)
{
    struct policy_options options = {.language = ""};
    const struct option_row rows[] = {
        {"lang", OPTION_TEXT, &options.language, "LANG", "of texts that do not say; default: all",
         NULL},
        {"parameter", OPTION_FLAG, &options.parameter, NULL,
         "judge each text as a single parameter (stricter)", NULL},
        {"json", OPTION_FLAG, &options.json, NULL, "one JSON object a line", NULL},
    };
    const struct verb verb = {
        verb_name,
        "is a text promotional?",
        "[options] [TEXT…]",
        "Texts from the arguments, or one a line on standard input, plain or as JSON lines\n"
        "{\"text\":…,\"lang\":…}. One verdict a line, with the words that caused it. Exit 1 if "
        "one\n"
        "is promotional.\n\nexample:\n"
        "  facteur policy check --lang en 'Your parcel CMD-1 has arrived' 'FLASH SALE: -50% "
        "today!'",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (rest == 0)
        return check_lines(&options);
    bool promotional = false;
    for (int i = 0; i < rest; i++) {
        const struct policy_case one = {span_of(argv[i]), span_of(options.language)};
        promotional = check_one(&options, &one) || promotional;
    }
    return promotional ? EXIT_NO : EXIT_GOOD;
}
