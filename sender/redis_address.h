/*
 * redis_address - where Redis is: one place, or several of which one is the master.
 */
#ifndef FACTEUR_SENDER_REDIS_ADDRESS_H
#define FACTEUR_SENDER_REDIS_ADDRESS_H

#include "sender/base/bytes.h"

enum {
    REDIS_PLACES_MAX = 8,
    REDIS_PLACE_TEXT_SIZE = 288, /* "rediss://HOST:PORT" */
};

struct redis_place {
    char unix_path[108]; /* or "" */
    char host[256];
    uint16_t port;
    bool tls;
};

struct redis_address {
    struct redis_place places[REDIS_PLACES_MAX]; /* tried in this order */
    uint32_t place_count;                        /* at least 1 once it was read */
    char user[64];                               /* "" for none; the same at all places */
    char password[256];                          /* never printed */
    char ca_file[256];                           /* "" for the system's store */
};

/*
 * "unix:/path", "/path", "tcp://host:port", "redis://…", "rediss://host:port"; an IPv6 address in
 * brackets; several with commas between them (so a path has none). No user and password: ps would
 * show them. False: see error, which repeats no secret. Only the places are written.
 */
bool redis_address_read(const char *text, struct redis_address *address, struct error_text *error);

/* True if a TLS context is needed to reach one of the places. */
bool redis_address_wants_tls(const struct redis_address *address);

/* As it would be written: "unix:/path", "tcp://host:port". NUL-terminated in `text`. */
const char *redis_place_text(const struct redis_place *place, char text[REDIS_PLACE_TEXT_SIZE]);

#endif
