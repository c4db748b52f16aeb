/* facteur-emulator - a Graph API over HTTP/2 and TLS that behaves and bills like Meta's. */
#include "loadtest/emulator_options.h"
#include "loadtest/emulator_server.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/io/certificate.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 64,
    EXIT_DATA = 65,
    EXIT_UNAVAILABLE = 69,
    EXIT_CONFIGURATION = 78,
    CERTIFICATE_DAYS = 20, /* an older one is made anew: they are valid for 30 */
    PATH_SIZE = 4096,
    TURN_US = 1000 * 1000,
};

struct program {
    struct emulator_options options;
    struct emulator_service service;
    struct emulator_server server;
    struct loop *loop;
    struct tls_context *tls;
    char certificate[PATH_SIZE];
    char key[PATH_SIZE];
    char token[1024];
    int signals; /* a signalfd */
    struct signalfd_siginfo signal;
    struct io_op signal_op;
    bool stopping;
};

static int
complain(int code, const char *words)
{
    fprintf(stderr, "facteur-emulator: %s\n", words);
    return code;
}

static bool
is_fresh(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 &&
           (uint64_t)status.st_mtime + CERTIFICATE_DAYS * 86400u > clock_unix_ms() / 1000;
}

/* Names of certificate and key; makes them if they were to be made. */
static bool
prepare_certificate(struct program *program, struct error_text *error)
{
    const struct emulator_options *options = &program->options;
    const char *folder = options->certificate_folder;
    if (folder == NULL) {
        snprintf(program->certificate, PATH_SIZE, "%s", options->certificate);
        snprintf(program->key, PATH_SIZE, "%s", options->key);
        return true;
    }
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        error_set(error, "%s: %s", folder, strerror(errno));
        return false;
    }
    snprintf(program->certificate, PATH_SIZE, "%s/emulator.crt", folder);
    snprintf(program->key, PATH_SIZE, "%s/emulator.key", folder);
    if (is_fresh(program->certificate) && is_fresh(program->key))
        return true;
    const char *host = options->host[0] != '\0' ? options->host : "localhost";
    return certificate_write_self_signed(program->certificate, program->key, host, error);
}

static bool
read_token(struct program *program, struct error_text *error)
{
    const char *path = program->options.token_file;
    if (path == NULL) {
        program->service.judge.token = span_of(program->options.token);
        return true;
    }
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(program->token, sizeof program->token, file) == NULL) {
        error_set(error, "%s: no token can be read from it", path);
        if (file != NULL)
            fclose(file);
        return false;
    }
    fclose(file);
    program->service.judge.token = span_trim(span_of(program->token));
    return true;
}

static bool
read_templates(struct program *program, struct error_text *error)
{
    struct emulator_templates *templates = emulator_templates_open();
    program->service.judge.templates = templates;
    if (!emulator_templates_read_folder(templates, program->options.templates, error))
        return false;
    if (emulator_templates_count(templates) > 0)
        return true;
    error_set(error, "%s: no template file (*.json) in it", program->options.templates);
    return false;
}

static bool
open_bill(struct program *program, struct error_text *error)
{
    const struct emulator_options *options = &program->options;
    struct emulator_service *service = &program->service;
    if (options->prefixes == NULL)
        return true;
    struct emulator_countries *countries = emulator_countries_open(options->prefixes, error);
    service->judge.countries = countries;
    if (countries == NULL)
        return false;
    service->bill =
        emulator_bill_open(&(struct emulator_bill_settings){.markets_path = options->markets,
                                                            .rates_path = options->rates,
                                                            .currency = options->currency,
                                                            .day = options->day,
                                                            .countries = countries},
                           error);
    return service->bill != NULL;
}

static bool
open_service(struct program *program, struct error_text *error)
{
    const struct emulator_options *options = &program->options;
    struct emulator_service *service = &program->service;
    service->currency = options->currency;
    service->faults = options->faults;
    service->latency = options->latency;
    service->seed = options->seed;
    service->judge.limit_per_s = options->limit_per_s;
    service->judge.phone_count = options->phone_count;
    memcpy(service->judge.phones, options->phones, sizeof options->phones);
    if (!read_token(program, error) || !read_templates(program, error) ||
        !open_bill(program, error))
        return false;
    emulator_service_open(service);
    return true;
}

static void
close_service(struct program *program)
{
    struct emulator_service *service = &program->service;
    if (service->log != NULL)
        emulator_service_close(service);
    emulator_bill_close(service->bill);
    emulator_countries_close((struct emulator_countries *)service->judge.countries);
    emulator_templates_close((struct emulator_templates *)service->judge.templates);
}

static void
on_signal(struct io_op *op, int result)
{
    (void)result;
    container_of(op, struct program, signal_op)->stopping = true;
}

/* SIGTERM and SIGINT wake the loop like any other input. */
static void
wait_for_signal(struct program *program)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    signal(SIGPIPE, SIG_IGN);
    program->signals = signalfd(-1, &set, SFD_CLOEXEC);
    check(program->signals >= 0);
    program->signal_op.on_done = on_signal;
    io_read(program->loop, &program->signal_op, program->signals, &program->signal,
            sizeof program->signal);
}

static bool
open_server(struct program *program, struct error_text *error)
{
    const struct emulator_options *options = &program->options;
    const struct loop_settings loop_settings = {.operations_max = EMULATOR_OPERATIONS_MAX,
                                                .timers_max = EMULATOR_TIMERS_MAX};
    const struct tls_server_settings tls_settings = {
        .certificate_file = program->certificate, .key_file = program->key, .alpn = "h2"};
    program->tls = tls_server_context(&tls_settings, error);
    if (program->tls == NULL)
        return false;
    program->loop = loop_open(&loop_settings, error);
    if (program->loop == NULL)
        return false;
    const struct emulator_server_settings settings = {
        .address = {.host = options->host, .port = options->port},
        .tls = program->tls,
        .streams_max = options->streams,
        .idle_us = options->idle_us,
    };
    return emulator_server_open(&program->server, program->loop, &program->service, &settings,
                                error);
}

static void
print_address(const struct program *program)
{
    const char *host = program->options.host;
    bool brackets = strchr(host, ':') != NULL;
    printf("listening on https://%s%s%s:%u\n", brackets ? "[" : "",
           host[0] != '\0' ? host : "localhost", brackets ? "]" : "",
           listener_port(program->server.listener));
    fflush(stdout);
    if (!program->options.quiet)
        fprintf(stderr,
                "facteur-emulator: %u templates, certificate %s, billing in %s as of %s%s\n",
                emulator_templates_count(program->service.judge.templates), program->certificate,
                program->options.currency, program->options.day,
                program->service.bill == NULL ? " (no rate card: nothing is billed)" : "");
}

static bool
write_tally(struct program *program, struct error_text *error)
{
    const char *path = program->options.tally;
    if (path == NULL)
        return true;
    struct span tally = emulator_service_tally(&program->service, clock_cpu_us());
    FILE *file = fopen(path, "w");
    bool good = file != NULL && fwrite(tally.data, 1, tally.size, file) == tally.size;
    good = file != NULL && fclose(file) == 0 && good;
    if (!good)
        error_set(error, "%s: the tally cannot be written: %s", path, strerror(errno));
    return good;
}

/* Serves until a signal comes. */
static int
serve(struct program *program)
{
    struct error_text error;
    wait_for_signal(program);
    print_address(program);
    while (!program->stopping)
        loop_turn(program->loop, TURN_US);
    bool good = write_tally(program, &error);
    emulator_server_close(&program->server);
    close(program->signals);
    return good ? 0 : complain(EXIT_UNAVAILABLE, error.text);
}

static int
run(struct program *program)
{
    struct error_text error = {0};
    if (!prepare_certificate(program, &error))
        return complain(EXIT_CONFIGURATION, error.text);
    if (!open_service(program, &error))
        return complain(EXIT_DATA, error.text);
    if (!open_server(program, &error))
        return complain(EXIT_UNAVAILABLE, error.text);
    return serve(program);
}

int
main(int count, char **arguments)
{
    struct program *program = check_alloc(1, sizeof *program);
    int code = 0;
    switch (emulator_options_read(&program->options, count, arguments, clock_unix_ms())) {
    case EMULATOR_OPTIONS_GOOD:
        code = run(program);
        break;
    case EMULATOR_OPTIONS_HELP:
        break;
    case EMULATOR_OPTIONS_BAD:
        code = EXIT_USAGE;
        break;
    }
    close_service(program);
    if (program->loop != NULL)
        loop_close(program->loop);
    if (program->tls != NULL)
        tls_context_close(program->tls);
    free(program);
    return code;
}
