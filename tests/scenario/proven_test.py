"""A member that is claimed or granted again while an earlier attempt was accepted after all: however
it leaves, that outcome is told, once. And receipts that come doubled, together, or malformed.

    python3 tests/scenario/proven_test.py [word in a test's name]
"""
from receipts import (FIELDS, ID, OWN_PRICE, PRICE, W1, W2, W3, Life, equal, receipt, run, unchanged)
from queue_calls import (ACCOUNT, CELL, COST, DAY, KEEP, TTL, Refused, census, group, key, outcome,
                         text)

# What a worker may settle: the arguments, and what it tells of it.
BY_GRANT = {"accept": ((), "accepted"), "drop": ((), "failed"), "free": ((), "refused"),
            "dead": (("dead", "used up", 2, 0), "dead"), "later": ((5000, 2, "5xx", 1), None),
            "uncertain": ((5000, 2, "cut"), "uncertain")}
BY_CLAIM = {"drop": ((), "expired"), "free": ((), "refused"),
            "dead": (("refused", "policy", 1, 1), "refused"), "later": ((5000, 1, "paused", 0), None)}


def proven_life(queue, is_bulk, grants=True):
    """Its first attempt is proven, at PRICE, while its second is under way (or claimed)."""
    life = Life(queue, is_bulk)
    life.resent()
    life.claim(W2)
    if grants:
        equal(life.grant(), ["ok", "g"])
    equal(queue.receive(life.receipt("accepted", 1)), ["ok granted" if grants else "ok claimed"])
    equal((queue.exposed(), queue.cost()), ({}, (1, PRICE)))
    equal(life.events(), [])
    return life


def proven_in_stream(queue, is_bulk):
    """Claimed from its stream; Redis had forgotten the attempt."""
    life = Life(queue, is_bulk)
    life.claim(W2)
    equal(queue.receive(life.receipt("accepted", 1)), ["ok claimed"])
    equal((queue.exposed(), queue.cost()), ({}, (1, OWN_PRICE)))
    return life


def left(life):
    """It is nowhere any more, and nothing speaks of it but its id."""
    queue = life.queue
    equal(life.place(), None)
    equal(queue.client.exists(key("proven"), key("dead"), key("dead:members")), 0)
    assert life.id_life() > 0
    life.others_are_untouched()


def told(life):
    return [(event["type"], event["attempt"] if "attempt" in event else "own",
             event.get("possible_duplicate", False)) for event in life.events()]


def by_grant(queue, action, is_bulk):
    life = proven_life(queue, is_bulk)
    arguments, kind = BY_GRANT[action]
    equal(life.settle(action, arguments, told=kind), ["ok"])
    left(life)
    if action == "accept":  # two messages
        equal(told(life), [("accepted", "own", False), ("corrected", 1, True)])
        equal((queue.exposed(), queue.cost()), ({}, (2, 3 * PRICE)))
    elif action == "uncertain":  # perhaps two
        equal(told(life), [("accepted", 1, True)])
        equal((queue.exposed(), queue.cost()), ({life.token: 2 * PRICE}, (1, PRICE)))
        equal(queue.receive(life.receipt("accepted", 2)), ["ok gone"])
        equal(told(life)[1:], [("corrected", 2, True)])
        equal((queue.exposed(), queue.cost()), ({}, (2, 3 * PRICE)))
    else:
        equal(told(life), [("accepted", 1, False)])
        equal((queue.exposed(), queue.cost()), ({}, (1, PRICE)))
    equal(queue.client.exists(key("later:entries"), key("later:held")), 0)
    equal(queue.leave(W2), 1)
    equal(unchanged(queue, lambda: life.settle(action, arguments, told=kind)), ["already"])
    equal(unchanged(queue, lambda: queue.receive(life.receipt("accepted", 1))), ["known"])


def by_claim(queue, action, is_bulk, build):
    life = build(queue, is_bulk)
    arguments, kind = BY_CLAIM[action]
    equal(life.settle(action, arguments, by_claim=True, told=kind), ["ok"])
    left(life)
    equal(told(life), [("accepted", 1, False)])
    equal(queue.cost()[0], 1)
    equal(unchanged(queue, lambda: life.settle(action, arguments, by_claim=True, told=kind)),
          ["already"])


def settle_tests():
    for is_bulk in (False, True):
        kind = "bulk" if is_bulk else "single"
        for action in BY_GRANT:
            yield ("test_granted_then_%s_%s" % (action, kind),
                   lambda queue, a=action, b=is_bulk: by_grant(queue, a, b))
        for action in BY_CLAIM:
            yield ("test_claimed_then_%s_%s" % (action, kind), lambda queue, a=action, b=is_bulk:
                   by_claim(queue, a, b, lambda q, c: proven_life(q, c, grants=False)))
            yield ("test_claimed_from_stream_then_%s_%s" % (action, kind),
                   lambda queue, a=action, b=is_bulk: by_claim(queue, a, b, proven_in_stream))


# ---- the worker dies, or gives back ---------------------------------------------------------------

def test_recover_of_a_granted_one(queue):
    for is_bulk in (False, True):
        queue.client.flushall()
        life = proven_life(queue, is_bulk)
        queue.fence(W2)
        equal(queue.recover(5000), [1, 1])
        left(life)
        equal(told(life), [("accepted", 1, True)])
        equal((queue.exposed(), queue.cost()), ({life.token: 2 * PRICE}, (1, PRICE)))
        equal(queue.client.exists(key("uncertain"), key("uncertain:entries")), 0)
        equal(unchanged(queue, lambda: life.settle("accept", told="accepted")), ["already"])
        equal(queue.receive(life.receipt("accepted", 2)), ["ok gone"])  # that answer, told again
        equal((queue.exposed(), queue.cost()), ({}, (2, 3 * PRICE)))


def test_recover_of_a_claimed_one(queue):
    """It waits again, and whoever claims it next is told not to send it."""
    for build in (lambda: proven_life(queue, True, grants=False),
                  lambda: proven_in_stream(queue, False)):
        queue.client.flushall()
        life = build()
        queue.fence(W2)
        queue.recover(5000)
        equal(life.events(), [])
        life.claim(W3)
        equal("p" in life.grant()[1], True)
        equal(life.settle("free", by_claim=True), ["ok"])
        left(life)
        equal(told(life), [("accepted", 1, False)])


def test_given_back(queue):
    life = proven_life(queue, False, grants=False)
    equal(queue.give_back(W2, life.claim_name), 1)
    life.claim(W1)
    equal(life.grant(), ["ok", "p"])
    equal(queue.client.hexists(key("grants"), life.grant_name), False)
    equal(unchanged(queue, lambda: queue.grant(W1, life.grant_name, "later",
                                               [(life.member, 2, 0, ID)])), ["ok", "p"])
    equal(life.settle("free", by_claim=True), ["ok"])
    left(life)


def test_given_back_and_proven_again(queue):
    """What waits and is proven leaves with the next proof; the one before is told besides."""
    life = proven_life(queue, False, grants=False)
    equal(queue.give_back(W2, life.claim_name), 1)
    equal(queue.receive(life.receipt("accepted", 9)), ["ok later"])
    left(life)
    equal(told(life), [("accepted", 9, False), ("corrected", 1, True)])


# ---- more than one --------------------------------------------------------------------------------

def test_two_attempts_are_proven(queue):
    life = Life(queue, False)
    life.resent()
    life.resent()
    life.claim(W2)
    life.grant()
    equal(queue.receive(life.receipt("accepted", 2)), ["ok granted"])
    equal(queue.receive(life.receipt("accepted", 1)), ["ok granted"])
    equal(told(life), [("corrected", 1, True)])
    for number in (1, 2):
        equal(unchanged(queue, lambda: queue.receive(life.receipt("accepted", number))), ["known"])
    equal(life.settle("drop", told="failed"), ["ok"])
    left(life)
    equal(told(life), [("corrected", 1, True), ("accepted", 2, False)])
    equal((queue.exposed(), queue.cost()), ({}, (2, 3 * PRICE)))


def test_the_second_is_accepted_by_its_receipt(queue):
    life = proven_life(queue, True)
    equal(queue.receive(life.receipt("accepted", 2)), ["ok granted"])
    left(life)
    equal(told(life), [("accepted", 2, True), ("corrected", 1, True)])
    equal((queue.exposed(), queue.cost()), ({}, (2, 3 * PRICE)))


def test_the_second_failed_by_its_receipt(queue):
    life = proven_life(queue, False)
    equal(queue.receive(life.receipt("failed", 2)), ["ok granted"])
    left(life)
    equal(told(life), [("accepted", 1, False)])


def test_receipts_of_all_attempts_in_one_call(queue):
    for is_bulk in (False, True):
        for order in ((1, 2, 3), (3, 2, 1), (2, 1, 3)):
            queue.client.flushall()
            life = Life(queue, is_bulk)
            life.resent()
            life.resent()
            life.claim(W2)
            life.grant()
            lines = [life.receipt("accepted", number) for number in order]
            answers = queue.receive(*lines, *lines)
            equal([answer[:3] for answer in answers], ["ok "] * 3 + ["kno"] * 3)
            left(life)
            kinds = [kind for kind, _, _ in told(life)]
            equal(sorted(kinds), ["accepted", "corrected", "corrected"])
            equal((queue.exposed(), queue.cost()), ({}, (3, 6 * PRICE)))
            equal(unchanged(queue, lambda: queue.receive(*lines)), ["known"] * 3)


def test_accepted_and_failed_of_one_attempt(queue):
    """The first that comes decides; the other finds nothing."""
    for words, kind, cost in ((("accepted", "failed"), "accepted", (1, PRICE)),
                              (("failed", "accepted"), "failed", (0, 0))):
        queue.client.flushall()
        life = Life(queue, True)
        life.uncertain()
        equal(queue.receive(*[life.receipt(word, 1) for word in words]), ["ok uncertain", "known"])
        left(life)
        equal((told(life), queue.cost(), queue.exposed()), ([(kind, 1, False)], cost, {}))


def test_all_members_of_a_grant_in_one_call(queue):
    """A whole grant, singles and bulk members: the grant goes, the entries go."""
    singles = [queue.add(id="k%d" % n) for n in range(70)]
    bulk = queue.add(bulk="\n".join('{"id":"b%d"}' % n for n in range(64)))
    queue.beat(W1)
    part, = queue.claim(W1, W1 + ".1", 1000).parts
    members = part.members()
    grant = W1 + ".2"
    queue.grant(W1, grant, "queue", [(member, 1, 0, "") for member in members],
                [(DAY, CELL, "USD", 3)])
    lines = [receipt("accepted", member, grant, i) for i, member in enumerate(members)]
    before = queue.receive(*lines[:65], *lines[66:])
    equal(set(before), {"ok granted"})
    equal(len(census(queue)), 1)
    equal(queue.stats()["granted"], 1)
    equal(queue.receive(lines[65], *lines), ["ok granted"] + ["known"] * len(lines))
    equal((census(queue), queue.cost()), ({}, (134, 402)))
    equal(queue.client.exists(key("grants"), key("left"), key("exposed"), key("proven")), 0)
    equal([event["entry"] for event in queue.events()],
          members[:65] + members[66:] + [members[65]])
    equal(len(singles) + 64, len(members))
    equal(queue.client.xlen(key("queue")), 0)
    equal(queue.settle(W1, [], [part.claim]), [])
    equal(queue.leave(W1), 1)
    equal(bulk in members, False)


def test_a_group_with_proven_ones_among_others(queue):
    """Only theirs is told otherwise; the others' ids are released, theirs is kept."""
    for action, kind in (("free", "refused"), ("drop", "failed"), ("accept", "accepted")):
        queue.client.flushall()
        entries = [queue.add(id="k%d" % n) for n in range(4)]
        queue.beat(W1)
        claim = queue.claim(W1, W1 + ".1").parts[0].claim
        grant = W1 + ".2"
        queue.grant(W1, grant, "queue", [(entry, 1, 0, "k%d" % n)
                                         for n, entry in enumerate(entries)],
                    [(DAY, CELL, "USD", 10)])
        proofs = [receipt("accepted", entries[n], W3 + ".9", n, price=1) for n in (1, 3)]
        equal(queue.receive(*proofs), ["ok granted"] * 2)
        outcomes = [outcome(entry, kind, own=True) for entry in entries]
        if action == "drop":
            outcomes = ["=4", "\n".join(outcomes)]
        one = group(grant, "queue", action, (), range(4), [(0, 4, 40)] if action == "accept" else [],
                    entries, ids=["k%d" % n for n in range(4)],
                    outcomes=() if action == "drop" else outcomes)
        if action == "drop":  # outcomes joined: "=COUNT" and one argument
            at = len(one) - 1 - 4 - 1
            one = one[:at] + outcomes + one[at + 1:]
        equal(queue.settle(W1, [one], [claim]), ["ok"])
        found = [(event["entry"], event["type"], "own" in event) for event in queue.events()]
        own = [(entries[n], kind, True) for n in (range(4) if action == "accept" else (0, 2))]
        equal(found, own + [(entries[n], "corrected" if action == "accept" else "accepted", False)
                            for n in (1, 3)])
        ids = [queue.client.pttl(key("id:k%d" % n)) for n in range(4)]
        equal([life > 0 for life in ids], [action != "free", True] * 2)
        equal(queue.cost(), (6, 42) if action == "accept" else (2, 2))
        equal((census(queue), queue.client.exists(key("proven"), key("grants"))), ({}, 0))


def test_why_says_so(queue):
    life = proven_life(queue, False)
    flat = queue.call("why", life.member)
    found = dict(zip(flat[0::2], flat[1::2]))
    equal((found["place"], found["proven"]), ("granted", life.tokens[1]))


# ---- ids ------------------------------------------------------------------------------------------

def test_an_id_that_was_forgotten_is_taken(queue):
    """Redis lost the grant, and with it the id; what was sent keeps it all the same."""
    entry = queue.add(id="once")
    equal(queue.receive(receipt("accepted", entry, W3 + ".1", 0)), ["ok waiting"])
    equal(queue.client.get(key("id:once")), entry.encode())
    equal(queue.enqueue("queue", **FIELDS, id="once"), ["duplicate", entry])
    assert 0 < queue.client.pttl(key("id:once")) <= TTL


def test_an_id_of_somebody_else_stays(queue):
    entry = queue.add(id="mine")
    queue.client.set(key("id:mine"), "5-5")
    equal(queue.receive(receipt("accepted", entry, W3 + ".1", 0)), ["ok waiting"])
    equal((queue.client.get(key("id:mine")), queue.client.pttl(key("id:mine"))), (b"5-5", -1))
    entry = queue.add(id="list")
    queue.client.rpush(key("id:list"), "x")
    equal(queue.receive(receipt("accepted", entry, W3 + ".1", 0)), ["ok waiting"])
    equal(queue.client.lrange(key("id:list"), 0, -1), [b"x"])


# ---- streams --------------------------------------------------------------------------------------

def test_waiting_in_each_stream(queue):
    """Behind the cursor and in a range that was given back, urgent ones and replies too."""
    for stream in ("queue", "urgent", "replies"):
        queue.client.flushall()
        first, second = queue.add(stream), queue.add(stream)
        if stream != "replies":
            queue.beat(W1)
            equal(queue.claim(W1, W1 + ".1", 1).members(), [first])
            equal(queue.give_back(W1, W1 + ".1"), 1)
        for entry in (first, second):
            equal(queue.receive(receipt("accepted", entry, W3 + ".1", 0)), ["ok waiting"])
        equal(census(queue), {})
        equal([event["entry"] for event in queue.events()], [first, second])
        if stream != "replies":
            equal(queue.claim(W1, W1 + ".2").members(), [])


def test_members_of_a_bulk_leave_one_by_one(queue):
    bulk = queue.add("urgent", bulk="{}\n{}\n{}")
    lines = [receipt("accepted", "%s/%d" % (bulk, n), W3 + ".1", n) for n in range(1, 4)]
    for n in (1, 0):
        equal(queue.receive(lines[n]), ["ok waiting"])
    equal(census(queue), {bulk + "/3": ["stream"]})
    equal(queue.receive(*lines), ["known", "known", "ok waiting"])
    equal((census(queue), queue.client.exists(key("left"))), ({}, 0))


def test_names_of_nothing(queue):
    """A member that is none of its entry's, an entry asked for as a whole, one that never was."""
    bulk, single = queue.add(bulk="{}\n{}"), queue.add()
    names = (bulk, bulk + "/3", bulk + "/64", single + "/1", "5-5", "u" + single, "r5-5/2")
    lines = [receipt(status, name, W3 + ".1", 0) for name in names
             for status in ("accepted", "failed")]
    equal(unchanged(queue, lambda: queue.receive(*lines)), ["known"] * len(lines))


def test_tokens_that_do_not_fit(queue):
    """A receipt whose token is another member's, of its grant or exposed: nothing is done."""
    life = Life(queue, False)
    life.claim()
    life.grant()
    other = life.others[0]
    grant = life.grant_name
    equal(unchanged(queue, lambda: queue.receive(receipt("failed", other, grant, 1))), ["known"])
    life.settle("uncertain", (5000, 1, "cut"))
    for line in (receipt("accepted", other, grant, 1), receipt("failed", other, grant, 1)):
        equal(unchanged(queue, lambda: queue.receive(line)), ["known"])
    equal(queue.exposed(), {life.token: PRICE})


# ---- calls that are refused -----------------------------------------------------------------------

def refused(queue, words, call):
    def refusal():
        try:
            return "not refused: %r" % call()
        except Refused as error:
            return str(error)
    found = unchanged(queue, refusal)
    assert words in found and "script:" not in found, "%r, wanted %r" % (found, words)


def test_malformed_lines_write_nothing(queue):
    life = Life(queue, True)
    life.uncertain()
    good = life.receipt("accepted", 1)
    columns = good.split("\t")
    bad = [(0, "sent"), (0, ""), (0, "ACCEPTED"), (1, "nobody"), (1, life.entry + "/100"), (1, "1-1/"),
           (1, "18446744073709551616-0"), (1, "1-" + "1" * 60), (1, ""), (2, "x"), (2, "-1"),
           (2, "1" * 16), (3, "grant"), (3, W1), (3, W1[1:] + ".1"), (3, W1 + ".x"),
           (3, W1 + "." + "1" * 30), (4, "4096"), (4, ""), (4, "1.5"), (5, "2026-1-1"), (5, ""),
           (6, ""), (6, "a\nb"), (6, "a\x01"), (7, "usd"), (7, ""), (8, "-1"), (8, "1" * 17),
           (8, "1e3"), (9, "a\nb"), (11, "\x7f")]
    for column, value in bad:
        line = "\t".join(columns[:column] + [value] + columns[column + 1:])
        refused(queue, "FACTEUR", lambda: queue.receive(good, line))
    for line in ("", "\t".join(columns[:11]), good + "\tmore", good + "\n"):
        refused(queue, "cannot be read", lambda: queue.receive(good, line))
    refused(queue, "512 receipts", lambda: queue.receive(*[good] * 513))
    refused(queue, "ends where", lambda: queue.call("receipt", KEEP, TTL, 2, good))
    refused(queue, "too many", lambda: queue.call("receipt", KEEP, TTL, 1, good, good))
    refused(queue, "whole number", lambda: queue.call("receipt", "x", TTL, 1, good))
    refused(queue, "dedupe_ttl", lambda: queue.receive(good, ttl=0))
    refused(queue, "two keys", lambda: queue.call("receipt", KEEP, TTL, 1, good, keys=(ACCOUNT,)))
    equal(unchanged(queue, queue.receive), [])
    equal(queue.receive(*[good] * 512), ["ok uncertain"] + ["known"] * 511)


def test_wrong_types_write_nothing(queue):
    names = ("queue", "urgent", "replies", "left", "claims", "grants", "later", "later:entries",
             "later:held", "uncertain", "uncertain:entries", "dead", "dead:members", "dead:parked",
             "exposed", "proven", "events", "events:index")
    for name in names:
        queue.client.flushall()
        life = Life(queue, False)
        life.uncertain()
        queue.client.delete(key(name))
        queue.client.set(key(name), "x")
        refused(queue, "key %s holds a string" % key(name),
                lambda: queue.receive(life.receipt("accepted", 1)))


def test_a_ledger_without_room_writes_nothing(queue):
    """Of the cell that would be charged, before anything is done for the other lines."""
    field = CELL + "#USD"
    for build in (lambda life: life.uncertain(), lambda life: (life.claim(), life.grant()),
                  lambda life: None):
        for name, value in ((".millionths", "1" * 18), (".millionths", "1.5"), (".count", "many")):
            queue.client.flushall()
            life = Life(queue, False)
            other = queue.add()
            build(life)
            queue.client.hset(COST + DAY, field + name, value)
            lines = [receipt("accepted", other, W3 + ".8", 0, day="2026-10-02"),
                     life.receipt("accepted", 1)]
            refused(queue, "cell " + field + name, lambda: queue.receive(*lines))
            queue.client.hset(COST + DAY, field + name, "1" * 17)
            equal([answer[:2] for answer in queue.receive(*lines)], ["ok", "ok"])
    for build in (lambda life: life.uncertain(), lambda life: (life.claim(), life.grant())):
        queue.client.flushall()
        life = Life(queue, False)
        build(life)  # its cell is on DAY, whatever the receipt says
        queue.client.hset(COST + DAY, field + ".count", "many")
        refused(queue, "cell " + field, lambda: queue.receive(
            life.receipt("accepted", 1, day="2026-10-04")))
    queue.client.set(COST + "2026-10-03", "x")
    entry = queue.add()
    refused(queue, "holds a string",
            lambda: queue.receive(receipt("accepted", entry, W3 + ".7", 0, day="2026-10-03")))


def test_large_amounts_are_exact(queue):
    """Beyond what a double holds: 512 receipts of the largest price."""
    entries = [queue.add() for _ in range(512)]
    most = 10 ** 16 - 1
    field = CELL + "#USD"
    queue.client.hset(COST + DAY, field + ".millionths", 10 ** 17 - 1)
    equal(set(queue.receive(*[receipt("accepted", entry, W3 + ".1", n, price=most)
                              for n, entry in enumerate(entries)])), {"ok waiting"})
    equal(queue.cost(), (512, 10 ** 17 - 1 + 512 * most))
    assert '"price":%d' % most in text(queue.client.xrange(key("events"))[0][1][b"outcomes"])


def test_records_that_cannot_be_read_write_nothing(queue):
    life = Life(queue, False)
    life.uncertain()
    line, other = life.receipt("accepted", 1), queue.add()
    queue.client.hset(key("exposed"), life.token, "nonsense")
    refused(queue, "exposed attempt", lambda: queue.receive(line))
    queue.client.hset(key("proven"), life.member, "nonsense")
    refused(queue, "proven", lambda: queue.receive(line))
    queue.client.hset(key("claims"), W1 + ".5", "nonsense")
    refused(queue, "claim", lambda: queue.receive(receipt("failed", other, W3 + ".1", 0)))
    queue.client.hset(key("grants"), W3 + ".1", "nonsense")
    refused(queue, "grant", lambda: queue.receive(receipt("failed", "5-5", W3 + ".1", 0)))


def test_uncertain_ones_that_cannot_be_read_still_leave(queue):
    """Its attempt stands in exposed: what its record said beside the fields is not needed."""
    life = Life(queue, False)
    life.uncertain()
    queue.client.hset(key("uncertain:entries"), life.member, "nonsense")
    equal(queue.receive(life.receipt("accepted", 1)), ["ok uncertain"])
    equal((life.place(), queue.cost(), queue.exposed()), (None, (1, PRICE), {}))


def test_events_are_kept_within_bounds(queue):
    entries = [queue.add() for _ in range(60)]
    for n, entry in enumerate(entries):
        queue.receive(receipt("accepted", entry, W3 + ".1", n), keep=20)
    assert 20 <= len(queue.events()) <= 40
    equal(queue.events()[-1]["entry"], entries[-1])


TESTS = dict(globals(), **dict(settle_tests()))

if __name__ == "__main__":
    run(TESTS)
