/* facteur phone: numbers in, one answer a line out. */
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/json.h"
#include "sender/cli/cli.h"
#include "sender/cost/day.h"
#include "sender/cost/market.h"
#include "sender/cost/phone.h"
#include "sender/cost/phone_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char verb_name[] = "phone";

enum {
    LINE_SIZE_MAX = 256,      /* no number is longer, whatever stands between its digits */
    ANSWER_SIZE_MAX = 4096,   /* an input of LINE_SIZE_MAX bytes, each \u0000, and a market so */
    INPUT_SIZE = 256 * 1024,  /* a read */
    OUTPUT_SIZE = 256 * 1024, /* a write; both fit the second cache */
    NUMBERS_SHOWN_MAX = 40,   /* characters of a bad number in the table for people */
};

struct phone_verb {
    bool json;
    bool strict;
    bool plain;
    bool version;
    const char *table_path;
    const char *markets_path;
    const struct phone_table *table;
    struct markets *markets;
    struct span *market_names; /* by market, as the answers have them: owned with their bytes */
    char *names_memory;
    char day[DAY_SIZE + 1]; /* today: markets are of a day */
    struct buffer out;
    bool refused;      /* one at least cannot be sent to */
    bool skipping;     /* the rest of a line that has been answered already */
    bool write_failed; /* said already; nothing more is of use */
};

/* ---- one answer -------------------------------------------------------------------------------
 */

static void
write_out(struct phone_verb *verb)
{
    const char *data = verb->out.data;
    size_t left = verb->out.size;
    while (left > 0 && !verb->write_failed) {
        ssize_t written = write(STDOUT_FILENO, data, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            fprintf(stderr, "facteur phone: cannot write the answers: %s\n", strerror(errno));
            verb->write_failed = true;
            break;
        }
        data += written;
        left -= (size_t)written;
    }
    buffer_reset(&verb->out);
}

/* "text" or null: a member of the answer is never empty. For texts that need no escaping. */
static void
put_member(struct buffer *out, struct span name, struct span text)
{
    buffer_put_span(out, name);
    if (text.size == 0) {
        buffer_put_text(out, "null");
        return;
    }
    buffer_put_char(out, '"');
    buffer_put_span(out, text);
    buffer_put_char(out, '"');
}

static void
put_json(struct buffer *out, struct span input, const struct phone *phone, struct span market)
{
    struct span number = {phone->e164, phone->e164_size};
    if (number.size > 0 && span_equal(input, number)) { /* as nearly all are */
        put_member(out, SPAN("{\"input\":"), number);
    } else {
        buffer_put_text(out, "{\"input\":");
        json_put_string(out, input);
    }
    put_member(out, SPAN(",\"status\":"), span_of(phone_status_text(phone->status)));
    put_member(out, SPAN(",\"e164\":"), number);
    put_member(out, SPAN(",\"country\":"), span_of(phone->country));
    put_member(out, SPAN(",\"market\":"), market);
    if (phone->reason == PHONE_GOOD) {
        buffer_put_text(out, ",\"reason\":null}\n");
        return;
    }
    buffer_put_text(out, ",\"reason\":");
    json_put_string(out, span_of(phone_reason_text(phone->reason)));
    buffer_put_text(out, "}\n");
}

/* At least two blanks behind it. */
static void
put_column(struct buffer *out, struct span text, size_t width)
{
    static const char blanks[] = "                    ";
    if (text.size == 0)
        text = SPAN("-");
    buffer_put_span(out, text);
    buffer_put(out, blanks, text.size < width ? width - text.size + 2 : 2);
}

/* What somebody else wrote, for a terminal: printable ASCII, and not too much of it. */
static struct span
make_printable(struct span input, char *memory)
{
    size_t size = input.size < NUMBERS_SHOWN_MAX ? input.size : NUMBERS_SHOWN_MAX;
    for (size_t i = 0; i < size; i++)
        memory[i] = input.data[i] >= ' ' && input.data[i] <= '~' ? input.data[i] : '?';
    return (struct span){memory, size};
}

static void
put_text(struct buffer *out, struct span input, const struct phone *phone, struct span market)
{
    char printable[NUMBERS_SHOWN_MAX];
    struct span number = {phone->e164, phone->e164_size};
    if (number.size == 0)
        number = make_printable(input, printable);
    put_column(out, number, PHONE_DIGITS_MAX + 1);
    put_column(out, span_of(phone_status_text(phone->status)), sizeof("unlisted") - 1);
    put_column(out, span_of(phone->country), 2);
    if (phone->reason == PHONE_GOOD) {
        buffer_put_span(out, market);
    } else {
        put_column(out, market, 0);
        buffer_put_text(out, phone_reason_text(phone->reason));
    }
    buffer_put_char(out, '\n');
}

/* As the sender reads `to` and `recipient`, only that here one field holds both. */
static void
read_number(const struct phone_verb *verb, struct span input, struct phone *phone)
{
    if (verb->plain)
        phone_read_plain(verb->table, input, phone);
    else if (input.size <= 2 || input.data[2] != '.' || !phone_read_scoped_id(input, phone))
        phone_read_by(verb->table, input, phone);
}

static void
answer(struct phone_verb *verb, struct span input)
{
    struct phone phone;
    struct span market = {0};
    if (buffer_room(&verb->out) < ANSWER_SIZE_MAX)
        write_out(verb);
    if (input.size > LINE_SIZE_MAX) {
        input.size = LINE_SIZE_MAX;
        phone = (struct phone){.status = PHONE_INVALID, .reason = PHONE_TOO_LONG};
    } else {
        read_number(verb, input, &phone);
    }
    if (phone.country[0] != '\0')
        market = verb->market_names[markets_find(verb->markets, phone.country, phone.calling_code,
                                                 verb->day)];
    if (verb->json)
        put_json(&verb->out, input, &phone, market);
    else
        put_text(&verb->out, input, &phone, market);
    check(!verb->out.overflow);
    if (phone.status == PHONE_INVALID || (phone.status == PHONE_UNLISTED && verb->strict))
        verb->refused = true;
}

/* ---- lines ------------------------------------------------------------------------------------
 */

static void
answer_line(struct phone_verb *verb, struct span line)
{
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    answer(verb, line);
}

/* Answers every whole line, and the head of one that is too long to wait for its end. Returns how
 * many bytes are done with. */
static size_t
answer_block(struct phone_verb *verb, struct span block)
{
    size_t at = 0;
    while (at < block.size) {
        struct span line = {block.data + at, block.size - at};
        const char *end = memchr(line.data, '\n', line.size);
        if (end != NULL)
            line.size = (size_t)(end - line.data);
        else if (line.size <= LINE_SIZE_MAX + 1 && !verb->skipping)
            break;
        if (!verb->skipping)
            answer_line(verb, line);
        verb->skipping = end == NULL;
        at += line.size + (end != NULL);
    }
    return at;
}

/* Blocks in, blocks out; what was asked before a pause is answered before the pause. */
static bool
answer_input(struct phone_verb *verb, char *memory)
{
    size_t have = 0;
    for (;;) {
        ssize_t got = read(STDIN_FILENO, memory + have, INPUT_SIZE - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            fprintf(stderr, "facteur phone: cannot read standard input: %s\n", strerror(errno));
            return false;
        }
        if (got == 0)
            break;
        have += (size_t)got;
        size_t done = answer_block(verb, (struct span){memory, have});
        memmove(memory, memory + done, have - done);
        have -= done;
        write_out(verb);
        if (verb->write_failed)
            return false;
    }
    if (have > 0 && !verb->skipping)
        answer_line(verb, (struct span){memory, have});
    return true;
}

/* ---- the verb ---------------------------------------------------------------------------------
 */

static int
print_version(const struct phone_verb *verb)
{
    struct phone_table_about about;
    phone_table_tell(verb->table, &about);
    struct span path = span_of(verb->table_path);
    if (!verb->json) {
        printf("facteur %s, phone table of %s %s, %s (%s)\nmetadata sha256 %s\n%u states, %u "
               "calling codes, %u countries\n",
               FACTEUR_VERSION, about.source, about.version, about.date,
               verb->table_path != NULL ? verb->table_path : "built in", about.sha256, about.states,
               about.codes, about.countries);
        return EXIT_GOOD;
    }
    char memory[6 * 4096 + 2]; /* a path of PATH_MAX bytes */
    struct buffer out;
    buffer_init(&out, memory, sizeof(memory));
    json_put_string(&out, path);
    printf("{\"source\":\"%s\",\"version\":\"%s\",\"date\":\"%s\",\"sha256\":\"%s\","
           "\"file\":%.*s,\"states\":%u,\"calling_codes\":%u,\"countries\":%u}\n",
           about.source, about.version, about.date, about.sha256,
           verb->table_path != NULL ? (int)out.size : 4,
           verb->table_path != NULL ? out.data : "null", about.states, about.codes,
           about.countries);
    return EXIT_GOOD;
}

/* The markets' names, escaped once if they go into JSON. */
static void
write_names(struct phone_verb *verb)
{
    enum { NAME_SIZE_MAX = 6 * 64 + 2 }; /* of a market's 64 bytes, each \u0000 */
    uint16_t count = markets_count(verb->markets);
    struct buffer out;
    verb->market_names = check_alloc(count, sizeof(*verb->market_names));
    verb->names_memory = check_alloc(count, NAME_SIZE_MAX);
    buffer_init(&out, verb->names_memory, (size_t)count * NAME_SIZE_MAX);
    for (uint16_t i = 0; i < count; i++) {
        size_t start = out.size;
        if (verb->json)
            json_put_escaped(&out, markets_name(verb->markets, i));
        else
            buffer_put_span(&out, markets_name(verb->markets, i));
        verb->market_names[i] = (struct span){out.data + start, out.size - start};
    }
    check(!out.overflow);
}

static bool
open_tables(struct phone_verb *verb)
{
    struct error_text error;
    verb->table = phone_table_builtin();
    if (verb->table_path != NULL)
        verb->table = phone_table_open(verb->table_path, &error);
    if (verb->table != NULL)
        verb->markets = markets_open(verb->markets_path, &error);
    if (verb->markets == NULL) {
        fprintf(stderr, "facteur phone: %s\n", error.text);
        return false;
    }
    write_names(verb);
    return true;
}

static void
close_tables(struct phone_verb *verb)
{
    free(verb->market_names);
    free(verb->names_memory);
    if (verb->markets != NULL)
        markets_close(verb->markets);
    phone_table_close(verb->table);
}

static int
answer_all(struct phone_verb *verb, int count, char **numbers)
{
    bool good = true;
    char *memory = check_alloc(1, INPUT_SIZE + OUTPUT_SIZE);
    buffer_init(&verb->out, memory + INPUT_SIZE, OUTPUT_SIZE);
    day_of_unix_ms(clock_unix_ms(), verb->day);
    for (int i = 0; i < count; i++)
        answer(verb, span_of(numbers[i]));
    if (count == 0)
        good = answer_input(verb, memory);
    write_out(verb);
    free(memory);
    if (verb->write_failed)
        return EXIT_TRY_AGAIN;
    if (!good)
        return EXIT_DATA;
    return verb->refused ? EXIT_NO : EXIT_GOOD;
}

static const char help[] =
    "Numbers from the arguments, or one a line on standard input → one answer a line, in order:\n"
    "the number as it goes to Meta, status, country, market, or why not.\n"
    "\n"
    "  valid     the numbering plans have it\n"
    "  legacy    WhatsApp's own form of a number whose plan has changed (Mexico with the old 1,\n"
    "            Brazil without the 9, ...): sent as it is\n"
    "  unlisted  the country has such lengths but not this range; sent, unless --strict\n"
    "  invalid   never sent\n"
    "\n"
    "Spaces, dots, dashes and parentheses are dropped (not with --plain); the + may be missing.\n"
    "Business-scoped user ids (FR.1349...) are answered with their country. Exit 0 if all can be\n"
    "sent to, 1 if one cannot, 65 if the input or a file cannot be read.\n"
    "\n"
    "  $ facteur phone '+33 6 12 34 56 78' 0612345678\n"
    "  +33612345678      valid     FR  France\n"
    "  0612345678        invalid   -   -  begins with 0, as numbers are dialled inside a country: "
    "...\n"
    "  $ cut -d, -f3 customers.csv | facteur phone --json | jq -r 'select(.status==\"invalid\")'";

int
cli_phone(int argc, char **argv)
{
    struct phone_verb verb = {
        .markets_path = FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv",
    };
    const struct option_row rows[] = {
        {"json", OPTION_FLAG, &verb.json, NULL,
         "{\"input\",\"status\",\"e164\",\"country\",\"market\",\"reason\"} a line; null is none",
         NULL},
        {"strict", OPTION_FLAG, &verb.strict, NULL, "unlisted numbers count as refused", NULL},
        {"plain", OPTION_FLAG, &verb.plain, NULL, "only + and digits: drop nothing, no user ids",
         NULL},
        {"table", OPTION_TEXT, &verb.table_path, "FILE",
         "numbering plans, made by phone_automaton.py --table; default: built in",
         "FACTEUR_PHONE_TABLE"},
        {"markets", OPTION_TEXT, &verb.markets_path, "FILE", "countries and markets, CSV", NULL},
        {"version", OPTION_FLAG, &verb.version, NULL,
         "version and date of the numbering plans, and stop", NULL},
    };
    const struct verb description = {
        verb_name,
        "is it a number, and whose? Country and market of phone numbers",
        "[options] [NUMBER...]",
        help,
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int count;
    int code = options_read(&description, argc, argv, &count);
    if (code >= 0)
        return code;
    code = EXIT_DATA;
    if (open_tables(&verb))
        code = verb.version ? print_version(&verb) : answer_all(&verb, count, argv);
    close_tables(&verb);
    return code;
}
