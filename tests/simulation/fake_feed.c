/* sender/catalogue_feed.h without a thread: the one edition of the repository's templates. */
#include "sender/catalogue_feed.h"

#include "sender/base/check.h"
#include "tests/simulation/fake_feed.h"

static struct edition *edition;
static uint64_t serial = 1;

void
fake_feed_open(void)
{
    struct error_text error;
    struct catalogue *catalogue =
        catalogue_open_folder(FACTEUR_SOURCE_DIR "/templates/catalogue", &error);
    check(catalogue != NULL);
    edition = edition_open(catalogue);
}

void
fake_feed_close(void)
{
    edition_give(edition);
}

void
fake_feed_change(void)
{
    serial++;
}

struct edition *
catalogue_feed_take(struct catalogue_feed *feed, uint32_t index)
{
    (void)feed;
    (void)index;
    edition_take(edition);
    return edition;
}

uint64_t
catalogue_feed_serial(const struct catalogue_feed *feed, uint32_t index)
{
    (void)feed;
    (void)index;
    return serial;
}

void
catalogue_feed_close(struct catalogue_feed *feed)
{
    (void)feed;
}
