#include "sender/io/digest.h"
#include "tests/unit/test.h"

#include <string.h>

/* RFC 4231, and RFC 2104's habits at the edges. */
static const struct {
    const char *name;
    const char *key;
    size_t key_size;
    const char *message;
    size_t size;
    uint8_t key_byte; /* repeated `key_size` times, if `key` is NULL */
    uint8_t byte;     /* likewise for the message */
    const char *hex;
} vectors[] = {
    {"case 1", NULL, 20, "Hi There", 8, 0x0b, 0,
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"case 2", "Jefe", 4, "what do ya want for nothing?", 28, 0, 0,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"case 3", NULL, 20, NULL, 50, 0xaa, 0xdd,
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"case 6: a key longer than a block", NULL, 131,
     "Test Using Larger Than Block-Size Key - Hash Key First", 54, 0xaa, 0,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"case 7: both longer", NULL, 131,
     "This is a test using a larger than block-size key and a larger than block-size data. The "
     "key needs to be hashed before being used by the HMAC algorithm.",
     152, 0xaa, 0, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    {"nothing at all", "", 0, "", 0, 0, 0,
     "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
};

static void
matches_rfc_4231(void)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char secret[256];
        char message[256];
        memset(secret, vectors[i].key_byte, sizeof(secret));
        memset(message, vectors[i].byte, sizeof(message));
        if (vectors[i].key != NULL)
            memcpy(secret, vectors[i].key, vectors[i].key_size);
        if (vectors[i].message != NULL)
            memcpy(message, vectors[i].message, vectors[i].size);

        struct digest_key key;
        digest_key_init(&key, secret, vectors[i].key_size);
        for (int again = 0; again < 2; again++) { /* the key is not used up */
            uint8_t digest[DIGEST_SIZE];
            digest_hmac(&key, (struct span){.data = message, .size = vectors[i].size}, digest);
            char hex[2 * DIGEST_SIZE];
            struct buffer out;
            buffer_init(&out, hex, sizeof(hex));
            buffer_put_hex(&out, digest, sizeof(digest));
            expect_span(buffer_span(&out), span_of(vectors[i].hex));
        }
    }
}

static void
another_key_is_another_digest(void)
{
    struct digest_key a, b;
    digest_key_init(&a, "secret", 6);
    digest_key_init(&b, "Secret", 6);
    uint8_t of_a[DIGEST_SIZE], of_b[DIGEST_SIZE];
    digest_hmac(&a, SPAN("+33612345678"), of_a);
    digest_hmac(&b, SPAN("+33612345678"), of_b);
    expect(memcmp(of_a, of_b, DIGEST_SIZE) != 0);
}

int
main(void)
{
    TEST(matches_rfc_4231);
    TEST(another_key_is_another_digest);
    return test_end();
}
