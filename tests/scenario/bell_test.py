"""B:bell: what no stream shows is told in it, once, and nothing else is.

    python3 tests/scenario/bell_test.py [word in a test's name]
"""
import time

import queue_tests
from queue_calls import BUSINESS, DAY, CELL, KEEP, group, holder_name, key, text

W1, W2 = holder_name(1), holder_name(2)
NOTE = dict(to="+33612345678", template="order_shipped", lang="fr")


def equal(found, wanted):
    assert found == wanted, "found %r, wanted %r" % (found, wanted)


def rings(queue):
    """What rang so far: why, each for this account. Forgotten then."""
    found = [text(fields) for _, fields in queue.client.xrange(BUSINESS + ":bell")]
    queue.client.delete(BUSINESS + ":bell")
    found = [{text(name): text(value) for name, value in one.items()} for one in found]
    assert all(one["account"] == "fr" and set(one) == {"account", "why"} for one in found), found
    return [one["why"] for one in found]


def now():
    return int(time.time() * 1000)


def granted(queue, number, entry):
    queue.beat(W1)
    claim = queue.claim(W1, "%s.%d" % (W1, number)).parts[0].claim
    grant = "%s.%d" % (W1, number + 100)
    queue.grant(W1, grant, "queue", [(entry, 1, 0, "")], [(DAY, CELL, "USD", 5)])
    return claim, grant


def uncertain(queue, number, until):
    entry = queue.add()
    claim, grant = granted(queue, number, entry)
    equal(queue.settle(W1, [group(grant, "queue", "uncertain", (until, 1, "cut"), [0],
                                  singles=[entry])], [claim]), ["ok"])
    return entry


def test_resume_and_not_pause(queue):
    queue.call("pause", "pause", "ann", "why")
    equal(rings(queue), [])
    queue.call("pause", "resume", "ann", "why")
    equal(rings(queue), ["resumed"])
    queue.call("pause", "resume", "ann", "why")
    equal(rings(queue), [])


def test_stop_and_another_token(queue):
    queue.call("stop", 190, "bad", "token one", KEEP)
    equal(rings(queue), [])
    queue.call("token", "token one")
    equal(rings(queue), [])
    queue.call("token", "token two")
    equal(rings(queue), ["started"])
    queue.call("stop", 190, "bad", "token two", KEEP)
    queue.call("pause", "resume", "ann", "mended")
    equal(rings(queue), ["resumed"])


def test_requeue(queue):
    queue.beat(W1)
    entry = queue.add()
    claim = queue.claim(W1, W1 + ".1").parts[0].claim
    queue.settle(W1, [group("claim:" + claim, "queue", "dead", ("refused", "to: no", 0, 1),
                            singles=[entry])], [claim])
    queue.call("requeue", "ann", "why", 1, "1-1")
    equal(rings(queue), [])  # there is no such entry
    ids = [text(one) for one, _ in queue.client.xrange(key("dead"))]
    queue.call("requeue", "ann", "why", 1, *ids)
    equal(rings(queue), ["requeued"])


def test_scheduled_earlier_than_all_others(queue):
    for hours, wanted in ((5, ["scheduled"]), (6, []), (4, ["scheduled"]), (4.5, [])):
        queue.enqueue("queue", not_before=now() + int(hours * 3600000), **NOTE)
        equal(rings(queue), wanted)
    queue.enqueue("queue", **NOTE)
    queue.add()
    equal(rings(queue), [])  # their streams tell


def test_first_uncertain(queue):
    uncertain(queue, 1, now() + 60000)
    equal(rings(queue), ["uncertain"])
    uncertain(queue, 2, now() + 60000)
    equal(rings(queue), [])


def test_first_uncertain_of_a_dead_worker(queue):
    entry = queue.add()
    granted(queue, 1, entry)
    queue.fence(W1)
    equal(queue.recover(now() + 60000), [1, 1])
    equal(rings(queue), ["uncertain"])


def test_what_waits_for_a_retry_does_not_ring(queue):
    entry = queue.add()
    claim, grant = granted(queue, 1, entry)
    queue.settle(W1, [group(grant, "queue", "later", (now() + 5000, 1, "503", 0), [0],
                            singles=[entry])], [claim])
    equal(rings(queue), [])  # who put it there knows


def test_the_newest_are_kept(queue):
    for _ in range(1100):
        queue.call("pause", "pause", "ann", "why")
        queue.call("pause", "resume", "ann", "why")
    equal(queue.client.xlen(BUSINESS + ":bell"), 1024)


def test_a_bell_that_is_something_else_harms_nothing_uncertain(queue):
    """Not to be heard is no failure where something must be settled."""
    queue.client.set(BUSINESS + ":bell", "x")
    entry = uncertain(queue, 1, now() + 60000)
    assert queue.client.zscore(key("uncertain"), entry)
    queue.client.delete(BUSINESS + ":bell")


if __name__ == "__main__":
    queue_tests.run(globals())
