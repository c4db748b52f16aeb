"""What becomes of uncertain members whose receipt did not come in time, and what is remembered of
each attempt.

    python3 tests/scenario/overdue_test.py [word in a test's name]
"""
import json
import time

from proven_test import refused
from receipts import ID, PRICE, W1, W2, Life, equal, receipt, run, unchanged
from queue_calls import (ACCOUNT, CELL, DAY, KEEP, TTL, census, group, key, outcome, text)

CODE = CELL.replace("|utility|", "|authentication|")


def overdue_life(queue, is_bulk=False, attempts=1):
    life = Life(queue, is_bulk)
    for _ in range(attempts - 1):
        life.resent()
    life.uncertain()
    return life


def record(life, place):
    return json.loads(life.queue.client.hget(key(place + ":entries"), life.member))


def dead_entry(life):
    found_id, fields = life.queue.client.xrange(key("dead"))[-1]
    fields = {text(name): text(value) for name, value in fields.items()}
    equal(text(life.queue.client.hget(key("dead:members"), life.member)), text(found_id))
    return text(found_id), fields


def words(history):
    """What each line says, without its time."""
    for line in history:
        assert abs(int(line.split(" ")[0]) - time.time() * 1000) < 60000, line
    return [line.split(" ", 1)[1] for line in history]


# ---- policies -------------------------------------------------------------------------------------

def test_park(queue):
    for is_bulk in (False, True):
        queue.client.flushall()
        life = overdue_life(queue, is_bulk)
        events = len(queue.events())
        equal(queue.overdue("park"), ["ok", 1, 0, 0, -1])
        equal((life.place(), queue.client.exists(key("uncertain"), key("uncertain:entries"))),
              ("dead", 0))
        _, fields = dead_entry(life)
        equal([fields[name] for name in ("entry", "type", "reason", "attempts")],
              [life.member, "uncertain", "cut", "1"])
        equal(words(json.loads(fields["history"])), ["1 cut"])
        equal("possible_duplicate" in fields, False)
        equal(json.loads(fields["o.member"])["id"] if is_bulk else fields["o.id"], ID)
        equal(len(queue.events()), events)  # an operator decides: it has no outcome yet
        equal((queue.exposed(), queue.cost(), life.id_life()), ({life.token: PRICE}, (0, 0), -1))
        life.others_are_untouched()
        equal(unchanged(queue, lambda: queue.overdue("park")), ["ok", 0, 0, 0, -1])


def test_drop(queue):
    for is_bulk in (False, True):
        queue.client.flushall()
        life = overdue_life(queue, is_bulk)
        equal(queue.overdue("drop"), ["ok", 0, 1, 0, -1])
        equal(life.place(), None)
        event = queue.events()[-1]
        assert event.pop("at") > 10 ** 12
        equal(event, {"type": "dropped", "entry": life.member, "id": ID, "ref": "r1",
                      "country": "FR", "template": "order_shipped", "category": "utility",
                      "market": "Rest of Western Europe", "price": 0, "currency": "USD",
                      "attempt": 1, "reason": "cut"})
        equal((queue.exposed(), queue.cost()), ({life.token: PRICE}, (0, 0)))
        assert life.id_life() > 0
        life.others_are_untouched()
        equal(unchanged(queue, lambda: queue.overdue("drop")), ["ok", 0, 0, 0, -1])


def test_resend(queue):
    for is_bulk in (False, True):
        queue.client.flushall()
        life = overdue_life(queue, is_bulk)
        before = time.time() * 1000
        equal(queue.overdue("resend"), ["ok", 0, 0, 1, -1])
        equal(life.place(), "later")
        assert abs(queue.client.zscore(key("later"), life.member) - before) < 5000
        found = record(life, "later")
        equal((found["attempt"], found["possible_duplicate"]), (1, True))
        equal(words(found["history"]), ["1 cut"])
        equal((queue.exposed(), life.id_life()), ({life.token: PRICE}, -1))
        equal(unchanged(queue, lambda: queue.overdue("resend")), ["ok", 0, 0, 0, -1])
        life.claim(W2)
        equal(life.grant(), ["ok", "g"])
        equal(life.settle("accept", told="accepted"), ["ok"])
        equal((queue.exposed(), queue.cost()), ({life.tokens[1]: PRICE}, (1, 2 * PRICE)))


def test_codes_have_a_policy_of_their_own(queue):
    for policy, codes_policy, wanted in (("park", "drop", [1, 1, 0]), ("drop", "resend", [0, 1, 1]),
                                         ("resend", "park", [1, 0, 1])):
        queue.client.flushall()
        entries = [queue.add() for _ in range(2)]
        queue.beat(W1)
        claim = queue.claim(W1, W1 + ".1").parts[0].claim
        queue.grant(W1, W1 + ".2", "queue", [(entry, 1, n, "") for n, entry in enumerate(entries)],
                    [(DAY, CELL, "USD", 1), (DAY, CODE, "USD", 2)])
        queue.settle(W1, [group(W1 + ".2", "queue", "uncertain", (1, 1, "cut"), [n], singles=[entry])
                          for n, entry in enumerate(entries)], [claim])
        equal(queue.overdue(policy, codes_policy), ["ok", *wanted, -1])
        places = {"park": ["dead"], "drop": None, "resend": ["later"]}
        equal([census(queue).get(entry) for entry in entries],
              [places[policy], places[codes_policy]])


def test_only_those_whose_time_is_over(queue):
    """The oldest first, so many a call; and when the next is over."""
    entries = [queue.add() for _ in range(6)]
    queue.beat(W1)
    claim = queue.claim(W1, W1 + ".1").parts[0].claim
    queue.grant(W1, W1 + ".2", "queue", [(entry, 1, 0, "") for entry in entries])
    far = int(time.time() * 1000) + 60000
    times = [30, far + 5, 10, 20, far, 40]
    queue.settle(W1, [group(W1 + ".2", "queue", "uncertain", (until, 1, "cut"), [n], singles=[entry])
                      for n, (until, entry) in enumerate(zip(times, entries))], [claim])
    equal(queue.overdue("park", members=1), ["ok", 1, 0, 0, 20])
    equal(census(queue)[entries[2]], ["dead"])
    equal(queue.overdue("park", members=2), ["ok", 2, 0, 0, 40])
    equal(queue.overdue("park"), ["ok", 1, 0, 0, far])
    equal(unchanged(queue, queue.overdue), ["ok", 0, 0, 0, far])
    equal([census(queue)[entries[n]] for n in (1, 4)], [["uncertain"]] * 2)
    equal(len(queue.exposed()), 6)


def test_many(queue):
    count = 5000
    queue.client.zadd(key("uncertain"), {"%d-0" % n: n for n in range(1, count + 1)})
    queue.client.hset(key("uncertain:entries"), mapping={
        "%d-0" % n: '{"attempt":1,"at":1,"reason":"x","fields":["to","+1"]}'
        for n in range(1, count + 1)})
    equal(queue.overdue("park", members=100000), ["ok", 4096, 0, 0, 4097])
    equal(queue.overdue("drop", members=100000), ["ok", 0, count - 4096, 0, -1])
    equal(len(queue.events()), count - 4096)
    equal(queue.client.xlen(key("dead")), 4096)


def test_what_cannot_be_read_is_kept(queue):
    """Nonsense where a record should be is parked as it stands; a name without any is forgotten."""
    queue.client.zadd(key("uncertain"), {"1-1": 1, "2-2": 2})
    queue.client.hset(key("uncertain:entries"), "1-1", "nonsense")
    equal(queue.overdue("park"), ["ok", 1, 0, 0, -1])
    fields = queue.client.xrange(key("dead"))[0][1]
    equal((fields[b"entry"], fields[b"o.record"], fields[b"attempts"]), (b"1-1", b"nonsense", b"0"))
    equal(queue.client.exists(key("uncertain")), 0)
    for policy in ("drop", "resend"):
        queue.client.zadd(key("uncertain"), {"3-3": 1})
        queue.client.hset(key("uncertain:entries"), "3-3", "nonsense")
        equal(queue.overdue(policy)[0], "ok")
    equal(queue.events()[0]["type"], "dropped")
    equal(record_of(queue, "3-3")["fields"], ["record", "nonsense"])


def record_of(queue, member):
    return json.loads(queue.client.hget(key("later:entries"), member))


def test_calls_that_are_refused(queue):
    life = overdue_life(queue)
    for said, arguments in (
            ("park, drop or resend", ("keep", "drop", KEEP, TTL, 5)),
            ("park, drop or resend", ("park", "", KEEP, TTL, 5)),
            ("whole number", ("park", "drop", "x", TTL, 5)),
            ("whole number", ("park", "drop", KEEP, -1, 5)),
            ("at least 1", ("park", "drop", KEEP, TTL, 0)),
            ("ends where", ("park", "drop", KEEP, TTL)),
            ("too many", ("park", "drop", KEEP, TTL, 5, 6))):
        refused(queue, said, lambda: queue.call("overdue", *arguments))
    refused(queue, "two keys", lambda: queue.call("overdue", "park", "drop", KEEP, TTL, 5,
                                                  keys=(ACCOUNT,)))
    for name in ("uncertain", "uncertain:entries", "later", "later:entries", "dead", "dead:members",
                 "dead:parked", "events", "events:index"):
        queue.client.flushall()
        life = overdue_life(queue)
        queue.client.delete(key(name))
        queue.client.set(key(name), "x")
        for policy in ("park", "drop", "resend"):
            refused(queue, "key %s holds a string" % key(name), lambda: queue.overdue(policy))
    assert life


# ---- parked, and then -----------------------------------------------------------------------------

def test_parked_is_requeued_and_flagged(queue):
    for is_bulk in (False, True):
        queue.client.flushall()
        life = overdue_life(queue, is_bulk)
        queue.overdue("park")
        found_id, _ = dead_entry(life)
        equal(queue.call("requeue", "ann", "customer asked", 1, found_id), ["ok"])
        equal((life.place(), queue.client.exists(key("dead:members"))), ("later", 0))
        found = record(life, "later")
        equal((found["attempt"], found["possible_duplicate"], "history" in found), (0, True, False))
        life.claim(W2)
        life.grant()
        equal(queue.receive(life.receipt("accepted", 1)), ["ok granted"])  # of back then
        equal(life.settle("dead", ("failed", "131026", 1, 0), told="failed"), ["ok"])
        equal((life.place(), [event["type"] for event in life.events()]), (None, ["accepted"]))


def test_the_flag_goes_through_dead_and_back(queue):
    """Resent, refused by Meta for good, requeued: it is still a possible duplicate."""
    life = overdue_life(queue)
    queue.overdue("resend")
    life.claim(W2)
    life.grant()
    equal(life.settle("dead", ("failed", "131026: undeliverable", 2, 0), told="failed"), ["ok"])
    found_id, fields = dead_entry(life)
    equal((fields["type"], fields["possible_duplicate"]), ("failed", "1"))
    equal(words(json.loads(fields["history"])), [
        "1 cut", "1 no answer and no receipt came: it is sent again", "2 131026: undeliverable"])
    equal(queue.call("requeue", "ann", "mended", 1, found_id), ["ok"])
    equal(record(life, "later")["possible_duplicate"], True)


def test_what_only_was_refused_is_not_flagged(queue):
    life = Life(queue, False)
    life.claim()
    equal(life.settle("dead", ("refused", "policy", 0, 1), by_claim=True, told="refused"), ["ok"])
    found_id, fields = dead_entry(life)
    equal(("history" in fields, "possible_duplicate" in fields), (False, False))
    equal(queue.call("requeue", "ann", "mended", 1, found_id), ["ok"])
    equal("possible_duplicate" in record(life, "later"), False)


def test_parked_is_purged(queue):
    life = overdue_life(queue)
    queue.overdue("park")
    found_id, _ = dead_entry(life)
    equal(queue.call("purge", "ann", "given up", TTL, 1, found_id), ["ok"])
    equal((life.place(), queue.client.exists(key("dead:members"))), (None, 0))
    equal(queue.exposed(), {life.token: PRICE})
    equal(queue.receive(life.receipt("accepted", 1)), ["ok gone"])
    equal([(event["type"], event["possible_duplicate"]) for event in life.events()],
          [("corrected", True)])
    equal((queue.exposed(), queue.cost()), ({}, (1, PRICE)))


def test_a_second_time_uncertain(queue):
    """Parked after two attempts: both stay exposed, and the flag is kept with it."""
    life = overdue_life(queue, True, attempts=2)
    equal(record(life, "uncertain")["possible_duplicate"], True)
    queue.overdue("park")
    _, fields = dead_entry(life)
    equal((fields["attempts"], fields["possible_duplicate"]), ("2", "1"))
    equal(words(json.loads(fields["history"])), [
        "1 cut", "1 no answer and no receipt came: it is sent again", "2 cut"])
    equal(queue.exposed(), {life.tokens[1]: PRICE, life.tokens[2]: 2 * PRICE})
    equal(queue.receive(life.receipt("failed", 1), life.receipt("accepted", 2)),
          ["ok dead", "ok dead"])
    equal((queue.exposed(), queue.cost(), life.place()), ({}, (1, 2 * PRICE), None))


# ---- recover --------------------------------------------------------------------------------------

def test_recover_exposes_each_attempt(queue):
    for is_bulk in (False, True):
        queue.client.flushall()
        life = Life(queue, is_bulk)
        life.resent()
        life.claim(W2)
        life.grant()
        queue.fence(W2)
        equal(queue.recover(1), [1, 1])
        equal(queue.exposed(), {life.tokens[1]: PRICE, life.tokens[2]: 2 * PRICE})
        line = text(queue.client.hget(key("exposed"), life.token)).split("\t")
        equal(line[:6], [life.member, "2", DAY, CELL, "USD", str(2 * PRICE)])
        found = record(life, "uncertain")
        equal((found["possible_duplicate"], found["attempt"]), (True, 2))
        equal(words(found["history"]), ["1 cut", "1 no answer and no receipt came: it is sent again"])
        event = queue.events()[-1]
        equal((event["type"], event["possible_duplicate"], event["id"], event["ref"]),
              ("uncertain", True, ID, "r1"))
        answer = life.settle("accept", told="accepted")  # its worker was only slow
        equal(answer, ["already"])
        equal(queue.receive(life.receipt("accepted", 2)), ["ok uncertain"])
        equal((queue.exposed(), queue.cost()), ({life.tokens[1]: PRICE}, (1, 2 * PRICE)))


# ---- history --------------------------------------------------------------------------------------

def later(life, attempt, reason, throttles=0):
    life.claim()
    life.grant()
    equal(life.settle("later", (1, attempt, reason, throttles), ids=()), ["ok"])


def test_history_of_attempts(queue):
    life = Life(queue, True)
    later(life, 1, "500: \"oops\" \\ é\x01")
    found = record(life, "later")
    equal((found["attempt"], found["reason"], "history" in found), (1, "500: \"oops\" \\ é\x01", False))
    later(life, 2, "503")
    equal(words(record(life, "later")["history"]), ["1 500: \"oops\" \\ é\x01"])
    later(life, 3, "504")
    equal(words(record(life, "later")["history"]), ["1 500: \"oops\" \\ é\x01", "2 503"])
    life.claim()
    life.grant()
    equal(life.settle("dead", ("dead", "131000: used up", 4, 0), told="dead"), ["ok"])
    _, fields = dead_entry(life)
    equal(words(json.loads(fields["history"])),
          ["1 500: \"oops\" \\ é\x01", "2 503", "3 504", "4 131000: used up"])


def test_history_is_bounded(queue):
    life = Life(queue, False)
    for attempt in range(1, 21):
        later(life, attempt, "try %d" % attempt)
    equal(words(record(life, "later")["history"]),
          ["%d try %d" % (attempt, attempt) for attempt in range(4, 20)])
    life.claim()
    equal(life.settle("dead", ("dead", "expired", 20, 0), by_claim=True, told="dead"), ["ok"])
    _, fields = dead_entry(life)
    equal(words(json.loads(fields["history"])),
          ["%d try %d" % (attempt, attempt) for attempt in range(5, 21)])


def test_what_is_said_again_and_again_stands_once(queue):
    life = Life(queue, False)
    for throttles in (1, 2, 3):
        later(life, 0, "131056: pair limit", throttles)
        equal(record(life, "later")["throttles"], throttles)
    equal(words(record(life, "later")["history"]), ["0 131056: pair limit"])
    later(life, 1, "500")
    found = record(life, "later")
    equal(("throttles" in found, words(found["history"])), (False, ["0 131056: pair limit"]))


def test_what_was_no_attempt_is_no_history(queue):
    """Scheduled, put off by a pause before any attempt: nothing that anyone must know later."""
    life = Life(queue, False)
    life.claim()
    equal(life.settle("later", (1, 0, "paused", 0), by_claim=True, ids=()), ["ok"])
    later(life, 1, "500")
    equal("history" in record(life, "later"), False)


def test_later_takes_four_arguments(queue):
    life = Life(queue, False)
    life.claim()
    life.grant()
    refused(queue, "throttles", lambda: life.settle("later", (1, 1, "x", "many")))
    refused(queue, "FACTEUR", lambda: queue.settle(W1, [
        [life.grant_name, "queue", "later", 1, 1, "x", "2", 0, 1, life.member, 0, 0, 0, 0]]))


def test_uncertain_of_settle_and_recover_read_alike(queue):
    """One receipt line each, whoever wrote the attempt down."""
    life = overdue_life(queue)
    line = text(queue.client.hget(key("exposed"), life.token)).split("\t")
    equal(line[:6], [life.member, "1", DAY, CELL, "USD", str(PRICE)])
    assert abs(int(line[6]) - time.time() * 1000) < 60000
    equal(queue.stats()["exposed"], 1)
    found = record(life, "uncertain")
    equal((found["grant"], found["index"], found["price"], found["cell"]),
          (life.grant_name, life.index, PRICE, CELL))
    equal(queue.receive(receipt("accepted", life.member, life.grant_name, life.index)),
          ["ok uncertain"])
    equal(queue.stats()["exposed"], 0)


if __name__ == "__main__":
    run(globals())
