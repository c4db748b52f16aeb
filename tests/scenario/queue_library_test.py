"""The function library against a real Redis: every function, every transition, every refusal.

    python3 tests/scenario/queue_library_test.py [word in a test's name]
"""
import sys
import time
import traceback

from redis_server import RedisServer
from queue_calls import (ACCOUNT, BUSINESS, CELL, COST, DAY, Claimed, Queue, Refused, census, group,
                         holder_name, key, outcome, text)

W1, W2, W3 = holder_name(1), holder_name(2), holder_name(3)
BULK = "\n".join('{"to":"+3361234567%d","template":"order_shipped","lang":"fr","ref":"r%d"}' % (n, n)
                 for n in range(3)) + "\n"


def equal(found, wanted):
    assert found == wanted, "found %r, wanted %r" % (found, wanted)


def refused(queue, words, call):
    """`call` must be refused with these words, and must change nothing."""
    before = queue.dump()
    try:
        reply = call()
    except Refused as error:
        assert words in str(error), "refused with %r, wanted %r" % (str(error), words)
        assert "script:" not in str(error), "not a refusal of ours: %s" % error
    else:
        raise AssertionError("not refused (%s): %r" % (words, reply))
    equal(queue.dump(), before)


def repeated(queue, call):
    """A call whose reply was lost and that comes again must change nothing more."""
    call()
    before = queue.dump()
    second = call()
    equal(queue.dump(), before)
    return second


def member_lines(members, cell=0):
    return [(member, 1, cell, "") for member in members]


def claimed(queue, holder=W1, number=1, **limits):
    queue.beat(holder)
    return queue.claim(holder, "%s.%d" % (holder, number), **limits)


def granted(queue, members, holder=W1, number=1, source="queue", price=75000):
    grant = "%s.%d" % (holder, number)
    reply = queue.grant(holder, grant, source, member_lines(members),
                        [(DAY, CELL, "USD", price)])
    equal(reply, ["ok", "g" * len(members)])
    return grant


# ---- workers ------------------------------------------------------------------------------------

def test_version(queue):
    equal(queue.call("version", keys=()), "1.2.0")


def test_beat(queue):
    equal(queue.beat(W1, 1, "renew"), ["fenced"])
    reply = queue.beat(W1, 7, "new")
    equal(reply[0], "ok")
    assert abs(reply[1] - time.time() * 1000) < 5000
    queue.beat(W2, 9, "new")
    reply = queue.beat(W1, 8, "renew")
    equal(dict(zip(reply[2::2], reply[3::2])), {W1: "8", W2: "9"})
    for words, arguments in (("16 hex digits", ("short", 1, "new")),
                             ("whole number", (W1, "x", "new")),
                             ("new or renew", (W1, 1, "old")), ("ends where", (W1, 1)),
                             ("too many", (W1, 1, "new", "more"))):
        refused(queue, words, lambda: queue.call("beat", *arguments, keys=(BUSINESS,)))
    refused(queue, "business", lambda: queue.call("beat", W1, 1, "new", keys=()))


def test_fence(queue):
    queue.beat(W1, 5)
    equal(queue.fence(W1, 4), 0)
    equal(queue.fence(W2, 5), 0)
    equal(queue.fence(W1, 5), 1)
    equal(queue.fence(W1, 5), 0)
    equal(queue.beat(W1, 6, "renew"), ["fenced"])


def test_leave(queue):
    entry = queue.add()
    part = claimed(queue).parts[0]
    equal(queue.leave(W1), 0)
    grant = granted(queue, [entry])
    queue.settle(W1, [group(grant, "queue", "drop", indexes=[0], singles=[entry])], [part.claim])
    queue.beat(W2)
    equal(queue.call("leave", W1, keys=(ACCOUNT, BUSINESS + ":es", BUSINESS)), 1)
    equal(queue.leave(W1), 1)
    equal(text(queue.client.hkeys(BUSINESS + ":workers")), [W2])


# ---- claim --------------------------------------------------------------------------------------

def test_claim_needs_a_living_holder(queue):
    queue.add()
    before = queue.dump()
    assert queue.claim(W1, W1 + ".1").fenced
    equal(queue.dump(), before)


def test_claim_of_nothing(queue):
    found = claimed(queue)
    equal((found.parts, found.next_due, found.cursor_queue), ([], -1, "0-0"))
    equal(queue.client.exists(key("claims")), 0)


def test_claim_order_and_cursor(queue):
    plain = [queue.add(ref=str(n)) for n in range(5)]
    urgent = [queue.add("urgent") for n in range(2)]
    queue.client.hset(key("later:entries"), "1-1", '{"attempt":1,"fields":["to","+33"]}')
    queue.client.zadd(key("later"), {"1-1": 5})
    found = claimed(queue, members=6)
    equal([(part.claim, part.source) for part in found.parts],
          [(W1 + ".1", "urgent"), (W1 + ".1b", "later"), (W1 + ".1c", "queue")])
    equal(found.members(), urgent + ["1-1"] + plain[:3])
    equal(found.parts[2].entries[1][1]["ref"], "1")
    equal((found.cursor_urgent, found.cursor_queue), (urgent[1][1:], plain[2]))
    equal(queue.client.zcard(key("later")), 0)
    equal(claimed(queue, number=2).members(), plain[3:])
    equal(claimed(queue, number=3).members(), [])
    record = text(queue.client.hget(key("claims"), W1 + ".1c")).split("\t")
    equal(record[:4], [W1, "queue", plain[0], plain[2]])
    equal(text(queue.client.hget(key("claims"), W1 + ".1b")).split("\t")[1:4], ["later", "1-1", "-"])


def test_claim_of_many_pages(queue):
    entries = [queue.add() for _ in range(700)]
    equal(claimed(queue, members=600).members(), entries[:600])
    equal(claimed(queue, number=2, members=600).members(), entries[600:])


def test_claim_budgets(queue):
    entries = [queue.add(**{"1": "x" * 10000}) for _ in range(5)]
    equal(claimed(queue, size=35000).members(), entries[:3])
    equal(claimed(queue, number=2, size=1).members(), entries[3:4])  # one always
    bulks = [queue.add(bulk=BULK) for _ in range(4)]
    equal(claimed(queue, number=3, members=129).members(),
          entries[4:] + [bulk + "/%d" % n for bulk in bulks[:2] for n in (1, 2, 3)])
    equal(len(claimed(queue, number=4, members=1).members()), 3)


def test_claim_of_a_too_large_entry(queue):
    large = queue.add(**{"1": "x" * (256 * 1024)})
    small = queue.add()
    part = claimed(queue).parts[0]
    equal([(name, content is None) for name, content in part.entries], [(large, True), (small, False)])
    dead = group("claim:" + part.claim, "queue", "dead", ("failed", "too large", 0, 1),
                 singles=[large], outcomes=[outcome(large, "dead")])
    equal(queue.settle(W1, [dead]), ["ok"])
    kept = dict(queue.client.xrange(key("dead"))[0][1])
    equal(len(kept[b"o.1"]), 256 * 1024)


def test_claim_of_entries_with_many_fields(queue):
    """What a worker keeps of a value is more than its bytes: tiny ones without end fit nowhere."""
    words = [word for number in range(129) for word in ("p.%d" % number, "")]
    many = queue.client.execute_command("XADD", key("queue"), "*", *words).decode()
    some = [queue.client.execute_command("XADD", key("queue"), "*", *words[:256]).decode()
            for _ in range(3)]
    part = claimed(queue, size=2 * 20000).parts[0]
    equal([(name, content is None) for name, content in part.entries],
          [(many, True), (some[0], False), (some[1], False)])


def test_claim_repeated(queue):
    queue.add(bulk=BULK)
    queue.add("urgent")
    queue.client.hset(key("later:entries"), "1-1", '{"attempt":1,"fields":["to","+33"]}')
    queue.client.zadd(key("later"), {"1-1": 5})
    queue.beat(W1)
    first = queue.claim(W1, W1 + ".1")
    before = queue.dump()
    second = queue.claim(W1, W1 + ".1")
    equal(queue.dump(), before)
    equal([vars(part) for part in second.parts], [vars(part) for part in first.parts])
    equal(len(second.members()), 5)


def test_claim_skips_a_later_member_without_record(queue):
    queue.client.hset(key("later:entries"), "2-1", '{"attempt":1,"fields":["to","+33"]}')
    queue.client.zadd(key("later"), {"1-1": 5, "2-1": 6, "3-1": time.time() * 1000 + 60000})
    found = claimed(queue)
    equal(found.members(), ["2-1"])
    assert found.next_due > found.now
    equal(queue.client.zcard(key("later")), 1)


def test_claim_of_what_was_read_ahead(queue):
    entries = [queue.add() for _ in range(6)]
    urgent = queue.add("urgent")
    queue.beat(W1)
    queue.beat(W2)

    def claim(holder, number, *ahead, members=500):
        name = "%s.%d" % (holder, number)
        return Claimed(queue.call("claim", holder, name, members, 1 << 20, *ahead))

    found = claim(W1, 1, "queue", "0-0", entries[2], 3)
    equal([(part.source, part.is_ahead) for part in found.parts], [("urgent", False), ("queue", True)])
    equal((found.cursor_queue, found.cursor_urgent), (entries[2], urgent[1:]))
    record = text(queue.client.hget(key("claims"), W1 + ".1b")).split("\t")
    equal(record[:4], [W1, "queue", entries[0], entries[2]])
    # Its reply was lost: asked again, the contents come from Redis.
    equal(claim(W1, 1, "queue", "0-0", entries[2], 3).members(), [urgent] + entries[:3])
    # Another one read from the same cursor: it learns where the cursor is now, and gets nothing.
    before = queue.dump()
    found = claim(W2, 1, "queue", "0-0", entries[4], 5)
    equal((found.parts, found.cursor_queue), ([], entries[2]))
    # Neither beyond the end, nor over the budget when something else was given.
    equal(claim(W2, 1, "queue", entries[2], "18446744073709551615-1", 5).parts, [])
    equal(queue.dump(), before)
    urgent = queue.add("urgent")
    found = claim(W2, 1, "queue", entries[2], entries[5], 3, members=3)
    equal([part.source for part in found.parts], ["urgent"])
    found = claim(W2, 2, "queue", entries[2], entries[5], 3, "urgent", urgent[1:], "9" * 13 + "-1", 1,
                  members=2)
    equal([(part.source, part.is_ahead) for part in found.parts], [("queue", True)])
    queue.give_back(W2, W2 + ".2")
    equal(claimed(queue, W1, 3).members(), entries[3:])


def test_claim_refused(queue):
    queue.beat(W1)
    queue.add()
    for words, arguments in (
            ("is no claim of", (W1, W2 + ".1", 1, 1)), ("is no claim of", (W1, W1 + ".1b", 1, 1)),
            ("is no claim of", (W1, W1 + ".", 1, 1)), ("is no claim of", (W1, W1 + ".1" * 20, 1, 1)),
            ("whole number", (W1, W1 + ".1", "-1", 1)), ("ends where", (W1, W1 + ".1", 1)),
            ("of queue or urgent", (W1, W1 + ".1", 1, 1, "later", "0-0", "1-1", 1)),
            ("once", (W1, W1 + ".1", 1, 1) + 2 * ("queue", "0-0", "1-1", 1)),
            ("is no range", (W1, W1 + ".1", 1, 1, "queue", "1-1", "1-1", 1)),
            ("is no range", (W1, W1 + ".1", 1, 1, "queue", "x", "1-1", 1)),
            ("ends where", (W1, W1 + ".1", 1, 1, "queue", "0-0", "1-1"))):
        refused(queue, words, lambda: queue.call("claim", *arguments))
    refused(queue, "two keys", lambda: queue.call("claim", W1, W1 + ".1", 1, 1, keys=(ACCOUNT, "x")))


# ---- grant --------------------------------------------------------------------------------------

def test_grant_record(queue):
    entry = queue.add(id="k1")
    claimed(queue)
    members = [(entry, 1, 0, "k1"), ("5-5/3", 2, 1, "")]
    cells = [(DAY, CELL, "USD", 75000), (DAY, "fr|IN|India|utility|t|2018", "USD", 1400)]
    equal(queue.grant(W1, W1 + ".9", "queue", members, cells, at=42), ["ok", "gg"])
    record = text(queue.client.hget(key("grants"), W1 + ".9")).split("\n")
    equal(record, [W1 + "\t42\tqueue\t2", "c\t%s\t%s\tUSD\t75000" % (DAY, CELL),
                   "c\t%s\tfr|IN|India|utility|t|2018\tUSD\t1400" % DAY, entry + "\t1\t0\tk1",
                   "5-5/3\t2\t1\t"])
    equal(text(queue.client.get(key("id:k1"))), entry)
    equal(queue.client.pttl(key("id:k1")), -1)  # its owner's, however long it waits


def test_grant_marks_duplicates(queue):
    entries = [queue.add(id="same") for _ in range(3)] + [queue.add(id="owned")]
    queue.client.set(key("id:owned"), "9-9/2")
    claimed(queue)
    lines = [(entry, 1, 0, "same") for entry in entries[:3]] + [(entries[3], 1, 0, "owned")]
    wanted = ["ok", "gddd", entries[0], entries[0], "9-9/2"]
    equal(queue.grant(W1, W1 + ".1", "queue", lines), wanted)
    equal(text(queue.client.hget(key("grants"), W1 + ".1")).count("\n"), 2)
    equal(repeated(queue, lambda: queue.grant(W1, W1 + ".1", "queue", lines)), wanted)
    # A later attempt of the owner itself is no duplicate.
    equal(queue.grant(W1, W1 + ".2", "queue", lines[:1]), ["ok", "g"])
    # All are duplicates: no grant at all.
    equal(queue.grant(W1, W1 + ".3", "queue", lines[1:])[1], "ddd")
    equal(queue.client.hexists(key("grants"), W1 + ".3"), False)


def test_grant_needs_a_living_holder(queue):
    entry = queue.add(id="k")
    claimed(queue)
    queue.fence(W1)
    before = queue.dump()
    equal(queue.grant(W1, W1 + ".1", "queue", [(entry, 1, 0, "k")]), ["fenced"])
    equal(queue.dump(), before)


def test_grant_refused(queue):
    entry = queue.add()
    claimed(queue)
    good = dict(holder=W1, grant=W1 + ".1", source="queue", members=[(entry, 1, 0, "")])
    cell = (DAY, CELL, "USD", 1)
    for words, change in (
            ("is no grant of", dict(grant=W2 + ".1")), ("no source", dict(source="replies")),
            ("1 to 4096 members", dict(members=[])), ("member 0", dict(members=[("x", 1, 0, "")])),
            ("member 0", dict(members=[(entry, "one", 0, "")])),
            ("member 0", dict(members=[(entry, 1, 1, "")])),
            ("member 0", dict(members=[(entry, 1, 0, "a\nb")])),
            ("cell 0", dict(cells=[("someday",) + cell[1:]])),
            ("cell 0", dict(cells=[cell[:3] + ("1.5",)])),
            ("cell 0", dict(cells=[cell[:3] + ("1" * 17,)])),
            ("no member 1", dict(ids=[(1, "k")])), ("an id has", dict(ids=[(0, "k" * 257)])),
            ("an id has", dict(ids=[(0, "")]))):
        refused(queue, words, lambda: queue.grant(**dict(good, **change)))
    refused(queue, "4096 members",
            lambda: queue.grant(**dict(good, members=[(entry, 1, 0, "")] * 4097)))


# ---- settle -------------------------------------------------------------------------------------

def test_accept(queue):
    entries = [queue.add(id="k%d" % n) for n in range(5)]
    part = claimed(queue).parts[0]
    lines = [(entry, 1, 0, "k%d" % n) for n, entry in enumerate(entries)]
    queue.grant(W1, W1 + ".1", "queue", lines, [(DAY, CELL, "USD", 75000)])

    def settle(indexes):
        return queue.settle(W1, [group(
            W1 + ".1", "queue", "accept", indexes=indexes,
            cells=[(0, len(indexes), 75000 * len(indexes))],
            singles=[entries[i] for i in indexes],
            outcomes=[outcome(entries[i], "accepted") for i in indexes],
            ids=["k%d" % i for i in indexes])], [part.claim])

    equal(repeated(queue, lambda: settle([0, 3])), ["already 90"])
    equal(text(queue.client.hget(key("grants"), W1 + ".1#")), "90")
    equal(queue.cost(), (2, 150000))
    assert 0 < queue.client.pttl(key("id:k3")) <= 600000
    equal(queue.client.pttl(key("id:k1")), -1)
    equal(settle([1, 3]), ["already 80"])
    equal(queue.cost(), (2, 150000))
    equal(queue.client.hexists(key("claims"), part.claim), True)
    equal(repeated(queue, lambda: settle([1, 2, 4])), ["already"])
    equal((queue.cost(), queue.client.hlen(key("grants")), queue.client.hlen(key("claims"))),
          ((5, 375000), 0, 0))
    equal([event["entry"] for event in queue.events()],
          [entries[0], entries[3], entries[1], entries[2], entries[4]])
    equal(census(queue), {})


def test_accept_of_thousands(queue):
    entries = [queue.add() for _ in range(4096)]
    claim = claimed(queue, members=4096, size=1 << 24).parts[0].claim
    grant = granted(queue, entries, price=1)
    everything = group(grant, "queue", "accept", indexes=range(4096), cells=[(0, 4096, 4096)],
                       singles=entries, outcomes=[outcome(entry, "accepted") for entry in entries])
    equal(repeated(queue, lambda: queue.settle(W1, [everything], [claim])), ["already"])
    equal((queue.cost(), census(queue), len(queue.events())), ((4096, 4096), {}, 4096))


def test_outcomes_in_one_argument(queue):
    entries = [queue.add() for _ in range(3)]
    claim = claimed(queue).parts[0].claim
    lines = [outcome(entry, "failed") for entry in entries]
    parts = group("claim:" + claim, "queue", "drop", singles=entries, outcomes=lines)
    joined = parts[:-5] + ["=3", "\n".join(lines), 0]
    equal(parts[-5:-1], [3] + lines)
    refused(queue, "ends where", lambda: queue.settle(W1, [parts[:-5] + ["=3"]]))
    equal(repeated(queue, lambda: queue.settle(W1, [joined])), ["already"])
    equal([event["entry"] for event in queue.events()], entries)


def test_drop_and_free_and_ids(queue):
    entries = [queue.add() for n in range(4)]
    claimed(queue)
    lines = [(entry, 1, 0, "k%d" % n) for n, entry in enumerate(entries)]
    queue.grant(W1, W1 + ".1", "queue", lines)
    queue.client.set(key("id:k2"), "someone-else")
    equal(queue.settle(W1, [
        group(W1 + ".1", "queue", "drop", indexes=[0], singles=entries[:1], ids=["k0"]),
        group(W1 + ".1", "queue", "free", indexes=[1, 2], singles=entries[1:3], ids=["k1", "k2"]),
        group(W1 + ".1", "queue", "dead", ("dead", "tried", 3, 0), indexes=[3], singles=entries[3:],
              ids=["k3"])]), ["ok"] * 3)
    equal([queue.client.exists(key("id:k%d" % n)) for n in range(4)], [1, 0, 1, 1])
    equal(queue.client.get(key("id:k2")), b"someone-else")
    equal((queue.cost(), queue.client.exists(key("events"))), ((0, 0), 0))
    equal(census(queue), {entries[3]: ["dead"]})


def test_dead_keeps_the_whole_original(queue):
    single = queue.add(ref="héé\x01", **{"1": "a\tb\n"})
    bulk = queue.add("urgent", bulk=BULK)
    parts = claimed(queue).parts
    queue.client.hset(key("later:entries"), "7-7",
                      '{"attempt":2,"at":5,"reason":"no","fields":["to","+33","1","x\\/y"]}')
    queue.client.hset(key("later:entries"), "8-8", "broken {")
    queue.client.zadd(key("later"), {"7-7": 1, "8-8": 1})
    later = claimed(queue, number=2).parts[0]
    groups = [
        group("claim:" + parts[0].claim, "urgent", "dead", ("refused", "policy", 0, 1),
              bulks=[(bulk, 2, 3)]),
        group("claim:" + parts[1].claim, "queue", "dead", ("dead", "why", 4, 0), singles=[single]),
        group("claim:" + later.claim, "later", "dead", ("dead", "why", 4, 0), names=["7-7"]),
        group("claim:" + later.claim, "later", "dead", ("dead", "why", 4, 0), names=["8-8"])]
    equal(repeated(queue, lambda: queue.settle(W1, groups, [later.claim])), ["already"] * 4)
    dead = [{text(name): text(value) for name, value in fields.items()}
            for _, fields in queue.client.xrange(key("dead"))]
    for fields in dead:
        assert abs(int(fields.pop("at")) - time.time() * 1000) < 60000
    equal(dead, [
        {"entry": bulk + "/2", "type": "refused", "reason": "policy", "attempts": "0",
         "o.member": BULK.split("\n")[1]},
        {"entry": single, "type": "dead", "reason": "why", "attempts": "4", "o.to": "+33612345678",
         "o.template": "order_shipped", "o.lang": "fr", "o.ref": "héé\x01", "o.1": "a\tb\n"},
        {"entry": "7-7", "type": "dead", "reason": "why", "attempts": "4", "history": '["5 2 no"]',
         "o.to": "+33", "o.1": "x/y"},
        {"entry": "8-8", "type": "dead", "reason": "why", "attempts": "4", "o.record": "broken {"}])
    equal({text(member): text(found) for member, found in
           queue.client.hgetall(key("dead:members")).items()},
          {text(fields[b"entry"]): text(found)
           for found, fields in queue.client.xrange(key("dead"))})
    equal(queue.client.hlen(key("later:entries")), 0)
    equal(queue.client.hexists(key("claims"), later.claim), False)


def test_later_and_back(queue):
    single, bulk = queue.add(ref="x/y \"q\" é"), queue.add(bulk=BULK)
    claim = claimed(queue).parts[0].claim
    grant = granted(queue, [single, bulk + "/3"])
    soon = int(time.time() * 1000) + 60000
    groups = [
        group(grant, "queue", "later", (soon, 1, "throttled"), indexes=[0], singles=[single]),
        group(grant, "queue", "later", (1, 1, "5xx"), indexes=[1], bulks=[(bulk, 4, 3)]),
        group("claim:" + claim, "queue", "later", (1, 0, "asleep"), bulks=[(bulk, 1, 3)])]
    equal(repeated(queue, lambda: queue.settle(W1, groups, [claim])), ["already"] * 3)
    equal(census(queue), {single: ["later"], bulk + "/1": ["later"], bulk + "/3": ["later"],
                          bulk + "/2": ["stream"]})
    found = claimed(queue, number=2)
    equal(found.next_due, soon)
    part = found.parts[0]
    equal([name for name, _ in part.entries], [bulk + "/1", bulk + "/3"])
    record = part.entries[1][1]
    equal((record["attempt"], record["reason"], record["fields"]),
          (1, "5xx", ["member", BULK.split("\n")[2]]))
    # Again to later from there: the record is new, the claim is finished.
    again = group("claim:" + part.claim, "later", "later", (1, 1, "again"), names=[bulk + "/1"])
    other = group("claim:" + part.claim, "later", "drop", names=[bulk + "/3"])
    equal(repeated(queue, lambda: queue.settle(W1, [again, other], [part.claim])),
          ["already"] * 2)
    equal(queue.client.hexists(key("claims"), part.claim), False)
    equal(queue.client.zrange(key("later"), 0, -1), [(bulk + "/1").encode(), single.encode()])


def test_uncertain(queue):
    single, bulk = queue.add(), queue.add(bulk=BULK)
    claimed(queue)
    cells = [(DAY, CELL, "USD", 1), (DAY, "fr|IN|I \"x\"|utility|t|2018", "EUR", "9007199254740993")]
    queue.grant(W1, W1 + ".1", "queue", [(single, 1, 0, ""), (bulk + "/2", 3, 1, "k")], cells)
    groups = [group(W1 + ".1", "queue", "uncertain", (777, 3, "reset"), indexes=[1],
                    bulks=[(bulk, 2, 3)], outcomes=[outcome(bulk + "/2", "uncertain")])]
    equal(repeated(queue, lambda: queue.settle(W1, groups)), ["already 2"])
    record = queue.client.hget(key("uncertain:entries"), bulk + "/2").decode()
    assert '"price":9007199254740993,' in record, record
    for part in ('"attempt":3,', '"reason":"reset"', '"grant":"%s.1","index":1,' % W1,
                 '"day":"%s"' % DAY, '"currency":"EUR"', 'I \\"x\\"'):
        assert part in record, (part, record)
    equal(queue.client.zscore(key("uncertain"), bulk + "/2"), 777)
    equal(queue.client.exists(key("id:k")), 1)


def test_bulk_leaves_when_all_have(queue):
    lines = "\n".join('{"to":"+336%08d"}' % n for n in range(64))
    entry = queue.add(bulk=lines)
    claim = claimed(queue).parts[0].claim
    grant = granted(queue, [entry + "/%d" % (n + 1) for n in range(64)], price=10)
    masks = [0x8000000000000001, 0x7fffffff00000000, 0xfffffffe]
    for i, mask in enumerate(masks):
        indexes = [n for n in range(64) if mask >> n & 1]
        reply = repeated(queue, lambda: queue.settle(W1, [group(
            grant, "queue", "accept", indexes=indexes, cells=[(0, len(indexes), 10 * len(indexes))],
            bulks=[(entry, mask, 64)])], [claim]))
        assert reply[0].startswith("already")
        equal(queue.client.xlen(key("queue")), 0 if i == 2 else 1)
        if i == 0:
            equal(queue.client.hget(key("left"), entry), b"8000000000000001")
    equal((queue.cost(), queue.client.exists(key("left"), key("grants"), key("claims"))),
          ((64, 640), 0))


def test_one_call_cannot_settle_twice(queue):
    single, bulk = queue.add(), queue.add(bulk=BULK)
    claim = claimed(queue).parts[0].claim
    grant = granted(queue, [single])
    by_grant = group(grant, "queue", "accept", indexes=[0], cells=[(0, 1, 75000)], singles=[single])
    by_claim = group("claim:" + claim, "queue", "drop", bulks=[(bulk, 3, 3)])
    equal(queue.settle(W1, [by_grant, by_grant, by_claim, by_claim]),
          ["ok", "already 1", "ok", "already"])
    equal(queue.cost(), (1, 75000))
    other = queue.add()
    claim = claimed(queue, number=2).parts[0].claim
    drop = group("claim:" + claim, "queue", "drop", singles=[other])
    equal(queue.settle(W1, [drop, drop]), ["ok", "already"])


def test_a_group_is_whole_or_not_at_all(queue):
    entries = [queue.add() for _ in range(3)]
    bulk = queue.add(bulk=BULK)
    claim = claimed(queue).parts[0].claim
    token = "claim:" + claim
    equal(queue.settle(W1, [group(token, "queue", "drop", singles=entries[:1], bulks=[(bulk, 1, 3)])]),
          ["ok"])
    before = queue.dump()
    equal(queue.settle(W1, [group(token, "queue", "drop", singles=entries[:2]),
                            group(token, "queue", "drop", bulks=[(bulk, 3, 3)])]), ["already"] * 2)
    equal(queue.dump(), before)


def test_tokens_of_others(queue):
    mine = queue.add()
    claim = claimed(queue).parts[0].claim
    grant = granted(queue, [mine])
    queue.beat(W2)
    theirs = queue.add()
    other_claim = claimed(queue, W2).parts[0].claim
    accept = group(grant, "queue", "accept", indexes=[0], cells=[(0, 1, 1)], singles=[mine])
    before = queue.dump()
    for holder, groups in (
            (W2, [accept]),
            (W2, [group("claim:" + claim, "queue", "drop", singles=[mine])]),
            (W1, [group(W1 + ".77", "queue", "drop", indexes=[0], singles=[mine])]),
            (W1, [group("claim:" + W1 + ".77", "queue", "drop", singles=[mine])]),
            (W1, [group("claim:" + other_claim, "queue", "drop", singles=[theirs])]),
            (W1, [group("claim:" + claim, "queue", "drop", singles=[theirs])])):
        equal(queue.settle(holder, groups), ["already"])
        equal(queue.dump(), before)
    refused(queue, "no claim of", lambda: queue.settle(W2, [], [claim]))
    # A holder that was fenced but not yet recovered may still settle: the token is enough.
    queue.fence(W1)
    equal(queue.settle(W1, [accept]), ["ok"])


def test_money_is_exact(queue):
    total = 0
    for number, amount in enumerate((9007199254740993, 1, 9999999999999999, 7)):
        entry = queue.add()
        claimed(queue, number=number)
        grant = granted(queue, [entry], number=number, price=amount)
        queue.settle(W1, [group(grant, "queue", "accept", indexes=[0], cells=[(0, 1, amount)],
                                singles=[entry])])
        total += amount
        equal(queue.cost(), (number + 1, total))


def test_two_streams_may_give_the_same_id(queue):
    for stream in ("queue", "urgent"):
        queue.client.xadd(key(stream), {"bulk": BULK}, id="5000-0")
    parts = claimed(queue).parts
    equal([part.entries[0][0] for part in parts], ["u5000-0", "5000-0"])
    later = [group("claim:" + part.claim, part.source, "later", (1, 0, "later"),
                   bulks=[(part.entries[0][0], 1, 3)]) for part in parts]
    equal(queue.settle(W1, later), ["ok", "ok"])
    equal(census(queue), {"u5000-0/1": ["later"], "5000-0/1": ["later"], "u5000-0/2": ["stream"],
                          "u5000-0/3": ["stream"], "5000-0/2": ["stream"], "5000-0/3": ["stream"]})


def test_long_ids_of_streams(queue):
    last = "18446744073709551615"
    queue.client.xadd(key("queue"), {"to": "+33"}, id=last + "-1")
    queue.client.xadd(key("queue"), {"to": "+33"}, id=last + "-" + last)
    part = claimed(queue).parts[0]
    entries = [name for name, _ in part.entries]
    grant = granted(queue, entries[1:])
    equal(queue.settle(W1, [group("claim:" + part.claim, "queue", "drop", singles=entries[:1]),
                            group(grant, "queue", "drop", indexes=[0], singles=entries[1:])],
                       [part.claim]), ["ok", "ok"])
    equal(census(queue), {})
    refused(queue, "is no entry", lambda: queue.settle(W1, [group(
        "claim:" + part.claim, "queue", "drop", singles=["18446744073709551616-1"])]))


def test_settle_refused(queue):
    entries = [queue.add() for _ in range(3)]
    bulk = queue.add(bulk=BULK)
    claim = claimed(queue).parts[0].claim
    grant = granted(queue, entries[:2] + [bulk + "/1"])
    good = dict(token=grant, source="queue", action="accept", indexes=[0], cells=[(0, 1, 1)],
                singles=entries[:1])
    dead = ("dead", "why", 1, 0)
    for words, change in (
            ("no source", dict(source="replies")), ("no action", dict(action="lose")),
            ("grant", dict(source="urgent", singles=["u" + entries[0]])),
            ("is no entry", dict(singles=["x"])), ("is no entry", dict(singles=["u" + entries[0]])),
            ("without members", dict(singles=[], cells=[])),
            ("do not stand for", dict(indexes=[0, 1])), ("do not stand for", dict(indexes=None)),
            ("reach beyond", dict(indexes=[3])), ("reach beyond", dict(indexes=[40])),
            ("cells count", dict(cells=[])), ("cells count", dict(cells=[(0, 2, 1)])),
            ("cells count", dict(action="drop")), ("no cell 1", dict(cells=[(1, 1, 1)])),
            ("whole number", dict(cells=[(0, -1, 1)])), ("no amount", dict(cells=[(0, 1, "1e3")])),
            ("no amount", dict(cells=[(0, 1, "-5")])), ("no amount", dict(cells=[(0, 1, "1" * 17)])),
            ("one member", dict(action="dead", arguments=dead, indexes=[0, 1], singles=entries[:2],
                                cells=[])),
            ("release", dict(action="dead", arguments=("dead", "why", 1, 2), cells=[])),
            ("attempts", dict(action="dead", arguments=("dead", "why", "x", 1), cells=[])),
            ("a time", dict(action="later", arguments=("x", 1, "why"), cells=[])),
            ("attempt", dict(action="uncertain", arguments=(5, "x", "why"), cells=[])),
            ("only members of later", dict(names=entries[1:2], indexes=[0, 1])),
            ("under names", dict(source="later")),
            ("is no mask", dict(singles=[], bulks=[(bulk, 0, 3)])),
            ("is no mask", dict(singles=[], bulks=[(bulk, 8, 3)])),
            ("1 to 64", dict(singles=[], bulks=[(bulk, 1, 65)])),
            ("is no entry", dict(singles=[], bulks=[("u" + bulk, 1, 3)])),
            ("needs a grant", dict(token="claim:" + claim, indexes=None)),
            ("bits of a claim", dict(token="claim:" + claim, action="drop", cells=[]))):
        # A good group in front must not be done either.
        front = group(grant, "queue", "drop", indexes=[1], singles=entries[1:2],
                      outcomes=[outcome(entries[1], "failed")])
        refused(queue, words, lambda: queue.settle(W1, [front, group(**dict(good, **change))]))
    parts = group(**good)
    for end in range(len(parts)):
        refused(queue, "FACTEUR", lambda: queue.settle(W1, [parts[:end]]))
    refused(queue, "too many", lambda: queue.call("settle", W1, 1, 1, 0, 0, "more"))
    refused(queue, "at most 4096 groups", lambda: queue.call("settle", W1, 1, 1, 4097))
    refused(queue, "at most 800 cells", lambda: queue.settle(W1, [group(
        **dict(good, cells=[(0, 0, 1)] * 800 + [(0, 1, 1)]))]))
    equal(queue.settle(W1, [parts]), ["ok"])


def test_a_ledger_cell_that_is_no_number(queue):
    entry = queue.add()
    claimed(queue)
    grant = granted(queue, [entry])
    accept = group(grant, "queue", "accept", indexes=[0], cells=[(0, 1, 1)], singles=[entry])
    for value in ("many", "1" * 18, "1.5"):
        queue.client.hset(COST + DAY, CELL + "#USD.millionths", value)
        refused(queue, "cell", lambda: queue.settle(W1, [accept]))
    queue.client.hset(COST + DAY, CELL + "#USD.millionths", "9" * 17)
    equal(queue.settle(W1, [accept]), ["ok"])
    equal(queue.cost(), (1, 10 ** 17))


def test_an_original_that_someone_deleted(queue):
    entries = [queue.add() for _ in range(3)]
    claimed(queue)
    grant = granted(queue, entries)
    queue.client.xdel(key("queue"), *entries)
    before = queue.dump()
    equal(queue.settle(W1, [
        group(grant, "queue", "dead", ("dead", "why", 1, 0), indexes=[0], singles=entries[:1]),
        group(grant, "queue", "later", (5, 1, "why"), indexes=[1], singles=entries[1:2])]),
        ["already"] * 2)
    equal(queue.dump(), before)
    # What Meta accepted is charged all the same.
    equal(queue.settle(W1, [group(grant, "queue", "accept", indexes=[2], cells=[(0, 1, 1)],
                                  singles=entries[2:])]), ["ok"])


# ---- events -------------------------------------------------------------------------------------

def test_events_are_counted_and_bounded(queue):
    queue.beat(W1)

    def settle(number, count):
        entries = [queue.add() for _ in range(count)]
        part = queue.claim(W1, "%s.%d" % (W1, number)).parts[0]
        queue.settle(W1, [group("claim:" + part.claim, "queue", "drop", singles=entries,
                                outcomes=[outcome(entry, "failed") for entry in entries])],
                     [part.claim], keep=10)

    for number in range(30):
        settle(number, 1 + number % 4)
    found = queue.client.xrange(key("events"))
    counts = [int(fields[b"n"]) for _, fields in found]
    totals = [int(fields[b"upto"]) for _, fields in found]
    equal(totals[-1], sum(1 + number % 4 for number in range(30)))
    for i in range(1, len(found)):
        equal(totals[i] - totals[i - 1], counts[i])
    assert sum(counts) >= 10 and totals[-1] - totals[0] <= 10, counts
    index = text(queue.client.lrange(key("events:index"), 0, -1))
    equal(index, ["%d %s" % (total, text(entry)) for total, (entry, _) in zip(totals, found)])
    # A lost index is begun again where the stream is.
    queue.client.delete(key("events:index"))
    settle(99, 2)
    equal(int(queue.client.xrevrange(key("events"), count=1)[0][1][b"upto"]), totals[-1] + 2)


# ---- giving back and recovery -------------------------------------------------------------------

def test_return_and_claim_again(queue):
    entries = [queue.add() for _ in range(10)]
    urgent = queue.add("urgent")
    bulk = queue.add(bulk=BULK)
    parts = claimed(queue).parts
    queue.settle(W1, [group("claim:" + parts[1].claim, "queue", "drop", singles=entries[2:4],
                            bulks=[(bulk, 2, 3)])])
    claims = [part.claim for part in parts]
    equal(queue.give_back(W1, *claims[::-1]), 2)
    equal(queue.give_back(W1, *claims), 0)
    fresh = queue.add()
    # Urgent first, then the returned range in slices, then what is new.
    left = entries[:2] + entries[4:]
    found = claimed(queue, W2, 1, members=4)
    equal([part.claim for part in found.parts], [W2 + ".1", W2 + ".1b"])
    equal(found.members(), [urgent] + left[:3])
    found = claimed(queue, W3, 1, members=5)
    equal(found.members(), left[3:])
    equal(queue.client.llen(key("returned")), 1)
    found = claimed(queue, W2, 2, members=500)
    equal(found.members(), [bulk + "/1", bulk + "/3", fresh])
    equal(found.parts[0].masks, {bulk: 2})
    equal(queue.client.llen(key("returned")), 0)
    equal(claimed(queue, W2, 3).members(), [])


def test_a_returned_range_of_nothing_goes(queue):
    entry = queue.add()
    claim = claimed(queue).parts[0].claim
    queue.client.rpush(key("returned"), "queue\t1-0\t2-0")
    equal(claimed(queue, number=2).members(), [])
    equal(queue.client.llen(key("returned")), 0)
    queue.settle(W1, [group("claim:" + claim, "queue", "drop", singles=[entry])])
    equal(queue.give_back(W1, claim), 1)
    equal(queue.client.exists(key("returned"), key("claims")), 0)


def test_return_leaves_what_is_granted(queue):
    entries = [queue.add() for _ in range(2)]
    claim = claimed(queue).parts[0].claim
    grant = granted(queue, entries[:1])
    before = queue.dump()
    equal(queue.give_back(W1, claim), 0)
    equal(queue.dump(), before)
    queue.settle(W1, [group(grant, "queue", "drop", indexes=[0], singles=entries[:1])])
    refused(queue, "no claim of", lambda: queue.give_back(W2, claim))
    equal(queue.give_back(W1, claim), 1)


def test_return_of_later(queue):
    single = queue.add()
    claim = claimed(queue).parts[0].claim
    queue.settle(W1, [group("claim:" + claim, "queue", "later", (1, 1, "why"), singles=[single])],
                 [claim])
    claim = claimed(queue, number=2).parts[0].claim
    grant = granted(queue, [single], number=3, source="later")
    equal(queue.give_back(W1, claim), 0)
    queue.settle(W1, [group(grant, "later", "later", (1, 2, "why"), indexes=[0], names=[single])],
                 [claim])
    claim = claimed(queue, number=4).parts[0].claim
    equal(queue.client.zcard(key("later")), 0)
    equal(queue.give_back(W1, claim), 1)
    assert abs(queue.client.zscore(key("later"), single) - time.time() * 1000) < 5000
    equal(census(queue), {single: ["later"]})


def test_recover_at_every_stage(queue):
    """One worker dies with something at each stage; another finds all of it."""
    plain = [queue.add(ref="ref%d" % n, id="k%d" % n) for n in range(4)]
    bulk, urgent = queue.add(bulk=BULK), queue.add("urgent", bulk=BULK)
    queue.client.hset(key("later:entries"), "1-1", '{"attempt":1,"fields":["to","+33","ref","old"]}')
    queue.client.hset(key("later:entries"), "1-2", '{"attempt":1,"fields":["to","+33"]}')
    queue.client.zadd(key("later"), {"1-1": 5, "1-2": 6})
    claimed(queue)
    cells = [(DAY, "fr|FR|A \"B\"|utility|t|2018", "USD", "9007199254740993")]
    queue.grant(W1, W1 + ".2", "queue",
                [(plain[0], 1, 0, "k0"), (plain[1], 1, 0, "k1"), (bulk + "/2", 1, 0, "")], cells)
    queue.grant(W1, W1 + ".3", "urgent", [(urgent + "/%d" % n, 1, 0, "") for n in (1, 2, 3)], cells)
    queue.grant(W1, W1 + ".4", "later", [("1-1", 2, 0, "")], cells)
    queue.settle(W1, [group(W1 + ".2", "queue", "drop", indexes=[1], singles=plain[1:2])])
    queue.beat(W2)
    before = queue.dump()
    equal(queue.recover(), [0, 0])
    equal(queue.dump(), before)
    equal(queue.fence(W1), 1)
    equal(repeated(queue, lambda: queue.recover(until=4321)), [0, 0])
    equal(queue.client.exists(key("claims"), key("grants")), 0)
    parked = [plain[0], bulk + "/2"] + [urgent + "/%d" % n for n in (1, 2, 3)] + ["1-1"]
    wanted = dict({member: ["stream"] for member in (plain[2], plain[3], bulk + "/1", bulk + "/3")},
                  **{member: ["uncertain"] for member in parked})
    equal(census(queue), dict(wanted, **{"1-2": ["later"]}))
    events = {event["entry"]: event for event in queue.events()}
    equal(sorted(events), sorted(parked))
    event = events[plain[0]]
    at = event.pop("at")
    assert abs(at - time.time() * 1000) < 5000
    equal(event, {"type": "uncertain", "entry": plain[0], "id": "k0", "ref": "ref0", "attempt": 1,
                  "country": "FR", "market": "A \"B\"", "category": "utility", "template": "t",
                  "price": 9007199254740993, "currency": "USD",
                  "reason": "the worker that sent it died"})
    equal((events[bulk + "/2"]["ref"], events["1-1"]["ref"], events["1-1"]["attempt"]),
          ("r1", "old", 2))
    equal(queue.client.zscore(key("uncertain"), "1-1"), 4321)
    # What was only claimed is there again at once, under its own name.
    equal(sorted(claimed(queue, W2).members()),
          sorted([plain[2], plain[3], bulk + "/1", bulk + "/3", "1-2"]))
    # The dead worker awakes: nothing of it is taken.
    before = queue.dump()
    assert queue.claim(W1, W1 + ".9").fenced
    equal(queue.settle(W1, [group(W1 + ".2", "queue", "accept", indexes=[0], cells=[(0, 1, 1)],
                                  singles=plain[:1])]), ["already"])
    equal(queue.settle(W1, [group("claim:" + W1 + ".1c", "queue", "drop", singles=plain[2:3])]),
          ["already"])
    equal(queue.dump(), before)


def test_recover_leaves_what_went_back_to_later(queue):
    for member in ("1-1", "1-2"):
        queue.client.hset(key("later:entries"), member, '{"attempt":1,"fields":["to","+33"]}')
        queue.client.zadd(key("later"), {member: 5})
    claimed(queue)
    grant = granted(queue, ["1-1", "1-2"], source="later")
    queue.settle(W1, [group(grant, "later", "later", (6, 2, "throttled"), indexes=[0], names=["1-1"])])
    queue.fence(W1)
    equal(queue.recover(), [1, 1])
    equal(census(queue), {"1-1": ["later"], "1-2": ["uncertain"]})
    equal(queue.client.zrange(key("later"), 0, -1, withscores=True), [(b"1-1", 6.0)])


def test_recover_skips_what_had_its_outcome(queue):
    """A grant that arrived late, after its members were settled, parks nothing."""
    entry, bulk = queue.add(), queue.add(bulk=BULK)
    claim = claimed(queue).parts[0].claim
    queue.settle(W1, [group("claim:" + claim, "queue", "drop", singles=[entry], bulks=[(bulk, 1, 3)])])
    granted(queue, [entry, bulk + "/1", bulk + "/9", "1-1"])
    queue.fence(W1)
    equal(queue.recover(), [1, 0])
    equal(census(queue), {bulk + "/2": ["stream"], bulk + "/3": ["stream"]})


def test_recover_in_slices(queue):
    """Workers with very many grants are cleaned up in several calls; their claims go back last."""
    entries = [queue.add() for _ in range(24000)]
    claimed(queue, members=24000, size=1 << 26)
    for number in range(6):
        granted(queue, entries[number * 4000:number * 4000 + 3900], number=number)
    queue.fence(W1)
    queue.beat(W2)
    equal(queue.recover(), [0, 11700])
    equal(queue.claim(W2, W2 + ".1").members(), [])
    equal(queue.recover(), [1, 11700])
    equal(queue.recover(), [0, 0])
    equal(len(queue.claim(W2, W2 + ".2", 6000, 1 << 24).members()), 600)
    equal(len(queue.events()), 23400)


def test_recover_refuses_a_record_it_cannot_read(queue):
    queue.add()
    claimed(queue)
    queue.fence(W1)
    for record in ("rubbish", W1 + "\t1\tqueue\t1\nc\tx\ty\tUSD\t1\nnonsense",
                   W1 + "\t1\tqueue\t1\nc\tx\ty\tUSD\t1\n1-1\t1\t7\t"):
        queue.client.hset(key("grants"), W1 + ".1", record)
        refused(queue, "cannot be read", queue.recover)


# ---- enqueue ------------------------------------------------------------------------------------

GOOD = {"to": "+33 6 12.34-56(78)", "template": "order_shipped", "lang": "fr"}


def test_enqueue(queue):
    state, entry = queue.enqueue("queue", **GOOD, id="k", ref="r", **{"1": "x", "2": "y"})
    equal(state, "queued")
    written = queue.client.xrange(key("queue"))[0][1]
    equal({text(name): text(value) for name, value in written.items()},
          dict(GOOD, id="k", ref="r", **{"1": "x", "2": "y"}))
    equal(text(queue.client.get(key("id:k"))), entry)
    before = queue.dump()
    equal(queue.enqueue("urgent", **GOOD, id="k"), ["duplicate", entry])
    equal(queue.dump(), before)
    state, entry = queue.enqueue("urgent", recipient="FR.123", template="t", lang="fr", p_name="x")
    equal((state, entry[0]), ("queued", "u"))
    state, entry = queue.enqueue("replies", to="+33612345678", text="hello", in_reply_to="wamid.x")
    equal((state, entry[0]), ("queued", "r"))
    equal(queue.enqueue("queue", bulk=BULK)[0], "queued")
    equal(queue.enqueue("queue", **GOOD, not_before=5, expires=6)[0], "queued")


def test_enqueue_scheduled(queue):
    due = int(time.time() * 1000) + 60000
    state, entry, when = queue.enqueue("urgent", **GOOD, id="k", not_before=due, expires=due + 1)
    equal((state, when, entry[0]), ("scheduled", due, "u"))
    equal(census(queue), {entry: ["later"]})
    equal(queue.client.zscore(key("later"), entry), due)
    equal(claimed(queue).next_due, due)
    queue.client.zadd(key("later"), {entry: 1})
    record = claimed(queue, number=2).parts[0].entries[0][1]
    equal(record["attempt"], 0)
    equal(dict(zip(record["fields"][0::2], record["fields"][1::2])),
          dict(GOOD, id="k", not_before=str(due), expires=str(due + 1)))
    # Its name is the stream's: no entry that comes after it can have the same.
    assert queue.add("urgent") != entry


def test_enqueue_refused(queue):
    def case(words, stream="queue", without=(), **change):
        fields = {name: value for name, value in dict(GOOD, **change).items() if name not in without}
        refused(queue, words, lambda: queue.enqueue(stream, **fields))

    case("the stream is", stream="later")
    case('field "phone": unknown', phone="1")
    case('field "0": unknown', **{"0": "x"})
    case("field to: is needed", without=["to"])
    case("not together with to", recipient="FR.1")
    case("field recipient: is empty", without=["to"], recipient="")
    for number in ("", "0033612345678", "0612345678", "+33612x45678", "+1234", "+" + "1" * 16,
                   "++336"):
        case("field to:", to=number)
    case("field template: is needed", without=["template"])
    case("field lang: is needed", lang="")
    case("field text: only in replies", text="x")
    case("field in_reply_to: is needed", stream="replies", text="x", without=["template", "lang"])
    case("field text: is needed", stream="replies", in_reply_to="x")
    case("not together with text", stream="replies", in_reply_to="x", text="x")
    case("not together with 1", **{"1": "x", "p_a": "y"})
    case("field not_before:", not_before="soon")
    case("field expires:", expires="1" * 16)
    case("is not after not_before", not_before=6, expires=6)
    for value in ("", "x" * 257, "a\nb", "a\tb"):
        case("field id:", id=value)
    case("field ref:", ref="x" * 257)
    case("field bulk: stands alone", bulk="x")
    case("more than 262144", **{"1": "x" * 262144})
    for words, bulk in (("65 lines", "\n".join("x" * 65)), ("line 2 is empty", "x\n\nx"),
                        ("line 1 is empty", ""), ("line 1 is empty", "\n")):
        refused(queue, words, lambda: queue.enqueue("queue", bulk=bulk))
    flat = ["to", "+33612345678", "template", "t", "lang", "fr"]
    refused(queue, "stands twice", lambda: queue.enqueue_flat("queue", *flat, "to", "+33612345679"))
    refused(queue, "in pairs", lambda: queue.enqueue_flat("queue", *flat, "id"))
    refused(queue, "in pairs", lambda: queue.enqueue_flat("queue"))
    refused(queue, "more than 64 fields", lambda: queue.enqueue_flat("queue", *["1", "x"] * 65))


# ---- stats, types, memory -----------------------------------------------------------------------

def test_stats(queue):
    equal(set(queue.stats().values()), {0})
    entries = [queue.add() for _ in range(5)]
    queue.add("urgent")
    queue.add(bulk=BULK)
    claimed(queue, members=3)
    granted(queue, entries[:1])
    time.sleep(0.02)
    found = queue.stats()
    assert 20 <= found.pop("oldest_ms") < 5000
    equal(found, {"waiting": 4, "urgent": 0, "claimed": 2, "granted": 1, "later": 0, "uncertain": 0,
                  "dead": 0, "parked": 0, "exposed": 0, "rate_milli": 0, "paused": 0, "stopped": 0,
                  "throttled": 0})
    bulk_claim = claimed(queue, number=2).parts[0]
    queue.settle(W1, [group("claim:" + bulk_claim.claim, "queue", "later", (1, 0, "why"),
                            bulks=[(bulk_claim.entries[-1][0], 1, 3)]),
                      group("claim:" + bulk_claim.claim, "queue", "dead", ("dead", "why", 0, 0),
                            bulks=[(bulk_claim.entries[-1][0], 2, 3)])])
    found = queue.stats()
    assert found.pop("oldest_ms") > 10 ** 12
    equal(found, {"waiting": 0, "urgent": 0, "claimed": 6, "granted": 1, "later": 1, "uncertain": 0,
                  "dead": 1, "parked": 0, "exposed": 0, "rate_milli": 0, "paused": 0, "stopped": 0,
                  "throttled": 0})


def test_stats_rate(queue):
    """Outcomes a second over the last ten, however little of the events is kept."""
    cases = [
        ("nothing yet", [], 0),
        ("a new account", [(3000, 30, 30)], 3000),
        ("all of it long ago", [(20000, 30, 30), (10500, 60, 30)], 0),
        ("some of it", [(20000, 100, 100), (5000, 150, 50), (1000, 200, 50)], 10000),
        ("one that is older, one at the edge", [(90000, 7, 7), (9000, 8, 1)], 100),
        ("what came before is forgotten", [(4000, 150, 50), (1000, 190, 40)], 10000),
        ("many", [(100000 - 100 * i, 10 * (i + 1), 10) for i in range(1000)], 99000),
    ]
    for what, events, milli in cases:
        queue.client.delete(key("events"), key("events:index"))
        seconds, micros = queue.client.time()
        now = seconds * 1000 + micros // 1000
        for age, upto, count in events:
            entry = queue.client.xadd(key("events"), {"n": count, "upto": upto, "outcomes": "{}"},
                                      id="%d-0" % (now - age))
            queue.client.rpush(key("events:index"), "%d %s" % (upto, text(entry)))
        found = queue.stats()["rate_milli"]
        assert 0.97 * milli <= found <= 1.03 * milli, (what, found, milli)


def test_wrong_key_types(queue):
    """A key of another type is named, and nothing is half done."""
    entry = queue.add()
    claim = claimed(queue).parts[0].claim
    grant = granted(queue, [entry])
    calls = {
        "claim": lambda: queue.claim(W1, W1 + ".5"),
        "grant": lambda: queue.grant(W1, W1 + ".5", "queue", member_lines([entry])),
        "settle": lambda: queue.settle(W1, [group(
            grant, "queue", "accept", indexes=[0], cells=[(0, 1, 1)], singles=[entry],
            outcomes=[outcome(entry, "accepted")])], [claim]),
        "return": lambda: queue.give_back(W1, claim),
        "recover": queue.recover,
        "stats": queue.stats,
        "enqueue": lambda: queue.enqueue("queue", **GOOD, id="k"),
        "leave": lambda: queue.leave(W1),
    }
    names = ["queue", "urgent", "cursor", "claims", "returned", "left", "grants", "later",
             "later:held", "later:entries", "uncertain", "uncertain:entries", "dead", "events", "events:index",
             "id:k"]
    needed = {
        "claim": ["queue", "urgent", "cursor", "claims", "returned", "left", "later",
                  "later:entries", "later:held", "workers"],
        "grant": ["grants", "workers"],
        "settle": ["queue", "urgent", "left", "grants", "claims", "later", "later:entries",
                   "later:held", "uncertain", "uncertain:entries", "dead", "events", "events:index", "cost"],
        "return": ["claims", "grants", "returned", "queue", "urgent", "later", "later:held"],
        "recover": ["workers", "queue", "urgent", "left", "grants", "claims", "returned", "later",
                    "later:entries", "later:held", "uncertain", "uncertain:entries", "events",
                    "events:index"],
        "stats": ["queue", "claims", "grants", "later", "uncertain", "dead"],
        "enqueue": ["queue", "later", "later:entries", "id:k"],
        "leave": ["claims", "grants", "workers"],
    }
    full = {"workers": BUSINESS + ":workers", "cost": COST + DAY}
    full.update({name: key(name) for name in names})
    for function, call in calls.items():
        for name in needed[function]:
            kept = queue.client.dump(full[name])
            queue.client.delete(full[name])
            if name == "id:k":
                queue.client.rpush(full[name], "x")
            else:
                queue.client.set(full[name], "x")
            refused(queue, "holds a", call)
            queue.client.delete(full[name])
            if kept:
                queue.client.restore(full[name], 0, kept)


def test_full_memory_can_be_drained(queue):
    """When memory is full, producers are refused, and all that empties the queue still works."""
    entries = [queue.add(**{"1": "x" * 100}) for _ in range(50)]
    later = int(time.time() * 1000) + 60000
    queue.beat(W1)
    queue.beat(W2)
    queue.client.config_set("maxmemory", 1)
    try:
        try:
            queue.enqueue("queue", **GOOD)
            raise AssertionError("enqueue was not refused")
        except Refused as error:
            assert "OOM" in str(error), error
        equal(queue.beat(W1, 2, "renew")[0], "ok")
        claim = queue.claim(W1, W1 + ".1", 25).parts[0].claim
        grant = granted(queue, entries[:20])
        equal(queue.settle(W1, [
            group(grant, "queue", "accept", indexes=range(10), cells=[(0, 10, 750000)],
                  singles=entries[:10], outcomes=[outcome(e, "accepted") for e in entries[:10]]),
            group(grant, "queue", "later", (later, 1, "why"), indexes=[10], singles=entries[10:11]),
            group(grant, "queue", "uncertain", (1, 1, "why"), indexes=[11], singles=entries[11:12]),
            group(grant, "queue", "dead", ("dead", "why", 1, 1), indexes=[12],
                  singles=entries[12:13])], [claim]), ["ok"] * 4)
        second = queue.claim(W1, W1 + ".2", 5).parts[0].claim
        equal(queue.give_back(W1, second), 1)
        equal(queue.fence(W1, 2), 1)
        equal(queue.recover(), [1, 7])
        equal(queue.leave(W2), 1)
    finally:
        queue.client.config_set("maxmemory", 0)
    equal(queue.cost(), (10, 750000))
    places = [place for places in census(queue).values() for place in places]
    equal({place: places.count(place) for place in set(places)},
          {"stream": 30, "later": 1, "uncertain": 8, "dead": 1})


def test_functions_survive_a_restart_and_a_kill(server):
    """appendfsync always: what was answered is there after kill -9, function library included."""
    queue = Queue(server.client())
    entries = [queue.add() for _ in range(10)]
    claimed(queue)
    grant = granted(queue, entries[:6])
    queue.settle(W1, [group(grant, "queue", "accept", indexes=[0, 1], cells=[(0, 2, 150000)],
                            singles=entries[:2],
                            outcomes=[outcome(e, "accepted") for e in entries[:2]])])
    before = queue.content()
    server.kill()
    server.start()
    queue = Queue(server.client())
    equal(queue.content(), before)
    queue.fence(W1)
    equal(queue.recover(), [1, 4])
    places = census(queue)
    equal([places[entry] for entry in entries[2:]], [["uncertain"]] * 4 + [["stream"]] * 4)


# ---- running ------------------------------------------------------------------------------------

def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    failures, count = [], 0
    with RedisServer() as server, RedisServer(append="always") as durable:
        server.load_library()
        durable.load_library()
        queue = Queue(server.client())
        for name, test in list(globals().items()):
            if not name.startswith("test_") or word not in name:
                continue
            queue.client.flushall()
            count += 1
            try:
                test(durable if name.endswith("_kill") else queue)
            except Exception:  # a failure of one test must not hide the others
                failures.append(name)
                print("FAIL %s\n%s" % (name, traceback.format_exc()), file=sys.stderr)
    print("%d tests, %d failed %s" % (count, len(failures), " ".join(failures)))
    sys.exit(1 if failures or count == 0 else 0)


if __name__ == "__main__":
    main()
