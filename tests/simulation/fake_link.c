/*
 * sender/io/link.h over a wire of the simulated net: no socket, no TLS, all else as it says there.
 *
 * Also who answers at which name (net.h), and TLS contexts, of which only the pointers are used.
 */
#include "sender/base/check.h"
#include "sender/io/link.h"
#include "tests/simulation/fake_loop.h"
#include "tests/simulation/net.h"

#include <stdlib.h>
#include <string.h>

enum { RECEIVE_MAX = 64 * 1024 };
static const uint64_t LINK_MAGIC = 0x6c696e6b66616b65;

enum link_state { LINK_DIALING, LINK_OPEN, LINK_CLOSED };

struct link {
    uint64_t magic;
    enum link_state state;
    struct loop *loop;
    struct world *world;
    struct link_events events;
    void *context;
    struct net_server *server;
    struct wire *wire; /* NULL: not yet, or not any more */
    struct timer dial_timer;
    struct timer sent_timer; /* the kernel has taken what was given */
    struct completion completion;
    struct loop_flush flush;
    const char *dial_error; /* the dial failed */
    const char *reason;     /* of its end, when that is known; NULL: it goes on */
    bool dialed;
    bool opened;
    bool sending;
    bool wants_output;
    char *received; /* bytes that came and were not read yet */
    size_t received_size;
    size_t received_capacity;
    struct buffer page;
    uint64_t bytes_sent;
    struct link *next; /* of all there are */
    struct link **place;
};

static struct net_server *servers;
static struct link *links;

void
net_listen(struct net_server *server)
{
    server->next = servers;
    servers = server;
}

void
net_forget(struct net_server *server)
{
    struct net_server **place = &servers;
    while (*place != server)
        place = &(*place)->next;
    *place = server->next;
}

struct net_server *
net_find(const char *name)
{
    for (struct net_server *server = servers; server != NULL; server = server->next)
        if (strcmp(server->name, name) == 0)
            return server;
    return NULL;
}

/* ---- what the net brings ----------------------------------------------------------------------
 */

static void
on_wire_bytes(void *context, const char *data, size_t size)
{
    struct link *link = context;
    check_magic(link, LINK_MAGIC);
    if (link->received_size + size > link->received_capacity) {
        link->received_capacity = 2 * (link->received_size + size);
        link->received = realloc(link->received, link->received_capacity);
        check(link->received != NULL);
    }
    memcpy(link->received + link->received_size, data, size);
    link->received_size += size;
    loop_complete(link->loop, &link->completion);
}

static void
on_wire_end(void *context, const char *reason)
{
    struct link *link = context;
    check_magic(link, LINK_MAGIC);
    link->wire = NULL;
    if (link->reason == NULL)
        link->reason = reason;
    loop_complete(link->loop, &link->completion);
}

static void
on_dialed(struct timer *timer)
{
    struct link *link = container_of(timer, struct link, dial_timer);
    link->dialed = true;
    if (link->server == NULL || link->server->down)
        link->dial_error = "connection refused: nothing listens there";
    loop_complete(link->loop, &link->completion);
}

static void
on_sent(struct timer *timer)
{
    struct link *link = container_of(timer, struct link, sent_timer);
    check_magic(link, LINK_MAGIC);
    link->sending = false;
    loop_complete(link->loop, &link->completion);
}

/* ---- a turn -----------------------------------------------------------------------------------
 */

static void
end(struct link *link)
{
    struct loop *loop = link->loop;
    timer_stop(&link->world->agenda, &link->dial_timer);
    timer_stop(&link->world->agenda, &link->sent_timer);
    if (link->wire != NULL)
        wire_leave(link->wire, WIRE_LINK);
    link->wire = NULL;
    link->state = LINK_CLOSED;
    link->events.on_close(link->context, link->reason, link->opened);
    check(!link->flush.queued);
    loop_forget(loop, &link->completion);
    loop_count_link(loop, -1);
    *link->place = link->next;
    if (link->next != NULL)
        link->next->place = link->place;
    link->magic = 0;
    free(link->received);
    free(link->page.data);
    free(link);
}

static void
become_open(struct link *link)
{
    static const struct wire_end nobody = {on_wire_bytes, on_wire_end, NULL};
    struct wire_end own = nobody;
    own.context = link;
    link->state = LINK_OPEN;
    link->opened = true;
    link->wants_output = true;
    link->wire = wire_open(link->world, link->server->name, &own);
    link->server->on_connect(link->server->context, link->wire);
    loop_flush_later(link->loop, &link->flush);
    link->events.on_open(link->context);
}

static void
read_some(struct link *link)
{
    char *data = link->received;
    size_t size = link->received_size < RECEIVE_MAX ? link->received_size : RECEIVE_MAX;
    size_t rest = link->received_size - size;
    link->received = NULL;
    link->received_size = link->received_capacity = 0;
    if (rest > 0)
        on_wire_bytes(link, data + size, rest);
    link->events.on_bytes(link->context, data, size);
    free(data);
}

static void
on_ready(struct completion *completion)
{
    struct link *link = container_of(completion, struct link, completion);
    check_magic(link, LINK_MAGIC);
    if (link->state == LINK_DIALING && link->reason == NULL && link->dialed) {
        if (link->dial_error == NULL) {
            become_open(link);
            return;
        }
        link->reason = link->dial_error;
    }
    if (link->state == LINK_OPEN && link->received_size > 0)
        read_some(link); /* what came before the end is read before it is told */
    bool is_over = link->reason != NULL && (link->received_size == 0 || link->state == LINK_CLOSED);
    if (is_over || (link->state == LINK_OPEN && link->wants_output))
        loop_flush_later(link->loop, &link->flush);
}

static void
send_page(struct link *link)
{
    link->wants_output = false;
    buffer_reset(&link->page);
    link->events.on_output(link->context, &link->page);
    if (link->page.size == 0)
        return;
    loop_tell_output(link->loop); /* the process may be stopped right here */
    link->wants_output = true;
    link->sending = true;
    link->bytes_sent += link->page.size;
    if (link->wire != NULL)
        wire_send(link->wire, WIRE_LINK, link->page.data, link->page.size);
    timer_start(&link->world->agenda, &link->sent_timer,
                link->world->now_us + world_between(link->world, 1, 300));
}

static void
on_flush(struct loop_flush *flush)
{
    struct link *link = container_of(flush, struct link, flush);
    check_magic(link, LINK_MAGIC);
    if (link->state == LINK_OPEN && link->reason == NULL && link->wants_output && !link->sending)
        send_page(link);
    if (link->reason != NULL && (link->received_size == 0 || link->state == LINK_CLOSED)) {
        if (link->flush.queued)
            return; /* asked for again meanwhile: then */
        end(link);
    }
}

/* ---- the owner's calls ------------------------------------------------------------------------
 */

struct link *
link_open(struct loop *loop, const struct link_settings *settings, const struct link_events *events,
          void *context)
{
    check(settings->output_size > 0 && settings->output_size <= LINK_OUTPUT_MAX);
    check(settings->connect_timeout_us > 0);
    check(settings->address.unix_path != NULL || settings->address.host != NULL);
    struct link *link = check_alloc(1, sizeof(*link));
    struct world *world = loop_world(loop);
    const struct weather *weather = &world->weather;
    link->magic = LINK_MAGIC;
    link->loop = loop;
    link->world = world;
    link->events = *events;
    link->context = context;
    link->server = settings->address.host != NULL ? net_find(settings->address.host) : NULL;
    link->flush.on_flush = on_flush;
    link->completion.on_ready = on_ready;
    timer_init(&link->dial_timer, on_dialed);
    timer_init(&link->sent_timer, on_sent);
    char *page = malloc(settings->output_size); /* not zeroed: it is large */
    check(page != NULL);
    buffer_init(&link->page, page, settings->output_size);
    loop_count_link(loop, 1);
    link->next = links;
    link->place = &links;
    if (links != NULL)
        links->place = &link->next;
    links = link;
    uint64_t wait_us = world_between(world, 50, 50 + 3 * (uint64_t)weather->latency_us);
    if (world_chance(world, weather->dial_fails)) {
        static const char *const errors[] = {"connection refused: nothing listens there",
                                             "TLS: the certificate has expired",
                                             "it does not answer (a firewall? a wrong address?)"};
        size_t which = random_below(&world->dice, 3);
        link->dial_error = errors[which];
        if (which == 2)
            wait_us = settings->connect_timeout_us;
    }
    timer_start(&world->agenda, &link->dial_timer, world->now_us + wait_us);
    return link;
}

void
link_flush(struct link *link)
{
    check_magic(link, LINK_MAGIC);
    link->wants_output = true;
    if (link->state == LINK_OPEN && !link->sending)
        loop_flush_later(link->loop, &link->flush);
}

void
link_close(struct link *link)
{
    check_magic(link, LINK_MAGIC);
    if (link->state == LINK_CLOSED)
        return;
    link->state = LINK_CLOSED; /* no more callbacks but the last */
    if (link->reason == NULL)
        link->reason = "closed";
    loop_flush_later(link->loop, &link->flush);
}

void
loop_kill_links(struct loop *loop)
{
    for (struct link *link = links; link != NULL; link = link->next) {
        if (link->loop != loop)
            continue;
        if (link->wire != NULL)
            wire_abandon(link->wire, WIRE_LINK);
        link->wire = NULL;
        link->received_size = 0;
        timer_stop(&link->world->agenda, &link->dial_timer);
        link_close(link);
    }
}

bool
link_is_open(const struct link *link)
{
    return link->state == LINK_OPEN;
}

uint64_t
link_bytes_sent(const struct link *link)
{
    return link->bytes_sent;
}

/* ---- TLS ---------------------------------------------------------------------------------------
 */

struct tls_context {
    int nothing;
};

struct tls_context *
tls_client_context(const struct tls_client_settings *settings, struct error_text *error)
{
    (void)settings;
    (void)error;
    return check_alloc(1, sizeof(struct tls_context));
}

void
tls_context_close(struct tls_context *context)
{
    free(context);
}
