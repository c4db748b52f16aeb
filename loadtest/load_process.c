#include "loadtest/load_process.h"

#include <stdio.h>
#include <unistd.h>

bool
load_process_read_stat(struct span stat, uint64_t ticks_per_second, uint64_t *cpu_us)
{
    size_t close = stat.size;
    while (close > 0 && stat.data[close - 1] != ')')
        close--;
    struct span rest = {stat.data + close, stat.size - close};
    uint64_t ticks[2] = {0};
    /* After the name: a space, the state, … utime is the 12th, stime the 13th. */
    for (int i = 0; i < 12; i++)
        (void)span_split(&rest, ' ');
    if (!span_to_u64(span_split(&rest, ' '), &ticks[0]) ||
        !span_to_u64(span_split(&rest, ' '), &ticks[1]))
        return false;
    *cpu_us = (ticks[0] + ticks[1]) * (1000000 / ticks_per_second);
    return true;
}

bool
load_process_cpu_us(uint64_t pid, uint64_t *cpu_us)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    char text[2048];
    size_t size = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    return load_process_read_stat((struct span){text, size}, (uint64_t)sysconf(_SC_CLK_TCK),
                                  cpu_us);
}
