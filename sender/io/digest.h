/*
 * digest - HMAC-SHA-256 with the key's two blocks hashed once, so that a message costs two
 * compressions and no allocation. For the `to` of an event (DESIGN: recipients are not written
 * down in clear) and, later, webhook signatures.
 */
#ifndef FACTEUR_SENDER_IO_DIGEST_H
#define FACTEUR_SENDER_IO_DIGEST_H

#include "sender/base/bytes.h"

enum { DIGEST_SIZE = 32 };

struct digest_key {
    uint8_t state[256]; /* opaque: the inner and outer hash after the key's block */
};

void digest_key_init(struct digest_key *key, const void *secret, size_t size);
void digest_hmac(const struct digest_key *key, struct span message, uint8_t digest[DIGEST_SIZE]);

#endif
