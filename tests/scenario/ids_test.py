"""A producer's id is its owner's for as long as that has no outcome, and a while after it.

    python3 tests/scenario/ids_test.py [word in a test's name]
"""
import queue_tests
from queue_calls import CELL, DAY, KEEP, TTL, group, key, outcome, text
from queue_library_test import W1, claimed, equal

NOTE = {"to": "+33612345678", "template": "order_shipped", "lang": "fr"}
FOREVER = -1
WHO = ("ann", "ticket 1")


def owner(queue, one="k"):
    """(whose it is, how long from now on); None: it is free."""
    name = queue.client.get(key("id:" + one))
    return name and (text(name), queue.client.pttl(key("id:" + one)))


def expires(queue, name, one="k"):
    found = owner(queue, one)
    assert found and found[0] == name and 0 < found[1] <= TTL, found


def sent(queue, name, source="queue", number=1, attempt=1):
    """Claims it and grants it."""
    claimed(queue, number=number)
    grant = "%s.%d" % (W1, number)
    equal(queue.grant(W1, grant, source, [(name, attempt, 0, "k")], [(DAY, CELL, "USD", 5)]),
          ["ok", "g"])
    return grant


def settle(queue, token, name, action, *arguments, source="queue"):
    cells = [(0, 1, 5)] if action == "accept" else ()
    where = {"names": [name]} if source == "later" else {"singles": [name]}
    indexes = None if token.startswith("claim:") else [0]
    equal(queue.settle(W1, [group(token, source, action, arguments, indexes, cells,
                                  outcomes=[outcome(name, action)], ids=["k"], **where)]), ["ok"])


def test_it_is_taken_at_first_sight_without_an_end(queue):
    name = queue.enqueue("queue", id="k", **NOTE)[1]
    equal(owner(queue), (name, FOREVER))
    equal(queue.enqueue("urgent", id="k", **NOTE), ["duplicate", name])
    equal(owner(queue), (name, FOREVER))
    other = queue.add(id="j")
    claimed(queue)
    equal(queue.grant(W1, W1 + ".5", "queue", [(name, 1, 0, "k"), (other, 1, 0, "j")]), ["ok", "gg"])
    equal((owner(queue), owner(queue, "j")), ((name, FOREVER), (other, FOREVER)))


def test_it_has_no_end_while_its_owner_waits_in_later_uncertain_or_dead(queue):
    name = queue.add(id="k")
    settle(queue, sent(queue, name), name, "later", 5, 1, "throttled", 0)
    equal(owner(queue), (name, FOREVER))
    settle(queue, sent(queue, name, "later", 2, 2), name, "uncertain", 5, 2, "no answer",
           source="later")
    equal(owner(queue), (name, FOREVER))
    equal(queue.call("overdue", "park", "park", KEEP, TTL, 10)[:2], ["ok", 1])
    equal(owner(queue), (name, FOREVER))
    dead = text(queue.client.xrange(key("dead"))[0][0])
    equal(queue.call("requeue", *WHO, 1, dead), ["ok"])
    equal(owner(queue), (name, FOREVER))
    settle(queue, sent(queue, name, "later", 3), name, "dead", "dead", "used up", 3, 0, source="later")
    equal(owner(queue), (name, FOREVER))


def test_it_expires_after_an_outcome(queue):
    for number, (action, *arguments) in enumerate((("accept",), ("drop",))):
        queue.client.flushall()
        name = queue.add(id="k")
        settle(queue, sent(queue, name, number=number + 1), name, action, *arguments)
        expires(queue, name)


def test_a_purge_is_an_outcome(queue):
    for content in ({"id": "k"}, {"bulk": '{"to":"+33612345678","id":"k"}'}):
        queue.client.flushall()
        entry = queue.add(**content)
        name = entry + "/1" if "bulk" in content else entry
        grant = sent(queue, name)
        where = {"bulks": [(entry, 1, 1)]} if "bulk" in content else {"singles": [name]}
        equal(queue.settle(W1, [group(grant, "queue", "dead", ("dead", "used up", 3, 0), [0],
                                      outcomes=[outcome(name, "dead")], ids=["k"], **where)]), ["ok"])
        equal(owner(queue), (name, FOREVER))
        dead = text(queue.client.xrange(key("dead"))[0][0])
        equal(queue.call("purge", *WHO, TTL, 1, dead), ["ok"])
        expires(queue, name)


def test_a_purge_ends_no_id_of_another(queue):
    name = queue.add(id="k")
    part = claimed(queue).parts[0]
    settle(queue, "claim:" + part.claim, name, "dead", "refused", "promotional", 0, 1)
    equal(owner(queue), None)
    mended = queue.enqueue("queue", id="k", **NOTE)[1]
    dead = text(queue.client.xrange(key("dead"))[0][0])
    equal(queue.call("purge", *WHO, TTL, 1, dead), ["ok"])
    equal(owner(queue), (mended, FOREVER))


def test_it_is_released_when_nothing_has_left(queue):
    name = queue.enqueue("queue", id="k", **NOTE)[1]
    part = claimed(queue).parts[0]
    settle(queue, "claim:" + part.claim, name, "free")  # it expired, or was refused for good
    equal(owner(queue), None)
    name = queue.enqueue("queue", id="k", **NOTE)[1]
    part = claimed(queue, number=2).parts[0]
    settle(queue, "claim:" + part.claim, name, "dead", "refused", "promotional", 0, 1)
    equal(owner(queue), None)
    mended = queue.add(id="k")
    sent(queue, mended, number=3)
    equal(owner(queue), (mended, FOREVER))
    # The refused one is requeued after all: its id is the mended one's by now.
    dead = text(queue.client.xrange(key("dead"))[0][0])
    equal(queue.call("requeue", *WHO, 1, dead), ["ok"])
    claimed(queue, number=4)
    equal(queue.grant(W1, W1 + ".4", "later", [(name, 1, 0, "k")]), ["ok", "d", mended])


def test_a_twin_releases_nothing(queue):
    name, twin = queue.add(id="k"), queue.add(id="k")
    part = claimed(queue).parts[0]
    equal(queue.grant(W1, W1 + ".9", "queue", [(name, 1, 0, "k"), (twin, 1, 0, "k")]),
          ["ok", "gd", name])
    for number, (action, *arguments) in enumerate((("free",),
                                                   ("dead", "refused", "promotional", 0, 1))):
        equal(queue.settle(W1, [group("claim:" + part.claim, "queue", action, arguments,
                                      singles=[twin], outcomes=[outcome(twin, "x")], ids=["k"])]),
              ["ok"])
        equal(owner(queue), (name, FOREVER))
        twin = queue.add(id="k")
        part = claimed(queue, number=20 + number).parts[0]


def test_the_owner_passes_again_and_then_has_no_end(queue):
    """It had an outcome and was given another chance: while it waits, the id is its own."""
    name = queue.add(id="k")
    grant = sent(queue, name)
    queue.client.pexpire(key("id:k"), 1000)
    settle(queue, grant, name, "later", 5, 1, "throttled", 0)
    sent(queue, name, "later", 2, 2)
    equal(owner(queue), (name, FOREVER))


if __name__ == "__main__":
    queue_tests.run(globals())
