#include "loadtest/generator.h"
#include "sender/base/json.h"
#include "tests/unit/test.h"

#include <math.h>
#include <string.h>

static const char *const wanted[] = {"delivery_confirmation", "event_ticket", NULL};
static struct load_templates templates;

static struct generator
usual(uint64_t seed)
{
    return (struct generator){.seed = seed,
                              .messages = 20000,
                              .accounts = 2,
                              .countries = 60,
                              .bulk = true,
                              .promotional = 0.02,
                              .bad = 0.01,
                              .urgent = 0.05,
                              .duplicates = 0.03,
                              .templates = &templates};
}

static struct span
field_of(const struct generated *generated, const char *name)
{
    for (uint32_t i = 0; i < generated->field_count; i++)
        if (span_equal(generated->fields[i].name, span_of(name)))
            return generated->fields[i].value;
    return (struct span){0};
}

static void
line_of(const struct generated *generated, struct buffer *line)
{
    static char memory[2 * GENERATED_TEXT_MAX];
    buffer_init(line, memory, sizeof memory);
    generated_put_line(generated, line);
    expect(!line->overflow);
}

/* ---- always the same ------------------------------------------------------------------------ */

static void
the_same_n_is_always_the_same(void)
{
    static struct generated one, two;
    static char kept[2 * GENERATED_TEXT_MAX];
    struct generator generator = usual(7);
    for (uint64_t n = 0; n < 500; n++) {
        struct buffer line;
        generator_make(&generator, n, &one);
        line_of(&one, &line);
        struct span first = {kept, line.size};
        memcpy(kept, line.data, line.size);
        generator_make(&generator, 19999 - n, &two); /* the order asked in does not matter */
        generator_make(&generator, n, &two);
        line_of(&two, &line);
        expect_span(buffer_span(&line), first);
    }
}

static void
a_plan_needs_no_templates(void)
{
    static struct generated generated;
    struct generator with = usual(3);
    struct generator without = with;
    without.templates = NULL;
    for (uint64_t n = 0; n < 2000; n++) {
        struct generated_plan plan;
        generator_make(&with, n, &generated);
        generator_plan(&without, n, &plan);
        expect(plan.kind == generated.plan.kind && plan.fault == generated.plan.fault);
        expect_text(plan.to, generated.plan.to);
        expect_u64(plan.id_of, generated.plan.id_of);
        expect_u64(plan.account, generated.plan.account);
    }
}

static void
another_seed_is_another_run(void)
{
    struct generator one = usual(1);
    struct generator two = usual(2);
    uint32_t same = 0;
    for (uint64_t n = 0; n < 1000; n++) {
        struct generated_plan a, b;
        generator_plan(&one, n, &a);
        generator_plan(&two, n, &b);
        same += strcmp(a.to, b.to) == 0;
    }
    expect(same < 5);
}

/* ---- as asked ------------------------------------------------------------------------------- */

static void
expect_share(const char *what, uint64_t count, uint64_t total, double share)
{
    double deviation = 5 * sqrt(share * (1 - share) * (double)total);
    bool near = fabs((double)count - share * (double)total) <= deviation;
    if (!near)
        printf("%s: %" PRIu64 " of %" PRIu64 ", expected a share of %g\n", what, count, total,
               share);
    expect(near);
}

static void
shares_are_as_asked(void)
{
    struct generator generator = usual(11);
    uint64_t kinds[GENERATED_KINDS] = {0}, faults[FAULTS] = {0};
    uint64_t urgent = 0, copies = 0, accounts[2] = {0};
    for (uint64_t n = 0; n < generator.messages; n++) {
        struct generated_plan plan;
        generator_plan(&generator, n, &plan);
        kinds[plan.kind]++;
        faults[plan.fault]++;
        urgent += plan.urgent;
        copies += plan.id_of != n;
        accounts[plan.account]++;
    }
    expect_share("promotional", kinds[GENERATED_PROMOTIONAL], generator.messages, 0.02);
    expect_share("bad", kinds[GENERATED_BAD], generator.messages, 0.01);
    expect_share("urgent", urgent, generator.messages, 0.05);
    expect_share("account 0", accounts[0], generator.messages, 0.5);
    expect(copies > 450 && copies < 650); /* those that would copy a bad one or a copy do not */
    for (uint32_t fault = FAULT_NONE; fault < FAULTS; fault++)
        expect(faults[fault] > 5);
}

static void
no_line_is_malformed_outside_of_bulk(void)
{
    struct generator generator = usual(11);
    generator.bulk = false;
    generator.bad = 1;
    generator.promotional = 0;
    for (uint64_t n = 0; n < 5000; n++) {
        struct generated_plan plan;
        generator_plan(&generator, n, &plan);
        expect(plan.fault != FAULT_MALFORMED_LINE && plan.fault != FAULT_NONE);
    }
}

static void
recipients_are_of_sixty_countries(void)
{
    struct generator generator = usual(1);
    bool seen[256] = {false};
    uint32_t countries = 0;
    for (uint64_t n = 0; n < generator.messages; n++) {
        struct generated_plan plan;
        generator_plan(&generator, n, &plan);
        for (uint32_t i = 0; i < load_country_count(); i++) {
            if (plan.country == load_country_at(i) && !seen[i]) {
                expect(i < 60);
                seen[i] = true;
                countries++;
            }
        }
    }
    expect_u64(countries, 60);
}

static void
a_copy_carries_the_id_of_a_fine_one_before_it(void)
{
    static struct generated copy, original;
    struct generator generator = usual(5);
    uint32_t copies = 0;
    for (uint64_t n = 0; n < 5000; n++) {
        generator_make(&generator, n, &copy);
        if (copy.plan.id_of == n)
            continue;
        copies++;
        generator_make(&generator, copy.plan.id_of, &original);
        expect(copy.plan.id_of < n);
        expect_u64(original.plan.id_of, original.n);
        expect(original.plan.kind == GENERATED_FINE && copy.plan.kind == GENERATED_FINE);
        expect_span(field_of(&copy, "id"), field_of(&original, "id"));
        expect_span(field_of(&copy, "to"), field_of(&original, "to"));
        expect_u64(copy.plan.account, original.plan.account);
        expect(!span_equal(field_of(&copy, "ref"), field_of(&original, "ref")));
    }
    expect(copies > 50);
}

/* ---- what is written ------------------------------------------------------------------------ */

static void
a_fine_one_has_all_that_its_template_asks_for(void)
{
    static struct generated generated;
    struct generator generator = usual(2);
    generator.bad = generator.promotional = generator.duplicates = 0;
    for (uint64_t n = 0; n < 2000; n++) {
        generator_make(&generator, n, &generated);
        const struct load_template *template = generated.template;
        expect_u64(generated.field_count, 5 + template->parameter_count);
        expect_span(field_of(&generated, "template"), span_of(template->name));
        expect_span(field_of(&generated, "lang"), span_of(template->code));
        for (uint32_t i = 0; i < template->parameter_count; i++) {
            char name[80];
            (void)snprintf(name, sizeof name, "%s%s", template->named ? "p." : "",
                           template->parameters[i].name);
            struct span value = field_of(&generated, name);
            expect(value.size > 0 && span_is_utf8(value));
            expect(memchr(value.data, '\n', value.size) == NULL);
        }
        char id[48];
        (void)snprintf(id, sizeof id, "2-%" PRIu64, n);
        expect_span(field_of(&generated, "id"), span_of(id));
        expect(span_find(generated.offer, ' ', &(size_t){0}) == false);
    }
}

static void
every_fault_is_in_what_is_written(void)
{
    static struct generated generated;
    static struct field fields[64];
    struct generator generator = usual(2);
    generator.bad = 1;
    generator.promotional = 0;
    for (uint64_t n = 0; n < 3000; n++) {
        struct buffer line;
        generator_make(&generator, n, &generated);
        line_of(&generated, &line);
        struct json_object object = {.fields = fields, .capacity = 64};
        enum json_error json = json_read_flat(buffer_span(&line), &object, NULL);
        enum generated_fault fault = generated.plan.fault;
        expect((json == JSON_SYNTAX || json == JSON_ENCODING) ==
               (fault == FAULT_MALFORMED_LINE || fault == FAULT_ENCODING));
        uint32_t usual_count = 5 + generated.template->parameter_count;
        bool fewer = fault == FAULT_NO_RECIPIENT || fault == FAULT_MISSING_PARAMETER;
        bool more = fault == FAULT_EXTRA_PARAMETER || fault == FAULT_UNKNOWN_FIELD;
        expect_u64(generated.field_count, usual_count - fewer + more);
        bool same = span_equal(field_of(&generated, "to"), span_of(generated.plan.to));
        expect(same == (fault != FAULT_NO_RECIPIENT && fault != FAULT_BAD_NUMBER));
        expect(span_equal(field_of(&generated, "lang"), SPAN("eo")) ==
               (fault == FAULT_UNKNOWN_LANGUAGE));
    }
}

static void
a_promotional_one_is_a_fine_one_with_an_offer(void)
{
    static struct generated generated;
    struct generator generator = usual(2);
    generator.promotional = 1;
    generator.bad = 0;
    for (uint64_t n = 0; n < 500; n++) {
        generator_make(&generator, n, &generated);
        expect_u64(generated.field_count, 5 + generated.template->parameter_count);
        bool found = false;
        for (uint32_t i = 5; i < generated.field_count; i++)
            found = found || generated.fields[i].value.data == generated.offer.data;
        expect(found && generated.offer.size > 12);
    }
}

static void
a_ref_is_read_back(void)
{
    struct generator generator = usual(42);
    static const struct {
        const char *ref;
        bool good;
        uint64_t n;
    } cases[] = {{"42/0", true, 0},    {"42/19999", true, 19999}, {"42/20000", false, 0},
                 {"41/7", false, 0},   {"42", false, 0},          {"", false, 0},
                 {"42/", false, 0},    {"42/x", false, 0},        {"42/-1", false, 0},
                 {"order 7", false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t n = 0;
        expect(generator_read_ref(&generator, span_of(cases[i].ref), &n) == cases[i].good);
        if (cases[i].good)
            expect_u64(n, cases[i].n);
    }
}

/* ---- numbers -------------------------------------------------------------------------------- */

static void
every_pattern_is_a_plausible_number(void)
{
    expect(load_country_count() >= 60);
    for (uint32_t i = 0; i < load_country_count(); i++) {
        const struct load_country *country = load_country_at(i);
        char code[8];
        (void)snprintf(code, sizeof code, "%u", country->calling_code);
        expect_u64(strlen(country->code), 2);
        expect(country->weight > 0 && country->patterns[0] != NULL);
        expect(i == 0 || country->weight <= load_country_at(i - 1)->weight);
        for (uint32_t k = 0; k < LOAD_NUMBER_PATTERNS_MAX && country->patterns[k] != NULL; k++) {
            const char *pattern = country->patterns[k];
            expect(strncmp(pattern, code, strlen(code)) == 0);
            expect(strlen(pattern) >= 10 && strlen(pattern) <= 15);
            expect_u64(strspn(pattern, "0123456789#"), strlen(pattern));
            expect(strchr(pattern, '#') != NULL && strchr(pattern, '#') - pattern >= 3);
        }
        for (uint32_t k = 0; k < i; k++)
            expect(strcmp(country->code, load_country_at(k)->code) != 0);
    }
}

static void
numbers_are_drawn_from_their_pattern(void)
{
    struct random random;
    random_seed(&random, 1);
    for (uint32_t i = 0; i < load_country_count(); i++) {
        const struct load_country *country = load_country_at(i);
        for (uint32_t k = 0; k < 20; k++) {
            char number[LOAD_NUMBER_SIZE];
            load_number_draw(&random, country, number);
            bool matches = false;
            for (uint32_t p = 0; p < LOAD_NUMBER_PATTERNS_MAX && country->patterns[p] != NULL;
                 p++) {
                const char *pattern = country->patterns[p];
                bool same = strlen(pattern) == strlen(number + 1);
                for (size_t c = 0; same && pattern[c] != '\0'; c++)
                    same = pattern[c] == '#' ? number[1 + c] >= '0' && number[1 + c] <= '9'
                                             : pattern[c] == number[1 + c];
                matches = matches || same;
            }
            expect(number[0] == '+' && matches);
        }
    }
}

int
main(void)
{
    struct error_text error;
    if (!load_templates_read(&templates, FACTEUR_SOURCE_DIR "/templates/catalogue", wanted,
                             &error)) {
        printf("%s\n", error.text);
        return 1;
    }
    TEST(the_same_n_is_always_the_same);
    TEST(a_plan_needs_no_templates);
    TEST(another_seed_is_another_run);
    TEST(shares_are_as_asked);
    TEST(no_line_is_malformed_outside_of_bulk);
    TEST(recipients_are_of_sixty_countries);
    TEST(a_copy_carries_the_id_of_a_fine_one_before_it);
    TEST(a_fine_one_has_all_that_its_template_asks_for);
    TEST(every_fault_is_in_what_is_written);
    TEST(a_promotional_one_is_a_fine_one_with_an_offer);
    TEST(a_ref_is_read_back);
    TEST(every_pattern_is_a_plausible_number);
    TEST(numbers_are_drawn_from_their_pattern);
    return test_end();
}
