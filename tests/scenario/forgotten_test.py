"""A Redis that has forgotten its last moments: nothing is lost, doubled or charged twice.

    python3 tests/scenario/forgotten_test.py [word in a test's name]
"""
import forgetting
from forgetting import PRICE, W1, W2, Worker, all_claimable, kinds, places, wait_until
from queue_calls import BUSINESS, CELL, DAY, KEEP, TTL, group, key, outcome, text
from queue_library_test import equal

BULK = "\n".join('{"to":"+3361234567%d","template":"order_shipped","lang":"fr","id":"b%d"}' % (n, n)
                 for n in range(5)) + "\n"


# ---- what was forgotten --------------------------------------------------------------------------

def test_grants_that_were_forgotten_stand_again(house):
    queue = house.queue
    entries = [queue.add() for _ in range(4)]
    worker = Worker(house, W1)
    worker.claim(3)
    mark = house.mark()
    grant = worker.grant("queue", entries[:2])
    queue = house.restart(mark)
    equal(queue.client.exists(key("grants")), 0)
    equal(worker.declare(), entries[:2])
    equal(sorted(all_claimable(queue)), sorted(entries[2:]))  # what is on the wire nobody gets
    flat = queue.call("why", entries[0])
    equal(dict(zip(flat[::2], flat[1::2]))["place"], "granted")
    equal(worker.settle(grant, "accept", [0]), ["ok"])
    equal(worker.settle(grant, "accept", [0]), ["already 1"])
    equal(worker.settle(grant, "later", [1]), ["ok"])
    equal((queue.cost(), places(queue)[entries[1]]), ((1, PRICE), "later"))


def test_claims_that_were_forgotten_are_taken_back(house):
    queue = house.queue
    entries = [queue.add() for _ in range(4)]
    worker = Worker(house, W1)
    mark = house.mark()
    worker.claim(3)
    worker.grant("queue", entries[1:3])
    queue = house.restart(mark)
    equal(queue.client.exists(key("cursor")), 0)  # the whole stream would be claimed again
    equal(worker.declare(), entries[1:3])
    equal(all_claimable(queue), [entries[0], entries[3]])


def test_a_settle_that_was_forgotten_is_done_again(house):
    queue = house.queue
    entries = [queue.add(id="k%d" % n) for n in range(4)]
    worker = Worker(house, W1)
    worker.claim()
    grant = worker.grant("queue", entries, ids={name: "k%d" % n for n, name in enumerate(entries)})
    mark = house.mark()
    worker.settle(grant, "accept", [0, 1], ids=["k0", "k1"])
    worker.settle(grant, "uncertain", [2])
    worker.settle(grant, "drop", [3])
    queue = house.restart(mark)
    equal((queue.cost(), queue.events()), ((0, 0), []))
    equal(worker.declare(), [])
    equal(queue.cost(), (2, 2 * PRICE))
    equal([kinds(queue, entry) for entry in entries], [["accepted"], ["accepted"], ["uncertain"], []])
    equal(places(queue), {entries[2]: "uncertain", entries[3]: "stream"})
    exposed = text(queue.client.hget(key("exposed"), grant + "/2")).split("\t")
    equal(exposed[:2] + exposed[5:6], [entries[2], "1", str(PRICE)])
    equal((queue.client.pttl(key("id:k2")), queue.client.exists(key("grants"))), (-1, 0))
    assert 0 < queue.client.pttl(key("id:k0")) <= TTL
    # Its receipt resolves it as it would have: charged once.
    line = "\t".join(["accepted", entries[2], "1", grant, "2", DAY, CELL, "USD", str(PRICE), "w", "", ""])
    equal(queue.call("receipt", KEEP, TTL, 1, line), ["ok uncertain"])
    equal(queue.cost(), (3, 3 * PRICE))
    equal(all_claimable(queue), [entries[3]])


def test_claim_grant_and_settle_forgotten_at_once(house):
    queue = house.queue
    entries = [queue.add(id="k%d" % n) for n in range(3)]
    worker = Worker(house, W1)
    mark = house.mark()
    worker.claim()
    grant = worker.grant("queue", entries, ids={name: "k%d" % n for n, name in enumerate(entries)})
    worker.settle(grant, "accept", [0], ids=["k0"])
    worker.settle(grant, "uncertain", [1])
    queue = house.restart(mark)
    equal(queue.client.exists(key("id:k0")), 0)
    equal(worker.declare(), [entries[2]])
    equal((queue.cost(), all_claimable(queue)), ((1, PRICE), []))
    assert 0 < queue.client.pttl(key("id:k0")) <= TTL
    equal([queue.client.pttl(key("id:k%d" % n)) for n in (1, 2)], [-1, -1])
    equal(places(queue), {entries[1]: "uncertain", entries[2]: "later"})


def test_an_id_that_another_took_meanwhile_goes_back_to_who_was_sent(house):
    queue = house.queue
    entry = queue.add(id="k")
    worker = Worker(house, W1)
    worker.claim()
    mark = house.mark()
    grant = worker.grant("queue", [entry], ids={entry: "k"})
    queue = house.restart(mark)
    note = dict(to="+33612345678", template="order_shipped", lang="fr")
    equal(queue.enqueue("queue", id="k", **note)[0], "queued")
    worker.declare()
    equal(text(queue.client.get(key("id:k"))), entry)
    twin = worker.claim().members()
    equal(queue.grant(W1, worker.name(), "queue", [(twin[0], 1, 0, "k")]), ["ok", "d", entry])
    equal(worker.settle(grant, "accept", [0], ids=["k"]), ["ok"])


def test_one_that_was_added_and_sent_in_the_forgotten_time_is_not_sent_again(house):
    """Its producer adds it again, for it had an answer that Redis has forgotten: with an id."""
    queue = house.queue
    worker = Worker(house, W1)
    mark = house.mark()
    entries = [queue.add(id="k%d" % n) for n in range(3)]
    worker.claim()
    grant = worker.grant("queue", entries, ids={name: "k%d" % n for n, name in enumerate(entries)})
    worker.settle(grant, "accept", [0], ids=["k0"])
    worker.settle(grant, "uncertain", [1])
    queue = house.restart(mark)
    equal(queue.client.exists(key("queue")), 0)
    equal(worker.declare(), [])
    note = dict(to="+33612345678", template="order_shipped", lang="fr")
    equal([queue.enqueue("queue", id="k%d" % n, **note) for n in range(3)],
          [["duplicate", entry] for entry in entries])
    equal(queue.cost(), (0, 0))  # nobody can tell it from one that was settled and charged


def test_members_of_bulk_entries(house):
    queue = house.queue
    entry = queue.add(bulk=BULK)
    names = ["%s/%d" % (entry, n) for n in range(1, 6)]
    worker = Worker(house, W1)
    worker.claim()
    mark = house.mark()
    grant = worker.grant("queue", names[:4], ids={name: "b%d" % n for n, name in enumerate(names)})
    worker.settle(grant, "accept", [0])
    worker.settle(grant, "uncertain", [1])
    queue = house.restart(mark)
    equal(worker.declare(), names[2:4])
    equal(places(queue), {names[1]: "uncertain", names[2]: "later", names[3]: "later",
                          names[4]: "stream"})
    record = queue.client.hget(key("later:entries"), names[2])
    assert b'"fields":["member",' in record and b"+33612345672" in record, record
    equal(all_claimable(queue), [names[4]])
    equal(worker.settle(grant, "accept", [2, 3]), ["ok", "ok"])
    equal((queue.cost(), places(queue)), ((3, 3 * PRICE), {names[1]: "uncertain", names[4]: "stream"}))


def test_urgent_ones_and_those_of_later(house):
    queue = house.queue
    urgent, plain = queue.add("urgent"), queue.add()
    worker = Worker(house, W1)
    first = worker.claim()
    grant = worker.grant("queue", [plain])
    worker.settle(grant, "later", [0])
    equal([part.source for part in first.parts], ["urgent", "queue"])
    mark = house.mark()
    equal(worker.claim().members(), [plain])  # of later, due again
    grants = [worker.grant("urgent", [urgent]), worker.grant("later", [plain], attempt=2)]
    queue = house.restart(mark)
    equal(sorted(worker.declare()), sorted([urgent, plain]))
    equal(all_claimable(queue), [])
    record = queue.client.hget(key("later:entries"), plain)
    assert b'"attempt":1,' in record and b'try later' in record, record
    equal([worker.settle(grant, "accept", [0]) for grant in grants], [["ok"], ["ok"]])
    equal((queue.cost(), places(queue)), ((2, 2 * PRICE), {}))


def test_an_attempt_of_uncertain_that_was_sent_again(house):
    """Redis has forgotten that the time was over and the member went out again."""
    queue = house.queue
    entry = queue.add()
    worker = Worker(house, W1)
    worker.claim()
    first = worker.grant("queue", [entry])
    equal(queue.settle(W1, [group(first, "queue", "uncertain", (5, 1, "no answer"), [0],
                                  singles=[entry], outcomes=[outcome(entry, "uncertain")])]), ["ok"])
    del worker.grants[first]  # long ago
    mark = house.mark()
    equal(queue.call("overdue", "resend", "resend", KEEP, TTL, 100)[:4], ["ok", 0, 0, 1])
    equal(worker.claim().members(), [entry])
    second = worker.grant("later", [entry], attempt=2)
    queue = house.restart(mark)
    equal(places(queue), {entry: "uncertain"})
    equal(worker.declare(), [entry])
    equal(queue.call("overdue", "resend", "resend", KEEP, TTL, 100)[:4], ["ok", 0, 0, 0])
    assert b'"possible_duplicate":true' in queue.client.hget(key("later:entries"), entry)
    equal(all_claimable(queue), [])
    equal(worker.settle(second, "accept", [0]), ["ok"])
    equal((queue.cost(), text(queue.client.hkeys(key("exposed")))), ((1, PRICE), [first + "/0"]))


def test_a_claim_of_a_dead_worker_is_no_obstacle(house):
    """The first claimed and died; the second claimed it after that, which was forgotten."""
    queue = house.queue
    entries = [queue.add() for _ in range(3)]
    dead, worker = Worker(house, W1), Worker(house, W2)
    dead.claim()
    mark = house.mark()
    queue.fence(W1)
    equal(queue.recover(), [1, 0])
    worker.claim()
    grant = worker.grant("queue", entries[:1])
    queue = house.restart(mark)
    equal(worker.declare(), entries[:1])
    equal(queue.fence(W1), 1)
    equal(queue.recover(), [1, 0])
    equal(worker.claim().members(), entries[1:])
    equal(worker.settle(grant, "accept", [0]), ["ok"])


def test_a_worker_that_was_forgotten_is_one_again(house):
    queue = house.queue
    entries = [queue.add() for _ in range(2)]
    Worker(house, W1)
    mark = house.mark()
    worker = Worker(house, W2)
    worker.claim()
    grant = worker.grant("queue", entries[:1])
    queue = house.restart(mark)
    equal(text(queue.client.hkeys(BUSINESS + ":workers")), [W1])
    assert worker.claim().declare
    equal(worker.declare(), entries[:1])
    equal(worker.settle(grant, "accept", [0]), ["ok"])
    equal(queue.beat(W2, 2, "renew")[0], "ok")


def test_one_who_is_late_gets_no_member_of_others(house):
    """Ten seconds are over: another has claimed, even granted, what was forgotten."""
    queue = house.queue
    entries = [queue.add() for _ in range(3)]
    late, other = Worker(house, W1), Worker(house, W2)
    late_mark = house.mark()
    late.claim()
    grant = late.grant("queue", entries)
    queue = house.restart(late_mark)
    other.declare()
    wait_until("the end of the waiting", lambda: not other.claim().wait)
    equal(len(queue.client.hgetall(key("claims"))), 1)
    theirs = other.grant("queue", entries[:1])
    late.grants[grant]["open"].discard(1)
    late.grants[grant]["accepted"].add(1)
    equal(late.declare(), [])
    # The first is the other's; the second is proven, and leaves when the other settles it.
    equal(queue.cost(), (1, PRICE))
    equal(queue.grant(W2, other.name(), "queue", [(entries[1], 1, 0, "")]), ["ok", "p"])
    equal(other.settle(theirs, "accept", [0]), ["ok"])
    # Its own answer for the first is told as a receipt when it comes.
    line = "\t".join(["accepted", entries[0], "1", grant, "0", DAY, CELL, "USD", str(PRICE), "w", "", ""])
    equal(queue.call("receipt", KEEP, TTL, 1, line), ["known"])


if __name__ == "__main__":
    forgetting.run(globals())
