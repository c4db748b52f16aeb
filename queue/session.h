/*
 * session - a Redis connection without a socket: commands out, replies in, in order.
 *
 * Commands are pipelined: each is written at once into the output and its callback waits in line.
 * Replies are read by hiredis' reader with object functions of ours that build into an arena, so a
 * reply costs no malloc. RESP2 (Debian's hiredis is 0.14). One thread, no clock.
 */
#ifndef FACTEUR_QUEUE_SESSION_H
#define FACTEUR_QUEUE_SESSION_H

#include "sender/base/arena.h"
#include "sender/base/bytes.h"

enum reply_type { REPLY_NIL, REPLY_STRING, REPLY_STATUS, REPLY_INTEGER, REPLY_ARRAY, REPLY_ERROR };

struct reply {
    enum reply_type type;
    struct span text; /* STRING, STATUS, ERROR */
    int64_t integer;
    struct reply **elements; /* ARRAY */
    size_t count;
};

struct session;

/*
 * `reply` is NULL when the connection was lost before the reply came (`lost` was called): whether
 * the command was done is then unknown. Otherwise valid during the call only, unless the arena
 * is taken (session_take_arena).
 */
typedef void session_reply_f(void *context, const struct reply *reply);

struct session_settings {
    size_t output_size;   /* bytes of commands kept until the link takes them: full is a caller's
                             mistake */
    size_t arena_size;    /* bytes of one reply, in all; a larger one is a protocol error */
    uint32_t waiting_max; /* commands without a reply */
    const char *user;     /* AUTH, or NULL */
    const char *password; /* or NULL; never logged */
};

struct session *session_open(const struct session_settings *settings);
void session_close(struct session *session); /* calls nobody */

/* The connection is new: what was waiting must have been lost before. Sends AUTH if there is a user
 * or password; its failure comes as an error from session_receive(). Until this call, and again
 * after session_lost(), there is no room for any command. */
void session_connected(struct session *session);
/* The connection is gone: every waiting callback is called with NULL, in order. Output is dropped.
 * May be called from inside a callback: what else was received is then for nobody. */
void session_lost(struct session *session);

/* One command from its parts. False if the output or the line is full: nothing was written. */
bool session_command(struct session *session, const struct span *parts, size_t count,
                     session_reply_f *on_reply, void *context);

/* The same in steps, for commands with many parts: begin with the number of parts. The room is
 * tested at the end: false there means that nothing was written and the callback will not come. */
void session_begin(struct session *session, size_t part_count);
void session_part(struct session *session, struct span part);
void session_part_u64(struct session *session, uint64_t number); /* decimal */
/* One part made of `count` pieces, one after the other. */
void session_part_joined(struct session *session, const struct span *pieces, size_t count);
bool session_end(struct session *session, session_reply_f *on_reply, void *context);

size_t session_room(const struct session *session);      /* bytes of output still free */
uint32_t session_waiting(const struct session *session); /* commands without a reply */

/* Moves output into `out`, as much as fits. */
void session_output(struct session *session, struct buffer *out);
bool session_wants_output(const struct session *session);

/* Gives received bytes. False: not RESP2, too large a reply, a reply nobody waits for, or AUTH
 * refused; see session_error(). It stays false until session_lost(), which the caller owes. */
bool session_receive(struct session *session, const char *data, size_t size);
const char *session_error(const struct session *session); /* a sentence, or "" */

/*
 * What an error reply means for the connection, by its first word. The command was not done.
 * NONE for every other reply, OTHER for errors that concern the command alone.
 */
enum session_trouble {
    SESSION_TROUBLE_NONE,
    SESSION_TROUBLE_NOAUTH,   /* a user or password is asked for, or was wrong */
    SESSION_TROUBLE_NOPERM,   /* the user may not call this command or touch this key */
    SESSION_TROUBLE_LOADING,  /* Redis is reading its files: later */
    SESSION_TROUBLE_BUSY,     /* a script of someone runs for too long: later */
    SESSION_TROUBLE_OOM,      /* maxmemory is reached: producers and claims wait, settling works */
    SESSION_TROUBLE_READONLY, /* a replica: another address is the master now */
    SESSION_TROUBLE_NOREPLICAS,  /* too few replicas follow it, and it is set to refuse then */
    SESSION_TROUBLE_MISCONF,     /* Redis cannot write its files and refuses changes */
    SESSION_TROUBLE_NO_FUNCTION, /* the library is gone (FUNCTION FLUSH, an empty Redis) */
    SESSION_TROUBLE_WRONG_TYPE,  /* a key holds something else: the error names it */
    SESSION_TROUBLE_OTHER,
};
enum session_trouble session_trouble_of(const struct reply *reply); /* NULL gives NONE */
/* A sentence: what is wrong and what to do. Static. */
const char *session_trouble_text(enum session_trouble trouble);

/* What is to be done about it. */
enum session_remedy {
    SESSION_REMEDY_NONE,
    SESSION_REMEDY_WAIT,  /* all of Redis refuses for a while: ask again later */
    SESSION_REMEDY_LOAD,  /* load the function library, then ask again */
    SESSION_REMEDY_LEAVE, /* this one is not the master: connect to another place */
    SESSION_REMEDY_APART, /* concerns the command or its keys alone: others go on */
};
enum session_remedy session_trouble_remedy(enum session_trouble trouble);

/*
 * From inside a callback: swaps the arena that holds the reply with `*arena`, so the reply stays
 * valid until the caller resets its own. `*arena` must be open, empty, and as large.
 */
void session_take_arena(struct session *session, struct arena *arena);

/* Reply readers that judge: false when the shape is not as asked. */
bool reply_is_text(const struct reply *reply, const char *text); /* STRING or STATUS equal to it */
const struct reply *reply_at(const struct reply *reply,
                             size_t index);                    /* NULL if not an array or short */
bool reply_text(const struct reply *reply, struct span *text); /* STRING or STATUS */
bool reply_i64(const struct reply *reply, int64_t *number);    /* INTEGER, or a decimal STRING */

#endif
