/* The low-level SHA-256 is called deprecated, but EVP takes memory for every message. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sender/io/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

enum { BLOCK_SIZE = SHA256_CBLOCK };

/* What lies in digest_key.state. */
struct key_state {
    SHA256_CTX inner; /* after the block key ^ ipad */
    SHA256_CTX outer; /* after the block key ^ opad */
};
_Static_assert(sizeof(struct key_state) <= sizeof(((struct digest_key *)0)->state),
               "digest_key.state must hold both hashes");
_Static_assert((int)SHA256_DIGEST_LENGTH == (int)DIGEST_SIZE, "SHA-256");

static void
begin(SHA256_CTX *hash, const uint8_t *key, uint8_t pad)
{
    uint8_t block[BLOCK_SIZE];
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = key[i] ^ pad;
    SHA256_Init(hash);
    SHA256_Update(hash, block, sizeof(block));
    OPENSSL_cleanse(block, sizeof(block));
}

void
digest_key_init(struct digest_key *key, const void *secret, size_t size)
{
    uint8_t padded[BLOCK_SIZE] = {0};
    if (size > sizeof(padded)) /* RFC 2104: a longer key is hashed first */
        SHA256(secret, size, padded);
    else if (size > 0)
        memcpy(padded, secret, size);

    struct key_state state;
    begin(&state.inner, padded, 0x36);
    begin(&state.outer, padded, 0x5c);
    memset(key, 0, sizeof(*key));
    memcpy(key->state, &state, sizeof(state));
    OPENSSL_cleanse(&state, sizeof(state));
    OPENSSL_cleanse(padded, sizeof(padded));
}

void
digest_hmac(const struct digest_key *key, struct span message, uint8_t digest[DIGEST_SIZE])
{
    struct key_state state; /* a copy: the key stays as it is, and bytes have no alignment */
    memcpy(&state, key->state, sizeof(state));
    SHA256_Update(&state.inner, message.data, message.size);
    SHA256_Final(digest, &state.inner);
    SHA256_Update(&state.outer, digest, DIGEST_SIZE);
    SHA256_Final(digest, &state.outer);
}
