"""One notification that is brought into any place of the queue, and the receipts of its attempts.

Its price is another one at each attempt, and what a receipt says of itself is another one again, so
that a ledger shows which of them was charged.
"""
import itertools
import json
import sys
import traceback

from redis_server import RedisServer
from queue_calls import CELL, DAY, KEEP, Queue, census, group, holder_name, key, outcome, text

W1, W2, W3 = holder_name(1), holder_name(2), holder_name(3)
ID, REF = "order 1/2", "r1"
PRICE = 1000      # of the first attempt; of the second 2000
OWN_PRICE = 7     # what the receipt of the first attempt says of itself; of the second 14
FIELDS = {"to": "+33612345678", "template": "order_shipped", "lang": "fr"}


def equal(found, wanted):
    assert found == wanted, "found %r, wanted %r" % (found, wanted)


def receipt(status, member, grant, index, attempt=1, price=OWN_PRICE, day=DAY, cell=CELL,
            currency="USD", wamid="wamid.X", to="00ff", reason=None):
    """One line of facteur_receipt."""
    if reason is None:
        reason = "131026: undeliverable" if status == "failed" else ""
    return "\t".join(map(str, (status, member, attempt, grant, index, day, cell, currency, price,
                               wamid, to, reason)))


class Life:
    """One member, single or the second of a bulk of three, between two others that nobody touches.
    `token`: GRANT/INDEX of its newest attempt, `tokens`: of each, from attempt 1."""

    def __init__(self, queue, is_bulk):
        self.queue, self.numbers = queue, itertools.count(1)
        self.source, self.claim_name, self.attempt, self.tokens = None, None, 0, [None]
        self.total = 3 if is_bulk else None
        if is_bulk:
            lines = [json.dumps(dict(FIELDS, **more)) for more in ({}, {"id": ID, "ref": REF}, {})]
            self.entry = queue.add(bulk="\n".join(lines) + "\n")
            self.member = self.entry + "/2"
            self.others = [self.entry + "/1", self.entry + "/3"]
        else:
            before = queue.add()
            self.entry = self.member = queue.add(id=ID, ref=REF)
            self.others = [before, queue.add()]
        for holder in (W1, W2, W3):
            queue.beat(holder)

    def name(self, holder):
        return "%s.%d" % (holder, next(self.numbers))

    def claim(self, holder=W1):
        self.holder = holder
        part, = self.queue.claim(holder, self.name(holder)).parts
        assert self.member in part.members(), part.members()
        self.claim_name, self.source = part.claim, part.source

    def grant(self):
        """The next attempt: of what was claimed, all of it."""
        self.attempt += 1
        grant = self.name(self.holder)
        members = [(self.member, self.attempt, 0, ID)]
        if self.source != "later":
            members = [(self.others[0], 1, 0, ""), *members, (self.others[1], 1, 0, "")]
        cell = (DAY, CELL, "USD", PRICE * self.attempt)
        reply = self.queue.grant(self.holder, grant, self.source, members, [cell])
        self.index = len(members) // 2
        self.tokens.append("%s/%d" % (grant, self.index))
        self.grant_name = grant
        return reply

    @property
    def token(self):
        return self.tokens[-1]

    def where(self):
        """How a group of settle names the member."""
        if self.source == "later":
            return {"names": [self.member]}
        if self.total:
            return {"bulks": [(self.entry, 2, self.total)]}
        return {"singles": [self.member]}

    def settle(self, action, arguments=(), by_claim=False, told=None, ids=(ID,)):
        """Settles the member alone, and tells `told` of it."""
        token = "claim:" + self.claim_name if by_claim else self.grant_name
        cells = [(0, 1, PRICE * self.attempt)] if action == "accept" else []
        outcomes = [outcome(self.member, told, own=True)] if told else []
        return self.queue.settle(self.holder, [group(
            token, self.source, action, arguments, None if by_claim else [self.index], cells,
            outcomes=outcomes, ids=ids, **self.where())], [self.claim_name])

    def uncertain(self):
        """An attempt whose answer never came, and whose time is over."""
        self.claim()
        equal(self.grant()[1].count("g"), self.index * 2 + 1)
        equal(self.settle("uncertain", (1, self.attempt, "cut"), ids=()), ["ok"])

    def resent(self):
        self.uncertain()
        equal(self.queue.overdue("resend")[1:4], [0, 0, 1])

    def receipt(self, status, number, **more):
        """Of attempt `number`; of one that Redis never heard of, if there was no such attempt."""
        token = self.tokens[number] if number < len(self.tokens) else W3 + ".99/5"
        grant, index = token.split("/")
        return receipt(status, self.member, grant, index, number, OWN_PRICE * number, **more)

    # ---- what can be seen of it -----------------------------------------------------------------

    def place(self):
        """Of the census: stream, later, uncertain, dead, or None: gone."""
        found = census(self.queue).get(self.member)
        assert found is None or len(found) == 1, found
        return found and found[0]

    def events(self):
        """Of the member, all but what `uncertain` and the others told."""
        return [event for event in self.queue.events()
                if event["entry"] == self.member and event["type"] not in ("uncertain", "dropped")]

    def others_are_untouched(self):
        places = census(self.queue)
        for member in self.others:
            equal(places.get(member), ["stream"])
        for name, bits in self.queue.client.hgetall(key("grants")).items():
            if name.endswith(b"#"):
                assert int(bits, 16) & 5 == 0 or b"later" in self.queue.client.hget(
                    key("grants"), name[:-1]), (name, bits)

    def id_life(self):
        """ms the id has to live: -1 for ever, -2 there is none."""
        found = self.queue.client.pttl(key("id:" + ID))
        assert found < 0 or self.queue.client.get(key("id:" + ID)) == self.member.encode()
        return found


def unchanged(queue, call):
    """What `call` answers, which must change nothing."""
    before = queue.dump()
    reply = call()
    after = queue.dump()
    equal({name for name in before if before[name] != after.get(name)} | set(after) - set(before),
          set())
    return reply


def run(tests):
    """Runs what is called test_…, each on an empty Redis: `tests` maps names to functions."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    failures, count = [], 0
    with RedisServer() as server:
        server.load_library()
        queue = Queue(server.client())
        for name, test in list(tests.items()):
            if not name.startswith("test_") or word not in name:
                continue
            queue.client.flushall()
            count += 1
            try:
                test(queue)
            except Exception:  # a failure of one test must not hide the others
                failures.append(name)
                print("FAIL %s\n%s" % (name, traceback.format_exc()), file=sys.stderr)
    print("%d tests, %d failed %s" % (count, len(failures), " ".join(failures)))
    sys.exit(1 if failures or count == 0 else 0)
