/* phone: any bytes. What is accepted is E.164 with a country, and reads the same again. */
#include "sender/base/check.h"
#include "sender/cost/phone.h"
#include "sender/cost/phone_table.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
judge(const struct phone *phone)
{
    char folded[PHONE_FOLDED_MAX + 1];
    struct phone again;
    check(strlen(phone->e164) == phone->e164_size);
    check((phone->country[0] != '\0') == (phone->calling_code != 0));
    check(phone->country[0] == '\0' || strlen(phone->country) == 2);
    if (phone->status == PHONE_INVALID) {
        check(phone->e164_size == 0 && phone->reason != PHONE_GOOD);
        return;
    }
    check(phone->e164[0] == '+' && phone->calling_code > 0);
    check((phone->reason == PHONE_GOOD) == (phone->status != PHONE_UNLISTED));
    check(strspn(phone->e164 + 1, "0123456789") == phone->e164_size - 1u);
    check(phone_fold(phone, folded) == strlen(folded) && strlen(folded) >= 3);
    phone_read_plain(phone_table_builtin(), span_of(phone->e164), &again);
    check(again.status == phone->status && strcmp(again.e164, phone->e164) == 0);
    check(strcmp(again.country, phone->country) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct phone phone;
    struct span text = {.data = (const char *)data, .size = size};
    phone_read(text, &phone);
    judge(&phone);
    phone_read_plain(phone_table_builtin(), text, &phone);
    judge(&phone);
    (void)phone_read_scoped_id(text, &phone);
    return 0;
}
