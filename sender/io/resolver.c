#include "sender/io/resolver.h"
#include "sender/base/check.h"
#include "sender/io/mailbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum lookup_state {
    LOOKUP_WAITING, /* in the line */
    LOOKUP_RUNNING, /* the helper asks for it */
    LOOKUP_POSTED,  /* answered; its letter is in the mailbox */
};

struct lookup {
    struct letter letter;
    enum lookup_state state; /* under the line's lock */
    struct lookup *next;     /* in the line, under its lock */
    struct resolver *resolver;
    struct lookup *next_live; /* the loop's thread only */
    void (*on_answer)(void *context, const struct resolver_answer *answer); /* NULL: abandoned */
    void *context;
    char host[RESOLVER_HOST_MAX + 1];
    uint16_t port;
    struct resolver_answer answer; /* the helper's until posted */
};

/* What loop and helper share. The helper may be stuck in getaddrinfo() when the loop closes, so
 * the line outlives whoever leaves first. */
struct line {
    pthread_mutex_t lock; /* guards everything below */
    struct lookup *waiting;
    struct lookup **waiting_end;
    struct mailbox *mailbox;
    bool helper_runs;
    bool closed; /* the loop has left */
};

struct resolver {
    struct loop *loop;
    struct mailbox *mailbox;
    struct line *line;
    struct lookup *live; /* all that were not answered */
};

bool
resolver_literal(const char *host, uint16_t port, struct resolver_address *address)
{
    *address = (struct resolver_address){0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address->bytes;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        address->size = sizeof(*v4);
        return true;
    }
    char bare[INET6_ADDRSTRLEN];
    size_t size = strlen(host);
    if (size > 2 && size < sizeof(bare) && host[0] == '[' && host[size - 1] == ']') {
        memcpy(bare, host + 1, size - 2);
        bare[size - 2] = '\0';
        host = bare;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->bytes;
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
        return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address->size = sizeof(*v6);
    return true;
}

static void
explain_failure(const char *host, int code, struct error_text *error)
{
    switch (code) {
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
        error_set(error, "no host has the name %s: check how it is written", host);
        break;
    case EAI_AGAIN:
        error_set(error,
                  "the name servers do not answer for %s: check the network and /etc/resolv.conf",
                  host);
        break;
    case EAI_SYSTEM:
        error_set(error, "the name %s could not be looked up: %s", host, strerror(errno));
        break;
    default:
        error_set(error, "the name %s could not be looked up: %s", host, gai_strerror(code));
    }
}

int
resolver_ask(const char *host, uint16_t port, const struct addrinfo *hints, struct addrinfo **found)
{
    char service[8];
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    int code = getaddrinfo(host, service, hints, found);
    if (code == 0 || host == NULL || strcasecmp(host, "localhost") != 0)
        return code;
    struct addrinfo loopback = *hints; /* no host, and not to listen everywhere: loopback */
    loopback.ai_flags &= ~AI_PASSIVE;
    return getaddrinfo(NULL, service, &loopback, found);
}

/* On the helper's thread: the only place that blocks. */
static void
ask(const char *host, uint16_t port, struct resolver_answer *answer)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV,
    };
    struct addrinfo *found = NULL;
    int code = resolver_ask(host, port, &hints, &found);
    if (code != 0) {
        explain_failure(host, code, &answer->error);
        return;
    }
    for (struct addrinfo *info = found; info != NULL; info = info->ai_next) {
        if (answer->count == RESOLVER_ADDRESSES_MAX ||
            info->ai_addrlen > sizeof(answer->addresses[0].bytes))
            break;
        struct resolver_address *address = &answer->addresses[answer->count++];
        memcpy(&address->bytes, info->ai_addr, info->ai_addrlen);
        address->size = info->ai_addrlen;
    }
    freeaddrinfo(found);
    if (answer->count == 0)
        error_set(&answer->error, "the name %s has no address", host);
}

static struct lookup *
take_waiting(struct line *line)
{
    struct lookup *lookup = line->waiting;
    if (lookup == NULL)
        return NULL;
    line->waiting = lookup->next;
    if (line->waiting == NULL)
        line->waiting_end = &line->waiting;
    return lookup;
}

static void
post(struct line *line, struct lookup *lookup)
{
    lookup->state = LOOKUP_POSTED;
    mailbox_post(line->mailbox, &lookup->letter);
}

/* Those who wait for the same host get the same answer, as it is this fresh. */
static void
post_same_host(struct line *line, const struct lookup *answered)
{
    struct lookup *waiting = line->waiting;
    line->waiting = NULL;
    line->waiting_end = &line->waiting;
    while (waiting != NULL) {
        struct lookup *next = waiting->next;
        if (waiting->port == answered->port && strcmp(waiting->host, answered->host) == 0) {
            waiting->answer = answered->answer;
            post(line, waiting);
        } else {
            waiting->next = NULL;
            *line->waiting_end = waiting;
            line->waiting_end = &waiting->next;
        }
        waiting = next;
    }
}

static void
line_free(struct line *line)
{
    pthread_mutex_destroy(&line->lock);
    free(line);
}

static void *
helper_main(void *argument)
{
    struct line *line = argument;
    sigset_t all; /* signals are for the threads that have a loop */
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);

    pthread_mutex_lock(&line->lock);
    struct lookup *lookup;
    while ((lookup = take_waiting(line)) != NULL) {
        lookup->state = LOOKUP_RUNNING;
        pthread_mutex_unlock(&line->lock);
        ask(lookup->host, lookup->port, &lookup->answer);
        pthread_mutex_lock(&line->lock);
        if (line->closed) {
            free(lookup);
            break;
        }
        post_same_host(line, lookup);
        post(line, lookup);
    }
    line->helper_runs = false;
    bool last = line->closed;
    pthread_mutex_unlock(&line->lock);
    if (last)
        line_free(line);
    return NULL;
}

/* Under the lock. */
static bool
start_helper(struct line *line)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, helper_main, line) != 0)
        return false;
    pthread_detach(thread); /* it may be stuck in getaddrinfo() when everybody else has gone */
    return true;
}

/* Into the line, or an answer at once that says why not. */
static void
stand_in_line(struct line *line, struct lookup *lookup, const char *host)
{
    if (strlen(host) > RESOLVER_HOST_MAX) {
        error_set(&lookup->answer.error, "a host name has at most %d characters: %.32s...",
                  RESOLVER_HOST_MAX, host);
        post(line, lookup);
        return;
    }
    snprintf(lookup->host, sizeof(lookup->host), "%s", host);
    if (!line->helper_runs)
        line->helper_runs = start_helper(line);
    if (!line->helper_runs) {
        error_set(&lookup->answer.error,
                  "no thread for looking up %s: raise RLIMIT_NPROC (ulimit -u)", host);
        post(line, lookup);
        return;
    }
    *line->waiting_end = lookup;
    line->waiting_end = &lookup->next;
}

struct resolver *
resolver_open(struct loop *loop)
{
    struct resolver *resolver = check_alloc(1, sizeof(*resolver));
    resolver->loop = loop;
    resolver->mailbox = mailbox_open(loop);
    resolver->line = check_alloc(1, sizeof(*resolver->line));
    resolver->line->mailbox = resolver->mailbox;
    resolver->line->waiting_end = &resolver->line->waiting;
    check(pthread_mutex_init(&resolver->line->lock, NULL) == 0);
    return resolver;
}

void
resolver_close(struct resolver *resolver)
{
    struct line *line = resolver->line;
    pthread_mutex_lock(&line->lock);
    line->closed = true;
    struct lookup *lookup = resolver->live;
    while (lookup != NULL) {
        struct lookup *next = lookup->next_live;
        if (lookup->state != LOOKUP_RUNNING) /* else the helper frees it, whenever that is */
            free(lookup);
        lookup = next;
    }
    line->waiting = NULL;
    bool last = !line->helper_runs;
    mailbox_close(resolver->mailbox);
    pthread_mutex_unlock(&line->lock);
    if (last)
        line_free(line);
    free(resolver);
}

static void
on_delivery(struct letter *letter)
{
    struct lookup *lookup = container_of(letter, struct lookup, letter);
    struct lookup **live = &lookup->resolver->live;
    while (*live != lookup)
        live = &(*live)->next_live;
    *live = lookup->next_live;
    if (lookup->on_answer != NULL)
        lookup->on_answer(lookup->context, &lookup->answer);
    free(lookup);
}

struct lookup *
resolver_lookup(struct resolver *resolver, const char *host, uint16_t port,
                void (*on_answer)(void *context, const struct resolver_answer *answer),
                void *context)
{
    struct lookup *lookup = check_alloc(1, sizeof(*lookup));
    lookup->letter.on_delivery = on_delivery;
    lookup->resolver = resolver;
    lookup->on_answer = on_answer;
    lookup->context = context;
    lookup->port = port;
    lookup->next_live = resolver->live;
    resolver->live = lookup;

    pthread_mutex_lock(&resolver->line->lock);
    stand_in_line(resolver->line, lookup, host);
    pthread_mutex_unlock(&resolver->line->lock);
    return lookup;
}

void
resolver_abandon(struct lookup *lookup)
{
    lookup->on_answer = NULL;
}
