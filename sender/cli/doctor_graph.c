#include "sender/base/clock.h"
#include "sender/cli/checkup.h"
#include "sender/io/link.h"
#include "sender/io/resolver.h"
#include "sender/settings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { NAME_WAIT_MS = 15 * 1000, CONNECT_WAIT_US = 10 * 1000 * 1000, TURN_US = 100 * 1000 };

/* ---- its name ---------------------------------------------------------------------------------
 */

struct look_up {
    bool answered;
    struct resolver_answer answer;
};

static void
on_answer(void *context, const struct resolver_answer *answer)
{
    struct look_up *look_up = context;
    look_up->answered = true;
    look_up->answer = *answer;
}

static const char *
address_text(const struct resolver_address *address, char text[INET6_ADDRSTRLEN])
{
    const void *bytes =
        address->bytes.ss_family == AF_INET6
            ? (const void *)&((const struct sockaddr_in6 *)&address->bytes)->sin6_addr
            : (const void *)&((const struct sockaddr_in *)&address->bytes)->sin_addr;
    const char *found = inet_ntop(address->bytes.ss_family, bytes, text, INET6_ADDRSTRLEN);
    return found != NULL ? found : "?";
}

static bool
look_at_name(struct doctor *doctor, struct loop *loop, const struct graph_address *graph)
{
    struct resolver_address literal;
    struct look_up look_up = {0};
    char text[INET6_ADDRSTRLEN];
    if (resolver_literal(graph->host, graph->port, &literal)) {
        checkup_good(&doctor->checkup, "dns", "%s is an address", graph->host);
        return true;
    }
    uint64_t end_ms = clock_monotonic_us() / 1000 + NAME_WAIT_MS;
    struct lookup *lookup =
        resolver_lookup(loop_resolver(loop), graph->host, graph->port, on_answer, &look_up);
    while (!look_up.answered && clock_monotonic_us() / 1000 < end_ms)
        loop_turn(loop, TURN_US);
    if (!look_up.answered) {
        resolver_abandon(lookup);
        checkup_bad(&doctor->checkup, "dns",
                    "%s: no name server answered in %d s: look at /etc/resolv.conf", graph->host,
                    NAME_WAIT_MS / 1000);
        return false;
    }
    if (look_up.answer.count == 0) {
        checkup_bad(&doctor->checkup, "dns", "%s", look_up.answer.error.text);
        return false;
    }
    checkup_good(&doctor->checkup, "dns", "%s is %s%s", graph->host,
                 address_text(&look_up.answer.addresses[0], text),
                 look_up.answer.count > 1 ? " and others" : "");
    return true;
}

/* ---- TLS and HTTP/2 ---------------------------------------------------------------------------
 */

struct handshake {
    struct link *link;
    bool opened;
    bool closed;
    char reason[384];
};

static void
on_open(void *context)
{
    struct handshake *handshake = context;
    handshake->opened = true;
    link_close(handshake->link);
}

static void
on_bytes(void *context, const char *data, size_t size)
{
    (void)context;
    (void)data;
    (void)size;
}

static void
on_output(void *context, struct buffer *out)
{
    (void)context;
    (void)out;
}

static void
on_close(void *context, const char *reason, bool opened)
{
    struct handshake *handshake = context;
    (void)opened;
    handshake->closed = true;
    snprintf(handshake->reason, sizeof(handshake->reason), "%s", reason);
}

static void
shake_hands(struct doctor *doctor, struct loop *loop, struct tls_context *tls,
            const struct graph_address *graph)
{
    static const struct link_events events = {on_open, on_bytes, on_output, on_close};
    struct handshake handshake = {0};
    const struct link_settings settings = {
        .address = {.host = graph->host, .port = graph->port},
        .tls = tls,
        .connect_timeout_us = CONNECT_WAIT_US,
        .output_size = 4096,
    };
    uint64_t start_us = clock_monotonic_us();
    uint64_t taken_us = 0;
    handshake.link = link_open(loop, &settings, &events, &handshake);
    while (!handshake.closed) {
        loop_turn(loop, TURN_US);
        if (handshake.opened && taken_us == 0)
            taken_us = clock_monotonic_us() - start_us;
    }
    if (handshake.opened)
        checkup_good(&doctor->checkup, "graph", "%s speaks TLS and HTTP/2 (in %llu ms)",
                     graph->authority, (unsigned long long)taken_us / 1000);
    else
        checkup_bad(&doctor->checkup, "graph", "%s: %s%s", graph->authority, handshake.reason,
                    strstr(handshake.reason, "ALPN") != NULL
                        ? ": is it the Graph API (--graph), or a proxy before it?"
                        : "");
}

static void
look_at_tls(struct doctor *doctor, struct loop *loop, const struct graph_address *graph)
{
    const struct tls_client_settings settings = {.ca_file = doctor->ca_file, .alpn = "h2"};
    struct error_text error;
    struct tls_context *tls = tls_client_context(&settings, &error);
    if (tls == NULL) {
        checkup_bad(&doctor->checkup, "graph", "%s", error.text);
        return;
    }
    shake_hands(doctor, loop, tls, graph);
    tls_context_close(tls);
}

void
doctor_look_at_graph(struct doctor *doctor)
{
    const struct loop_settings settings = {.operations_max = 16, .timers_max = 16};
    struct graph_address graph;
    struct error_text error;
    if (!settings_read_graph(doctor->graph, &graph, &error)) {
        checkup_bad(&doctor->checkup, "graph", "%s", error.text);
        return;
    }
    struct loop *loop = loop_open(&settings, &error);
    if (loop == NULL) {
        checkup_bad(&doctor->checkup, "graph", "%s", error.text);
        return;
    }
    if (look_at_name(doctor, loop, &graph))
        look_at_tls(doctor, loop, &graph);
    loop_close(loop);
}
