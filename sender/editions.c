#include "sender/editions.h"

#include "sender/base/check.h"

#include <stdlib.h>

struct editions {
    struct catalogue_feed *feed; /* borrowed */
    struct edition_use *all;     /* owned */
    uint32_t business_count;
    struct edition_place {
        struct edition_use *use; /* NULL: not looked yet */
        uint64_t serial;         /* of the feed when it was taken */
    } places[];                  /* by business */
};

struct editions *
editions_open(struct catalogue_feed *feed, uint32_t business_count)
{
    struct editions *editions =
        check_alloc(1, sizeof(*editions) + (uint64_t)business_count * sizeof(struct edition_place));
    editions->feed = feed;
    editions->business_count = business_count;
    return editions;
}

static void
drop(struct edition_use *use)
{
    struct edition_use **place = &use->editions->all;
    while (*place != use)
        place = &(*place)->next;
    *place = use->next;
    edition_give(use->edition);
    free(use);
}

void
editions_close(struct editions *editions)
{
    if (editions == NULL)
        return;
    while (editions->all != NULL)
        drop(editions->all);
    free(editions);
}

/* A newer one is there: this one stays until its last delivery has ended. */
static void
put_away(struct edition_use *use)
{
    use->newest = false;
    if (use->deliveries == 0)
        drop(use);
}

static struct edition_use *
take_newest(struct editions *editions, uint32_t business)
{
    struct edition_use *use = check_alloc(1, sizeof(*use)); /* a change of templates: rare */
    use->edition = catalogue_feed_take(editions->feed, business);
    use->newest = true;
    use->editions = editions;
    use->next = editions->all;
    editions->all = use;
    return use;
}

struct edition_use *
editions_take(struct editions *editions, uint32_t business)
{
    check(business < editions->business_count);
    struct edition_place *place = &editions->places[business];
    /* The serial first: what is taken after it is as new or newer. */
    uint64_t serial = catalogue_feed_serial(editions->feed, business);
    if (place->use == NULL || place->serial != serial) {
        if (place->use != NULL)
            put_away(place->use);
        place->use = take_newest(editions, business);
        place->serial = serial;
    }
    place->use->deliveries++;
    return place->use;
}

void
editions_give(struct edition_use *use)
{
    check(use->deliveries > 0);
    if (--use->deliveries == 0 && !use->newest)
        drop(use);
}
