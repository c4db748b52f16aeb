#include "queue/reply_reader.h"
#include "sender/base/check.h"

#include <hiredis/read.h>
#include <stdlib.h>
#include <string.h>

struct reply_reader {
    redisReader *reader; /* owned */
    struct arena *arena; /* borrowed */
};

/* ---- object functions --------------------------------------------------------------------- */

/* Takes a reply and hangs it into its parent, if hiredis is inside an array. */
static struct reply *
take_reply(const redisReadTask *task, enum reply_type type, size_t more)
{
    struct arena *arena = task->privdata;
    struct reply *reply = arena_take(arena, sizeof(*reply) + more);
    if (reply == NULL)
        return NULL; /* hiredis stops; arena->overflow tells us why */
    *reply = (struct reply){.type = type};
    if (task->parent != NULL) {
        struct reply *parent = task->parent->obj;
        check(task->idx >= 0 && (size_t)task->idx < parent->count);
        parent->elements[task->idx] = reply;
    }
    return reply;
}

static void *
create_string(const redisReadTask *task, char *text, size_t size)
{
    enum reply_type type = task->type == REDIS_REPLY_STRING   ? REPLY_STRING
                           : task->type == REDIS_REPLY_STATUS ? REPLY_STATUS
                                                              : REPLY_ERROR;
    struct reply *reply = take_reply(task, type, size);
    if (reply == NULL)
        return NULL;
    char *copy = (char *)(reply + 1);
    memcpy(copy, text, size);
    reply->text = (struct span){.data = copy, .size = size};
    return reply;
}

/* The elements are filled one by one; until then the reply is seen by nobody. */
static void *
create_array(const redisReadTask *task, int count)
{
    struct reply *reply = take_reply(task, REPLY_ARRAY, (size_t)count * sizeof(void *));
    if (reply == NULL)
        return NULL;
    reply->elements = (struct reply **)(reply + 1);
    reply->count = (size_t)count;
    return reply;
}

static void *
create_integer(const redisReadTask *task, long long value)
{
    struct reply *reply = take_reply(task, REPLY_INTEGER, 0);
    if (reply != NULL)
        reply->integer = value;
    return reply;
}

static void *
create_nil(const redisReadTask *task)
{
    return take_reply(task, REPLY_NIL, 0);
}

static void
free_object(void *object)
{
    (void)object; /* the arena's */
}

/* ---- reader ------------------------------------------------------------------------------- */

static redisReader *
open_hiredis(struct arena *arena)
{
    /* hiredis asks for a pointer to non-const functions, and only reads them. */
    static redisReplyObjectFunctions functions = {
        .createString = create_string,
        .createArray = create_array,
        .createInteger = create_integer,
        .createNil = create_nil,
        .freeObject = free_object,
    };
    redisReader *reader = redisReaderCreateWithFunctions(&functions);
    check(reader != NULL);
    reader->maxbuf = 0; /* keep the buffer: freeing and growing it again costs at every reply */
    reader->privdata = arena;
    return reader;
}

struct reply_reader *
reply_reader_open(struct arena *arena)
{
    struct reply_reader *reader = check_alloc(1, sizeof(*reader));
    reader->arena = arena;
    reader->reader = open_hiredis(arena);
    return reader;
}

void
reply_reader_close(struct reply_reader *reader)
{
    redisReaderFree(reader->reader);
    free(reader);
}

void
reply_reader_reset(struct reply_reader *reader)
{
    redisReaderFree(reader->reader);
    reader->reader = open_hiredis(reader->arena);
}

void
reply_reader_feed(struct reply_reader *reader, const char *data, size_t size)
{
    check(size <= REPLY_READER_SLICE);
    /* It fails only in a broken reader, which reply_reader_next() tells, or without memory. */
    (void)redisReaderFeed(reader->reader, data, size);
}

static enum reply_reader_result
too_large(const struct reply_reader *reader, struct error_text *error)
{
    error_set(error, "Redis' reply is larger than the %zu bytes kept for one",
              reader->arena->capacity);
    return REPLY_READER_BROKEN;
}

enum reply_reader_result
reply_reader_next(struct reply_reader *reader, const struct reply **reply, struct error_text *error)
{
    redisReader *hiredis = reader->reader;
    void *object = NULL;
    if (redisReaderGetReply(hiredis, &object) != REDIS_OK) {
        if (reader->arena->overflow)
            return too_large(reader, error);
        error_set(error, "what Redis sent is not RESP2: %s", hiredis->errstr);
        return REPLY_READER_BROKEN;
    }
    if (object != NULL) {
        *reply = object;
        return REPLY_READER_REPLY;
    }
    /* Unread bytes belong to one string or line: as bytes it needs no less than in the arena. */
    if (hiredis->len - hiredis->pos > reader->arena->capacity + REPLY_READER_SLICE)
        return too_large(reader, error);
    return REPLY_READER_MORE;
}
