#include "sender/io/trust.h"

#include <arpa/inet.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

enum {
    TRUST_NAMES_SHOWN = 6, /* more would not help a reader */
    TRUST_NAME_MAX = 80,
    TRUST_NAMES_SIZE = 280,
    TRUST_DATE_SIZE = 40,
};

/* Printable ASCII only, and not too much of it. */
static void
put_clean(struct buffer *out, const unsigned char *name, int size)
{
    for (int i = 0; i < size && i < TRUST_NAME_MAX; i++)
        buffer_put_char(out, name[i] > ' ' && name[i] < 0x7f ? (char)name[i] : '?');
}

static void
put_address(struct buffer *out, const unsigned char *bytes, int size)
{
    char text[INET6_ADDRSTRLEN];
    int family = size == 4 ? AF_INET : AF_INET6;
    if ((size == 4 || size == 16) && inet_ntop(family, bytes, text, sizeof(text)) != NULL)
        buffer_put_text(out, text);
    else
        buffer_put_text(out, "?");
}

/* The host names and addresses the certificate is for, as in "a.example, b.example". */
static void
put_names(struct buffer *out, X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int shown = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD)
            continue;
        if (shown == TRUST_NAMES_SHOWN) {
            buffer_put_text(out, ", ...");
            break;
        }
        buffer_put_text(out, shown++ == 0 ? "" : ", ");
        const ASN1_STRING *value = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
        if (name->type == GEN_DNS)
            put_clean(out, ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
        else
            put_address(out, ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
    }
    if (shown == 0)
        buffer_put_text(out, "no host name");
    GENERAL_NAMES_free(names);
}

static void
put_date(struct buffer *out, const ASN1_TIME *date)
{
    struct tm tm;
    if (date != NULL && ASN1_TIME_to_tm(date, &tm) == 1)
        buffer_printf(out, "%04d-%02d-%02d %02d:%02d UTC", tm.tm_year + 1900, tm.tm_mon + 1,
                      tm.tm_mday, tm.tm_hour, tm.tm_min);
    else
        buffer_put_text(out, "an unreadable date");
}

static void
put_issuer(struct buffer *out, X509 *certificate)
{
    X509_NAME *issuer = X509_get_issuer_name(certificate);
    int index = X509_NAME_get_index_by_NID(issuer, NID_commonName, -1);
    if (index < 0)
        index = X509_NAME_get_index_by_NID(issuer, NID_organizationName, -1);
    const ASN1_STRING *name =
        index < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(issuer, index));
    if (name == NULL) {
        buffer_put_text(out, "without a name");
        return;
    }
    buffer_put_char(out, '"');
    put_clean(out, ASN1_STRING_get0_data(name), ASN1_STRING_length(name));
    buffer_put_char(out, '"');
}

static void
explain_names(X509 *certificate, const char *host, struct error_text *error)
{
    char memory[TRUST_NAMES_SIZE];
    struct buffer names;
    buffer_init(&names, memory, sizeof(memory));
    put_names(&names, certificate);
    error_set(error,
              "the certificate is not for %.100s but for %s: connect by a name it has, or give the "
              "server a certificate for this one",
              host, buffer_text(&names));
}

static void
explain_date(X509 *certificate, const char *host, bool expired, struct error_text *error)
{
    char memory[TRUST_DATE_SIZE];
    struct buffer date;
    buffer_init(&date, memory, sizeof(memory));
    put_date(&date, expired ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate));
    if (expired)
        error_set(error,
                  "the certificate of %.100s has expired on %s: it must be renewed there (or this "
                  "machine's clock is wrong)",
                  host, buffer_text(&date));
    else
        error_set(error,
                  "the certificate of %.100s is not valid before %s: is this machine's clock "
                  "right?",
                  host, buffer_text(&date));
}

static void
explain_issuer(X509 *certificate, const char *host, struct error_text *error)
{
    char memory[TRUST_NAMES_SIZE];
    struct buffer issuer;
    buffer_init(&issuer, memory, sizeof(memory));
    put_issuer(&issuer, certificate);
    error_set(error,
              "the certificate of %.100s was signed by an issuer that is not trusted here, %s: "
              "give its CA with --ca-file (Redis': --redis-ca-file)",
              host, buffer_text(&issuer));
}

void
trust_explain(X509_STORE_CTX *store, const char *server_name, struct error_text *error)
{
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    int code = X509_STORE_CTX_get_error(store);
    if (certificate == NULL) {
        error_set(error, "the certificate of %.100s could not be verified: %s", server_name,
                  X509_verify_cert_error_string(code));
        return;
    }
    switch (code) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        explain_names(certificate, server_name, error);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        explain_date(certificate, server_name, true, error);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        explain_date(certificate, server_name, false, error);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
        explain_issuer(certificate, server_name, error);
        break;
    default:
        error_set(error, "the certificate of %.100s could not be verified: %s", server_name,
                  X509_verify_cert_error_string(code));
    }
}
