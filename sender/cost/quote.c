#include "sender/cost/quote.h"
#include "sender/base/check.h"

#include <string.h>

/* Rule 2018: one fixed price by country, so a template's own category names the row. */
static enum rate_category
category_of(enum template_category category)
{
    switch (category) {
    case TEMPLATE_UTILITY:
        return RATE_UTILITY;
    case TEMPLATE_AUTHENTICATION:
        return RATE_AUTHENTICATION;
    case TEMPLATE_MARKETING:
        return RATE_MARKETING;
    }
    check(!"a category of templates");
    return RATE_UTILITY;
}

static void
put_part(struct buffer *cell, struct span part)
{
    check(part.size == 0 || memchr(part.data, '|', part.size) == NULL);
    buffer_put_span(cell, part);
    buffer_put_char(cell, '|');
}

static void
write_cell(const struct quote_input *input, struct quote *quote)
{
    struct buffer cell;
    buffer_init(&cell, quote->cell, sizeof(quote->cell));
    put_part(&cell, input->account);
    put_part(&cell, span_of(quote->country));
    put_part(&cell, markets_name(input->markets, quote->market));
    put_part(&cell, span_of(rate_category_text(quote->category)));
    put_part(&cell, input->template->name);
    buffer_put_text(&cell, "2018");
    check(!cell.overflow && cell.size <= QUOTE_CELL_MAX);
    quote->cell_size = (uint16_t)cell.size;
    (void)buffer_text(&cell);
}

bool
quote_make(const struct quote_input *input, struct quote *quote)
{
    check(input->phone->status != PHONE_INVALID);
    zone_day(input->zone, input->now_ms, quote->day);
    memcpy(quote->country, input->phone->country, sizeof(quote->country));
    quote->market =
        markets_find(input->markets, quote->country, input->phone->calling_code, quote->day);
    quote->category = category_of(input->template->category);
    if (input->card == NULL || !rate_card_price(input->card, quote->market, quote->category,
                                                quote->day, &quote->millionths))
        return false;
    write_cell(input, quote);
    return true;
}
