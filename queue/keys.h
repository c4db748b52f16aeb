/*
 * keys - the names of an account's keys, and the words of queue/README.md.
 */
#ifndef FACTEUR_QUEUE_KEYS_H
#define FACTEUR_QUEUE_KEYS_H

#include "sender/base/bytes.h"

enum {
    KEYS_NAME_MAX = 32, /* of a business or an account: [a-z0-9][a-z0-9-]{0,31} */
    KEYS_BASE_MAX = 8 + 2 + 32 + 1 + 32 + 1,
    QUEUE_BULK_MAX = 64,               /* members in one bulk entry */
    QUEUE_ENTRY_SIZE_MAX = 256 * 1024, /* bytes of one entry's fields; larger ones end in dead */
    QUEUE_MEMBER_MAX = 48,             /* "18446744073709551615-18446744073709551615/64" */
    QUEUE_HOLDER_SIZE = 16,
    QUEUE_GRANT_MAX = 40, /* bytes of a claim's or grant's name */
    QUEUE_ID_MAX = 256,   /* bytes of a producer's id; of ref likewise */
};

struct account_keys {
    char business_name[KEYS_NAME_MAX + 1];
    char account_name[KEYS_NAME_MAX + 1];
    char business[KEYS_BASE_MAX]; /* "facteur:{acme}" */
    char account[KEYS_BASE_MAX];  /* "facteur:{acme}:fr" */
};

bool keys_name_is_good(struct span name); /* [a-z0-9][a-z0-9-]{0,31} */
/* From "acme/fr". False with a sentence in `error`. */
bool keys_read(struct span text, struct account_keys *keys, struct error_text *error);
/* "facteur:{acme}:fr:events" into `out`, which must be large enough (KEYS_BASE_MAX and the name);
 * returns its span, which is not NUL-terminated. */
struct span keys_of(const struct account_keys *keys, const char *name, char *out, size_t size);

/* ENTRY or ENTRY/n: "1732377600000-0", "u1732377600000-0/64". */
bool keys_member_is_good(struct span member);
/* HOLDER.NUMBER: 16 hex digits, a dot, decimal digits. */
bool keys_grant_is_good(struct span grant);

#endif
