/* csv: any bytes. Ends, stays in its memory, and gives every row as many fields as the header. */
#include "sender/base/check.h"
#include "sender/cost/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csv csv;
    struct error_text error = {{0}};
    struct span text = {.data = (const char *)data, .size = size};
    enum csv_next next = CSV_END;
    if (csv_open_text(&csv, text, "fuzz", &error)) {
        while ((next = csv_next(&csv, &error)) == CSV_ROW) {
            uint64_t sum = 0;
            for (size_t i = 0; i < csv.field_count; i++) {
                check(csv.fields[i].size <= CSV_FIELD_MAX);
                sum += span_hash(csv.fields[i]); /* reads every byte */
            }
            check(csv.field_count >= 1 && csv.field_count <= CSV_FIELDS_MAX && sum + 1 != 0);
        }
        check((next == CSV_BROKEN) == (error.text[0] != '\0'));
    } else {
        check(error.text[0] != '\0');
    }
    csv_close(&csv);
    return 0;
}
