#include "loadtest/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 24, TERMINAL_EVERY_US = 100000, LINES_EVERY_US = 2000000 };

enum progress_style
progress_style_here(bool quiet)
{
    if (quiet)
        return PROGRESS_NONE;
    return isatty(STDERR_FILENO) ? PROGRESS_TERMINAL : PROGRESS_LINES;
}

void
progress_begin(struct progress *progress, enum progress_style style, const char *what,
               uint64_t total, uint64_t now_us)
{
    *progress = (struct progress){
        .style = style, .what = what, .total = total, .begun_us = now_us, .shown_us = now_us};
}

void
progress_put_count(struct buffer *out, uint64_t count)
{
    if (count >= 1000) {
        progress_put_count(out, count / 1000);
        buffer_printf(out, ",%03u", (unsigned)(count % 1000));
    } else {
        buffer_put_u64(out, count);
    }
}

void
progress_put(const struct progress *progress, uint64_t done, const char *note, uint64_t now_us,
             struct buffer *line)
{
    uint64_t total = progress->total == 0 ? 1 : progress->total;
    uint64_t part = done < total ? done : total;
    buffer_printf(line, "%-9s [", progress->what);
    for (uint64_t i = 0; i < BAR_WIDTH; i++)
        buffer_put_char(line, i < part * BAR_WIDTH / total ? '#' : '-');
    buffer_put_text(line, "] ");
    progress_put_count(line, done);
    buffer_put_text(line, " of ");
    progress_put_count(line, progress->total);
    buffer_printf(line, "  %3u %%", (unsigned)(part * 100 / total));
    uint64_t elapsed_us = now_us > progress->begun_us ? now_us - progress->begun_us : 1;
    buffer_put_text(line, "  ");
    uint64_t since = done > progress->before ? done - progress->before : 0;
    progress_put_count(line, since * 1000000 / elapsed_us);
    buffer_put_text(line, "/s");
    if (note[0] != '\0') {
        buffer_put_text(line, "  ");
        buffer_put_text(line, note);
    }
}

static void
print(struct progress *progress, uint64_t done, const char *note, uint64_t now_us)
{
    char memory[512];
    struct buffer line;
    buffer_init(&line, memory, sizeof memory);
    progress_put(progress, done, note, now_us, &line);
    if (progress->style == PROGRESS_TERMINAL)
        (void)fprintf(stderr, "\r\033[K%s", buffer_text(&line));
    else
        (void)fprintf(stderr, "%s\n", buffer_text(&line));
    (void)fflush(stderr);
    progress->visible = true;
    progress->shown_us = now_us;
    progress->shown = done;
}

void
progress_show(struct progress *progress, uint64_t done, const char *note, uint64_t now_us)
{
    uint64_t every = progress->style == PROGRESS_TERMINAL ? TERMINAL_EVERY_US : LINES_EVERY_US;
    if (progress->style != PROGRESS_NONE && now_us - progress->shown_us >= every)
        print(progress, done, note, now_us);
}

void
progress_end(struct progress *progress, uint64_t done, const char *note, uint64_t now_us)
{
    if (progress->style == PROGRESS_NONE)
        return;
    print(progress, done, note, now_us);
    if (progress->style == PROGRESS_TERMINAL)
        (void)fputc('\n', stderr);
    progress->visible = false;
}
