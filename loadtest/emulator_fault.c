#include "loadtest/emulator_fault.h"

#include "sender/base/check.h"
#include "sender/base/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct fault_row {
    const char *text;
    const char *help;
    bool accepted;
} table[EMULATOR_FAULT_KINDS] = {
#define EMULATOR_FAULT(name, words, takes, about)                                                  \
    {.text = (words), .help = (about), .accepted = (takes)},
    EMULATOR_FAULTS(EMULATOR_FAULT)
#undef EMULATOR_FAULT
};

static bool
read_rate(struct span text, double *rate)
{
    char copy[32], *end;
    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    errno = 0;
    *rate = strtod(copy, &end);
    return errno == 0 && *end == '\0' && end != copy && isfinite(*rate) && *rate >= 0 && *rate <= 1;
}

static double
sum_of(const struct emulator_faults *faults)
{
    double sum = 0;
    for (int i = 0; i < EMULATOR_FAULT_KINDS; i++)
        sum += faults->rates[i];
    return sum;
}

static bool
set_rate(struct emulator_faults *faults, struct span name, double rate, struct error_text *error)
{
    if (span_equal(name, SPAN("5xx"))) {
        faults->rates[EMULATOR_FAULT_GRAPH_5XX] = rate / 3;
        faults->rates[EMULATOR_FAULT_HTML_5XX] = rate / 3;
        faults->rates[EMULATOR_FAULT_LOST_5XX] = rate / 3;
        return true;
    }
    for (int i = 0; i < EMULATOR_FAULT_KINDS; i++) {
        if (span_equal(name, span_of(table[i].text))) {
            faults->rates[i] = rate;
            return true;
        }
    }
    error_set(
        error,
        "fault \"%.*s\" is not known: say 5xx, 5xx_graph, 5xx_html, 5xx_lost, throttle, pair, "
        "refused, goaway, reset_after, connection_reset, black_hole, cut, dribble or slow",
        SPAN_ARG(name));
    return false;
}

bool
emulator_faults_set(struct emulator_faults *faults, struct span name, struct span rate,
                    struct error_text *error)
{
    struct emulator_faults changed = *faults;
    double value;
    if (!read_rate(rate, &value)) {
        error_set(error, "fault %.*s=%.*s: the rate must be a share from 0 to 1, as in %.*s=0.01",
                  SPAN_ARG(name), SPAN_ARG(rate), SPAN_ARG(name));
        return false;
    }
    if (!set_rate(&changed, name, value, error))
        return false;
    if (sum_of(&changed) > 1.0 + 1e-9) {
        error_set(error, "with %.*s=%.*s all faults together are more than 1: lower some of them",
                  SPAN_ARG(name), SPAN_ARG(rate));
        return false;
    }
    *faults = changed;
    return true;
}

bool
emulator_faults_read(struct emulator_faults *faults, struct span json, struct error_text *error)
{
    struct field fields[32];
    struct json_object object = {.fields = fields, .capacity = 32};
    struct emulator_faults changed = *faults;
    enum json_error failure = json_read_flat(json, &object, NULL);
    if (failure != JSON_OK) {
        error_set(error, "not a flat JSON object of fault names and rates: %s, at byte %zu",
                  json_error_text(failure), object.error_at);
        return false;
    }
    for (size_t i = 0; i < object.count; i++) {
        if (!emulator_faults_set(&changed, fields[i].name, fields[i].value, error))
            return false;
    }
    *faults = changed;
    return true;
}

enum emulator_fault
emulator_faults_roll(const struct emulator_faults *faults, struct random *random)
{
    double roll = random_unit(random);
    for (int i = 0; i < EMULATOR_FAULT_KINDS; i++) {
        if (roll < faults->rates[i])
            return (enum emulator_fault)i;
        roll -= faults->rates[i];
    }
    return EMULATOR_FAULT_NONE;
}

void
emulator_dice(struct random *random, uint64_t seed, uint64_t number)
{
    /* Two odd factors keep (seed, number) and its neighbours on different sequences. */
    random_seed(random, (seed + 1) * 0xd1342543de82ef95u ^ number * 0xaf251af3b0f025b5u);
}

const char *
emulator_fault_text(enum emulator_fault fault)
{
    return fault < EMULATOR_FAULT_NONE ? table[fault].text : "none";
}

const char *
emulator_fault_help(enum emulator_fault fault)
{
    return fault < EMULATOR_FAULT_NONE ? table[fault].help : "";
}

bool
emulator_fault_accepts(enum emulator_fault fault)
{
    return fault >= EMULATOR_FAULT_NONE || table[fault].accepted;
}
