"""Workers at random, and a Redis that forgets at random what it did since a mark.

    python3 tests/scenario/forgotten_property_test.py [seed] [crashes]

What Meta took is drawn by lot and kept here, attempt by attempt; the library learns of it only by
settles, declares and receipts. Replies are lost, grants are in doubt, settles wait. After each crash
the workers declare in any order, and those who are first wait. At the end, with all receipts in:
Meta took no member twice, the ledger has what Meta took, every member is in one place or had one
outcome, and what is still exposed Meta never took.
"""
import json
import random
import sys
import time

from forgetting import CELLS, House
from queue_calls import (CELL, DAY, KEEP, TTL, census, group, holder_name, key, outcome, record_of,
                         text)
from queue_library_test import equal

CRASHES = 60
WORKERS = 3
STEPS = 25  # between two crashes
PRICE = 75000
FOREVER = 9999999999999
NOTE = {"to": "+33612345678", "template": "order_shipped", "lang": "fr"}


class Attempt:
    """One member of one grant."""

    def __init__(self, name, one, answer):
        self.name, self.one, self.answer = name, one, answer
        self.state = "open"  # accepted, uncertain, other: its settle was answered
        self.is_put_off = False  # a settle as `later` was asked for


class Grant:
    def __init__(self, name, source, record):
        self.name, self.source, self.record = name, source, record
        self.attempts = []  # in the order of the record

    def numbers(self, state):
        return [n for n, attempt in enumerate(self.attempts) if attempt.state == state]


class Worker:
    def __init__(self, world, holder):
        self.world, self.holder, self.count, self.grants = world, holder, 0, []
        self.totals = {}  # members of bulk entries
        world.queue.beat(holder)

    def name(self):
        self.count += 1
        return "%s.%d" % (self.holder, self.count)

    # ---- one turn -------------------------------------------------------------------------------

    def work(self):
        """Claims, grants, sends. Settling comes when it comes."""
        world = self.world
        for part in world.queue.claim(self.holder, self.name(), world.random.choice((3, 64, 200))).parts:
            members = world.members_of(part)
            world.random.shuffle(members)
            members = members[:world.random.randint(1, len(members))] if members else []
            self.totals.update((entry, content["bulk"].count("\n") + 1) for entry, content
                               in part.entries if part.source != "later" and "bulk" in content)
            if members:
                self.send(part, members)
            # The rest goes back some day, when nothing of the claim is granted.
        world.queue.give_back(self.holder, *[text(name) for name in world.queue.client.hkeys(key("claims"))
                                             if text(name).startswith(self.holder)])

    def send(self, part, members):
        world = self.world
        lines = [(name, attempts + 1, 0, one) for name, one, attempts in members]
        grant = Grant(self.name(), part.source, record_of(self.holder, part.source, lines, CELLS))
        reply = world.queue.grant(self.holder, grant.name, part.source, lines, CELLS)
        equal(reply[0], "ok")
        if world.random.random() < world.doubt:
            self.grants.append(grant)  # its reply was lost: in doubt, nothing of it leaves
            grant.size = len(lines)
            return
        going = [line for line, mark in zip(lines, reply[1]) if mark == "g"]
        twins = [line[0] for line, mark in zip(lines, reply[1]) if mark == "d"]
        proven = [line[0] for line, mark in zip(lines, reply[1]) if mark == "p"]
        for names, action, kind in ((twins, "drop", "duplicate"), (proven, "free", "expired")):
            if names:
                self.settle_unsent(part, names, action, kind)
        if not going:
            return
        grant.record = record_of(self.holder, part.source, going, CELLS)
        grant.size = len(going)
        for number, (name, attempt, _, one) in enumerate(going):
            answer = world.random.choice(("accept", "accept", "accept", "later", "uncertain", "drop"))
            grant.attempts.append(Attempt(name, one, answer))
            if answer == "accept" or (answer == "uncertain" and world.random.random() < 0.5):
                world.take(name, one, grant.name, number)
        self.grants.append(grant)

    def settle_unsent(self, part, names, action, kind):
        equal(self.world.queue.settle(self.holder, [group(
            "claim:" + part.claim, part.source, action,
            outcomes=[outcome(name, kind) for name in names], **self.where(part.source, names))]),
            ["ok"])

    def where(self, source, names):
        if source == "later":
            return {"names": names}
        masks, singles = {}, []
        for name in names:
            entry, _, n = name.partition("/")
            if n:
                masks[entry] = masks.get(entry, 0) | 1 << int(n) - 1
            else:
                singles.append(name)
        return {"singles": singles,
                "bulks": [(entry, mask, self.totals[entry]) for entry, mask in masks.items()]}

    def settle(self, share):
        """Tells some of what is open; some of the replies are lost."""
        world = self.world
        for grant in self.grants:
            for number in grant.numbers("open"):
                if world.random.random() > share:
                    continue
                attempt = grant.attempts[number]
                attempt.is_put_off = attempt.answer == "later"
                reply = world.queue.settle(self.holder, [self.group_of(grant, number)])
                assert reply[0] == "ok" or reply[0].startswith("already"), reply
                if world.random.random() >= world.doubt:
                    attempt.state = {"accept": "accepted", "uncertain": "uncertain"}.get(attempt.answer,
                                                                                         "other")

    def group_of(self, grant, number):
        attempt = grant.attempts[number]
        kinds = {"accept": "accepted", "drop": "failed", "uncertain": "uncertain"}
        arguments = {"later": (5, 1, "throttled", 1), "uncertain": (FOREVER, 1, "no answer")}
        told = [outcome(attempt.name, kinds[attempt.answer])] if attempt.answer in kinds else ()
        return group(grant.name, grant.source, attempt.answer, arguments.get(attempt.answer, ()),
                     [number], [(0, 1, PRICE)] if attempt.answer == "accept" else (), outcomes=told,
                     ids=[attempt.one] if attempt.one else (),
                     **self.where(grant.source, [attempt.name]))

    # ---- after a crash --------------------------------------------------------------------------

    def declare(self):
        """In one call or two; some replies are lost, so it is told again."""
        world, cut = self.world, self.world.random.randint(0, len(self.grants))
        for grant in self.grants:
            for number in grant.numbers("open"):
                if grant.attempts[number].is_put_off:  # not on the wire: done, or free again
                    grant.attempts[number].state = "other"
        for grants in (self.grants[:cut], self.grants[cut:]):
            told = [(grant.name, grant.record, grant.numbers("accepted"), grant.numbers("uncertain"),
                     grant.numbers("open")) for grant in grants]
            if world.random.random() < 0.2:
                world.queue.declare(self.holder, self.name(), told, FOREVER)
            open_ones = world.queue.declare(self.holder, self.name(), told, FOREVER)
            for grant, numbers in zip(grants, open_ones):
                for number in set(grant.numbers("open")) - set(numbers):
                    self.drop(grant, number)
                grant.source = "later"
        equal(world.queue.declared(self.holder), ["ok"])
        # What was settled long ago is remembered no more: a crash forgets no further back than this.
        self.grants = [grant for grant in self.grants if grant.numbers("open")]
        for grant in self.grants:
            for attempt in grant.attempts:
                attempt.state = "open" if attempt.state == "open" else "other"

    def drop(self, grant, number):
        """Not ours any more: its answer is told as a receipt."""
        attempt = grant.attempts[number]
        attempt.state = "other"
        if attempt.answer == "accept":
            self.world.receipt(attempt.name, grant.name, number)


class World:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.house = House()
        self.doubt = 0.1  # that the reply to a grant or settle is lost
        self.taken = {}  # member → tokens (grant, index) that Meta took
        self.by_id = {}
        self.members = {}  # name → id
        self.counts = dict.fromkeys(("crashes", "forgetful", "members", "taken", "waits", "died"), 0)
        self.holders = WORKERS
        self.workers = [Worker(self, holder_name(n + 1)) for n in range(WORKERS)]

    @property
    def queue(self):
        return self.house.queue

    def take(self, name, one, grant, index):
        self.taken.setdefault(name, []).append((grant, index))
        if one:
            self.by_id.setdefault(one, set()).add(name)

    def receipt(self, name, grant, index):
        line = "\t".join(map(str, ("accepted", name, 1, grant, index, DAY, CELL, "USD", PRICE, "w", "", "")))
        return self.queue.call("receipt", KEEP, TTL, 1, line)[0]

    def members_of(self, part):
        """[(name, id, attempts)] of a part."""
        found = []
        for name, content in part.entries:
            if part.source == "later":
                fields = dict(zip(content["fields"][0::2], content["fields"][1::2]))
                line = json.loads(fields["member"]) if "member" in fields else fields
                found.append((name, line.get("id", ""), content["attempt"]))
            elif "bulk" in content:
                found += [("%s/%d" % (name, n + 1), json.loads(line).get("id", ""), 0)
                          for n, line in enumerate(content["bulk"].split("\n"))
                          if not part.masks.get(name, 0) & 1 << n]
            else:
                found.append((name, content.get("id", ""), 0))
        return found

    def produce(self):
        for _ in range(self.random.randint(5, 15)):
            one = "i%d" % self.random.randrange(2000)
            if self.random.random() < 0.3:
                lines = [dict(NOTE, id="i%d" % self.random.randrange(2000)) if self.random.random() < 0.5
                         else NOTE for _ in range(self.random.randint(1, 6))]
                entry = self.queue.add(bulk="\n".join(map(json.dumps, lines)))
                names = ["%s/%d" % (entry, n + 1) for n in range(len(lines))]
                self.members.update((name, line.get("id")) for name, line in zip(names, lines))
            else:
                stream = self.random.choice(("queue", "queue", "urgent"))
                has_id = self.random.random() < 0.5
                name = self.queue.add(stream, **({"id": one} if has_id else {}))
                self.members[name] = one if has_id else None

    def epoch(self):
        """Producers, then work with marks in it, then a crash back to one of them."""
        self.produce()
        if self.random.random() < 0.3:
            self.bury()
        marks = [self.house.mark()]
        for _ in range(self.random.randint(1, STEPS)):
            worker = self.random.choice(self.workers)
            self.random.choice((worker.work, lambda: worker.settle(0.5)))()
            if self.random.random() < 0.2:
                marks.append(self.house.mark())
        forgets = self.random.random() < 0.8
        self.crash(self.random.choice(marks) if forgets else None)

    def bury(self):
        """One dies, long enough before the crash; what it had on the wire is parked."""
        self.counts["died"] += 1
        number = self.random.randrange(WORKERS)
        equal(self.queue.fence(self.workers[number].holder), 1)
        while self.queue.recover(until=FOREVER) != [0, 0]:
            pass
        self.holders += 1
        self.workers[number] = Worker(self, holder_name(self.holders))

    def crash(self, mark):
        self.house.restart(mark)
        self.counts["crashes"] += 1
        self.counts["forgetful"] += mark is not None
        order = list(self.workers)
        self.random.shuffle(order)
        for number, worker in enumerate(order):
            assert self.queue.claim(worker.holder, worker.name()).declare
            worker.declare()
            found = self.queue.claim(worker.holder, worker.name())
            if number + 1 < len(order):
                assert found.wait
                self.counts["waits"] += 1
        self.look()

    def look(self):
        """After each crash: one place each, and what is on the wire nobody can get."""
        places = census(self.queue)
        twice = {name: where for name, where in places.items() if len(where) > 1}
        assert not twice, twice
        on_the_wire = {attempt.name for worker in self.workers for grant in worker.grants
                       for attempt in grant.attempts if attempt.state == "open"}
        held = {text(name) for name in self.queue.client.hkeys(key("later:held"))}
        assert on_the_wire <= held, on_the_wire - held
        doubled = {name: tokens for name, tokens in self.taken.items() if len(tokens) > 1}
        assert not doubled, "taken twice: %s" % doubled

    def finish(self):
        self.crash(None)  # a grant in doubt is undone by the next declare
        self.doubt = 0
        while True:
            for worker in self.workers:
                worker.settle(1)
                worker.work()
            numbers = self.queue.stats()
            if not any(numbers[name] for name in ("waiting", "urgent", "claimed", "granted", "later")):
                break
        for name, tokens in self.taken.items():
            for grant, index in tokens:
                for _ in range(2):
                    self.receipt(name, grant, index)

    def judge(self):
        self.look()
        taken = {name for name in self.taken}
        equal(self.queue.cost(), (len(taken), len(taken) * PRICE))
        exposed = {text(line).split("\t")[0] for line in self.queue.client.hvals(key("exposed"))}
        assert not exposed & taken, exposed & taken
        for one, names in self.by_id.items():
            assert len(names) == 1, "id %s was sent as %s" % (one, names)
        places, told = census(self.queue), {}
        for event in self.queue.events():
            if event["type"] != "uncertain":
                told.setdefault(event["entry"], []).append(event["type"])
        for name in self.members:
            ends = told.get(name, [])
            if name in taken:
                equal((name, places.get(name), ends), (name, None, ["accepted"]))
            elif name in places:
                equal((name, places[name], ends), (name, ["uncertain"], []))
            else:
                assert len(ends) == 1 and ends[0] in ("failed", "duplicate"), (name, ends)
        self.counts.update(members=len(self.members), taken=len(taken))


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else int(time.time())
    crashes = int(sys.argv[2]) if len(sys.argv) > 2 else CRASHES
    print("seed %d" % seed, flush=True)
    world = World(seed)
    try:
        for _ in range(crashes):
            world.epoch()
        world.finish()
        world.judge()
        print(", ".join("%d %s" % (count, name) for name, count in world.counts.items()))
    finally:
        world.house.server.close()


if __name__ == "__main__":
    main()
