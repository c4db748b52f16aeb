#include "queue/session.h"
#include "queue/reply_reader.h"
#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

/* A command's callback, until its reply comes. */
struct waiting {
    session_reply_f *on_reply;
    void *context;
};

enum { SESSION_MAGIC = 0x5e551047, SIZE_TEXT_MAX = 24 /* "$18446744073709551615\r\n" */ };

struct session {
    uint32_t magic;
    bool connected;
    bool broken;          /* session_receive() failed: only session_lost() helps */
    bool receiving;       /* inside session_receive() */
    bool calling;         /* inside a reply's callback */
    uint64_t connections; /* how many there were: tells a callback that called session_lost() */
    char *user;           /* owned copies, or NULL */
    char *password;
    struct buffer output;    /* commands the link has not taken; owns its memory */
    size_t output_taken;     /* bytes at its front that session_output() gave away */
    size_t command_start;    /* where the command being written began */
    size_t parts_left;       /* of it, still to be written */
    bool writing;            /* between session_begin() and session_end() */
    struct waiting *waiting; /* ring of waiting_max, owned */
    uint32_t waiting_max;
    uint32_t waiting_first;
    uint32_t waiting_count;
    struct arena arena; /* of the reply being read; given to callers by session_take_arena() */
    struct reply_reader *reader;
    struct error_text error;
};

/* ---- open and close ----------------------------------------------------------------------- */

static char *
copy_text(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(check_alloc(1, size), text, size);
}

static void
forget_text(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

struct session *
session_open(const struct session_settings *settings)
{
    check(settings->output_size > 0);
    check(settings->arena_size > 0);
    check(settings->waiting_max > 0);
    struct session *session = check_alloc(1, sizeof(*session));
    session->magic = SESSION_MAGIC;
    session->user = copy_text(settings->user);
    session->password = copy_text(settings->password);
    buffer_init(&session->output, check_alloc(1, settings->output_size), settings->output_size);
    session->waiting_max = settings->waiting_max;
    session->waiting = check_alloc(settings->waiting_max, sizeof(session->waiting[0]));
    arena_open(&session->arena, settings->arena_size);
    session->reader = reply_reader_open(&session->arena);
    return session;
}

void
session_close(struct session *session)
{
    check_magic(session, SESSION_MAGIC);
    check(!session->receiving);
    reply_reader_close(session->reader);
    arena_close(&session->arena);
    free(session->waiting);
    explicit_bzero(session->output.data, session->output.capacity); /* AUTH went through it */
    free(session->output.data);
    forget_text(session->user);
    forget_text(session->password);
    session->magic = 0;
    free(session);
}

/* ---- the line of waiting callbacks -------------------------------------------------------- */

static void
waiting_push(struct session *session, struct waiting waiting)
{
    check(session->waiting_count < session->waiting_max);
    uint32_t last = (session->waiting_first + session->waiting_count) % session->waiting_max;
    session->waiting[last] = waiting;
    session->waiting_count++;
}

static struct waiting
waiting_pop(struct session *session)
{
    check(session->waiting_count > 0);
    struct waiting first = session->waiting[session->waiting_first];
    session->waiting_first = (session->waiting_first + 1) % session->waiting_max;
    session->waiting_count--;
    return first;
}

/* ---- AUTH --------------------------------------------------------------------------------- */

static bool fail(struct session *session, const char *sentence);

/* Never repeats Redis' own text: a server that echoes what it was sent would put the password
 * into a log. */
static void
on_auth(void *context, const struct reply *reply)
{
    struct session *session = context;
    if (reply == NULL || reply_is_text(reply, "OK"))
        return;
    if (reply->type != REPLY_ERROR)
        (void)fail(session, "Redis answered AUTH with something that is neither OK nor an error");
    else if (span_starts(reply->text, SPAN("WRONGPASS")))
        (void)fail(session, "Redis refused the user name or the password");
    else if (span_starts(reply->text, SPAN("ERR")))
        (void)fail(session, "Redis refused AUTH: either its user has no password and none may be "
                            "given, or it is too old to know users");
    else
        (void)fail(session, "Redis refused AUTH");
}

static void
send_auth(struct session *session)
{
    if (session->user == NULL && session->password == NULL)
        return;
    struct span parts[3] = {SPAN("AUTH")};
    size_t count = 1;
    if (session->user != NULL)
        parts[count++] = span_of(session->user);
    parts[count++] = session->password == NULL ? SPAN("") : span_of(session->password);
    check(session_command(session, parts, count, on_auth, session)); /* output_size is too small */
}

void
session_connected(struct session *session)
{
    check_magic(session, SESSION_MAGIC);
    check(!session->connected);
    check(session->waiting_count == 0);
    session->connected = true;
    session->connections++;
    send_auth(session);
}

void
session_lost(struct session *session)
{
    check_magic(session, SESSION_MAGIC);
    check(!session->writing);
    session->connected = false;
    session->broken = false;
    session->connections++;
    session->error.text[0] = '\0';
    session->output_taken = 0;
    buffer_reset(&session->output);
    reply_reader_reset(session->reader);
    if (!session->calling) /* a callback may still read its reply */
        arena_reset(&session->arena);
    while (session->waiting_count > 0) {
        struct waiting waiting = waiting_pop(session);
        waiting.on_reply(waiting.context, NULL);
    }
}

/* ---- commands out ------------------------------------------------------------------------- */

/* "*3\r\n" or "$42\r\n". hiredis has a formatter, but it mallocs every command. */
static void
put_size(struct session *session, char kind, size_t size)
{
    char text[SIZE_TEXT_MAX];
    size_t at = sizeof(text);
    text[--at] = '\n';
    text[--at] = '\r';
    do {
        text[--at] = (char)('0' + size % 10);
        size /= 10;
    } while (size > 0);
    text[--at] = kind;
    buffer_put(&session->output, text + at, sizeof(text) - at);
}

void
session_begin(struct session *session, size_t part_count)
{
    check_magic(session, SESSION_MAGIC);
    check(!session->writing);
    check(part_count > 0);
    session->writing = true;
    session->parts_left = part_count;
    session->command_start = session->output.size;
    put_size(session, '*', part_count);
}

void
session_part(struct session *session, struct span part)
{
    session_part_joined(session, &part, 1);
}

void
session_part_u64(struct session *session, uint64_t number)
{
    char digits[20];
    struct buffer text;
    buffer_init(&text, digits, sizeof(digits));
    buffer_put_u64(&text, number);
    session_part(session, buffer_span(&text));
}

void
session_part_joined(struct session *session, const struct span *pieces, size_t count)
{
    check(session->writing);
    check(session->parts_left > 0);
    session->parts_left--;
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    put_size(session, '$', size);
    for (size_t i = 0; i < count; i++)
        buffer_put_span(&session->output, pieces[i]);
    buffer_put(&session->output, "\r\n", 2);
}

bool
session_end(struct session *session, session_reply_f *on_reply, void *context)
{
    check(session->writing);
    check(session->parts_left == 0);
    session->writing = false;
    if (session->output.overflow || !session->connected || session->broken ||
        session->waiting_count == session->waiting_max) {
        session->output.size = session->command_start;
        session->output.overflow = false;
        return false;
    }
    waiting_push(session, (struct waiting){.on_reply = on_reply, .context = context});
    return true;
}

bool
session_command(struct session *session, const struct span *parts, size_t count,
                session_reply_f *on_reply, void *context)
{
    session_begin(session, count);
    for (size_t i = 0; i < count; i++)
        session_part(session, parts[i]);
    return session_end(session, on_reply, context);
}

size_t
session_room(const struct session *session)
{
    check_magic(session, SESSION_MAGIC);
    if (!session->connected || session->broken || session->waiting_count == session->waiting_max)
        return 0;
    return buffer_room(&session->output);
}

uint32_t
session_waiting(const struct session *session)
{
    check_magic(session, SESSION_MAGIC);
    return session->waiting_count;
}

bool
session_wants_output(const struct session *session)
{
    check_magic(session, SESSION_MAGIC);
    return session->output.size > session->output_taken;
}

void
session_output(struct session *session, struct buffer *out)
{
    check_magic(session, SESSION_MAGIC);
    check(!session->writing);
    size_t size = session->output.size - session->output_taken;
    size_t room = buffer_room(out);
    if (size > room)
        size = room;
    buffer_put(out, session->output.data + session->output_taken, size);
    session->output_taken += size;
    /* What is left moves to the front when it is the smaller half: each byte moves once or twice.
     */
    size_t left = session->output.size - session->output_taken;
    if (left <= session->output_taken) {
        memmove(session->output.data, session->output.data + session->output_taken, left);
        session->output.size = left;
        session->output_taken = 0;
    }
}

/* ---- replies in --------------------------------------------------------------------------- */

static bool
fail(struct session *session, const char *sentence)
{
    session->broken = true;
    error_set(&session->error, "%s", sentence);
    return false;
}

static void
call_back(struct session *session, const struct reply *reply)
{
    struct waiting waiting = waiting_pop(session);
    session->calling = true;
    waiting.on_reply(waiting.context, reply);
    session->calling = false;
    arena_reset(&session->arena);
}

/* Gives out all replies that are whole. */
static bool
read_replies(struct session *session)
{
    uint64_t connections = session->connections;
    for (;;) {
        const struct reply *reply = NULL;
        switch (reply_reader_next(session->reader, &reply, &session->error)) {
        case REPLY_READER_MORE:
            return true;
        case REPLY_READER_BROKEN:
            session->broken = true;
            return false;
        case REPLY_READER_REPLY:
            break;
        }
        if (session->waiting_count == 0)
            return fail(session, "Redis sent a reply to no command");
        call_back(session, reply);
        if (session->connections != connections)
            return true; /* the callback gave the connection up */
        if (session->broken)
            return false;
    }
}

bool
session_receive(struct session *session, const char *data, size_t size)
{
    check_magic(session, SESSION_MAGIC);
    check(session->connected);
    check(!session->receiving);
    if (session->broken)
        return false;
    uint64_t connections = session->connections;
    bool good = true;
    session->receiving = true;
    while (good && size > 0 && session->connections == connections) {
        size_t slice = size < REPLY_READER_SLICE ? size : REPLY_READER_SLICE;
        reply_reader_feed(session->reader, data, slice);
        data += slice;
        size -= slice;
        good = read_replies(session);
    }
    session->receiving = false;
    return good;
}

const char *
session_error(const struct session *session)
{
    check_magic(session, SESSION_MAGIC);
    return session->error.text;
}

void
session_take_arena(struct session *session, struct arena *arena)
{
    check_magic(session, SESSION_MAGIC);
    check(session->calling);
    check(arena->size == 0 && !arena->overflow);
    check(arena->capacity == session->arena.capacity);
    struct arena taken = session->arena;
    session->arena = *arena;
    *arena = taken;
}
