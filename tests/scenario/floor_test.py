"""What is more urgent goes first, but leaves an eighth of every claim to queue and to later.

    python3 tests/scenario/floor_test.py [word in a test's name]
"""
import queue_tests
from queue_calls import key
from queue_library_test import W1, equal

LINE = '{"to":"+33612345678","template":"order_shipped","lang":"fr"}'
BULK = "\n".join([LINE] * 64)


def put_later(queue, count, size=0):
    """Members that are due, as they stand in later."""
    record = '{"attempt":1,"fields":["to","+33612345678","1","%s"]}' % ("x" * size)
    pipe = queue.client.pipeline(transaction=False)
    for number in range(count):
        pipe.hset(key("later:entries"), "1-%d" % number, record)
        pipe.zadd(key("later"), {"1-%d" % number: 5})
    pipe.execute()


def flood(queue, stream, count, **fields):
    for _ in range(count):
        queue.add(stream, **fields)


def shares(queue, claims, members, size=1 << 20):
    """How many entries each source gave in each of that many claims."""
    queue.beat(W1)
    found = []
    for number in range(1, claims + 1):
        given = {"urgent": 0, "later": 0, "queue": 0}
        for part in queue.claim(W1, "%s.%d" % (W1, number), members, size).parts:
            given[part.source] += len(part.entries)
        found.append((given["urgent"], given["later"], given["queue"]))
    return found


def test_an_eighth_is_kept_for_queue_and_an_eighth_for_later(queue):
    flood(queue, "urgent", 300)
    flood(queue, "queue", 300)
    put_later(queue, 300)
    equal(shares(queue, 3, 80), [(60, 10, 10)] * 3)


def test_later_leaves_an_eighth_to_queue(queue):
    flood(queue, "queue", 300)
    put_later(queue, 300)
    equal(shares(queue, 3, 80), [(0, 70, 10)] * 3)


def test_nothing_is_kept_for_what_has_nothing(queue):
    flood(queue, "urgent", 300)
    equal(shares(queue, 2, 80), [(80, 0, 0)] * 2)
    flood(queue, "queue", 5)
    equal(shares(queue, 3, 80)[2], (70, 0, 5))  # what was kept in vain is for the next claim


def test_what_is_kept_is_given_back_when_little_is_urgent(queue):
    flood(queue, "urgent", 3)
    flood(queue, "queue", 300)
    put_later(queue, 4)
    equal(shares(queue, 1, 80), [(3, 4, 73)])


def test_a_worker_that_asks_for_one_gives_each_its_turn(queue):
    flood(queue, "urgent", 100)
    flood(queue, "queue", 100)
    put_later(queue, 100)
    found = shares(queue, 80, 1)
    equal([sum(column) for column in zip(*found)], [60, 10, 10])


def test_bulk_entries_save_up_for_their_turn(queue):
    flood(queue, "urgent", 40, bulk=BULK)
    flood(queue, "queue", 40, bulk=BULK)
    found = shares(queue, 16, 128)
    urgent, _, plain = [sum(column) for column in zip(*found)]
    equal((urgent, plain), (28, 4))
    found = shares(queue, 24, 1)[16:]  # each claim gives one entry: more than was asked for
    equal(sum(plain for _, _, plain in found), 1)


def test_large_entries_save_up_for_their_turn(queue):
    """Bytes run out long before members do; nobody starves of that either."""
    flood(queue, "urgent", 100, **{"1": "x" * 250000})
    flood(queue, "queue", 60, **{"1": "x" * 250000})
    put_later(queue, 60, 200000)
    found = shares(queue, 40, 500, 512 * 1024)
    urgent, later, plain = [sum(column) for column in zip(*found)]
    assert urgent >= 20 and later >= 5 and plain >= 5, found
    found = shares(queue, 56, 500, 1)[40:]  # one entry at a time
    urgent, later, plain = [sum(column) for column in zip(*found)]
    assert urgent >= 8 and later >= 1 and plain >= 1 and urgent + later + plain == 16, found


def test_returned_ranges_have_their_share_too(queue):
    flood(queue, "queue", 100)
    queue.beat(W1)
    queue.claim(W1, W1 + ".99", 100)
    queue.give_back(W1, W1 + ".99")
    flood(queue, "urgent", 200)
    equal(shares(queue, 2, 80), [(70, 0, 10)] * 2)


if __name__ == "__main__":
    queue_tests.run(globals())
