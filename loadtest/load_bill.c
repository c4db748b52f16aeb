#include "loadtest/load_bill.h"
#include "sender/base/check.h"
#include "sender/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_TIMEOUT_US = 5000000,
    ANSWER_TIMEOUT_US = 30000000,
    TURN_US = 100000,
    FIELDS_MAX = 16
};

/* ---- the connection ------------------------------------------------------------------------- */

static void
on_open(void *context)
{
    struct load_bill *bill = context;
    bill->open = true;
    link_flush(bill->link);
}

static void
on_bytes(void *context, const char *data, size_t size)
{
    struct load_bill *bill = context;
    enum h2_error error = h2_client_receive(bill->client, data, size);
    if (error != H2_OK) {
        error_set(&bill->lost, "%s", h2_error_text(error));
        link_close(bill->link);
    } else if (h2_client_wants_output(bill->client)) {
        link_flush(bill->link);
    }
}

static void
on_output(void *context, struct buffer *out)
{
    struct load_bill *bill = context;
    (void)h2_client_output(bill->client, out);
}

static void
on_close(void *context, const char *reason, bool opened)
{
    (void)opened;
    struct load_bill *bill = context;
    if (bill->lost.text[0] == '\0')
        error_set(&bill->lost, "%s", reason);
    bill->link = NULL;
    bill->open = false;
    bill->ended = true;
    h2_client_lose(bill->client);
}

static void
on_end(void *context, struct h2_exchange *exchange, enum h2_end end)
{
    (void)exchange;
    struct load_bill *bill = context;
    bill->answered = true;
    bill->end = end;
}

static bool
read_url(const char *where, char host[128], uint16_t *port)
{
    static const char scheme[] = "https://";
    if (strncmp(where, scheme, sizeof scheme - 1) != 0)
        return false;
    struct span rest = span_of(where + sizeof scheme - 1);
    struct span authority = span_split(&rest, '/');
    struct span name = span_split(&authority, ':');
    uint64_t number = 443;
    if (authority.data != NULL && (!span_to_u64(authority, &number) || number > UINT16_MAX))
        return false;
    if (name.size == 0 || name.size >= 128)
        return false;
    memcpy(host, name.data, name.size);
    host[name.size] = '\0';
    *port = (uint16_t)number;
    return true;
}

bool
load_bill_open(struct load_bill *bill, struct loop *loop, const char *where, const char *ca_file,
               struct error_text *error)
{
    static const struct link_events link_events = {
        .on_open = on_open, .on_bytes = on_bytes, .on_output = on_output, .on_close = on_close};
    static const struct h2_client_events h2_events = {.on_end = on_end};
    char host[128];
    struct link_settings settings = {.connect_timeout_us = CONNECT_TIMEOUT_US,
                                     .output_size = 16384};
    *bill = (struct load_bill){.loop = loop};
    if (!read_url(where, host, &settings.address.port)) {
        error_set(error, "--emulator %s: write https://host:port", where);
        return false;
    }
    struct tls_client_settings tls = {.ca_file = ca_file, .alpn = "h2"};
    bill->tls = tls_client_context(&tls, error);
    if (bill->tls == NULL)
        return false;
    (void)snprintf(bill->where, sizeof bill->where, "%s", where);
    settings.address.host = host;
    settings.tls = bill->tls;
    struct h2_client_settings h2 = {.authority = span_of(where + strlen("https://")),
                                    .user_agent = SPAN("facteur-load/" FACTEUR_VERSION),
                                    .exchanges_max = 1};
    bill->client = h2_client_open(&h2, &h2_events, bill);
    bill->response = check_alloc(1, LOAD_BILL_RESPONSE_MAX);
    bill->link = link_open(loop, &settings, &link_events, bill);
    while (!bill->open && !bill->ended)
        loop_turn(loop, TURN_US);
    if (bill->open)
        return true;
    error_set(error, "no emulator at %s: %s; start facteur-emulator, or name it with --emulator",
              where, bill->lost.text);
    load_bill_close(bill);
    return false;
}

void
load_bill_close(struct load_bill *bill)
{
    if (bill->link != NULL)
        link_close(bill->link);
    while (!bill->ended)
        loop_turn(bill->loop, TURN_US);
    h2_client_close(bill->client);
    tls_context_close(bill->tls);
    free(bill->response);
    *bill = (struct load_bill){.ended = true};
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* "f1;BUSINESS/ACCOUNT;MEMBER;…". -1: not one of the accounts; -2: not callback data at all. */
static int
read_callback(const struct load_bill *bill, struct span callback, struct audit_member *member)
{
    struct span rest = callback;
    if (!span_equal(span_split(&rest, ';'), SPAN("f1")))
        return -2;
    struct span account = span_split(&rest, ';');
    struct span name = span_split(&rest, ';');
    struct span business = span_split(&account, '/');
    for (uint32_t i = 0; i < bill->account_count; i++) {
        if (span_equal(business, span_of(bill->accounts[i].business_name)) &&
            span_equal(account, span_of(bill->accounts[i].account_name)))
            return audit_read_member(name, i, member) ? (int)i : -2;
    }
    return -1;
}

bool
load_bill_line(struct load_bill *bill, char *line, size_t size)
{
    struct field memory[FIELDS_MAX];
    struct json_object object = {.fields = memory, .capacity = FIELDS_MAX};
    if (json_read_flat((struct span){line, size}, &object, NULL) != JSON_OK)
        return false;
    struct audit_charge charge = {0};
    struct span callback = {0};
    uint64_t number = 0;
    bool counted = false;
    bool priced = false;
    for (size_t i = 0; i < object.count; i++) {
        struct span name = object.fields[i].name;
        struct span value = object.fields[i].value;
        if (span_equal(name, SPAN("n")))
            counted = span_to_u64(value, &number);
        else if (span_equal(name, SPAN("price")))
            priced = span_to_u64(value, &charge.price);
        else if (span_equal(name, SPAN("callback")))
            callback = value;
        else if (span_equal(name, SPAN("wamid")))
            charge.wamid = value;
        else if (span_equal(name, SPAN("to")))
            charge.to = value;
        else if (span_equal(name, SPAN("country")))
            charge.country = value;
    }
    if (!counted || !priced)
        return false;
    bill->next = number + 1;
    int account = read_callback(bill, callback, &charge.member);
    if (account >= 0) {
        audit_charge(bill->audit, &charge);
    } else if (account == -1) {
        bill->others++;
    } else {
        bill->strangers++;
        audit_stranger(bill->audit, charge.price);
    }
    return true;
}

/* ---- pages ---------------------------------------------------------------------------------- */

static bool
get(struct load_bill *bill, const char *path, struct error_text *error)
{
    struct h2_request request = {.method = SPAN("GET"), .path = span_of(path)};
    if (bill->ended || h2_client_room(bill->client) == 0) {
        error_set(error, "the emulator at %s was lost: %s", bill->where, bill->lost.text);
        return false;
    }
    buffer_init(&bill->exchange.response, bill->response, LOAD_BILL_RESPONSE_MAX);
    bill->answered = false;
    h2_client_start(bill->client, &bill->exchange, &request);
    link_flush(bill->link);
    uint64_t deadline = loop_now_us(bill->loop) + ANSWER_TIMEOUT_US;
    while (!bill->answered && loop_now_us(bill->loop) < deadline)
        loop_turn(bill->loop, TURN_US);
    if (!bill->answered)
        h2_client_cancel(bill->client, &bill->exchange);
    if (bill->end == H2_ANSWERED && bill->exchange.status == 200 && !bill->exchange.truncated)
        return true;
    error_set(error, "%s%s: %s, status %d%s; is that facteur-emulator?", bill->where, path,
              h2_end_text(bill->end), bill->exchange.status,
              bill->exchange.truncated ? ", answer too long" : "");
    return false;
}

bool
load_bill_read(struct load_bill *bill, struct error_text *error)
{
    for (;;) {
        char path[96];
        (void)snprintf(path, sizeof path, "/emulator/accepted?from=%llu&limit=%d",
                       (unsigned long long)bill->next, LOAD_BILL_PAGE);
        if (!get(bill, path, error))
            return false;
        struct span rest = buffer_span(&bill->exchange.response);
        uint64_t lines = 0;
        uint64_t before = bill->next;
        while (rest.size > 0) {
            struct span line = span_split(&rest, '\n');
            if (line.size == 0)
                continue;
            lines++;
            if (!load_bill_line(bill, bill->response + (line.data - bill->response), line.size)) {
                error_set(error,
                          "%s%s: line %llu is not as agreed: "
                          "{\"n\",\"callback\",\"wamid\",\"to\",\"country\",\"price\"}",
                          bill->where, path, (unsigned long long)lines);
                return false;
            }
        }
        if (lines == 0 || bill->next == before)
            return true;
    }
}
