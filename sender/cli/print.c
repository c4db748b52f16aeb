#include "sender/cli/print.h"

#include "sender/base/check.h"
#include "sender/base/json.h"
#include "templates/template_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void
print_json_text(struct span text)
{
    struct buffer out;
    size_t capacity = text.size * 6 + 2;
    char *memory = check_alloc(1, capacity);
    buffer_init(&out, memory, capacity);
    json_put_string(&out, text);
    fwrite(out.data, 1, out.size, stdout);
    free(memory);
}

void
print_padded(struct span text, int width)
{
    int size = (int)template_text_characters(text);
    printf("%.*s%*s", SPAN_ARG(text), size < width ? width - size : 0, "");
}

void
print_time(uint64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm parts;
    char text[32];
    if (at_ms == 0 || localtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) == 0)
        (void)snprintf(text, sizeof(text), "%19s", "");
    fputs(text, stdout);
}

void
print_plain(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        putchar(c < ' ' || c == 127 ? '?' : c);
    }
}

bool
print_is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    return true;
}
