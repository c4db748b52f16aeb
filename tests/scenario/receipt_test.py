"""Place x receipt x attempt: every cell of the table in queue/README.md is a test of its name.

    python3 tests/scenario/receipt_test.py [word in a test's name]

    test_PLACE[_forgotten]_STATUS_ATTEMPT_KIND     as in test_later_accepted_second_bulk

Each builds its place with the calls that lead there, gives the receipt, looks at the member, the
ledger, the exposure, the events and the id, gives it again (known, and nothing changes), and lets
whoever holds the member go on.
"""
from receipts import ID, OWN_PRICE, PRICE, W2, Life, equal, run, unchanged
from queue_calls import key

# ---- places: the member is there after attempt `number`, whose receipt is to come -----------------


def after(life, number):
    """The attempts before: each was lost and sent again."""
    for _ in range(number - 1):
        life.resent()


def waiting(life, _):
    """Nobody has taken it; Redis has forgotten that somebody had."""


def claimed(life, _):
    life.claim()


def granted(life, number):
    after(life, number)
    life.claim()
    life.grant()


def granted_again(life, number):
    after(life, number + 1)
    life.claim(W2)
    life.grant()


def later(life, number):
    after(life, number + 1)


def later_held(life, number):
    after(life, number + 1)
    life.claim(W2)


def uncertain(life, number):
    after(life, number)
    life.uncertain()


def uncertain_again(life, number):
    after(life, number + 1)
    life.uncertain()


def dead(life, number):
    uncertain(life, number)
    equal(life.queue.overdue("park")[1:4], [1, 0, 0])


def gone(life, number):
    uncertain(life, number)
    equal(life.queue.overdue("drop")[1:4], [0, 1, 0])


# ---- the table ----------------------------------------------------------------------------------

LEAVES, STAYS, PROVEN = "leaves", "stays", "proven"

# place, is forgotten → (build, place in the census, answer to accepted, what the member does, event;
#                        answer to failed, what the member does, event)
TABLE = {
    ("waiting", True): (waiting, "ok waiting", LEAVES, "accepted", "known", STAYS, None),
    ("claimed", True): (claimed, "ok claimed", PROVEN, None, "known", STAYS, None),
    ("granted", False): (granted, "ok granted", LEAVES, "accepted", "ok granted", LEAVES, "failed"),
    ("granted_again", False): (granted_again, "ok granted", PROVEN, None, "ok granted", STAYS, None),
    ("granted_again", True): (granted_again, "ok granted", PROVEN, None, "known", STAYS, None),
    ("later", False): (later, "ok later", LEAVES, "accepted", "ok later", STAYS, None),
    ("later", True): (later, "ok later", LEAVES, "accepted", "known", STAYS, None),
    ("later_held", False): (later_held, "ok claimed", PROVEN, None, "ok claimed", STAYS, None),
    ("later_held", True): (later_held, "ok claimed", PROVEN, None, "known", STAYS, None),
    ("uncertain", False): (uncertain, "ok uncertain", LEAVES, "accepted", "ok uncertain", LEAVES,
                           "failed"),
    ("uncertain_again", False): (uncertain_again, "ok uncertain", LEAVES, "accepted",
                                 "ok uncertain", STAYS, None),
    ("uncertain_again", True): (uncertain_again, "ok uncertain", LEAVES, "accepted", "known", STAYS,
                                None),
    ("dead", False): (dead, "ok dead", LEAVES, "accepted", "ok dead", STAYS, None),
    ("dead", True): (dead, "ok dead", LEAVES, "accepted", "known", STAYS, None),
    ("gone", False): (gone, "ok gone", STAYS, "corrected", "ok gone", STAYS, None),
    ("gone", True): (gone, "known", STAYS, None, "known", STAYS, None),
}


def is_flagged(place, number, event):
    """A second message is possible, or has gone out: what it is told with."""
    if event == "corrected" or place == "uncertain_again":
        return True
    return event == "accepted" and number > 1 and place in ("granted", "uncertain", "dead")


def look_at_money(life, before, number, is_forgotten, answer, status):
    """Ledger and exposure together are what was accepted, and what nobody knows of."""
    exposed, cost = dict(before[0]), before[1]
    price = exposed.pop(life.tokens[number], None) if not is_forgotten else None
    if answer.startswith("ok") and status == "accepted":
        own = OWN_PRICE * (number if not is_forgotten else number + 90)
        charged = own if is_forgotten else PRICE * number
        cost = (cost[0] + 1, cost[1] + charged)
        assert price in (None, charged)
    equal(life.queue.exposed(), exposed if not is_forgotten else before[0])
    equal(life.queue.cost(), cost)


def look_at_event(life, place, number, event, status, is_forgotten):
    if event is None:
        equal(life.events(), [])
        return
    found, = life.events()
    at = found.pop("at")
    assert at > 10 ** 12
    charged = OWN_PRICE * (number + 90) if is_forgotten else PRICE * number
    wanted = {"type": event, "entry": life.member, "to": "00ff", "country": "FR",
              "template": "order_shipped", "market": "Rest of Western Europe",
              "category": "utility", "price": charged if event != "failed" else 0,
              "currency": "USD", "attempt": number + 90 if is_forgotten else number,
              "wamid": "wamid.X"}
    if event != "corrected":  # of what is gone the receipt alone tells
        wanted.update(id=ID, ref="r1")
    if status == "failed":
        wanted["reason"] = "131026: undeliverable"
    if is_flagged(place, number, event):
        wanted["possible_duplicate"] = True
    equal(found, wanted)


def go_on(life, place, does, number):
    """Whoever has the member settles it. What was accepted is told, once; else it can be sent."""
    queue = life.queue
    if place in ("claimed", "later_held"):
        marks = life.grant()[1]
        equal(marks[len(marks) // 2], "p" if does == PROVEN else "g")
        if does == PROVEN:
            equal(life.settle("free", by_claim=True, told="refused"), ["ok"])
        else:
            equal(life.settle("accept", told="accepted"), ["ok"])
    elif place == "granted_again":
        equal(life.settle("drop", told="failed"), ["ok"])
    elif place == "granted":  # its own answer comes after the receipt
        queue.settle(life.holder, [], [life.claim_name])  # of later nothing is left in it
        equal(unchanged(queue, lambda: life.settle("accept", told="accepted"))[0][:7], "already")
        return
    else:
        return
    kinds = [event["type"] for event in life.events()]
    own = "accepted" if place != "granted_again" else "failed"
    equal(kinds, ["accepted" if does == PROVEN else own])
    equal("own" in life.events()[0], does != PROVEN)
    equal(life.place(), None)
    equal(queue.client.exists(key("proven")), 0)
    assert life.id_life() > 0


def run_cell(queue, place, is_forgotten, status, number, is_bulk):
    build, answer, does, event = TABLE[place, is_forgotten][:4]
    if status == "failed":
        answer, does, event = TABLE[place, is_forgotten][4:]
    life = Life(queue, is_bulk)
    build(life, number)
    line = life.receipt(status, number + 90 if is_forgotten else number)
    before = queue.exposed(), queue.cost()
    place_before, id_before = life.place(), life.id_life()

    if answer == "known":
        equal(unchanged(queue, lambda: queue.receive(line)), ["known"])
    else:
        equal(queue.receive(line), [answer])
    equal(life.place(), None if does == LEAVES else place_before)
    equal(queue.client.hlen(key("proven")), int(does == PROVEN))
    look_at_money(life, before, number, is_forgotten, answer, status)
    look_at_event(life, place, number, event, status, is_forgotten)
    if does == STAYS:
        equal(life.id_life() > 0, id_before > 0)
    else:
        assert life.id_life() > 0
    equal(queue.client.hlen(key("dead:members")), queue.client.xlen(key("dead")))
    for name in ("later", "uncertain"):
        assert set(queue.client.zrange(key(name), 0, -1)) <= set(
            queue.client.hkeys(key(name + ":entries"))), name
    life.others_are_untouched()
    equal(unchanged(queue, lambda: queue.receive(line)), ["known"])
    go_on(life, place, does, number)
    equal(unchanged(queue, lambda: queue.receive(line)), ["known"])


def cells():
    for place, is_forgotten in TABLE:
        for status in ("accepted", "failed"):
            for number, word in ((1, "first"), (2, "second")):
                for is_bulk in (False, True):
                    name = "test_%s%s_%s_%s_%s" % (
                        place, "_forgotten" if is_forgotten else "", status, word,
                        "bulk" if is_bulk else "single")
                    yield name, (place, is_forgotten, status, number, is_bulk)


def tests():
    return {name: lambda queue, cell=cell: run_cell(queue, *cell) for name, cell in cells()}


if __name__ == "__main__":
    run(tests())
