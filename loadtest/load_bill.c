#include "loadtest/load_bill.h"
#include "sender/base/json.h"

#include <stdio.h>

enum { FIELDS_MAX = 16 };

bool
load_bill_open(struct load_bill *bill, struct loop *loop, const char *where, const char *ca_file,
               struct error_text *error)
{
    *bill = (struct load_bill){0};
    return load_emulator_open(&bill->emulator, loop, where, ca_file, error);
}

void
load_bill_close(struct load_bill *bill)
{
    load_emulator_close(&bill->emulator);
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* "f1;BUSINESS/ACCOUNT;MEMBER;ATTEMPT;GRANT;INDEX;…". -1: not one of the accounts; -2: not callback
 * data at all. */
static int
read_callback(const struct load_bill *bill, struct span callback, struct audit_charge *charge)
{
    struct span rest = callback;
    if (!span_equal(span_split(&rest, ';'), SPAN("f1")))
        return -2;
    struct span account = span_split(&rest, ';');
    struct span name = span_split(&rest, ';');
    (void)span_split(&rest, ';');
    struct span grant = span_split(&rest, ';');
    uint64_t index = 0;
    charge->token =
        span_to_u64(span_split(&rest, ';'), &index) ? audit_hash_token(grant, index) : 0;
    struct span business = span_split(&account, '/');
    for (uint32_t i = 0; i < bill->account_count; i++) {
        if (span_equal(business, span_of(bill->accounts[i].business_name)) &&
            span_equal(account, span_of(bill->accounts[i].account_name)))
            return audit_read_member(name, i, &charge->member) ? (int)i : -2;
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
    int account = read_callback(bill, callback, &charge);
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

bool
load_bill_read(struct load_bill *bill, struct error_text *error)
{
    for (;;) {
        char path[96];
        struct span rest;
        (void)snprintf(path, sizeof path, "/emulator/accepted?from=%llu&limit=%d",
                       (unsigned long long)bill->next, LOAD_BILL_PAGE);
        if (!load_emulator_ask(&bill->emulator, path, NULL, &rest, error))
            return false;
        const char *response = rest.data;
        uint64_t lines = 0;
        uint64_t before = bill->next;
        while (rest.size > 0) {
            struct span line = span_split(&rest, '\n');
            if (line.size == 0)
                continue;
            lines++;
            char *text = bill->emulator.response + (line.data - response);
            if (!load_bill_line(bill, text, line.size)) {
                error_set(error,
                          "%s%s: line %llu is not as agreed: "
                          "{\"n\",\"callback\",\"wamid\",\"to\",\"country\",\"price\"}",
                          bill->emulator.where, path, (unsigned long long)lines);
                return false;
            }
        }
        if (lines == 0 || bill->next == before)
            return true;
    }
}
