/*
 * certificate - makes a server's certificate for the emulator and the tests, so that neither needs
 * an openssl command: EC P-256, signed by itself, and so its own CA file.
 */
#ifndef FACTEUR_SENDER_IO_CERTIFICATE_H
#define FACTEUR_SENDER_IO_CERTIFICATE_H

#include "sender/base/bytes.h"

struct certificate_settings {
    const char *certificate_path; /* PEM, written anew */
    const char *key_path;         /* PEM, written anew, readable by its owner only */
    const char *host;             /* a host name or an IP address, at most 64 characters */
    int64_t valid_from_s;         /* seconds since 1970 */
    int64_t valid_until_s;        /* likewise, later */
    bool host_only;               /* not also localhost, 127.0.0.1 and ::1 */
};

bool certificate_write(const struct certificate_settings *settings, struct error_text *error);

/* The same for `host`, localhost, 127.0.0.1 and ::1, from yesterday and for 30 days. */
bool certificate_write_self_signed(const char *certificate_path, const char *key_path,
                                   const char *host, struct error_text *error);

#endif
