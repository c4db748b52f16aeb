#include "templates/json_place.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    struct span json;
    size_t at;
};

static bool
is_at(const struct walk *walk, char c)
{
    return walk->at < walk->json.size && walk->json.data[walk->at] == c;
}

static void
skip_space(struct walk *walk)
{
    while (is_at(walk, ' ') || is_at(walk, '\t') || is_at(walk, '\r') || is_at(walk, '\n'))
        walk->at++;
}

/* From its quote to behind its end. */
static void
skip_string(struct walk *walk)
{
    walk->at++;
    while (walk->at < walk->json.size && !is_at(walk, '"'))
        walk->at += is_at(walk, '\\') ? 2 : 1;
    if (walk->at < walk->json.size)
        walk->at++;
}

/* Any value: brackets are counted, so depth costs nothing. */
static void
skip_value(struct walk *walk)
{
    size_t depth = 0;
    skip_space(walk);
    while (walk->at < walk->json.size) {
        char c = walk->json.data[walk->at];
        if (c == '"') {
            skip_string(walk);
        } else if (c == '{' || c == '[') {
            depth++;
            walk->at++;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return; /* the end of what holds this value */
            depth--;
            walk->at++;
        } else if (c == ',' && depth == 0) {
            return;
        } else {
            walk->at++;
            continue; /* a number, a word, a comma inside */
        }
        if (depth == 0)
            return;
    }
}

/* To the key `name` of the object here, or false; `*value` is where its value begins. */
static bool
find_member(struct walk *walk, struct span name, size_t *value)
{
    if (!is_at(walk, '{'))
        return false;
    walk->at++;
    for (;;) {
        skip_space(walk);
        if (!is_at(walk, '"'))
            return false;
        size_t key = walk->at;
        skip_string(walk);
        struct span found = {walk->json.data + key + 1, walk->at - key - 1};
        bool hit = found.size == name.size + 1 && memcmp(found.data, name.data, name.size) == 0;
        skip_space(walk);
        walk->at += is_at(walk, ':') ? 1 : 0;
        skip_space(walk);
        if (hit) {
            *value = walk->at;
            walk->at = key;
            return true;
        }
        skip_value(walk);
        skip_space(walk);
        if (!is_at(walk, ','))
            return false;
        walk->at++;
    }
}

static bool
find_element(struct walk *walk, uint64_t index)
{
    if (!is_at(walk, '['))
        return false;
    walk->at++;
    for (; index > 0; index--) {
        skip_value(walk);
        skip_space(walk);
        if (!is_at(walk, ','))
            return false;
        walk->at++;
    }
    skip_space(walk);
    return walk->at < walk->json.size && !is_at(walk, ']');
}

/* The next step of "name[2].name": a name, or an index. */
static bool
next_step(struct span *path, struct span *name, uint64_t *index)
{
    if (path->size > 0 && path->data[0] == '.')
        *path = (struct span){path->data + 1, path->size - 1};
    if (path->size == 0)
        return false;
    if (path->data[0] == '[') {
        *name = (struct span){0};
        struct span rest = {path->data + 1, path->size - 1};
        struct span digits = span_split(&rest, ']');
        *path = rest;
        return span_to_u64(digits, index);
    }
    size_t size = 0;
    while (size < path->size && path->data[size] != '.' && path->data[size] != '[')
        size++;
    *name = (struct span){path->data, size};
    *path = (struct span){path->data + size, path->size - size};
    return true;
}

struct json_place
json_place_find(struct span json, const char *path)
{
    struct walk walk = {.json = json};
    struct span rest = span_of(path);
    struct span name;
    uint64_t index = 0;
    skip_space(&walk);
    size_t found = walk.at; /* what is told */
    size_t value = walk.at; /* where the next step looks */
    while (next_step(&rest, &name, &index)) {
        walk.at = value;
        if (name.data == NULL ? !find_element(&walk, index) : !find_member(&walk, name, &value))
            break;
        found = walk.at;
        if (name.data == NULL)
            value = walk.at;
    }
    return json_place_of(json, found);
}

struct json_place
json_place_of(struct span json, size_t offset)
{
    struct json_place place = {.line = 1, .column = 1};
    for (size_t i = 0; i < offset && i < json.size; i++) {
        if (json.data[i] == '\n') {
            place.line++;
            place.column = 1;
        } else {
            place.column++;
        }
    }
    return place;
}
