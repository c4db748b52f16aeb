/*
 * store_bytes - bytes that grow, and texts that are shared.
 *
 * The store is a stand-in for a whole process: it may allocate, unlike the sender.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_BYTES_H
#define FACTEUR_TESTS_SIMULATION_STORE_BYTES_H

#include "sender/base/bytes.h"

#include <stdarg.h>

struct store_bytes {
    char *data; /* owned; ended by store_bytes_free() */
    size_t size;
    size_t capacity;
};

void store_bytes_free(struct store_bytes *bytes);
void store_bytes_put(struct store_bytes *bytes, const void *data, size_t size);
void store_bytes_put_text(struct store_bytes *bytes, const char *text); /* NUL-terminated */
void store_bytes_put_i64(struct store_bytes *bytes, int64_t number);    /* decimal */
void store_bytes_printf(struct store_bytes *bytes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void store_bytes_vprintf(struct store_bytes *bytes, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void store_bytes_drop_front(struct store_bytes *bytes, size_t size);
struct span store_bytes_span(const struct store_bytes *bytes);

/* Bytes that never change, with a count of those who hold them. */
struct store_text {
    uint32_t references;
    uint32_t size;
    char data[];
};

struct store_text *store_text_new(struct span span); /* one reference, the caller's */
struct store_text *store_text_hold(struct store_text *text);
void store_text_drop(struct store_text *text); /* NULL is allowed */
struct span store_text_span(const struct store_text *text);

/* An array of elements of one size with room for one more: `*items` may move. */
#define STORE_GROW(items, used, capacity)                                                          \
    do {                                                                                           \
        if ((used) == (capacity)) {                                                                \
            (capacity) = (capacity) == 0 ? 8 : (capacity)*2;                                       \
            (items) = store_grown((items), (size_t)(capacity) * sizeof(*(items)));                 \
        }                                                                                          \
    } while (0)
void *store_grown(void *items, size_t size); /* realloc() that never returns NULL */

#endif
