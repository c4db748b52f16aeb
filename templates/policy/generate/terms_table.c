/*
 * terms_table - makes terms_table.inc from terms.inc: the trie of all terms as constant arrays.
 *
 * Runs at build time, on the machine that builds. Refuses a term that the fold could never give,
 * and one that stands there twice.
 */
#include "templates/policy/rules.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 60000, TERM_SIZE_MAX = 100 };
enum { EN = 1, FR = 2, ES = 4, ALL = 7 };
enum { KNOWN_WORD = 1, KNOWN_BEGINNING = 2 };

struct source {
    int rule;
    int weight;
    int languages;
    const char *text;
};

static const struct source sources[] = {
#define T(rule, weight, languages, text) {RULE_##rule, weight, languages, text},
#include "templates/policy/terms.inc"
#undef T
};
enum { SOURCE_COUNT = sizeof(sources) / sizeof(sources[0]) };

struct node {
    uint16_t children[32];
    uint16_t term;
    uint8_t known;
    uint16_t place; /* in the table */
};

static struct node nodes[NODES_MAX];
static uint32_t node_count = 1;

static void
fail(const struct source *source, const char *problem)
{
    (void)fprintf(stderr, "terms.inc: \"%s\": %s\n", source->text, problem);
    exit(1);
}

/* As enum fold_symbol has them. */
static int
symbol_of(const struct source *source, char c)
{
    static const char signs[] = " %$#-&";
    const char *place = strchr(signs, c);
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (place == NULL || c == '\0')
        fail(source, "only a-z, space, % (50 %), $ (an amount), # (a number), - (-50 %), & (2x1)");
    return 26 + (int)(place - signs);
}

static struct node *
insert(const struct source *source, const char *text, size_t size)
{
    uint32_t at = 0;
    for (size_t i = 0; i < size; i++) {
        int symbol = symbol_of(source, text[i]);
        if (nodes[at].children[symbol] == 0) {
            if (node_count == NODES_MAX)
                fail(source, "too many nodes");
            nodes[at].children[symbol] = (uint16_t)node_count++;
        }
        at = nodes[at].children[symbol];
    }
    return &nodes[at];
}

/* Every word of a term is known, so that a disguised one can be told from a reference. */
static void
insert_words(const struct source *source, size_t size, bool prefix)
{
    for (size_t start = 0, i = 0; i <= size; i++) {
        if (i < size && source->text[i] >= 'a' && source->text[i] <= 'z')
            continue;
        if (i - start >= 3) {
            struct node *node = insert(source, source->text + start, i - start);
            uint8_t known = prefix && i == size ? KNOWN_BEGINNING : KNOWN_WORD;
            if (known > node->known)
                node->known = known;
        }
        start = i + 1;
    }
}

static void
add(uint32_t index)
{
    const struct source *source = &sources[index];
    size_t size = strlen(source->text);
    bool prefix = size > 0 && source->text[size - 1] == '*';
    if (prefix)
        size--;
    if (size < 1 || size > TERM_SIZE_MAX || source->text[0] == ' ' ||
        source->text[size - 1] == ' ' || strstr(source->text, "  ") != NULL)
        fail(source, "empty, too long, or spaces that do not belong there");
    struct node *node = insert(source, source->text, size);
    if (node->term != 0)
        fail(source, "stands there twice");
    node->term = (uint16_t)(index + 1);
    insert_words(source, size, prefix);
}

/* Places nodes breadth first, so that children stand side by side. */
static void
print_nodes(void)
{
    static uint16_t order[NODES_MAX];
    uint32_t count = 1;
    printf("static const struct node nodes[%u] = {\n", node_count);
    for (uint32_t i = 0; i < count; i++) {
        const struct node *node = &nodes[order[i]];
        uint32_t mask = 0;
        uint32_t first = count;
        for (int symbol = 0; symbol < 32; symbol++) {
            if (node->children[symbol] == 0)
                continue;
            mask |= 1u << symbol;
            order[count++] = node->children[symbol];
        }
        printf("{0x%xu,%u,%u,%u},%s", mask, mask == 0 ? 0 : first, node->term, node->known,
               i % 8 == 7 ? "\n" : "");
    }
    printf("\n};\n");
}

/* A phrase that is strong or speaks for the text means the same wherever it stands: a French
 * notification with an English offer in it is none the better. Single words may be false friends.
 */
static int
languages_of(const struct source *source)
{
    bool phrase = strchr(source->text, ' ') != NULL;
    return phrase && (source->weight >= 40 || source->weight == 0) ? ALL : source->languages;
}

int
main(void)
{
    for (uint32_t i = 0; i < SOURCE_COUNT; i++)
        add(i);
    printf("/* Made from terms.inc by terms_table; not to be changed by hand. */\n");
    print_nodes();
    printf("static const struct term terms[%d] = {\n", SOURCE_COUNT);
    for (uint32_t i = 0; i < SOURCE_COUNT; i++)
        printf("{%d,%d,%d,%d},\n", sources[i].rule, languages_of(&sources[i]), sources[i].weight,
               sources[i].text[strlen(sources[i].text) - 1] == '*');
    printf("};\n");
    return 0;
}
