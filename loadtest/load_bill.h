/*
 * load_bill - the emulator's bill, read over HTTP/2: every message that it truly accepted.
 *
 * GET /emulator/accepted?from=N&limit=M gives JSON lines; reading goes on where it stopped, so the
 * bill may be read again while it grows.
 */
#ifndef FACTEUR_LOADTEST_LOAD_BILL_H
#define FACTEUR_LOADTEST_LOAD_BILL_H

#include "loadtest/audit.h"
#include "loadtest/load_emulator.h"
#include "queue/keys.h"

enum { LOAD_BILL_PAGE = 4000 };

struct load_bill {
    struct load_emulator emulator;
    const struct account_keys *accounts;
    uint32_t account_count;
    struct audit *audit;
    uint64_t next;      /* number of the next charge */
    uint64_t strangers; /* charges without callback data of ours */
    uint64_t others;    /* charges of accounts that are not audited */
};

/* As load_emulator_open(). The other fields are then the caller's to set. */
bool load_bill_open(struct load_bill *bill, struct loop *loop, const char *where,
                    const char *ca_file, struct error_text *error);
/* Gives the audit every charge since the last call. */
bool load_bill_read(struct load_bill *bill, struct error_text *error);
void load_bill_close(struct load_bill *bill);

/* One line of the bill. False: not as agreed. The line is changed. */
bool load_bill_line(struct load_bill *bill, char *line, size_t size);

#endif
