#include "sender/graph/retries.h"

#include "sender/base/check.h"

static const struct {
    enum graph_error_class class;
    const char *name;
} classes[RETRY_CLASS_COUNT] = {
#define RETRY_CLASS(class, name, help) {GRAPH_ERROR_##class, #name},
    RETRY_CLASSES(RETRY_CLASS)
#undef RETRY_CLASS
};

const char *retry_class_text(enum retry_class class)
{
    check(class < RETRY_CLASS_COUNT);
    return classes[class].name;
}

bool
retries_read(struct retries *retries, struct span schedule, struct error_text *error)
{
    return retry_schedule_read(schedule, &retries->general, error);
}

static bool
refuse_class(struct span class, struct error_text *error)
{
    char names[256];
    struct buffer list;
    buffer_init(&list, names, sizeof(names));
    for (int i = 0; i < RETRY_CLASS_COUNT; i++) {
        buffer_put_text(&list, i == 0 ? "" : ", ");
        buffer_put_text(&list, classes[i].name);
    }
    error_set(error,
              "retry classes: \"%.*s\" is no class that is retried by a schedule; these are: %s",
              (int)(class.size < 40 ? class.size : 40), class.data == NULL ? "" : class.data,
              buffer_text(&list));
    return false;
}

bool
retries_read_class(struct retries *retries, struct span class, struct span schedule,
                   struct error_text *error)
{
    for (int i = 0; i < RETRY_CLASS_COUNT; i++) {
        struct error_text of_schedule;
        if (!span_equal(class, span_of(classes[i].name)))
            continue;
        retries->has_own[i] = retry_schedule_read(schedule, &retries->own[i], &of_schedule);
        if (!retries->has_own[i])
            error_set(error, "retry classes: %s: %.400s", classes[i].name, of_schedule.text);
        return retries->has_own[i];
    }
    return refuse_class(class, error);
}

bool
retries_read_classes(struct retries *retries, struct span text, struct error_text *error)
{
    struct span rest = text;
    do {
        struct span part = span_split(&rest, ';');
        struct span class = span_trim(span_split(&part, '='));
        if (part.data == NULL) {
            error_set(error,
                      "retry classes: \"%.*s\" has no schedule: write CLASS=SCHEDULE; …, as in "
                      "retry_limited=5s, 1m*3",
                      (int)(class.size < 40 ? class.size : 40), class.data);
            return false;
        }
        if (!retries_read_class(retries, class, part, error))
            return false;
    } while (rest.data != NULL);
    return true;
}

/* The schedule of the verdict's class, or NULL if it has none of its own. */
static const struct retry_schedule *
find_own(const struct retries *retries, const struct verdict *verdict)
{
    for (int i = 0; i < RETRY_CLASS_COUNT; i++)
        if (classes[i].class == verdict->class && retries->has_own[i])
            return &retries->own[i];
    return NULL;
}

/* An unknown code under 4xx has the class NONE as well, but is a no for good. */
bool
retries_want(const struct retries *retries, const struct verdict *verdict)
{
    return verdict->kind == VERDICT_LATER ||
           (verdict->kind == VERDICT_FAILED && verdict->class != GRAPH_ERROR_NONE &&
            find_own(retries, verdict) != NULL);
}

const struct retry_schedule *
retries_schedule(const struct retries *retries, const struct verdict *verdict)
{
    const struct retry_schedule *own = find_own(retries, verdict);
    return own != NULL ? own : &retries->general;
}
