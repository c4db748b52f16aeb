/*
 * model_table - makes model_table.inc from model.txt, at build time.
 *
 *   facteur_model_table model.txt > model_table.inc
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHTS_MAX = 1 << 20, ROW = 64 };

static signed char weights[WEIGHTS_MAX];

static int
fail(const char *path, unsigned line, const char *why)
{
    fprintf(stderr, "%s:%u: %s\n", path, line, why);
    return 1;
}

/* "PLACE HEX": 64 weights of a byte each. */
static int
read_row(const char *text, unsigned count)
{
    char *hex;
    unsigned long place = strtoul(text, &hex, 10);
    if (*hex != ' ' || strlen(hex + 1) < 2 * (size_t)ROW || place + ROW > count)
        return 0;
    for (unsigned i = 0; i < ROW; i++) {
        char byte[3] = {hex[1 + 2 * i], hex[2 + 2 * i], '\0'};
        char *end;
        weights[place + i] = (signed char)(unsigned char)strtoul(byte, &end, 16);
        if (end != byte + 2)
            return 0;
    }
    return 1;
}

int
main(int argc, char **argv)
{
    char text[1024];
    unsigned line = 0;
    unsigned bits = 0;
    long bias = 0;
    long unit = 0;
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: facteur_model_table FILE\n");
        return 1;
    }
    while (fgets(text, sizeof(text), file) != NULL) {
        line++;
        if (text[0] == '#' || sscanf(text, "bits %u", &bits) == 1 ||
            sscanf(text, "bias %ld", &bias) == 1 || sscanf(text, "unit %ld", &unit) == 1)
            continue;
        if (bits < 8 || bits > 20 || !read_row(text, 1u << bits))
            return fail(argv[1], line, "no row of 64 weights in hex");
    }
    fclose(file);
    if (unit <= 0)
        return fail(argv[1], line, "unit is missing");
    printf("/* Made by model_table from model.txt. */\n");
    printf("enum { MODEL_BITS = %u };\n", bits);
    printf("static const double model_bias = %ld * 1e-6;\n", bias);
    printf("static const double model_unit = %ld * 1e-9;\n", unit);
    printf("static const int8_t model_weights[1 << MODEL_BITS] = {");
    for (unsigned i = 0; i < 1u << bits; i++)
        printf("%s%d,", i % 32 == 0 ? "\n" : "", weights[i]);
    printf("\n};\n");
    return 0;
}
