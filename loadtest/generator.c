#include "loadtest/generator.h"
#include "sender/base/check.h"
#include "sender/base/json.h"

#include <string.h>

/* How far back a copy may look for the one that it repeats: near enough to meet it in flight. */
enum { COPY_REACH = 1000 };

/* The end of a value that is not UTF-8: a lead byte without its second, and a byte of no meaning.
 */
static const char not_utf8[] = " \xc3(\xff";

struct rolled {
    struct generated_plan plan;
    bool wants_copy;
    uint64_t copy_distance;
};

static void
seed_for(const struct generator *generator, uint64_t n, struct random *random)
{
    random_seed(random, (generator->seed + 1) * 0xd1342543de82ef95u ^ n * 0xda942042e4dd58b5u);
}

/* Everything about N that depends on N's own dice. The order of the rolls is the format. */
static void
roll(const struct generator *generator, uint64_t n, struct random *random, struct rolled *rolled)
{
    check(n < generator->messages && generator->accounts > 0);
    seed_for(generator, n, random);
    struct generated_plan *plan = &rolled->plan;
    double kind = random_unit(random);
    uint32_t faults = generator->bulk ? FAULTS : FAULT_MALFORMED_LINE;
    enum generated_fault fault = 1 + (enum generated_fault)random_below(random, faults - 1);
    plan->kind = kind < generator->bad                            ? GENERATED_BAD
                 : kind < generator->bad + generator->promotional ? GENERATED_PROMOTIONAL
                                                                  : GENERATED_FINE;
    plan->fault = plan->kind == GENERATED_BAD ? fault : FAULT_NONE;
    plan->urgent = random_chance(random, generator->urgent);
    plan->account = (uint32_t)random_below(random, generator->accounts);
    plan->id_of = n;
    plan->country = load_country_draw(random, generator->countries);
    load_number_draw(random, plan->country, plan->to);
    rolled->wants_copy = random_chance(random, generator->duplicates);
    uint64_t reach = n < COPY_REACH ? n : COPY_REACH;
    rolled->copy_distance = reach == 0 ? 0 : 1 + random_below(random, reach);
}

/* A copy repeats one that is fine and not a copy itself, so the chain is never longer than two. */
static bool
find_original(const struct generator *generator, uint64_t n, const struct rolled *rolled,
              struct random *random, struct rolled *original)
{
    if (!rolled->wants_copy || rolled->copy_distance == 0)
        return false;
    roll(generator, n - rolled->copy_distance, random, original);
    return !original->wants_copy && original->plan.kind == GENERATED_FINE;
}

/* Leaves `random` where the content's dice go on: those of the one whose content it is. */
static void
plan_with(const struct generator *generator, uint64_t n, struct generated_plan *plan,
          struct random *random)
{
    struct rolled rolled;
    roll(generator, n, random, &rolled);
    struct random own = *random;
    struct rolled original;
    if (find_original(generator, n, &rolled, random, &original)) {
        *plan = original.plan;
    } else {
        *random = own;
        *plan = rolled.plan;
    }
}

void
generator_plan(const struct generator *generator, uint64_t n, struct generated_plan *plan)
{
    struct random random;
    plan_with(generator, n, plan, &random);
}

void
generator_put_id(const struct generator *generator, uint64_t n, struct buffer *out)
{
    buffer_put_u64(out, generator->seed);
    buffer_put_char(out, '-');
    buffer_put_u64(out, n);
}

void
generator_put_ref(const struct generator *generator, uint64_t n, struct buffer *out)
{
    buffer_put_u64(out, generator->seed);
    buffer_put_char(out, '/');
    buffer_put_u64(out, n);
}

bool
generator_read_ref(const struct generator *generator, struct span ref, uint64_t *n)
{
    struct span rest = ref;
    uint64_t seed = 0;
    return span_to_u64(span_split(&rest, '/'), &seed) && seed == generator->seed &&
           span_to_u64(rest, n) && *n < generator->messages;
}

/* ---- fields ------------------------------------------------------------------------------- */

static size_t
begin_value(const struct generated *generated)
{
    return generated->buffer.size;
}

/* What was written since `begin` becomes the value of a field called `name`. */
static void
end_value(struct generated *generated, const char *name, size_t begin)
{
    check(generated->field_count < GENERATED_FIELDS_MAX && !generated->buffer.overflow);
    struct field *field = &generated->fields[generated->field_count++];
    field->name = span_of(name);
    field->value = (struct span){generated->text + begin, generated->buffer.size - begin};
}

static void
put_field(struct generated *generated, const char *name, const char *value)
{
    size_t begin = begin_value(generated);
    buffer_put_text(&generated->buffer, value);
    end_value(generated, name, begin);
}

/* "p.NAME" or "1", kept in the text so that the field can point at it. */
static void
put_parameter_name(struct generated *generated, const struct load_template *template,
                   const char *name, struct span *span)
{
    size_t begin = begin_value(generated);
    if (template->named)
        buffer_put_text(&generated->buffer, "p.");
    buffer_put_text(&generated->buffer, name);
    *span = (struct span){generated->text + begin, generated->buffer.size - begin};
}

static void
put_bad_number(struct generated *generated, struct random *random)
{
    const char *to = generated->plan.to;
    size_t begin = begin_value(generated);
    struct buffer *out = &generated->buffer;
    switch (random_below(random, 4)) {
    case 0: /* national */
        buffer_put_char(out, '0');
        buffer_put_text(out, to + 3);
        break;
    case 1: /* 00 instead of + */
        buffer_put_text(out, "00");
        buffer_put_text(out, to + 1);
        break;
    case 2: /* cut short */
        buffer_put(out, to, 5);
        break;
    default: /* an extension nobody can dial */
        buffer_put_text(out, to);
        buffer_put_text(out, " ext. 12");
        break;
    }
    end_value(generated, "to", begin);
}

static void
put_value(struct generated *generated, struct random *random, uint32_t index, uint32_t promoted)
{
    const struct load_template *template = generated->template;
    struct buffer *out = &generated->buffer;
    load_word_put(random, template->parameters[index].word, template->language, out);
    if (index != promoted)
        return;
    if (generated->plan.kind == GENERATED_PROMOTIONAL) {
        buffer_put_char(out, ' ');
        load_offer_put(random, template->language, out);
    } else if (generated->plan.fault == FAULT_ENCODING) {
        buffer_put_text(out, not_utf8);
    }
}

static void
put_parameters(struct generated *generated, struct random *random)
{
    const struct load_template *template = generated->template;
    uint32_t count = template->parameter_count;
    uint32_t chosen = count == 0 ? 0 : (uint32_t)random_below(random, count);
    for (uint32_t i = 0; i < count; i++) {
        if (generated->plan.fault == FAULT_MISSING_PARAMETER && i == chosen)
            continue;
        struct span name;
        put_parameter_name(generated, template, template->parameters[i].name, &name);
        size_t begin = begin_value(generated);
        put_value(generated, random, i, chosen);
        end_value(generated, "", begin);
        struct field *field = &generated->fields[generated->field_count - 1];
        field->name = name;
        if (i == chosen && generated->plan.kind == GENERATED_PROMOTIONAL)
            generated->offer = field->value;
    }
    if (generated->plan.fault == FAULT_EXTRA_PARAMETER) {
        char extra[LOAD_NAME_MAX];
        struct buffer number;
        buffer_init(&number, extra, sizeof extra);
        if (template->named)
            buffer_put_text(&number, "one_too_many");
        else
            buffer_put_u64(&number, count + 1);
        struct span name;
        put_parameter_name(generated, template, buffer_text(&number), &name);
        put_field(generated, "", "one too many");
        generated->fields[generated->field_count - 1].name = name;
    }
}

/* A template in the language that the recipient's country is written to. */
static const struct load_template *
choose_template(const struct generator *generator, const struct generated_plan *plan,
                struct random *random)
{
    const struct load_templates *templates = generator->templates;
    check(templates != NULL && templates->count > 0);
    uint32_t first = (uint32_t)random_below(random, templates->count);
    for (uint32_t i = 0; i < templates->count; i++) {
        const struct load_template *template = &templates->list[(first + i) % templates->count];
        if (strcmp(load_language_code(template->language), plan->country->language) == 0)
            return template;
    }
    return &templates->list[first];
}

void
generator_make(const struct generator *generator, uint64_t n, struct generated *generated)
{
    struct random random;
    generated->n = n;
    generated->field_count = 0;
    generated->offer = (struct span){0};
    buffer_init(&generated->buffer, generated->text, sizeof generated->text);
    struct generated_plan *plan = &generated->plan;
    plan_with(generator, n, plan, &random);
    generated->template = choose_template(generator, plan, &random);

    size_t begin = begin_value(generated);
    generator_put_id(generator, plan->id_of, &generated->buffer);
    end_value(generated, "id", begin);
    begin = begin_value(generated);
    generator_put_ref(generator, n, &generated->buffer);
    end_value(generated, "ref", begin);
    if (plan->fault == FAULT_BAD_NUMBER)
        put_bad_number(generated, &random);
    else if (plan->fault != FAULT_NO_RECIPIENT)
        put_field(generated, "to", plan->to);
    put_field(generated, "template",
              plan->fault == FAULT_UNKNOWN_TEMPLATE ? "no_such_template"
                                                    : generated->template->name);
    put_field(generated, "lang",
              plan->fault == FAULT_UNKNOWN_LANGUAGE ? "eo" : generated->template->code);
    put_parameters(generated, &random);
    if (plan->fault == FAULT_UNKNOWN_FIELD)
        put_field(generated, "templte", "a slip of the pen");
}

static void
put_line_value(struct span value, struct buffer *line)
{
    if (span_is_utf8(value)) {
        json_put_string(line, value);
        return;
    }
    size_t good = value.size - strlen(not_utf8);
    buffer_put_char(line, '"');
    json_put_escaped(line, (struct span){value.data, good});
    buffer_put_text(line, not_utf8); /* as it is: being wrong is its purpose */
    buffer_put_char(line, '"');
}

void
generated_put_line(const struct generated *generated, struct buffer *line)
{
    size_t begin = line->size;
    for (uint32_t i = 0; i < generated->field_count; i++) {
        const struct field *field = &generated->fields[i];
        buffer_put_char(line, i == 0 ? '{' : ',');
        json_put_string(line, field->name);
        buffer_put_char(line, ':');
        put_line_value(field->value, line);
    }
    buffer_put_char(line, '}');
    if (generated->plan.fault == FAULT_MALFORMED_LINE)
        line->size -=
            (line->size - begin) / 4; /* cut off: id and ref, in front, can still be read */
}

const char *
generated_kind_text(enum generated_kind kind)
{
    static const char *const texts[GENERATED_KINDS] = {"fine", "promotional", "bad"};
    check(kind < GENERATED_KINDS);
    return texts[kind];
}

const char *
generated_fault_text(enum generated_fault fault)
{
    static const char *const texts[FAULTS] = {
        "no fault",         "no recipient",      "bad number",      "unknown template",
        "unknown language", "missing parameter", "extra parameter", "unknown field",
        "not UTF-8",        "malformed line",
    };
    check(fault < FAULTS);
    return texts[fault];
}
