#include "sender/redis_address.h"

#include <stdio.h>
#include <string.h>

static bool
copy_text(struct span from, char *to, size_t size)
{
    if (from.size >= size)
        return false;
    memcpy(to, from.data, from.size);
    to[from.size] = '\0';
    return true;
}

static bool
read_host_port(struct span text, struct redis_place *place, struct error_text *error)
{
    struct span port = {0};
    struct span host = text;
    for (size_t i = text.size; i > 0; i--) {
        if (text.data[i - 1] == ':') {
            host = (struct span){.data = text.data, .size = i - 1};
            port = (struct span){.data = text.data + i, .size = text.size - i};
            break;
        }
    }
    uint64_t number = place->tls ? 6380 : 6379;
    size_t at;
    if (span_find(text, '@', &at)) { /* not repeated here: it may hold the password */
        error_set(error, "Redis address: a user or password in it can be read by everybody in ps; "
                         "give --redis-user and --redis-password-file");
        return false;
    }
    if (host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        host = (struct span){.data = host.data + 1, .size = host.size - 2};
    if (port.size > 0 && (!span_to_u64(port, &number) || number == 0 || number > 65535)) {
        error_set(error, "Redis address: port \"%.*s\" is not a number from 1 to 65535",
                  SPAN_ARG(port));
        return false;
    }
    place->port = (uint16_t)number;
    if (host.size == 0 || !copy_text(host, place->host, sizeof(place->host))) {
        error_set(error, "Redis address: no host in \"%.*s\"; write tcp://HOST:PORT",
                  SPAN_ARG(text));
        return false;
    }
    return true;
}

static bool
read_path(struct span path, struct redis_place *place, struct error_text *error)
{
    if (path.size > 0 && copy_text(path, place->unix_path, sizeof(place->unix_path)))
        return true;
    error_set(error, "Redis address \"unix:%.*s\": a socket's path has 1 to %zu bytes",
              SPAN_ARG(path), sizeof(place->unix_path) - 1);
    return false;
}

static bool
read_place(struct span text, struct redis_place *place, struct error_text *error)
{
    static const struct {
        struct span prefix;
        bool is_path;
        bool tls;
    } kinds[] = {
        {{"unix://", 7}, true, false},   {{"unix:", 5}, true, false},
        {{"rediss://", 9}, false, true}, {{"redis://", 8}, false, false},
        {{"tcp://", 6}, false, false},
    };
    *place = (struct redis_place){0};
    if (text.size > 0 && text.data[0] == '/')
        return read_path(text, place, error);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!span_starts(text, kinds[i].prefix))
            continue;
        const struct span rest = {text.data + kinds[i].prefix.size,
                                  text.size - kinds[i].prefix.size};
        place->tls = kinds[i].tls;
        return kinds[i].is_path ? read_path(rest, place, error)
                                : read_host_port(rest, place, error);
    }
    size_t at;
    const struct span shown = span_find(text, '@', &at) ? SPAN("(not shown)") : text;
    error_set(error,
              "Redis address \"%.*s\" is not known: write unix:/PATH, tcp://HOST:PORT or "
              "rediss://HOST:PORT",
              SPAN_ARG(shown));
    return false;
}

bool
redis_address_read(const char *text, struct redis_address *address, struct error_text *error)
{
    struct span rest = span_of(text);
    address->place_count = 0;
    do {
        const struct span one = span_trim(span_split(&rest, ','));
        if (address->place_count == REDIS_PLACES_MAX) {
            error_set(error, "Redis address: more than %d places", REDIS_PLACES_MAX);
            return false;
        }
        if (!read_place(one, &address->places[address->place_count], error))
            return false;
        address->place_count++;
    } while (rest.data != NULL);
    return true;
}

bool
redis_address_wants_tls(const struct redis_address *address)
{
    for (uint32_t i = 0; i < address->place_count; i++)
        if (address->places[i].tls)
            return true;
    return false;
}

const char *
redis_place_text(const struct redis_place *place, char text[REDIS_PLACE_TEXT_SIZE])
{
    if (place->unix_path[0] != '\0')
        snprintf(text, REDIS_PLACE_TEXT_SIZE, "unix:%s", place->unix_path);
    else
        snprintf(text, REDIS_PLACE_TEXT_SIZE, "%s://%s:%u", place->tls ? "rediss" : "tcp",
                 place->host, place->port);
    return text;
}
