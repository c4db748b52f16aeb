#include "templates/catalogue.h"
#include "sender/base/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Open addressing, at most half full; a slot holds index + 1, 0 is empty. */
struct catalogue {
    struct template **templates; /* owned, in order of their index */
    char **sources;              /* owned: where each came from, for errors */
    struct buffer *jsons;        /* their data is owned: what each was read from */
    uint32_t count;
    uint32_t capacity;
    uint32_t *by_key;  /* name and language → template */
    uint32_t *by_name; /* name → the first template of that name */
    uint32_t mask;     /* slots of each table, less one: a power of two */
};

static uint32_t
key_slot(const struct catalogue *catalogue, struct span name, struct span language)
{
    uint64_t hash = span_hash(name) * 0x9e3779b97f4a7c15u ^ span_hash(language);
    return (uint32_t)(hash ^ hash >> 32) & catalogue->mask;
}

static uint32_t
name_slot(const struct catalogue *catalogue, struct span name)
{
    uint64_t hash = span_hash(name);
    return (uint32_t)(hash ^ hash >> 32) & catalogue->mask;
}

struct catalogue *
catalogue_open_empty(uint32_t capacity)
{
    check(capacity <= CATALOGUE_TEMPLATES_MAX);
    struct catalogue *catalogue = check_alloc(1, sizeof(*catalogue));
    uint32_t slots = 8;
    while (slots < capacity * 2)
        slots *= 2;
    catalogue->capacity = capacity;
    catalogue->mask = slots - 1;
    catalogue->templates = check_alloc(capacity + 1, sizeof(void *));
    catalogue->sources = check_alloc(capacity + 1, sizeof(*catalogue->sources));
    catalogue->jsons = check_alloc(capacity + 1, sizeof(*catalogue->jsons));
    catalogue->by_key = check_alloc(slots, sizeof(*catalogue->by_key));
    catalogue->by_name = check_alloc(slots, sizeof(*catalogue->by_name));
    return catalogue;
}

void
catalogue_close(struct catalogue *catalogue)
{
    if (catalogue == NULL)
        return;
    for (uint32_t i = 0; i < catalogue->count; i++) {
        template_close(catalogue->templates[i]);
        free(catalogue->sources[i]);
        free(catalogue->jsons[i].data);
    }
    free(catalogue->templates);
    free(catalogue->sources);
    free(catalogue->jsons);
    free(catalogue->by_key);
    free(catalogue->by_name);
    free(catalogue);
}

static bool
is_key(const struct template *template, struct span name, struct span language)
{
    return span_equal(template->name, name) && span_equal(template->language, language);
}

/* The slot of this key in by_key: of its template, or the empty one where it belongs. */
static uint32_t
find_key(const struct catalogue *catalogue, struct span name, struct span language)
{
    uint32_t slot = key_slot(catalogue, name, language);
    while (catalogue->by_key[slot] != 0 &&
           !is_key(catalogue->templates[catalogue->by_key[slot] - 1], name, language))
        slot = (slot + 1) & catalogue->mask;
    return slot;
}

static uint32_t
find_name(const struct catalogue *catalogue, struct span name)
{
    uint32_t slot = name_slot(catalogue, name);
    while (catalogue->by_name[slot] != 0 &&
           !span_equal(catalogue->templates[catalogue->by_name[slot] - 1]->name, name))
        slot = (slot + 1) & catalogue->mask;
    return slot;
}

static void
say_twice(const struct catalogue *catalogue, const struct template *template, const char *source,
          struct error_text *error)
{
    uint32_t slot = find_key(catalogue, template->name, template->language);
    error_set(error, "%.150s: template %.*s in %.*s is in %.150s already: remove one", source,
              template->name.size > 80 ? 80 : (int)template->name.size, template->name.data,
              SPAN_ARG(template->language), catalogue->sources[catalogue->by_key[slot] - 1]);
}

bool
catalogue_take(struct catalogue *catalogue, struct template *template, struct span json,
               const char *source, struct error_text *error)
{
    check(catalogue->count < catalogue->capacity);
    uint32_t slot = find_key(catalogue, template->name, template->language);
    if (catalogue->by_key[slot] != 0) {
        say_twice(catalogue, template, source, error);
        template_close(template);
        return false;
    }
    uint32_t name = find_name(catalogue, template->name);
    template->index = catalogue->count;
    catalogue->templates[catalogue->count] = template;
    catalogue->sources[catalogue->count] = strdup(source);
    check(catalogue->sources[catalogue->count] != NULL);
    struct buffer *copy = &catalogue->jsons[catalogue->count];
    buffer_init(copy, check_alloc(1, json.size), json.size);
    buffer_put_span(copy, json);
    catalogue->count++;
    catalogue->by_key[slot] = catalogue->count;
    if (catalogue->by_name[name] == 0)
        catalogue->by_name[name] = catalogue->count;
    return true;
}

bool
catalogue_add(struct catalogue *catalogue, struct span json, const char *source,
              struct error_text *error)
{
    struct template *template = template_read(json, source, error);
    return template != NULL && catalogue_take(catalogue, template, json, source, error);
}

struct catalogue *
catalogue_open_memory(const struct span *jsons, const char *const *sources, uint32_t count,
                      struct error_text *error)
{
    if (count > CATALOGUE_TEMPLATES_MAX) {
        error_set(error, "%u templates: at most %d", count, CATALOGUE_TEMPLATES_MAX);
        return NULL;
    }
    struct catalogue *catalogue = catalogue_open_empty(count);
    for (uint32_t i = 0; i < count; i++) {
        if (!catalogue_add(catalogue, jsons[i], sources[i], error)) {
            catalogue_close(catalogue);
            return NULL;
        }
    }
    return catalogue;
}

/* Reads at most `capacity` bytes; a file that is larger gives more than a template may have, so
 * that template_read() refuses it. Returns -1 with the cause in errno. */
static ssize_t
read_file(const char *path, char *memory, size_t capacity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode)) {
        (void)close(fd);
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        return -1;
    }
    size_t size = 0;
    ssize_t got = 1;
    while (got > 0 && size < capacity) {
        got = read(fd, memory + size, capacity - size);
        size += got > 0 ? (size_t)got : 0;
    }
    int cause = errno;
    (void)close(fd);
    errno = cause;
    return got < 0 ? -1 : (ssize_t)size;
}

static bool
add_file(struct catalogue *catalogue, const char *path, struct error_text *error)
{
    static const size_t capacity = TEMPLATE_FILE_MAX + 1;
    char *memory = check_alloc(1, capacity);
    ssize_t size = read_file(path, memory, capacity);
    bool good = false;
    if (size < 0)
        error_set(error, "%.300s: cannot be read: %s", path, strerror(errno));
    else
        good = catalogue_add(catalogue, (struct span){.data = memory, .size = (size_t)size}, path,
                             error);
    free(memory);
    return good;
}

static int
is_template_file(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + size - 5, ".json") == 0;
}

/* By bytes, so that the order is the same under every locale. */
static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static struct catalogue *
open_entries(const char *folder, struct dirent *const *entries, uint32_t count,
             struct error_text *error)
{
    struct catalogue *catalogue = catalogue_open_empty(count);
    for (uint32_t i = 0; i < count; i++) {
        char *path = NULL;
        check(asprintf(&path, "%s/%s", folder, entries[i]->d_name) >= 0);
        bool good = add_file(catalogue, path, error);
        free(path);
        if (!good) {
            catalogue_close(catalogue);
            return NULL;
        }
    }
    return catalogue;
}

struct catalogue *
catalogue_open_folder(const char *folder, struct error_text *error)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_template_file, by_bytes);
    if (count < 0) {
        error_set(error, "%.300s: cannot be read: %s: name a folder of template files", folder,
                  strerror(errno));
        return NULL;
    }
    struct catalogue *catalogue = NULL;
    if (count > CATALOGUE_TEMPLATES_MAX)
        error_set(error, "%.300s: %d templates: at most %d", folder, count,
                  CATALOGUE_TEMPLATES_MAX);
    else
        catalogue = open_entries(folder, entries, (uint32_t)count, error);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return catalogue;
}

uint32_t
catalogue_count(const struct catalogue *catalogue)
{
    return catalogue->count;
}

const struct template *
catalogue_at(const struct catalogue *catalogue, uint32_t index)
{
    check(index < catalogue->count);
    return catalogue->templates[index];
}

struct span
catalogue_json(const struct catalogue *catalogue, uint32_t index)
{
    check(index < catalogue->count);
    return buffer_span(&catalogue->jsons[index]);
}

const char *
catalogue_source(const struct catalogue *catalogue, uint32_t index)
{
    check(index < catalogue->count);
    return catalogue->sources[index];
}

const struct template *
catalogue_find(const struct catalogue *catalogue, struct span name, struct span language,
               bool *name_known)
{
    uint32_t place = catalogue->by_key[find_key(catalogue, name, language)];
    if (name_known != NULL)
        *name_known = place != 0 || catalogue->by_name[find_name(catalogue, name)] != 0;
    return place == 0 ? NULL : catalogue->templates[place - 1];
}
