/*
 * template_store - a business's templates in Redis, for the command line: read whole, changed
 * whole.
 *
 * A change is one transaction over the hash as it was read: every template of one call comes into
 * force together, with the next number and a line in the log for each, or none does. Formats:
 * queue/README.md and templates/stored.h.
 */
#ifndef FACTEUR_SENDER_TEMPLATE_STORE_H
#define FACTEUR_SENDER_TEMPLATE_STORE_H

#include "queue/keys.h"
#include "sender/redis_sync.h"
#include "templates/stored.h"

enum {
    STORE_SIZE_MAX = 32 * 1024 * 1024, /* bytes of the hash: a reader's reply must hold it */
    STORE_CHANGES_MAX = 1024,          /* in one call */
};

struct template_store {
    uint64_t number;                /* of the hash's last change; 0: never changed */
    struct stored_template *stored; /* what could be read; removed ones included */
    uint32_t count;
    size_t size;  /* bytes of all fields and values */
    char *memory; /* owns what they borrow */
};

/*
 * Reads `facteur:{BUSINESS}:templates`. What cannot be read is told to `complaints` and left out.
 * False with the cause in `error` when Redis does not give it. `watch`: a later
 * template_store_change() fails if somebody changes the hash after this.
 */
bool template_store_read(struct redis_sync *sync, const struct account_keys *keys, bool watch,
                         const struct stored_complaints *complaints, struct template_store *store,
                         struct error_text *error);
void template_store_close(struct template_store *store);

/* NULL if there is none; one that was removed is there, without text. */
const struct stored_template *template_store_find(const struct template_store *store,
                                                  struct span name, struct span language);

enum template_store_answer {
    TEMPLATE_STORE_DONE,
    TEMPLATE_STORE_CHANGED, /* somebody else changed the hash meanwhile: read and try again */
    TEMPLATE_STORE_FAILED,  /* see the error */
};

/*
 * Writes `changes` over what was read with `watch`; each is new (its json may be empty: a removal),
 * and all have the same who, why and time. `*number` is the hash's new number.
 */
enum template_store_answer
template_store_change(struct redis_sync *sync, const struct account_keys *keys,
                      const struct template_store *store, const struct stored_template *changes,
                      uint32_t count, uint64_t *number, struct error_text *error);

#endif
