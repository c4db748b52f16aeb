#include "sender/io/certificate.h"
#include "sender/base/clock.h"
#include "sender/base/random.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CERTIFICATE_HOST_MAX = 64, DAY_S = 86400 };

static bool
is_address(const char *host)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* The host becomes part of a line of configuration that OpenSSL parses: nothing but a name. */
static bool
host_is_plain(const char *host)
{
    size_t size = strlen(host);
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:*";
    return size > 0 && size <= CERTIFICATE_HOST_MAX && strspn(host, allowed) == size;
}

static bool
add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, &context, nid, value);
    if (extension == NULL)
        return false;
    bool added = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool
add_extensions(X509 *certificate, const struct certificate_settings *settings)
{
    char names[CERTIFICATE_HOST_MAX + 64];
    snprintf(names, sizeof(names), "%s:%s%s", is_address(settings->host) ? "IP" : "DNS",
             settings->host, settings->host_only ? "" : ",DNS:localhost,IP:127.0.0.1,IP:::1");
    /* CA: it must be its own issuer for those who are given it as their CA file. */
    return add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, NID_subject_alt_name, names);
}

static bool
set_serial(X509 *certificate)
{
    uint64_t serial;
    random_secret(&serial, sizeof(serial));
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), (serial >> 1) | 1) == 1;
}

static bool
fill(X509 *certificate, EVP_PKEY *key, const struct certificate_settings *settings)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), settings->valid_from_s) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), settings->valid_until_s) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)settings->host, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extensions(certificate, settings) && X509_sign(certificate, key, EVP_sha256()) != 0;
}

/* `write` puts its PEM into the file. */
static bool
write_file(const char *path, mode_t mode, int (*write)(FILE *file, const void *object),
           const void *object, struct error_text *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        error_set(error, "%s cannot be written: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool written = fchmod(fd, mode) == 0 && write(file, object) == 1;
    if (fclose(file) != 0)
        written = false;
    if (!written)
        error_set(error, "%s cannot be written: %s", path, strerror(errno));
    return written;
}

static int
write_certificate(FILE *file, const void *object)
{
    return PEM_write_X509(file, object);
}

static int
write_key(FILE *file, const void *object)
{
    return PEM_write_PrivateKey(file, object, NULL, NULL, 0, NULL, NULL);
}

bool
certificate_write(const struct certificate_settings *settings, struct error_text *error)
{
    if (!host_is_plain(settings->host)) {
        error_set(error, "a certificate's host is a name or an address of at most %d characters",
                  CERTIFICATE_HOST_MAX);
        return false;
    }
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    bool good = key != NULL && certificate != NULL && fill(certificate, key, settings);
    const char *cause = ERR_reason_error_string(ERR_peek_last_error());
    if (!good)
        error_set(error, "no certificate could be made for %s: %s", settings->host,
                  cause == NULL ? "OpenSSL does not say why" : cause);
    good = good && write_file(settings->key_path, 0600, write_key, key, error) &&
           write_file(settings->certificate_path, 0644, write_certificate, certificate, error);
    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

bool
certificate_write_self_signed(const char *certificate_path, const char *key_path, const char *host,
                              struct error_text *error)
{
    int64_t now_s = (int64_t)(clock_unix_ms() / 1000);
    const struct certificate_settings settings = {
        .certificate_path = certificate_path,
        .key_path = key_path,
        .host = host,
        .valid_from_s = now_s - DAY_S,
        .valid_until_s = now_s + 29 * DAY_S,
    };
    return certificate_write(&settings, error);
}
