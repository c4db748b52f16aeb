#include "sender/io/mailbox.h"
#include "sender/base/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const uint64_t MAILBOX_MAGIC = 0x6d61696c626f7831;

struct mailbox {
    uint64_t magic;
    struct loop *loop;
    struct io_op read_op; /* in the kernel except while letters are delivered */
    uint64_t wakes;       /* what the eventfd counted: of no interest, but read() needs a place */
    int fd;
    bool reading;           /* read_op is in the kernel */
    bool closed;            /* freed as soon as read_op is back */
    pthread_mutex_t lock;   /* guards the two below, which other threads touch */
    struct letter *letters; /* not delivered yet, in the order posted */
    struct letter **letter_end;
};

static void
release(struct mailbox *mailbox)
{
    close(mailbox->fd);
    pthread_mutex_destroy(&mailbox->lock);
    mailbox->magic = 0;
    free(mailbox);
}

static void
start_reading(struct mailbox *mailbox)
{
    mailbox->reading = true;
    io_read(mailbox->loop, &mailbox->read_op, mailbox->fd, &mailbox->wakes, sizeof(mailbox->wakes));
}

static struct letter *
take_letters(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    struct letter *letters = mailbox->letters;
    mailbox->letters = NULL;
    mailbox->letter_end = &mailbox->letters;
    pthread_mutex_unlock(&mailbox->lock);
    return letters;
}

static void
on_wake(struct io_op *op, int result)
{
    struct mailbox *mailbox = container_of(op, struct mailbox, read_op);
    check_magic(mailbox, MAILBOX_MAGIC);
    (void)result; /* an interrupted read is a wake without letters */
    mailbox->reading = false;

    struct letter *letter = mailbox->closed ? NULL : take_letters(mailbox);
    while (letter != NULL && !mailbox->closed) {
        struct letter *next = letter->next;
        letter->on_delivery(letter); /* may free the letter, or close the mailbox */
        letter = next;
    }
    if (mailbox->closed)
        release(mailbox);
    else
        start_reading(mailbox);
}

struct mailbox *
mailbox_open(struct loop *loop)
{
    /* Not EFD_NONBLOCK: io_uring would then answer EAGAIN instead of waiting. */
    int fd = eventfd(0, EFD_CLOEXEC);
    check(fd >= 0); /* taken at start, or for a first look-up: without it nobody could be told */
    struct mailbox *mailbox = check_alloc(1, sizeof(*mailbox));
    mailbox->magic = MAILBOX_MAGIC;
    mailbox->loop = loop;
    mailbox->read_op.on_done = on_wake;
    mailbox->fd = fd;
    mailbox->letter_end = &mailbox->letters;
    check(pthread_mutex_init(&mailbox->lock, NULL) == 0);
    start_reading(mailbox);
    return mailbox;
}

void
mailbox_close(struct mailbox *mailbox)
{
    check_magic(mailbox, MAILBOX_MAGIC);
    check(!mailbox->closed);
    mailbox->closed = true;
    (void)take_letters(mailbox);
    if (mailbox->reading)
        io_cancel_fd(mailbox->loop, mailbox->fd);
    /* else we are called from a delivery, and on_wake() releases it */
}

void
mailbox_post(struct mailbox *mailbox, struct letter *letter)
{
    check(letter->on_delivery != NULL);
    letter->next = NULL;
    pthread_mutex_lock(&mailbox->lock);
    bool first = mailbox->letters == NULL;
    *mailbox->letter_end = letter;
    mailbox->letter_end = &letter->next;
    if (first) { /* inside the lock: after it the loop may have delivered and closed */
        const uint64_t one = 1;
        check(write(mailbox->fd, &one, sizeof(one)) == (ssize_t)sizeof(one));
    }
    pthread_mutex_unlock(&mailbox->lock);
}
