#include "sender/cli/bubble.h"

#include "sender/base/check.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum style { BOLD = 1, ITALIC = 2, STRUCK = 4, FIXED = 8, FAINT = 16 };

/* One character as it is drawn. */
struct cell {
    struct span bytes;
    uint8_t width; /* columns: 0 for what joins the one before */
    uint8_t style;
    bool space;
    bool line_break;
};

void
bubble_begin(void)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* without it every character counts as one column */
}

static void
put_times(const char *text, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++)
        fputs(text, stdout);
}

void
bubble_top(const struct bubble *bubble)
{
    fputs("╭", stdout);
    put_times("─", bubble->width + 2);
    fputs("╮\n", stdout);
}

void
bubble_bottom(const struct bubble *bubble)
{
    fputs("╰", stdout);
    put_times("─", bubble->width + 2);
    fputs("╯\n", stdout);
}

/* ---- characters ----------------------------------------------------------------------------- */

/* Bytes of the character at `text`, at least one. */
static size_t
character(struct span text, wchar_t *code)
{
    mbstate_t state = {0};
    size_t size = mbrtowc(code, text.data, text.size, &state);
    if (size != 0 && size <= text.size)
        return size;
    *code = L'?';
    return 1;
}

static uint8_t
columns(wchar_t code)
{
    int width = wcwidth(code);
    return width < 0 ? 1 : (uint8_t)width;
}

static bool
is_letter(struct span text, size_t index)
{
    if (index >= text.size)
        return false;
    unsigned char c = (unsigned char)text.data[index];
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_blank_at(struct span text, size_t index)
{
    return index >= text.size || text.data[index] == ' ' || text.data[index] == '\n';
}

/* ---- WhatsApp's marks ----------------------------------------------------------------------- */

static const struct mark {
    const char *text;
    enum style style;
} marks[] = {{"```", FIXED}, {"*", BOLD}, {"_", ITALIC}, {"~", STRUCK}};

static const struct mark *
mark_at(struct span text, size_t index)
{
    struct span rest = {text.data + index, text.size - index};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (span_starts(rest, span_of(marks[i].text)))
            return &marks[i];
    return NULL;
}

/* A mark opens before a word and closes behind one of the same line. */
static bool
opens(struct span text, size_t index, const struct mark *mark)
{
    size_t size = strlen(mark->text);
    if ((index > 0 && is_letter(text, index - 1)) || is_blank_at(text, index + size))
        return false;
    for (size_t i = index + size + 1; i + size <= text.size; i++) {
        if (text.data[i] == '\n' && mark->style != FIXED)
            return false;
        if (memcmp(text.data + i, mark->text, size) == 0 && !is_blank_at(text, i - 1) &&
            !is_letter(text, i + size))
            return true;
    }
    return false;
}

static bool
closes(struct span text, size_t index, const struct mark *mark)
{
    return index > 0 && !is_blank_at(text, index - 1) &&
           !is_letter(text, index + strlen(mark->text));
}

/* If a mark stands here and is one: switches the style and returns its size; else 0. */
static size_t
take_mark(struct span text, size_t index, uint8_t *style)
{
    const struct mark *mark = mark_at(text, index);
    if (mark == NULL)
        return 0;
    bool is_open = (*style & mark->style) != 0;
    if (!(is_open ? closes(text, index, mark) : opens(text, index, mark)))
        return 0;
    *style = (uint8_t)(*style ^ mark->style);
    return strlen(mark->text);
}

static size_t
cut_cells(const struct bubble *bubble, struct span text, uint8_t style, struct cell *cells)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size;) {
        size_t size = bubble->styled ? take_mark(text, i, &style) : 0;
        if (size > 0) {
            i += size;
            continue;
        }
        wchar_t code;
        size = character((struct span){text.data + i, text.size - i}, &code);
        cells[count++] = (struct cell){
            .bytes = {text.data + i, size},
            .width = columns(code),
            .style = style,
            .space = text.data[i] == ' ',
            .line_break = text.data[i] == '\n',
        };
        i += size;
    }
    return count;
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* How many cells the first line takes, and how many of them are drawn: a space at the end is not.
 */
static size_t
line_cells(const struct cell *cells, size_t count, uint32_t width, size_t *drawn)
{
    uint32_t columns_used = 0;
    size_t space = 0;
    bool has_space = false;
    size_t i = 0;
    for (; i < count && !cells[i].line_break; i++) {
        if (columns_used + cells[i].width > width)
            break;
        columns_used += cells[i].width;
        if (cells[i].space) {
            space = i;
            has_space = true;
        }
    }
    *drawn = i;
    if (i == count || cells[i].line_break || cells[i].space)
        return i < count ? i + 1 : i;
    if (has_space) {
        *drawn = space;
        return space + 1;
    }
    if (i == 0) /* one character wider than the line: alone on it */
        *drawn = i = 1;
    return i;
}

static void
put_style(uint8_t style)
{
    fputs("\x1b[0", stdout);
    if ((style & BOLD) != 0)
        fputs(";1", stdout);
    if ((style & FAINT) != 0)
        fputs(";2", stdout);
    if ((style & ITALIC) != 0)
        fputs(";3", stdout);
    if ((style & STRUCK) != 0)
        fputs(";9", stdout);
    if ((style & FIXED) != 0)
        fputs(";36", stdout);
    fputs("m", stdout);
}

static void
print_line(const struct bubble *bubble, const struct cell *cells, size_t count)
{
    uint32_t used = 0;
    uint8_t style = 0;
    fputs("│ ", stdout);
    for (size_t i = 0; i < count; i++) {
        if (bubble->styled && cells[i].style != style)
            put_style(cells[i].style);
        style = cells[i].style;
        fwrite(cells[i].bytes.data, 1, cells[i].bytes.size, stdout);
        used += cells[i].width;
    }
    if (bubble->styled && style != 0)
        put_style(0);
    printf("%*s │\n", used < bubble->width ? (int)(bubble->width - used) : 0, "");
}

void
bubble_line(const struct bubble *bubble)
{
    print_line(bubble, NULL, 0);
}

void
bubble_text(const struct bubble *bubble, struct span text, enum bubble_style style)
{
    static const uint8_t styles[] = {
        [BUBBLE_PLAIN] = 0, [BUBBLE_BOLD] = BOLD, [BUBBLE_FAINT] = FAINT};
    struct cell *cells = check_alloc(text.size + 1, sizeof(*cells));
    size_t count = cut_cells(bubble, text, styles[style], cells);
    size_t at = 0;
    do {
        size_t drawn;
        size_t taken = line_cells(cells + at, count - at, bubble->width, &drawn);
        print_line(bubble, cells + at, drawn);
        at += taken;
    } while (at < count);
    free(cells);
}

void
bubble_button(const struct bubble *bubble, const char *sign, struct span words, struct span what)
{
    printf("  %s %.*s", sign, SPAN_ARG(words));
    if (what.size > 0 && bubble->styled)
        printf("  \x1b[2m%.*s\x1b[0m", SPAN_ARG(what));
    else if (what.size > 0)
        printf("  (%.*s)", SPAN_ARG(what));
    putchar('\n');
}
