/* phone: any bytes. What is accepted is E.164 with a country, and reads the same again. */
#include "sender/base/check.h"
#include "sender/cost/phone.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct phone phone;
    struct phone again;
    struct span text = {.data = (const char *)data, .size = size};
    phone_read(text, &phone);
    check(strlen(phone.e164) == phone.e164_size);
    if (phone.status == PHONE_INVALID) {
        check(phone.e164_size == 0 && phone.country[0] == '\0' && phone.calling_code == 0);
    } else {
        check(phone.e164[0] == '+' && strlen(phone.country) == 2 && phone.calling_code > 0);
        check(strspn(phone.e164 + 1, "0123456789") == phone.e164_size - 1u);
        phone_read(span_of(phone.e164), &again);
        check(again.status == phone.status && strcmp(again.e164, phone.e164) == 0);
        check(strcmp(again.country, phone.country) == 0);
    }
    (void)phone_read_scoped_id(text, &phone);
    return 0;
}
