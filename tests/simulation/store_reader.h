/* store_reader - requests out of what a connection brings, in any pieces. */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_READER_H
#define FACTEUR_TESTS_SIMULATION_STORE_READER_H

#include "tests/simulation/store_bytes.h"

struct store_reader_place {
    size_t at; /* in the input */
    size_t size;
};

struct store_reader {
    struct store_bytes input;
    size_t at;    /* bytes of the input that were read */
    int64_t left; /* words still missing of the request that was begun */
    struct store_reader_place *places;
    size_t place_count;
    size_t place_capacity;
    struct span *words; /* of the last request */
    size_t word_capacity;
};

enum store_reader_state {
    STORE_READER_MORE, /* nothing whole yet */
    STORE_READER_ONE,  /* a request */
    STORE_READER_BAD   /* no RESP: the connection must end */
};

void store_reader_free(struct store_reader *reader);
void store_reader_add(struct store_reader *reader, const char *data, size_t size);
/* The next request, at reader->words, `*count` of them; valid until more is added or asked for.
 * BAD: `*error` says what is wrong, as Redis does. */
enum store_reader_state store_reader_next(struct store_reader *reader, size_t *count,
                                          struct error_text *error);

#endif
