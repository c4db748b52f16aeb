#include "sender/cli/checkup.h"

#include "sender/cli/print.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_SIZE_MAX = 1024 };

void
checkup_begin(struct checkup *checkup, bool json)
{
    *checkup = (struct checkup){.json = json};
    if (json)
        printf("{\"checks\":[");
}

static void
put(const struct checkup *checkup, bool good, const char *name, const char *text)
{
    if (!checkup->json) {
        printf("%-4s  %-11s  ", good ? "good" : "bad", name);
        print_plain(span_of(text));
        putchar('\n');
        (void)fflush(stdout); /* some looks take seconds */
        return;
    }
    printf("%s{\"name\":\"%s\",\"good\":%s,\"text\":", checkup->good + checkup->bad > 0 ? "," : "",
           name, good ? "true" : "false");
    print_json_text(span_of(text));
    putchar('}');
}

void
checkup_good(struct checkup *checkup, const char *name, const char *format, ...)
{
    char text[TEXT_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    put(checkup, true, name, text);
    checkup->good++;
}

void
checkup_bad(struct checkup *checkup, const char *name, const char *format, ...)
{
    char text[TEXT_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    put(checkup, false, name, text);
    checkup->bad++;
}

int
checkup_end(struct checkup *checkup)
{
    if (checkup->json)
        printf("],\"good\":%s}\n", checkup->bad == 0 ? "true" : "false");
    else if (checkup->bad == 0)
        printf("all %u good\n", checkup->good);
    else
        printf("%u of %u bad\n", checkup->bad, checkup->good + checkup->bad);
    return checkup->bad == 0 ? EXIT_GOOD : EXIT_NO;
}
