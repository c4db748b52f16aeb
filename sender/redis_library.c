#include "sender/redis_library.h"

#include "sender/base/check.h"
#include "sender/base/log.h"
#include "sender/redis_setup.h"
#include "sender/worker.h"

static void ask(struct worker *worker);

static void
become_good(struct worker *worker)
{
    worker->library = REDIS_LIBRARY_GOOD;
    worker->library_contested = false;
    trouble_end(worker, NULL, TROUBLE_LIBRARY);
    worker_work_later(worker);
}

static void
try_again(struct worker *worker, const struct reply *reply)
{
    worker->library = REDIS_LIBRARY_UNKNOWN;
    if (trouble_take(worker, NULL, TROUBLE_LIBRARY, reply) == SESSION_REMEDY_APART)
        worker_ask_again(worker);
}

static void
on_loaded(void *context, const struct reply *reply)
{
    struct worker *worker = context;
    check_magic(worker, WORKER_MAGIC);
    if (reply == NULL)
        return;
    if (reply->type != REPLY_ERROR) {
        log_line(LOG_INFO, "library_loaded", "version=%s", library_version);
        become_good(worker);
        return;
    }
    if (span_starts(reply->text, SPAN("ERR Library ")) && !worker->library_contested) {
        worker->library_contested = true;
        ask(worker); /* somebody else was first: is it ours? */
    } else {
        try_again(worker, reply);
    }
}

/* Not over another of the same name unless that is older, or does not answer. */
static void
load(struct worker *worker, bool replace)
{
    const struct span library = {library_text, library_size};
    const struct span fresh[] = {SPAN("FUNCTION"), SPAN("LOAD"), library};
    const struct span over[] = {SPAN("FUNCTION"), SPAN("LOAD"), SPAN("REPLACE"), library};
    struct session *session = redis_client_session(worker->redis);
    if (!session_command(session, replace ? over : fresh, replace ? 4 : 3, on_loaded, worker))
        worker->library = REDIS_LIBRARY_UNKNOWN; /* no room now */
    redis_client_flush(worker->redis);
}

static void
on_version(void *context, const struct reply *reply)
{
    struct worker *worker = context;
    struct span version;
    check_magic(worker, WORKER_MAGIC);
    if (reply == NULL)
        return;
    if (session_trouble_of(reply) == SESSION_TROUBLE_NO_FUNCTION) {
        load(worker, worker->library_contested);
        return;
    }
    if (!reply_text(reply, &version)) {
        try_again(worker, reply);
        return;
    }
    int order = redis_setup_order(version, span_of(library_version));
    if (order < 0) {
        load(worker, true);
        return;
    }
    if (order > 0 && !worker->library_newer)
        log_line(LOG_WARN, "library_newer",
                 "version=%.*s ours=%s meaning=\"a newer facteur uses this Redis\" remedy=\"run "
                 "that one here as well\"",
                 SPAN_ARG(version), library_version);
    worker->library_newer = order > 0;
    become_good(worker);
}

static void
ask(struct worker *worker)
{
    if (!call_version(redis_client_session(worker->redis), on_version, worker))
        worker->library = REDIS_LIBRARY_UNKNOWN;
    redis_client_flush(worker->redis);
}

void
redis_library_look(struct worker *worker)
{
    if (worker->library == REDIS_LIBRARY_ASKED || !redis_client_is_ready(worker->redis))
        return;
    worker->library = REDIS_LIBRARY_ASKED;
    ask(worker);
}

void
redis_library_lost(struct worker *worker)
{
    if (worker->library == REDIS_LIBRARY_ASKED)
        worker->library = REDIS_LIBRARY_UNKNOWN;
}
