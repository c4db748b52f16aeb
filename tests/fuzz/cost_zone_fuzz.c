/* zone: any bytes as a compiled zone, and as the rule at its end. Ends, stays in its memory, and
 * gives offsets of less than a day and a bit. */
#include "sender/base/check.h"
#include "sender/cost/zone.h"
#include "sender/cost/zone_rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t moments[] = {0, 86399, 1790812800, 4102444800, 253402300799};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error_text error = {{0}};
    struct zone_rule rule;
    struct span bytes = {.data = (const char *)data, .size = size};
    struct zone *zone = zone_read(bytes, "fuzz", &error);
    check((zone == NULL) == (error.text[0] != '\0'));
    bool is_rule = zone_rule_read(bytes, &rule);
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        int32_t by_zone = zone != NULL ? zone_offset_s(zone, moments[i]) : 0;
        int32_t by_rule = is_rule ? zone_rule_offset_s(&rule, moments[i]) : 0;
        check(by_zone > -27 * 3600 && by_zone < 27 * 3600);
        check(by_rule > -27 * 3600 && by_rule < 27 * 3600);
    }
    zone_close(zone);
    return 0;
}
