/*
 * trust - why a peer's certificate was not trusted, in words and with a remedy.
 *
 * Private to tls.c. Names out of the certificate are the peer's bytes: they are cut and cleaned.
 */
#ifndef FACTEUR_SENDER_IO_TRUST_H
#define FACTEUR_SENDER_IO_TRUST_H

#include "sender/base/bytes.h"

struct x509_store_ctx_st; /* OpenSSL's X509_STORE_CTX, in its verify callback */

/* For the error that `store` is at; `server_name` is what we asked for. */
void trust_explain(struct x509_store_ctx_st *store, const char *server_name,
                   struct error_text *error);

#endif
