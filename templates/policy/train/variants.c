#include "templates/policy/train/variants.h"

#include <string.h>

void
variants_join(struct span a, struct span b, struct random *random, struct buffer *out)
{
    static const char *const joints[] = {" ", "\n", "\n\n", ". ", " - ", " ", "\nPS: "};
    buffer_reset(out);
    buffer_put_span(out, a);
    buffer_put_text(out, joints[random_below(random, sizeof(joints) / sizeof(joints[0]))]);
    buffer_put_span(out, b);
}

void
variants_shout(struct span text, struct buffer *out)
{
    buffer_reset(out);
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        buffer_put_char(out, c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
}

static const struct {
    char letter;
    const char *look_alike;
    const char *digit;
} disguises[] = {{'a', "\xd0\xb0", "4"}, {'e', "\xd0\xb5", "3"}, {'o', "\xd0\xbe", "0"},
                 {'i', "\xd1\x96", "1"}, {'s', "\xd1\x95", "5"}, {'c', "\xd1\x81", "c"},
                 {'p', "\xd1\x80", "p"}, {'t', "t", "7"}};

static const char *
disguise_of(char c, bool as_digit)
{
    for (size_t i = 0; i < sizeof(disguises) / sizeof(disguises[0]); i++)
        if (disguises[i].letter == c)
            return as_digit ? disguises[i].digit : disguises[i].look_alike;
    return NULL;
}

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* A word of at least four ASCII letters, in one of four ways. */
static void
put_word(struct span word, uint64_t way, struct random *random, struct buffer *out)
{
    for (size_t i = 0; i < word.size; i++) {
        const char *other = NULL;
        bool inner = i > 0 && i + 1 < word.size;
        if (way == 0 && random_chance(random, 0.7))
            other = disguise_of(word.data[i], false);
        else if (way == 1 && inner && random_chance(random, 0.7))
            other = disguise_of(word.data[i], true);
        if (other != NULL)
            buffer_put_text(out, other);
        else
            buffer_put_char(out, word.data[i]);
        if (way == 2 && inner && random_chance(random, 0.4))
            buffer_put_text(out, "\xe2\x80\x8b");
        if (way == 3 && i + 1 < word.size)
            buffer_put_char(out, ' ');
    }
}

void
variants_disguise(struct span text, struct random *random, struct buffer *out)
{
    uint64_t way = random_below(random, 4);
    buffer_reset(out);
    for (size_t i = 0; i < text.size;) {
        size_t end = i;
        while (end < text.size && is_lower(text.data[end]))
            end++;
        struct span word = {text.data + i, end - i};
        if (word.size >= 4 && random_chance(random, 0.6))
            put_word(word, way, random, out);
        else
            buffer_put_span(out, word);
        i = end;
        if (i < text.size)
            buffer_put_char(out, text.data[i++]);
    }
}
