#include "sender/editions.h"

#include "sender/base/check.h"

#include <stdlib.h>

struct editions {
    struct catalogue_feed *feed; /* borrowed */
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
    edition_give(use->edition);
    free(use);
}

static void
put_away(struct edition_use *use)
{
    use->newest = false;
    if (use->deliveries == 0)
        drop(use);
}

void
editions_close(struct editions *editions)
{
    if (editions == NULL)
        return;
    for (uint32_t i = 0; i < editions->business_count; i++) {
        struct edition_use *use = editions->places[i].use;
        if (use == NULL)
            continue;
        check(use->deliveries == 0);
        put_away(use);
    }
    free(editions);
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
        place->use = check_alloc(1, sizeof(*place->use)); /* a change of templates: rare */
        place->use->edition = catalogue_feed_take(editions->feed, business);
        place->use->newest = true;
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
