#include "tests/simulation/store_reader.h"

#include "sender/base/check.h"
#include "tests/simulation/store_request.h"

#include <stdlib.h>
#include <string.h>

/* As Redis has them: words of one request, and bytes of one word. */
enum { WORDS_MAX = INT32_MAX, WORD_SIZE_MAX = 512 * 1024 * 1024 };

void
store_reader_free(struct store_reader *reader)
{
    store_bytes_free(&reader->input);
    free(reader->places);
    free(reader->words);
    *reader = (struct store_reader){0};
}

void
store_reader_add(struct store_reader *reader, const char *data, size_t size)
{
    /* Only between requests: the places of one that was begun must stay. */
    if (reader->at > 0 && reader->left == 0) {
        store_bytes_drop_front(&reader->input, reader->at);
        reader->at = 0;
    }
    store_bytes_put(&reader->input, data, size);
}

/* `TYPE NUMBER \r\n`. */
static enum store_reader_state
read_head(struct store_reader *reader, char type, int64_t *number, struct error_text *error)
{
    size_t rest = reader->input.size - reader->at;
    const char *begin = reader->input.data + reader->at;
    if (rest == 0)
        return STORE_READER_MORE;
    if (begin[0] != type) {
        error_set(error, "Protocol error: expected '%c', got '%c'", type, begin[0]);
        return STORE_READER_BAD;
    }
    const char *end = memchr(begin, '\r', rest);
    if (end == NULL || end + 1 == begin + rest)
        return rest > 64 ? STORE_READER_BAD : STORE_READER_MORE;
    struct span line = {.data = begin + 1, .size = (size_t)(end - begin - 1)};
    bool is_words = type == '*';
    if (!store_read_i64(line, number) || *number > (is_words ? WORDS_MAX : WORD_SIZE_MAX) ||
        (!is_words && *number < 0)) {
        error_set(error, "Protocol error: invalid %s length", is_words ? "multibulk" : "bulk");
        return STORE_READER_BAD;
    }
    reader->at += line.size + 3;
    return STORE_READER_ONE;
}

static enum store_reader_state
read_word(struct store_reader *reader, struct error_text *error)
{
    size_t before = reader->at;
    int64_t size;
    enum store_reader_state state = read_head(reader, '$', &size, error);
    if (state != STORE_READER_ONE)
        return state;
    if (reader->input.size - reader->at < (size_t)size + 2) {
        reader->at = before;
        return STORE_READER_MORE;
    }
    STORE_GROW(reader->places, reader->place_count, reader->place_capacity);
    reader->places[reader->place_count++] =
        (struct store_reader_place){.at = reader->at, .size = (size_t)size};
    reader->at += (size_t)size + 2;
    return STORE_READER_ONE;
}

enum store_reader_state
store_reader_next(struct store_reader *reader, size_t *count, struct error_text *error)
{
    error_set(error, "Protocol error: too big mbulk count string");
    while (reader->left == 0) { /* empty requests are passed over */
        enum store_reader_state state = read_head(reader, '*', &reader->left, error);
        if (state != STORE_READER_ONE)
            return state;
        reader->left = reader->left < 0 ? 0 : reader->left;
        reader->place_count = 0;
    }
    for (; reader->left > 0; reader->left--) {
        enum store_reader_state state = read_word(reader, error);
        if (state != STORE_READER_ONE)
            return state;
    }
    if (reader->word_capacity < reader->place_count) {
        reader->word_capacity = reader->place_count;
        reader->words = store_grown(reader->words, reader->word_capacity * sizeof(*reader->words));
    }
    for (size_t i = 0; i < reader->place_count; i++)
        reader->words[i] = (struct span){.data = reader->input.data + reader->places[i].at,
                                         .size = reader->places[i].size};
    *count = reader->place_count;
    return STORE_READER_ONE;
}
