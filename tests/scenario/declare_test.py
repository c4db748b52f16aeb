"""A Redis that was started anew: workers declare what they have, and others wait for them.

    python3 tests/scenario/declare_test.py [word in a test's name]
"""
import socket
import time

import forgetting
from redis_server import RedisServer
from forgetting import CELLS, PRICE, W1, W2, W3, Worker, all_claimable, kinds, load, places, wait_until
from queue_calls import BUSINESS, DAY, CELL, Queue, key, record_of, text
from queue_library_test import equal, refused

WAIT_SECONDS = 10


# ---- what this process was told -----------------------------------------------------------------

def test_nobody_declares_to_a_redis_that_never_had_workers(house):
    queue = house.queue
    entry = queue.add()
    worker = Worker(house, W1)
    equal(worker.claim().members(), [entry])
    worker.settle(worker.grant("queue", [entry]), "accept", [0])
    assert queue.claim(W2, W2 + ".1").fenced


def test_after_a_restart_nothing_goes_on_before_it_is_declared(house):
    entries = [house.queue.add() for _ in range(3)]
    worker = Worker(house, W1)
    worker.claim(2)
    grant = worker.grant("queue", entries[:1])
    queue = house.restart()
    equal(queue.beat(W1, 2, "renew")[0], "ok")
    before = queue.dump()
    assert worker.claim().declare
    equal(queue.grant(W1, W1 + ".50", "queue", [(entries[1], 1, 0, "")]), ["declare"])
    equal(worker.settle(grant, "accept", [0]), ["declare"])
    equal(queue.leave(W1), ["declare"])
    equal(queue.dump(), before)
    equal(worker.declare(), entries[:1])
    equal(worker.settle(grant, "accept", [0]), ["ok"])
    equal(worker.claim().members(), entries[1:])
    equal((queue.cost(), kinds(queue, entries[0])), ((1, PRICE), ["accepted"]))


def test_a_library_loaded_again_forgets_who_declared(house):
    entry = house.queue.add()
    worker = Worker(house, W1)
    equal(worker.claim().members(), [entry])
    load(house.queue.client)
    assert worker.claim().declare
    equal(worker.declare(), [])
    equal(worker.claim().members(), [entry])


def test_businesses_know_nothing_of_each_other(house):
    Worker(house, W1)
    queue = house.restart()
    other = ("facteur:{other}:de", "facteur:{other}")
    queue.call("beat", W1, 1, "new", keys=other[1:])
    equal(queue.call("claim", W1, W1 + ".1", 5, 1000, keys=other)[0], "ok")
    assert queue.claim(W1, W1 + ".1").declare
    equal(queue.call("declared", W1, keys=other[1:]), ["ok"])
    assert queue.claim(W1, W1 + ".1").declare


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_a_failover_asks_anew_and_a_failback_too(house):
    """A replica that becomes master has been told nothing; nor has a master that comes back."""
    ports = [free_port(), free_port()]
    with RedisServer(settings=["--port", str(ports[0]), "--bind", "127.0.0.1"]) as old, \
            RedisServer(settings=["--port", str(ports[1]), "--bind", "127.0.0.1"]) as new:
        first, second = old.client(), new.client()
        load(first)
        second.execute_command("REPLICAOF", "127.0.0.1", ports[0])
        wait_until("the replica", lambda: second.info("replication")["master_link_status"] == "up")
        queue = Queue(first)
        entry = queue.add()
        queue.beat(W1)
        equal(queue.claim(W1, W1 + ".1").members(), [entry])
        wait_until("the replica", lambda: second.hlen(key("claims")) == 1)

        second.execute_command("REPLICAOF", "NO", "ONE")
        first.execute_command("REPLICAOF", "127.0.0.1", ports[1])
        queue = Queue(second)
        assert queue.claim(W1, W1 + ".2").declare
        equal(queue.declare(W1, W1 + ".3"), [])
        equal(queue.declared(W1), ["ok"])
        equal(queue.claim(W1, W1 + ".4").members(), [entry])

        # The old one comes back without ever having been stopped: its memory is not believed.
        wait_until("the way back", lambda: first.info("replication").get("master_link_status") == "up"
                   and first.hlen(key("claims")) == 1)
        first.execute_command("REPLICAOF", "NO", "ONE")
        assert Queue(first).claim(W1, W1 + ".5").declare


# ---- who waits for whom --------------------------------------------------------------------------

def test_others_wait_until_all_have_declared_in_any_order(house):
    for order in ((0, 1), (1, 0)):
        queue = house.queue
        queue.client.flushall()
        load(queue.client)
        entries = [queue.add() for _ in range(4)]
        workers = [Worker(house, W1), Worker(house, W2)]
        for number, worker in enumerate(workers):
            worker.claim(2)
            worker.grant("queue", [entries[2 * number]])
        queue = house.restart()
        one, two = workers[order[0]], workers[order[1]]
        equal(one.declare(), [entries[2 * order[0]]])
        assert one.claim().wait
        equal(queue.grant(one.holder, one.name(), "queue", [(entries[1], 1, 0, "")]), ["wait"])
        queue.beat(W3)  # a new one has nothing to declare, and waits like all
        assert queue.claim(W3, W3 + ".1").wait
        equal(two.declare(), [entries[2 * order[1]]])
        equal(sorted(queue.claim(W3, W3 + ".2").members()), sorted([entries[1], entries[3]]))
        assert not one.claim().wait
        queue.client.execute_command("FUNCTION", "FLUSH")


def test_nobody_waits_longer_than_ten_seconds_for_a_dead_one(house):
    entry = house.queue.add()
    worker = Worker(house, W1)
    Worker(house, W2)  # it will not come back
    queue = house.restart()
    worker.declare()
    began, waited = time.monotonic(), 0
    while True:
        found = worker.claim()
        if not found.wait:
            break
        waited += 1
        time.sleep(0.25)
    took = time.monotonic() - began
    equal(found.members(), [entry])
    assert WAIT_SECONDS - 0.5 < took < WAIT_SECONDS + 1 and waited > 30, (took, waited)


def test_a_clock_that_jumps_ends_no_waiting(house):
    """What passes between two calls counts for a second at most: here few calls in a long time."""
    worker = Worker(house, W1)
    Worker(house, W2)
    house.restart()
    worker.declare()
    for _ in range(3):
        time.sleep(4)  # as good as a jump of four seconds
        assert worker.claim().wait


def test_one_who_is_fenced_is_not_waited_for(house):
    entry = house.queue.add()
    worker = Worker(house, W1)
    Worker(house, W2)
    queue = house.restart()
    worker.declare()
    assert worker.claim().wait
    equal(queue.fence(W2), 1)
    equal(worker.claim().members(), [entry])


# ---- repeated, undone, refused -------------------------------------------------------------------

def test_a_declare_may_be_repeated(house):
    queue = house.queue
    entries = [queue.add() for _ in range(6)]
    worker = Worker(house, W1)
    worker.claim()
    mark = house.mark()
    grant = worker.grant("queue", entries[:4])
    worker.settle(grant, "accept", [0])
    worker.settle(grant, "uncertain", [1])
    queue = house.restart(mark)
    told = (grant, worker.grants[grant]["record"], [0], [1], [2, 3])
    equal(queue.declare(W1, W1 + ".90", [told]), [[2, 3]])
    before = queue.dump()
    equal(queue.declare(W1, W1 + ".90", [told]), [[2, 3]])  # its reply was lost
    after = queue.dump()
    before.pop(key("claims").encode()), after.pop(key("claims").encode())  # the time it was made
    equal(after, before)
    equal(queue.declare(W1, W1 + ".91", [told]), [[2, 3]])  # under another name, too
    equal(text(queue.client.hkeys(key("claims"))), [W1 + ".91"])
    equal((queue.cost(), len(queue.events())), ((1, PRICE), 2))
    # And once more after another restart, when one was settled meanwhile.
    queue.declared(W1)
    worker.grants[grant]["source"] = "later"
    worker.settle(grant, "accept", [2])
    queue = house.restart()
    equal(worker.declare(), [entries[3]])
    equal(queue.cost(), (2, 2 * PRICE))
    equal(all_claimable(queue), entries[4:])


def test_many_grants_in_several_calls(house):
    queue = house.queue
    entries = [queue.add() for _ in range(6)]
    worker = Worker(house, W1)
    worker.claim()
    grants = [worker.grant("queue", entries[2 * n:2 * n + 2]) for n in range(3)]
    queue = house.restart()
    for number, grant in enumerate(grants):
        equal(queue.declare(W1, W1 + ".9%d" % number, [(grant, worker.grants[grant]["record"], [], [], [0])]),
              [[0]])
        # What was not told yet stays where it is.
        equal(places(queue)[entries[2 * number]], "later")
        assert all(places(queue)[entry] == "stream" for entry in entries[2 * number + 1:])
    queue.declared(W1)
    equal(sorted(all_claimable(queue)), sorted(entries[1::2]))
    for grant in grants:
        worker.grants[grant]["source"] = "later"
        equal(worker.settle(grant, "accept", [0]), ["ok"])
    equal(places(queue), {entry: "stream" for entry in entries[1::2]})


def test_a_grant_in_doubt_is_undone(house):
    """Its reply was lost, so nothing of it left: it may stand or not."""
    for is_forgotten in (False, True):
        queue = house.queue
        queue.client.flushall()
        load(queue.client)
        entries = [queue.add() for _ in range(2)]
        worker = Worker(house, W1)
        worker.claim()
        mark = house.mark()
        grant = worker.grant("queue", entries)
        queue = house.restart(mark if is_forgotten else None)
        worker.grants[grant]["open"] = set()
        # As the worker asked for it; Redis may have left out a duplicate.
        worker.grants[grant]["record"] = record_of(W1, "queue", [(n, 1, 0, "") for n in entries + ["9-9"]],
                                                   CELLS)
        equal(worker.declare(), [])
        equal(queue.client.exists(key("grants")), 0)
        equal(all_claimable(queue), entries)


def test_a_grant_that_is_not_named_stays(house):
    queue = house.queue
    entries = [queue.add() for _ in range(2)]
    worker = Worker(house, W1)
    worker.claim()
    grant = worker.grant("queue", entries[:1])
    queue = house.restart()
    held = worker.grants.pop(grant)
    equal(worker.declare(), [])
    equal(all_claimable(queue), [])  # nobody knows whether it was sent
    worker.grants[grant] = held
    equal(worker.settle(grant, "accept", [0]), ["ok"])


def test_one_deleted_by_hand_goes_on(house):
    queue = house.queue
    entries = [queue.add() for _ in range(2)]
    worker = Worker(house, W1)
    worker.claim()
    grant = worker.grant("queue", entries)
    queue.client.xdel(key("queue"), entries[0])
    house.restart()
    equal(worker.declare(), entries)
    equal(worker.settle(grant, "accept", [0, 1]), ["ok", "ok"])
    equal(worker.queue.cost(), (2, 2 * PRICE))


def test_one_that_was_settled_is_nobodys(house):
    """The settles were done and their replies lost: the worker takes them for open."""
    queue = house.queue
    entries = [queue.add() for _ in range(4)]
    worker = Worker(house, W1)
    worker.claim()
    grant = worker.grant("queue", entries)
    worker.settle(grant, "accept", [0])
    worker.settle(grant, "uncertain", [1])
    mark_of_grant = queue.client.hget(key("grants"), grant + "#")
    worker.grants[grant]["open"] = {0, 1, 2, 3}
    worker.grants[grant]["accepted"] = worker.grants[grant]["uncertain"] = set()
    queue = house.restart()
    equal(text(mark_of_grant), "3")
    equal(worker.declare(), entries[2:])
    equal(worker.settle(grant, "drop", [2, 3]), ["ok", "ok"])  # the grant is whole, and goes
    worker.grants[grant]["open"] = {0, 1}
    queue = house.restart()
    equal(worker.declare(), [])
    equal((queue.cost(), places(queue)), ((1, PRICE), {entries[1]: "uncertain"}))
    equal([len(kinds(queue, entry)) for entry in entries], [1, 1, 1, 1])


def test_who_is_fenced_has_nothing_to_declare(house):
    """Unless Redis may have forgotten its name: so for the first ten seconds it is heard."""
    queue = house.queue
    entry = queue.add()
    worker = Worker(house, W1)
    other = Worker(house, W2)
    worker.claim()
    grant = worker.grant("queue", [entry])
    queue.fence(W1)
    queue.recover()
    equal(worker.declare(), [])  # it is parked, and stays so
    equal((places(queue), queue.fence(W1, 0)), ({entry: "uncertain"}, 1))
    for _ in range(2 * WAIT_SECONDS + 2):
        time.sleep(0.5)
        queue.beat(other.holder, 2, "renew")
    before = queue.dump()
    worker.grants[grant]["open"] = {0}
    equal(worker.declare(), ["fenced"])
    equal(queue.declared(W1), ["fenced"])
    equal(queue.dump(), before)


def test_nonsense_is_refused_and_changes_nothing(house):
    queue = house.queue
    entry = queue.add()
    worker = Worker(house, W1)
    worker.claim()
    grant = worker.grant("queue", [entry])
    good = record_of(W1, "queue", [(entry, 1, 0, "")], CELLS)

    def declare(name=grant, record=good, bits=("", "", ""), head=(W1, W1 + ".9", 5, 10, 10), count=1):
        return lambda: queue.call("declare", *head, count, name, record, *bits)

    many = record_of(W1, "queue", [(entry, 1, 0, "")] * 4097, CELLS)
    for words, call in (
            ("16 hex digits", declare(head=("x", W1 + ".9", 5, 10, 10))),
            ("is no claim of", declare(head=(W1, W2 + ".9", 5, 10, 10))),
            ("is no claim of", declare(head=(W1, W1 + ".9b", 5, 10, 10))),
            ("is of queue", declare(head=(W1, W1 + ".1", 5, 10, 10))),
            ("uncertain_until", declare(head=(W1, W1 + ".9", "x", 10, 10))),
            ("events_keep", declare(head=(W1, W1 + ".9", 5, "x", 10))),
            ("dedupe_ttl", declare(head=(W1, W1 + ".9", 5, 10, -1))),
            ("at least 1 ms", declare(head=(W1, W1 + ".9", 5, 10, 0))),
            ("is no grant of", declare(name=W2 + ".1")),
            ("another holder", declare(record=good.replace(W1, W2))),
            ("cannot be read", declare(record="x")), ("cannot be read", declare(record="")),
            ("cell 0", declare(record=good.replace(DAY, "someday"))),
            ("cell 0", declare(record=good.replace("\t75000", "\t" + "7" * 17))),
            ("cell 0", declare(record="\n".join(good.split("\n")[::2]))),
            ("cannot be read", declare(record=good + "\nx")),
            ("member 0", declare(record=good.replace(entry, "9-9/x"))),
            ("of 1 members says 2", declare(record=good.replace("queue\t1", "queue\t2"))),
            ("cell 0", declare(record=record_of(W1, "queue", [], CELLS))),
            ("4097", declare(record=many)),
            ("accepted", declare(bits=("2", "", ""))), ("uncertain", declare(bits=("", "x", ""))),
            ("open", declare(bits=("", "", "10"))), ("open", declare(bits=("", "", "F"))),
            ("named twice", declare(bits=("1", "1", ""))), ("named twice", declare(bits=("1", "", "1"))),
            ("named twice", declare(bits=("", "1", "1"))),
            ("another record", declare(record=good.replace("\t1\t0\t", "\t2\t0\t"), bits=("", "", "1"))),
            ("ends where", declare(count=2)), ("too many", declare(count=0)),
            ("at most 512 grants", declare(count=513))):
        refused(queue, words, call)
    refused(queue, "named twice", lambda: queue.declare(W1, W1 + ".9", [(grant, good, [], [], [])] * 2))
    three = record_of(W1, "queue", [("%d-1" % n, 1, 0, "") for n in range(1366)], CELLS)
    refused(queue, "4096 members", lambda: queue.declare(
        W1, W1 + ".9", [("%s.%d" % (W1, n), three, [], [], []) for n in range(70, 73)]))
    for words, call in (("16 hex digits", ("x",)), ("too many", (W1, 1)), ("ends where", ())):
        refused(queue, words, lambda: queue.call("declared", *call, keys=(BUSINESS,)))
    for name in ("claims", "grants", "later:held", "exposed", "events", "dead:members"):
        queue.client.rename(key(name), key("aside")) if queue.client.exists(key(name)) else None
        queue.client.set(key(name), "x")
        refused(queue, "holds a string", declare())
        queue.client.delete(key(name))
        queue.client.rename(key("aside"), key(name)) if queue.client.exists(key("aside")) else None
    queue.client.hset(BUSINESS + ":cost:" + DAY, CELL + "#USD.count", "many")
    refused(queue, "many", declare(bits=("1", "", "")))


if __name__ == "__main__":
    forgetting.run(globals())
