#include "sender/cost/zone.h"
#include "sender/base/check.h"
#include "sender/cost/zone_rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_SIZE = 44,             /* magic, version, 15 unused bytes, six counts */
    TYPE_SIZE = 6,                /* offset, is it summer time, where its name begins */
    TYPES_MAX = 256,              /* their numbers are bytes */
    OFFSET_MAX_S = 26 * 3600 - 1, /* of any place on earth, RFC 8536 */
};

struct zone {
    char name[ZONE_NAME_MAX + 1];
    uint32_t count;     /* of changes */
    int32_t first_s;    /* the offset before the first change */
    int64_t *moments;   /* owned: Unix seconds, ascending */
    int32_t *offsets_s; /* owned: from that moment on */
    bool has_rule;      /* for what comes after the last change */
    struct zone_rule rule;
};

/* ---- the bytes ---------------------------------------------------------------------------------
 */

/* One of a file's two blocks: version 1 has times of 4 bytes, the block behind it of 8. */
struct block {
    uint32_t utc_marks;
    uint32_t standard_marks;
    uint32_t leap_seconds;
    uint32_t moments;
    uint32_t types;
    uint32_t name_bytes;
    size_t time_size;
};

struct reading {
    struct span rest; /* not read yet */
    const char *name;
    struct error_text *error;
};

static bool
refuse(const struct reading *reading, const char *why)
{
    error_set(reading->error, "time zone %.*s: its file is damaged (%s): install tzdata again",
              ZONE_NAME_MAX, reading->name, why);
    return false;
}

static uint64_t
big_endian(const char *data, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (unsigned char)data[i];
    return value;
}

/* The time at `data`, of 4 or 8 bytes, with its sign. */
static int64_t
read_time(const char *data, size_t size)
{
    uint64_t value = big_endian(data, size);
    return size == 4 ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

static bool
take(struct reading *reading, size_t size, struct span *bytes)
{
    if (reading->rest.size < size)
        return refuse(reading, "it is cut short");
    *bytes = (struct span){.data = reading->rest.data, .size = size};
    reading->rest =
        (struct span){.data = reading->rest.data + size, .size = reading->rest.size - size};
    return true;
}

static bool
read_header(struct reading *reading, struct block *block, char *version)
{
    struct span bytes;
    if (!take(reading, HEADER_SIZE, &bytes))
        return false;
    if (memcmp(bytes.data, "TZif", 4) != 0)
        return refuse(reading, "it does not begin with TZif");
    *version = bytes.data[4];
    if (*version != '\0' && (*version < '2' || *version > '4'))
        return refuse(reading, "its version is not known");
    const char *counts = bytes.data + 20;
    block->utc_marks = (uint32_t)big_endian(counts, 4);
    block->standard_marks = (uint32_t)big_endian(counts + 4, 4);
    block->leap_seconds = (uint32_t)big_endian(counts + 8, 4);
    block->moments = (uint32_t)big_endian(counts + 12, 4);
    block->types = (uint32_t)big_endian(counts + 16, 4);
    block->name_bytes = (uint32_t)big_endian(counts + 20, 4);
    if (block->moments > ZONE_TRANSITIONS_MAX || block->types > TYPES_MAX ||
        block->name_bytes > ZONE_FILE_MAX || block->leap_seconds > ZONE_TRANSITIONS_MAX ||
        block->utc_marks > TYPES_MAX || block->standard_marks > TYPES_MAX)
        return refuse(reading, "it counts more than a zone has");
    return true;
}

static size_t
block_size(const struct block *block)
{
    return block->moments * (block->time_size + 1) + (size_t)block->types * TYPE_SIZE +
           block->name_bytes + block->leap_seconds * (block->time_size + 4) +
           block->standard_marks + block->utc_marks;
}

static bool
read_types(struct reading *reading, struct span bytes, int32_t offsets_s[TYPES_MAX])
{
    for (size_t i = 0; i < bytes.size / TYPE_SIZE; i++) {
        int64_t offset_s = read_time(bytes.data + i * TYPE_SIZE, 4);
        if (offset_s < -OFFSET_MAX_S || offset_s > OFFSET_MAX_S)
            return refuse(reading, "a clock is more than a day away from UTC");
        offsets_s[i] = (int32_t)offset_s;
    }
    return true;
}

static bool
read_moments(struct reading *reading, struct zone *zone, const struct block *block,
             const int32_t offsets_s[TYPES_MAX])
{
    struct span times;
    struct span types;
    if (!take(reading, block->moments * block->time_size, &times) ||
        !take(reading, block->moments, &types))
        return false;
    zone->moments = check_alloc(block->moments + 1u, sizeof(*zone->moments));
    zone->offsets_s = check_alloc(block->moments + 1u, sizeof(*zone->offsets_s));
    for (uint32_t i = 0; i < block->moments; i++) {
        zone->moments[i] = read_time(times.data + i * block->time_size, block->time_size);
        uint8_t type = (uint8_t)types.data[i];
        if (i > 0 && zone->moments[i] <= zone->moments[i - 1])
            return refuse(reading, "its changes are not in order");
        if (type >= block->types)
            return refuse(reading, "a change leads to a clock that it does not have");
        zone->offsets_s[i] = offsets_s[type];
    }
    zone->count = block->moments;
    return true;
}

static bool
read_block(struct reading *reading, struct zone *zone, const struct block *block)
{
    int32_t offsets_s[TYPES_MAX] = {0};
    struct span all;
    struct reading types = *reading;
    if (block->types == 0)
        return refuse(reading, "it has no clock at all");
    if (block->leap_seconds > 0) {
        error_set(reading->error,
                  "time zone %.*s counts leap seconds, which Unix time does not: take the name "
                  "without right/",
                  ZONE_NAME_MAX, reading->name);
        return false;
    }
    size_t skip = block->moments * (block->time_size + 1);
    struct reading moments = *reading;
    if (!take(reading, block_size(block), &all) || !take(&types, skip, &all) ||
        !take(&types, (size_t)block->types * TYPE_SIZE, &all) ||
        !read_types(&types, all, offsets_s))
        return false;
    zone->first_s = offsets_s[0];
    return read_moments(&moments, zone, block, offsets_s);
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n"; "\n\n": the last change holds for ever. */
static bool
read_footer(struct reading *reading, struct zone *zone)
{
    struct span footer = reading->rest;
    if (footer.size < 2 || footer.data[0] != '\n')
        return refuse(reading, "its last line is missing");
    footer = (struct span){.data = footer.data + 1, .size = footer.size - 1};
    size_t end;
    if (!span_find(footer, '\n', &end))
        return refuse(reading, "its last line is cut short");
    footer.size = end;
    if (footer.size == 0)
        return true;
    if (!zone_rule_read(footer, &zone->rule))
        return refuse(reading, "its last line is no rule");
    zone->has_rule = true;
    return true;
}

static bool
read_file(struct reading *reading, struct zone *zone)
{
    struct block block = {.time_size = 4};
    struct span skipped;
    char version;
    if (!read_header(reading, &block, &version))
        return false;
    if (version == '\0')
        return read_block(reading, zone, &block);
    if (!take(reading, block_size(&block), &skipped))
        return false;
    block.time_size = 8;
    return read_header(reading, &block, &version) && read_block(reading, zone, &block) &&
           read_footer(reading, zone);
}

struct zone *
zone_read(struct span bytes, const char *name, struct error_text *error)
{
    struct reading reading = {.rest = bytes, .name = name, .error = error};
    struct zone *zone = check_alloc(1, sizeof(*zone));
    (void)snprintf(zone->name, sizeof(zone->name), "%s", name);
    if (read_file(&reading, zone))
        return zone;
    zone_close(zone);
    return NULL;
}

/* ---- the file ----------------------------------------------------------------------------------
 */

/* A name comes from a configuration and becomes a path: no way out of the folder. */
static bool
is_zone_name(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > ZONE_NAME_MAX || name[0] == '/' || name[size - 1] == '/' ||
        strstr(name, "//") != NULL)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && strchr("+-_/", c) == NULL)
            return false;
    }
    return true;
}

static struct zone *
read_opened(FILE *file, const char *name, struct error_text *error)
{
    struct zone *zone = NULL;
    char *data = check_alloc(1, ZONE_FILE_MAX + 1);
    size_t size = fread(data, 1, ZONE_FILE_MAX + 1, file);
    if (ferror(file))
        error_set(error, "time zone %s: its file cannot be read: %s", name, strerror(errno));
    else if (size > ZONE_FILE_MAX)
        error_set(error, "time zone %s: its file is larger than %d bytes: install tzdata again",
                  name, ZONE_FILE_MAX);
    else
        zone = zone_read((struct span){.data = data, .size = size}, name, error);
    free(data);
    return zone;
}

static struct zone *
copy_utc(void)
{
    struct zone *zone = check_alloc(1, sizeof(*zone));
    *zone = *zone_utc();
    return zone;
}

struct zone *
zone_open(const char *name, struct error_text *error)
{
    char path[sizeof(ZONE_FOLDER) + 1 + ZONE_NAME_MAX + 1];
    if (strcmp(name, "UTC") == 0)
        return copy_utc();
    if (!is_zone_name(name)) {
        error_set(error, "\"%.80s\" is no time zone: give an IANA name, such as Europe/Paris",
                  name);
        return NULL;
    }
    (void)snprintf(path, sizeof(path), ZONE_FOLDER "/%s", name);
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        error_set(error,
                  "time zone \"%s\" is not known here (%s: %s): give an IANA name, such as "
                  "Europe/Paris, with its capitals; the names come with the package tzdata",
                  name, path, strerror(errno));
        return NULL;
    }
    struct zone *zone = read_opened(file, name, error);
    (void)fclose(file); /* only read from: nothing can be lost here */
    return zone;
}

void
zone_close(struct zone *zone)
{
    if (zone == NULL)
        return;
    free(zone->moments);
    free(zone->offsets_s);
    free(zone);
}

const struct zone *
zone_utc(void)
{
    static const struct zone utc = {.name = "UTC"};
    return &utc;
}

const char *
zone_name(const struct zone *zone)
{
    return zone->name;
}

/* ---- moments -----------------------------------------------------------------------------------
 */

/* How many changes are at or before the moment. */
static uint32_t
changes_until(const struct zone *zone, int64_t unix_s)
{
    uint32_t low = 0;
    uint32_t high = zone->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->moments[middle] <= unix_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t
zone_offset_s(const struct zone *zone, int64_t unix_s)
{
    uint32_t changes = changes_until(zone, unix_s);
    if (changes == zone->count && zone->has_rule)
        return zone_rule_offset_s(&zone->rule, unix_s);
    return changes == 0 ? zone->first_s : zone->offsets_s[changes - 1];
}

void
zone_day(const struct zone *zone, uint64_t unix_ms, char day[DAY_SIZE + 1])
{
    int64_t local_ms =
        (int64_t)unix_ms + zone_offset_s(zone, (int64_t)(unix_ms / 1000)) * (int64_t)1000;
    day_of_unix_ms(local_ms < 0 ? 0 : (uint64_t)local_ms, day);
}

/* ---- zones by name -----------------------------------------------------------------------------
 */

const struct zone *
zone_table_take(struct zone_table *table, const char *name, struct error_text *error)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (strcmp(table->zones[i]->name, name) == 0)
            return table->zones[i];
    if (table->count == ZONE_TABLE_MAX) {
        error_set(error, "time zone \"%.80s\" is one too many: %d are the most", name,
                  ZONE_TABLE_MAX);
        return NULL;
    }
    struct zone *zone = zone_open(name, error);
    if (zone != NULL)
        table->zones[table->count++] = zone;
    return zone;
}

void
zone_table_close(struct zone_table *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        zone_close(table->zones[i]);
    table->count = 0;
}
