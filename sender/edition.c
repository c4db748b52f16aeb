#include "sender/edition.h"

#include "sender/base/check.h"

#include <stdatomic.h>
#include <stdlib.h>

struct edition {
    struct catalogue *catalogue; /* owned */
    struct request_form **forms; /* owned, by template->index */
    _Atomic uint32_t holders;
};

struct edition *
edition_open(struct catalogue *catalogue)
{
    uint32_t count = catalogue_count(catalogue);
    struct edition *edition = check_alloc(1, sizeof(*edition));
    edition->catalogue = catalogue;
    edition->forms = check_alloc((uint64_t)count + 1, sizeof(struct request_form *));
    for (uint32_t i = 0; i < count; i++)
        edition->forms[i] = request_form_open(catalogue_at(catalogue, i));
    atomic_init(&edition->holders, 1);
    return edition;
}

void
edition_take(struct edition *edition)
{
    uint32_t before = atomic_fetch_add_explicit(&edition->holders, 1, memory_order_relaxed);
    check(before > 0 && before < UINT32_MAX);
}

void
edition_give(struct edition *edition)
{
    if (edition == NULL)
        return;
    /* What every holder read must have been read before the last one frees it. */
    uint32_t before = atomic_fetch_sub_explicit(&edition->holders, 1, memory_order_acq_rel);
    check(before > 0);
    if (before > 1)
        return;
    for (uint32_t i = 0; i < catalogue_count(edition->catalogue); i++)
        request_form_close(edition->forms[i]);
    free(edition->forms);
    catalogue_close(edition->catalogue);
    free(edition);
}

const struct catalogue *
edition_catalogue(const struct edition *edition)
{
    return edition->catalogue;
}

const struct request_form *
edition_form(const struct edition *edition, const struct template *template)
{
    check(catalogue_at(edition->catalogue, template->index) == template);
    return edition->forms[template->index];
}
