#include "queue/enqueue.h"
#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

static struct account_keys keys;
static struct session *session;
static struct enqueue_target target;

static void
on_reply(void *context, const struct reply *reply)
{
    (void)context;
    (void)reply;
}

static void
open_target(size_t output_size)
{
    struct session_settings settings = {
        .output_size = output_size, .arena_size = 4096, .waiting_max = 8};
    struct error_text error;
    expect(keys_read(SPAN("acme/fr"), &keys, &error));
    session = session_open(&settings);
    session_connected(session);
    target = (struct enqueue_target){
        .call = {.session = session, .keys = &keys, .on_reply = on_reply}, .stream = "urgent"};
}

static char sent_memory[65536];

static struct span
sent(void)
{
    struct buffer out;
    buffer_init(&out, sent_memory, sizeof(sent_memory));
    session_output(session, &out);
    return buffer_span(&out);
}

static const struct field claire[] = {{SPAN("to"), SPAN("+33612345678")},
                                      {SPAN("1"), SPAN("Cla\"ire\n")}};

static void
writes_single_entries(void)
{
    open_target(1024);
    expect(enqueue_single(&target, claire, 2));
    expect_span(sent(), SPAN("*7\r\n$4\r\nXADD\r\n$24\r\nfacteur:{acme}:fr:urgent\r\n$1\r\n*\r\n"
                             "$2\r\nto\r\n$12\r\n+33612345678\r\n$1\r\n1\r\n$8\r\nCla\"ire\n\r\n"));
    expect_abort(enqueue_single(&target, claire, 0));
    session_close(session);
}

static void
writes_bulk_entries(void)
{
    char memory[256];
    struct bulk_writer writer;
    open_target(1024);
    bulk_writer_init(&writer, memory, sizeof(memory), 2);
    expect(bulk_writer_flush(&writer, &target)); /* empty: nothing to do */
    expect(!session_wants_output(session));
    expect(bulk_writer_add(&writer, claire, 2));
    expect(bulk_writer_add(&writer, claire, 1));
    expect(!bulk_writer_add(&writer, claire, 1)); /* two are enough */
    expect(bulk_writer_flush(&writer, &target));
    expect_span(sent(),
                SPAN("*5\r\n$4\r\nXADD\r\n$24\r\nfacteur:{acme}:fr:urgent\r\n$1\r\n*\r\n"
                     "$4\r\nbulk\r\n$60\r\n{\"to\":\"+33612345678\",\"1\":\"Cla\\\"ire\\n\"}\n"
                     "{\"to\":\"+33612345678\"}\r\n"));
    expect_u64(writer.members, 0);
    expect(bulk_writer_add(&writer, claire, 1));
    session_close(session);
}

static void
a_full_writer_keeps_what_it_has(void)
{
    char memory[64];
    struct bulk_writer writer;
    open_target(1024);
    bulk_writer_init(&writer, memory, sizeof(memory), 64);
    expect(bulk_writer_add(&writer, claire, 2)); /* 39 bytes */
    expect(!bulk_writer_add(&writer, claire, 2));
    expect_u64(writer.members, 1);
    expect(bulk_writer_add(&writer, claire, 1)); /* a shorter one fits still */
    expect_span(buffer_span(&writer.text),
                SPAN("{\"to\":\"+33612345678\",\"1\":\"Cla\\\"ire\\n\"}\n"
                     "{\"to\":\"+33612345678\"}"));
    session_close(session);
}

static void
one_that_never_fits_is_told(void)
{
    char memory[16];
    struct bulk_writer writer;
    open_target(1024);
    bulk_writer_init(&writer, memory, sizeof(memory), 64);
    expect(!bulk_writer_add(&writer, claire, 1));
    expect_u64(writer.members, 0);
    expect_u64(writer.text.size, 0);
    session_close(session);
}

static void
without_room_the_writer_waits(void)
{
    char memory[256];
    struct bulk_writer writer;
    open_target(64);
    bulk_writer_init(&writer, memory, sizeof(memory), 64);
    expect(bulk_writer_add(&writer, claire, 2));
    expect(!bulk_writer_flush(&writer, &target));
    expect_u64(writer.members, 1);
    expect(writer.text.size > 0);
    session_close(session);
}

static void
a_writer_of_nonsense_is_a_mistake(void)
{
    static char memory[QUEUE_ENTRY_SIZE_MAX];
    struct bulk_writer writer;
    expect_abort(bulk_writer_init(&writer, memory, sizeof(memory), 64)); /* "bulk" counts too */
    expect_abort(bulk_writer_init(&writer, memory, 256, 0));
    expect_abort(bulk_writer_init(&writer, memory, 256, 65));
    bulk_writer_init(&writer, memory, sizeof(memory) - 4, 64);
    expect_abort(bulk_writer_add(&writer, claire, 0));
}

/* Whatever is written is what a worker reads back, of any texts. */
static void
what_is_written_is_read_back(void)
{
    static const char *const pieces[] = {"a",  "\"", "\\", "\n", "\t", "\x01", "\x7f", "/",
                                         "{}", "é",  "😀",  "",   " ",  "\r",   ",",    ":"};
    static char memory[65536];
    struct bulk_writer writer;
    struct random random;
    char values[64][3][64];
    random_seed(&random, 11);
    open_target(100000);
    for (int round = 0; round < 100; round++) {
        bulk_writer_init(&writer, memory, sizeof(memory), 64);
        for (int i = 0; i < 64; i++) {
            for (int v = 0; v < 3; v++) {
                struct buffer value;
                buffer_init(&value, values[i][v], 64);
                for (int p = 0; p < 8; p++)
                    buffer_put_text(&value, pieces[random_below(&random, 16)]);
                (void)buffer_text(&value);
            }
            struct field fields[] = {
                {SPAN("to"), SPAN("+1")},           {SPAN("template"), SPAN("t")},
                {SPAN("lang"), SPAN("fr")},         {SPAN("1"), span_of(values[i][0])},
                {SPAN("2"), span_of(values[i][1])}, {SPAN("ref"), span_of(values[i][2])}};
            expect(bulk_writer_add(&writer, fields, 6));
        }
        struct span lines[QUEUE_BULK_MAX];
        expect_u64(notification_split_bulk(buffer_span(&writer.text), lines), 64);
        for (int i = 0; i < 64; i++) {
            struct notification notification;
            struct span field;
            expect_u64(notification_read_line(lines[i], &notification, &field), NOTIFICATION_OK);
            expect_span(notification.parameters[0].value, span_of(values[i][0]));
            expect_span(notification.parameters[1].value, span_of(values[i][1]));
            expect_span(notification.ref, span_of(values[i][2]));
        }
    }
    session_close(session);
}

static void
reads_lines(void)
{
    static const struct {
        const char *line;
        int count; /* -1: refused */
        const char *last;
    } cases[] = {
        {"", 0, ""},
        {" \r\n", 0, ""},
        {"{}", 0, ""},
        {"{\"to\":\"+1\",\"1\":5}", 2, "5"},
        {"{\"params\":{\"a\":[1]}}", 1, "{\"a\":[1]}"},
        {"to,lang", -1, "not a JSON object"},
        {"{\"a\":\"\xff\"}", -1, "not valid UTF-8"},
        {"{\"a\":1,\"a\":2}", -1, "a field stands twice"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[128];
        struct field fields[NOTIFICATION_FIELDS_MAX];
        size_t count;
        const char *why = "";
        (void)snprintf(line, sizeof(line), "%s", cases[i].line);
        bool good = enqueue_read_line(span_of(line), fields, &count, &why);
        expect(good == (cases[i].count >= 0));
        if (!good) {
            expect_text(why, cases[i].last);
        } else {
            expect_u64(count, cases[i].count);
            if (count > 0)
                expect_span(fields[count - 1].value, span_of(cases[i].last));
        }
    }
}

int
main(void)
{
    TEST(writes_single_entries);
    TEST(writes_bulk_entries);
    TEST(a_full_writer_keeps_what_it_has);
    TEST(one_that_never_fits_is_told);
    TEST(without_room_the_writer_waits);
    TEST(a_writer_of_nonsense_is_a_mistake);
    TEST(what_is_written_is_read_back);
    TEST(reads_lines);
    return test_end();
}
