/*
 * emulator_judge - is this send request one that Graph would accept, and if not, what is the error?
 *
 * In Graph's order: token, path, phone number, JSON, fields, recipient, type, template, parameters.
 * Nothing is booked here. Pure but for the paces of the phone numbers; time is an argument.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_JUDGE_H
#define FACTEUR_LOADTEST_EMULATOR_JUDGE_H

#include "loadtest/emulator_country.h"
#include "loadtest/emulator_error.h"
#include "loadtest/emulator_template.h"
#include "loadtest/request_reader.h"

enum {
    EMULATOR_PHONES_MAX = 64,
    EMULATOR_CALLBACK_MAX = 512,           /* bytes of biz_opaque_callback_data */
    EMULATOR_BODY_CHARACTERS = 1024,       /* of the hydrated body */
    EMULATOR_BODY_ONLY_CHARACTERS = 32768, /* of a template that is nothing but a body */
    EMULATOR_TO_MAX = 64, /* bytes of `to`, with what Meta allows between the digits */
    EMULATOR_WA_ID_MAX = 160,
};

/* One of the business' phone numbers. */
struct emulator_phone {
    struct span id;           /* phone_number_id, borrowed */
    struct span calling_code; /* of the business: put in front of a recipient without "+" */
    uint64_t next_ns;         /* its pace: when the next message is due at the latest rate */
};

struct emulator_judge {
    struct span token; /* borrowed; empty: any bearer token will do */
    struct emulator_phone phones[EMULATOR_PHONES_MAX];
    uint32_t phone_count;
    uint32_t limit_per_s;                       /* of each phone number; 0: none */
    const struct emulator_templates *templates; /* borrowed */
    const struct emulator_countries *countries; /* borrowed, or NULL: not looked up */
    struct request_scratch scratch;             /* of the request being judged */
    struct send_request request;                /* as it was read */
};

struct emulator_request {
    struct span path; /* "/v24.0/123/messages", with any query */
    struct span method;
    struct span authorization; /* the header's value */
    struct span body;
    bool too_large; /* `body` is only the beginning */
    uint64_t now_us;
};

struct emulator_judgement {
    bool accepted;
    enum emulator_error error; /* if not accepted */
    struct error_text details; /* of the error; "" for Graph's own words */
    bool bad_request; /* the path, or JSON that is none: the sender's mistake for certain */
    bool bad_to;      /* `to` came without "+": it went to the business' own country */
    bool without_country;
    uint16_t country;
    const struct emulator_template *template;
    const struct send_request *request; /* valid until the next call */
    char wa_id[EMULATOR_WA_ID_MAX];
    uint32_t wa_id_size;
};

/* True for a path of "/{phone}/messages" with or without a version, whoever the phone is. */
bool emulator_judge_is_send(struct span path);

void emulator_judge(struct emulator_judge *judge, const struct emulator_request *request,
                    struct emulator_judgement *judgement);

#endif
