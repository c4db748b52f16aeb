#include "sender/base/check.h"
#include "sender/io/mailbox.h"
#include "tests/unit/io/fixture.h"

#include <pthread.h>

enum { POSTERS = 4, LETTERS = 5000 };

struct note {
    struct letter letter;
    unsigned poster;
    unsigned number;
    unsigned *expected; /* per poster, the number that comes next; the loop's thread only */
    unsigned *delivered;
};

static void
on_note(struct letter *letter)
{
    struct note *note = container_of(letter, struct note, letter);
    expect_u64(note->number, note->expected[note->poster]); /* in the order posted */
    note->expected[note->poster]++;
    (*note->delivered)++;
    free(note);
}

struct poster {
    pthread_t thread;
    struct mailbox *mailbox;
    unsigned index;
    unsigned *expected;
    unsigned *delivered;
};

static void *
post_all(void *argument)
{
    const struct poster *poster = argument;
    for (unsigned i = 0; i < LETTERS; i++) {
        struct note *note = check_alloc(1, sizeof(*note));
        *note = (struct note){
            .letter.on_delivery = on_note,
            .poster = poster->index,
            .number = i,
            .expected = poster->expected,
            .delivered = poster->delivered,
        };
        mailbox_post(poster->mailbox, &note->letter);
    }
    return NULL;
}

static void
letters_of_many_threads_arrive_in_order(void)
{
    struct loop *loop = fixture_loop();
    struct mailbox *mailbox = mailbox_open(loop);
    unsigned expected[POSTERS] = {0};
    unsigned delivered = 0;
    struct poster posters[POSTERS];
    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){
            .mailbox = mailbox, .index = i, .expected = expected, .delivered = &delivered};
        expect(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]) == 0);
    }
    fixture_turn_until(loop, delivered == POSTERS * LETTERS);
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(posters[i].thread, NULL);
    mailbox_close(mailbox);
    loop_close(loop);
}

struct closer {
    struct letter letter;
    struct mailbox *mailbox;
    unsigned *delivered;
};

static void
on_closing_letter(struct letter *letter)
{
    struct closer *closer = container_of(letter, struct closer, letter);
    (*closer->delivered)++;
    mailbox_close(closer->mailbox);
}

static void
closing_from_a_letter_drops_the_rest(void)
{
    struct loop *loop = fixture_loop();
    struct mailbox *mailbox = mailbox_open(loop);
    unsigned delivered = 0;
    struct closer closers[3];
    for (size_t i = 0; i < 3; i++) {
        closers[i] = (struct closer){
            .letter.on_delivery = on_closing_letter, .mailbox = mailbox, .delivered = &delivered};
        mailbox_post(mailbox, &closers[i].letter);
    }
    fixture_turn_until(loop, delivered == 1);
    loop_turn(loop, 0);
    expect_u64(delivered, 1);
    loop_close(loop);
}

static void
one_wake_delivers_all_that_waits(void)
{
    struct loop *loop = fixture_loop();
    struct mailbox *mailbox = mailbox_open(loop);
    unsigned delivered = 0;
    unsigned expected[1] = {0};
    /* Posted by the loop's own thread, too. */
    struct poster poster = {.mailbox = mailbox, .expected = expected, .delivered = &delivered};
    post_all(&poster);
    loop_turn(loop, 1000000);
    expect_u64(delivered, LETTERS); /* one wake for all of them */
    post_all(&(struct poster){
        .mailbox = mailbox, .expected = (unsigned[1]){0}, .delivered = &delivered});
    fixture_turn_until(loop, delivered == 2 * LETTERS);
    mailbox_close(mailbox);
    loop_close(loop);
}

static void
closing_without_a_letter(void)
{
    struct loop *loop = fixture_loop();
    struct mailbox *idle = mailbox_open(loop);
    struct mailbox *unread = mailbox_open(loop);
    unsigned delivered = 0;
    struct closer closer = {
        .letter.on_delivery = on_closing_letter, .mailbox = unread, .delivered = &delivered};
    mailbox_post(unread, &closer.letter);
    mailbox_close(unread);
    mailbox_close(idle);
    loop_close(loop);
    expect_u64(delivered, 0);
}

int
main(void)
{
    TEST(letters_of_many_threads_arrive_in_order);
    TEST(closing_from_a_letter_drops_the_rest);
    TEST(one_wake_delivers_all_that_waits);
    TEST(closing_without_a_letter);
    return test_end();
}
