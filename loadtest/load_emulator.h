/*
 * load_emulator - questions to facteur-emulator's own pages, over HTTP/2: one at a time, waiting
 * for the answer.
 */
#ifndef FACTEUR_LOADTEST_LOAD_EMULATOR_H
#define FACTEUR_LOADTEST_LOAD_EMULATOR_H

#include "sender/h2/client.h"
#include "sender/io/link.h"

enum { LOAD_EMULATOR_RESPONSE_MAX = 8 << 20 };

struct load_emulator {
    struct loop *loop; /* borrowed */
    struct link *link; /* NULL once closed */
    struct tls_context *tls;
    struct h2_client *client;
    struct h2_exchange exchange; /* the question under way */
    bool open, answered;
    bool ended; /* the connection: the emulator ends one that was idle for long */
    enum h2_end end;
    char where[160];
    struct error_text lost; /* why it ended */
    char *response;
};

/*
 * Connects to `where` ("https://127.0.0.1:8443") with certificates verified by `ca_file` (NULL: the
 * system's). False with a sentence in `error`; then nothing is to be closed. The struct may not
 * move afterwards.
 */
bool load_emulator_open(struct load_emulator *emulator, struct loop *loop, const char *where,
                        const char *ca_file, struct error_text *error);
void load_emulator_close(struct load_emulator *emulator);

/*
 * GET `path`, or POST of `body` if it is not NULL. The answer is valid until the next question, and
 * may be changed in place. False with a sentence in `error`: lost, too late, or a status that is
 * not 200.
 */
bool load_emulator_ask(struct load_emulator *emulator, const char *path, const char *body,
                       struct span *answer, struct error_text *error);

#endif
