/*
 * bubble - a message as a phone shows it, drawn in a terminal.
 */
#ifndef FACTEUR_SENDER_CLI_BUBBLE_H
#define FACTEUR_SENDER_CLI_BUBBLE_H

#include "sender/base/bytes.h"

enum { BUBBLE_WIDTH_MIN = 20, BUBBLE_WIDTH_MAX = 200 };

struct bubble {
    uint32_t width; /* columns of text inside */
    bool styled;    /* *bold*, _italic_, ~struck~ and ```fixed``` are drawn; else left as marks */
};

/* Sets the terminal's character type, so that widths can be told. Once, before the rest. */
void bubble_begin(void);

void bubble_top(const struct bubble *bubble);
void bubble_line(const struct bubble *bubble); /* between header, body and footer */
void bubble_bottom(const struct bubble *bubble);

enum bubble_style { BUBBLE_PLAIN, BUBBLE_BOLD, BUBBLE_FAINT };

/* Text, broken into lines at spaces; \n is a line break. In `style`, and the marks' own. */
void bubble_text(const struct bubble *bubble, struct span text, enum bubble_style style);

/* A button below the bubble: its sign, its words, and what it does, faint; `what` may be empty. */
void bubble_button(const struct bubble *bubble, const char *sign, struct span words,
                   struct span what);

#endif
