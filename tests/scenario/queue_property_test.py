"""Thousands of random operations of three workers that die at random, against a model.

After each step every member must be in exactly one place, and that place must be the model's. At
the end all is drained: outcomes and members must be the same set, and the ledger must hold what
was accepted, to the millionth.

    python3 tests/scenario/queue_property_test.py [seed [steps]]
"""
import json
import random
import sys
import time

from redis_server import RedisServer
from queue_calls import (COST, Queue, census, group, holder_name, key, outcome, text)

STEPS = 4000
EVENTS_KEEP = 200      # few, so that the library trims; the test reads along
DRAIN_ROUNDS_MAX = 2000
LIVE_MAX = 250         # members that wait or are worked on: beyond it nothing is added
PRICES = [12345678901231, 75000, 1, 1234567]  # sums of the first are soon beyond what a double holds
CELLS = [("2026-10-0%d" % (n % 2 + 1), "fr|C%d|Market %d|utility|t%d|2018" % (n, n, n), "USD", price)
         for n, price in enumerate(PRICES)]


class Model:
    """What must be true: each member's place, and the money."""

    def __init__(self):
        self.place = {}      # member → stream, later, uncertain, dead or gone
        self.total = {}      # bulk entry → members
        self.attempts = {}   # member → attempts made that count
        self.outcomes = {}   # member → its final outcome
        self.ledger = {}     # (day, cell) → [count, millionths]
        self.granted = {}    # grant → [holder, source, members, cells of them, set of settled]
        self.claims = {}     # claim → [holder, source, members]
        self.owner = {}      # id → member

    def live(self):
        return [member for member, place in self.place.items() if place in ("stream", "later")]

    def finish(self, member, place, kind):
        assert member not in self.outcomes, "%s has two outcomes" % member
        self.place[member] = place
        self.outcomes[member] = kind

    def charge(self, cell):
        row = self.ledger.setdefault(CELLS[cell][:2], [0, 0])
        row[0] += 1
        row[1] += PRICES[cell]


class Worker:
    def __init__(self, number):
        self.holder = holder_name(number)
        self.numbers = iter(range(1, 1 << 30))
        self.claims = {}     # claim → [source, members not settled]
        self.grants = {}     # grant → [source, members, cells, set of settled]
        self.last = None     # a call to repeat

    def name(self):
        return "%s.%d" % (self.holder, next(self.numbers))

    def free_members(self):
        """Claimed and not granted: [(claim, source, member)]."""
        busy = {member for _, members, _, done in self.grants.values()
                for i, member in enumerate(members) if i not in done}
        return [(claim, source, member) for claim, (source, members) in self.claims.items()
                for member in members if member not in busy]


class Run:
    def __init__(self, queue, seed):
        self.queue, self.random, self.model = queue, random.Random(seed), Model()
        self.workers, self.worker_count = [], 0
        self.outcomes, self.last_event, self.dead = {}, "-", set()
        for _ in range(3):
            self.hire()

    def hire(self):
        self.worker_count += 1
        worker = Worker(self.worker_count)
        assert self.queue.beat(worker.holder)[0] == "ok"
        self.workers.append(worker)

    # ---- producers ------------------------------------------------------------------------------

    def add(self):
        if len(self.model.live()) > LIVE_MAX:
            return
        stream = self.random.choice(["queue", "queue", "urgent"])
        kind = self.random.randrange(4)
        if kind == 0:
            total = self.random.choice([1, 2, 3, 5, 33, 64])
            newline = self.random.choice(["", "\n"])
            entry = self.queue.add(stream, bulk="\n".join("{\"1\":\"%d\"}" % n for n in range(total)) +
                                   newline)
            self.model.total[entry] = total
            for n in range(total):
                self.model.place["%s/%d" % (entry, n + 1)] = "stream"
        elif kind == 1:
            self.enqueue(stream)
        else:
            for _ in range(self.random.randrange(1, 8)):
                self.model.place[self.queue.add(stream)] = "stream"

    def enqueue(self, stream):
        fields = {"to": "+33612345678", "template": "t", "lang": "fr"}
        name = "id%d" % self.random.randrange(400)
        if self.random.random() < 0.7:
            fields["id"] = name
        if self.random.random() < 0.3:
            fields["not_before"] = int(time.time() * 1000) + self.random.randrange(-50, 50)
        reply = self.queue.enqueue(stream, **fields)
        if reply[0] == "duplicate":
            assert self.model.owner[name] == reply[1]
            return
        assert "id" not in fields or name not in self.model.owner
        if "id" in fields:
            self.model.owner[name] = reply[1]
        self.model.place[reply[1]] = "later" if reply[0] == "scheduled" else "stream"

    # ---- a worker's calls -----------------------------------------------------------------------

    def claim(self, worker):
        name = worker.name()
        limits = (self.random.choice([1, 3, 20, 100]), self.random.choice([1, 500, 100000]))
        found = self.queue.claim(worker.holder, name, *limits)
        if found.parts and self.random.random() < 0.2:
            before = self.queue.content()
            again = self.queue.claim(worker.holder, name, *limits)
            assert again.members() == found.members()
            assert self.queue.content() == before
        held = {member for _, _, members in self.model.claims.values() for member in members}
        for part in found.parts:
            members = part.members()
            for member in members:
                assert member not in held, "%s is claimed twice" % member
                place = "later" if part.source == "later" else "stream"
                assert self.model.place[member] == place, (member, part.source)
            worker.claims[part.claim] = [part.source, members]
            self.model.claims[part.claim] = [worker.holder, part.source, list(members)]

    def grant(self, worker):
        free = worker.free_members()
        if not free:
            return
        source = self.random.choice(free)[1]
        members = sorted({member for _, one, member in free if one == source})
        self.random.shuffle(members)
        members = members[:self.random.choice([1, 2, 10, 50])]
        cells = [self.random.randrange(len(CELLS)) for _ in members]
        ids = ["id%d" % self.random.randrange(400) if self.random.random() < 0.2 else ""
               for _ in members]
        lines = [(member, self.model.attempts.get(member, 0) + 1, cell, name)
                 for member, cell, name in zip(members, cells, ids)]
        name = worker.name()

        def call():
            return self.queue.grant(worker.holder, name, source, lines, CELLS)

        reply, wanted, owners = call(), "", []
        for member, one in zip(members, ids):
            owner = self.model.owner.setdefault(one, member) if one else member
            wanted += "g" if owner == member else "d"
            owners += [] if owner == member else [owner]
        assert reply == ["ok", wanted] + owners, (reply, wanted, owners)
        assert call() == reply
        granted = [i for i, mark in enumerate(wanted) if mark == "g"]
        if granted:
            row = [source, [members[i] for i in granted], [cells[i] for i in granted], set()]
            worker.grants[name] = row
            self.model.granted[name] = [worker.holder] + row[:3] + [set()]

    def places(self, source, members):
        """The arguments of a group that name these members."""
        if source == "later":
            return {"names": members}
        singles, masks = [member for member in members if "/" not in member], {}
        for member in members:
            if "/" in member:
                entry, n = member.split("/")
                masks[entry] = masks.get(entry, 0) | 1 << int(n) - 1
        return {"singles": singles,
                "bulks": [(entry, mask, self.model.total[entry]) for entry, mask in masks.items()]}

    def arguments(self, action):
        soon = int(time.time() * 1000) + self.random.randrange(-20, 20)
        return {"dead": ("dead", "tried enough", 3, 0), "later": (soon, 1, "again"),
                "uncertain": (99, 1, "reset")}.get(action, ())

    def make_group(self, worker):
        """A random group: (arguments of settle, token, members, action, cells, indexes)."""
        if worker.grants and self.random.random() < 0.7:
            token = self.random.choice(sorted(worker.grants))
            source, members, cells, done = worker.grants[token]
            open_indexes = [i for i in range(len(members)) if i not in done]
            action = self.random.choice(["accept"] * 5 + ["drop", "free", "dead", "later",
                                                          "uncertain"])
        else:
            free = worker.free_members()
            if not free:
                return None
            claim, source, _ = self.random.choice(free)
            members, cells = [member for one, _, member in free if one == claim], []
            token, open_indexes = "claim:" + claim, list(range(len(members)))
            action = self.random.choice(["drop", "free", "dead", "later"])
        count = 1 if action in ("dead", "later", "uncertain") else self.random.choice([1, 5, 100])
        chosen = sorted(self.random.sample(open_indexes, min(count, len(open_indexes))))
        names = [members[i] for i in chosen]
        charged = {}
        for i in chosen if action == "accept" else []:
            charged.setdefault(cells[i], []).append(PRICES[cells[i]])
        made = group(token, source, action, self.arguments(action),
                     indexes=None if token.startswith("claim:") else chosen,
                     cells=[(cell, len(prices), sum(prices)) for cell, prices in charged.items()],
                     outcomes=[outcome(name, action) for name in names if action != "later"],
                     **self.places(source, names))
        return made, token, names, action, [cells[i] for i in chosen] if cells else [], chosen

    def apply(self, worker, token, names, action, cells, chosen):
        """What a settled group changes, in the model and in the worker's memory."""
        for i, member in enumerate(names):
            if action == "accept":
                self.model.charge(cells[i])
            if action == "later":
                self.model.place[member] = "later"
            else:
                place = action if action in ("dead", "uncertain") else "gone"
                self.model.finish(member, place, action)
        if not token.startswith("claim:"):
            worker.grants[token][3].update(chosen)
            self.model.granted[token][4].update(chosen)
            if len(worker.grants[token][3]) == len(worker.grants[token][1]):
                del worker.grants[token], self.model.granted[token]
        for rows in (worker.claims, self.model.claims):
            for row in rows.values():
                row[-1] = [member for member in row[-1] if member not in names]

    def settle(self, worker):
        """A few groups in one call, sometimes with one of them twice; then the same call again."""
        made = []
        for _ in range(self.random.randrange(1, 5)):
            one = self.make_group(worker)
            if one and not any(set(one[2]) & set(other[2]) for other in made):
                made.append(one)
        groups = [one[0] for one in made]
        twice = bool(made) and self.random.random() < 0.2
        finished = [claim for claim, (_, members) in worker.claims.items()
                    if not set(members) - {name for one in made for name in one[2]}]

        def call():
            return self.queue.settle(worker.holder, groups + groups[:twice], finished,
                                     keep=EVENTS_KEEP)

        answers = call()
        assert answers[:len(made)] == ["ok"] * len(made), answers
        assert all(answer.startswith("already") for answer in answers[len(made):]), answers
        for one in made:
            self.apply(worker, *one[1:])
        worker.last = call if made else None
        self.drop_finished(worker, finished)

    def drop_finished(self, worker, finished):
        """A finished claim is gone exactly if none of its members is left in its place."""
        for claim in finished:
            assert not self.queue.client.hexists(key("claims"), claim), claim
            del worker.claims[claim], self.model.claims[claim]

    def repeat(self, worker):
        """The same call once more: nothing may change."""
        if worker.last is None:
            return
        before = self.queue.content()
        answers = worker.last()
        assert all(answer.startswith("already") for answer in answers), answers
        after = self.queue.content()
        assert after == before, [name for name in after if after[name] != before.get(name)]

    def give_back(self, worker):
        names = self.random.sample(sorted(worker.claims), min(2, len(worker.claims)))
        held = {member for _, members, _, done in worker.grants.values()
                for i, member in enumerate(members) if i not in done}
        wanted = [claim for claim in names if not set(worker.claims[claim][1]) & held]
        assert self.queue.give_back(worker.holder, *names) == len(wanted)
        for claim in wanted:
            del worker.claims[claim], self.model.claims[claim]
        worker.last = None

    # ---- death ----------------------------------------------------------------------------------

    def die(self, worker):
        """A worker forgets everything. Another one finds out at once, or later."""
        self.workers.remove(worker)
        assert self.queue.fence(worker.holder) == 1
        if self.random.random() < 0.7:
            self.recover()
        if worker.last is not None and self.random.random() < 0.5 and worker.grants:
            self.wake(worker)
        self.hire()

    def wake(self, worker):
        """The dead one comes back: it gets nothing, and settles only what nobody took from it."""
        assert self.queue.claim(worker.holder, worker.name()).fenced
        assert self.queue.grant(worker.holder, worker.name(), "queue", [("1-1", 1, 0, "")],
                                CELLS) == ["fenced"]
        one = self.make_group(worker)
        if one is None:
            return
        answer = self.queue.settle(worker.holder, [one[0]])[0]
        token = one[1].replace("claim:", "")
        taken = token not in self.model.granted and token not in self.model.claims
        assert answer.startswith("already") == taken, (answer, one)
        if not taken:
            self.apply(worker, *one[1:])

    def recover(self):
        living = {worker.holder for worker in self.workers}
        parked = 0
        for name, (holder, _, members, _, done) in list(self.model.granted.items()):
            if holder not in living:
                for i, member in enumerate(members):
                    if i not in done:
                        self.model.finish(member, "uncertain", "uncertain")
                        parked += 1
                del self.model.granted[name]
        claims = [claim for claim, row in self.model.claims.items() if row[0] not in living]
        for claim in claims:
            del self.model.claims[claim]
        assert self.queue.recover(keep=EVENTS_KEEP) == [len(claims), parked]
        assert self.queue.recover(keep=EVENTS_KEEP) == [0, 0]

    # ---- checking -------------------------------------------------------------------------------

    def read_events(self):
        """New outcomes. No member may have a second one."""
        for entry, fields in self.queue.client.xrange(key("events"), self.last_event):
            self.last_event = "(" + text(entry)
            for line in text(fields[b"outcomes"]).split("\n"):
                event = json.loads(line)
                assert event["entry"] not in self.outcomes, "two outcomes: %s" % event
                self.outcomes[event["entry"]] = event["type"]
            assert len(self.outcomes) == int(fields[b"upto"])

    def check(self):
        self.read_events()
        places = census(self.queue)
        # What is dead was seen: taken away here only to keep the census quick.
        dead = {member for member, found in places.items() if found == ["dead"]}
        assert not dead & self.dead
        self.dead |= dead
        self.queue.client.xtrim(key("dead"), maxlen=0, approximate=False)
        for member, found in places.items():
            assert len(found) == 1, "%s is in %s" % (member, found)
        wanted = {member: [place] for member, place in self.model.place.items() if place != "gone"
                  and (place != "dead" or member in dead or member not in self.dead)}
        if places != wanted:
            wrong = {member: (places.get(member), wanted.get(member))
                     for member in set(places) | set(wanted)
                     if places.get(member) != wanted.get(member)}
            raise AssertionError("found, wanted: %r" % wrong)
        stats = self.queue.stats()
        granted = sum(len(row[2]) - len(row[4]) for row in self.model.granted.values())
        assert stats["granted"] == granted, (stats, granted)
        claimed = sum(len(row[2]) for row in self.model.claims.values())
        assert stats["claimed"] + granted == claimed, (stats, claimed)

    def step(self):
        worker = self.random.choice(self.workers)
        action = self.random.choices(
            [self.add, self.claim, self.grant, self.settle, self.repeat, self.give_back, self.die,
             self.recover], [6, 6, 8, 12, 3, 1, 0.4, 0.3])[0]
        if action in (self.add, self.recover):
            action()
        else:
            action(worker)
        return action.__name__

    def drain(self):
        """No more producers: one worker claims and accepts all that is left."""
        while self.workers:
            self.die_quietly(self.workers[0])
        self.recover()
        self.hire()
        worker = self.workers[0]
        for _ in range(DRAIN_ROUNDS_MAX):
            if not self.model.live():
                break
            self.queue.client.zunionstore(key("later"), {key("later"): 0})  # all is due
            self.claim(worker)
            self.grant(worker)
            while worker.grants:
                self.settle(worker)
            self.check()
        assert not self.model.live(), "never claimed: %s" % self.model.live()[:10]
        self.queue.settle(worker.holder, [], list(worker.claims))
        assert self.queue.leave(worker.holder) == 1

    def die_quietly(self, worker):
        self.workers.remove(worker)
        assert self.queue.fence(worker.holder) == 1

    def finish(self):
        assert self.outcomes == self.model.outcomes
        assert set(self.outcomes) == set(self.model.place)
        assert self.queue.client.xlen(key("events")) < EVENTS_KEEP + 10
        for (day, cell), row in self.model.ledger.items():
            assert list(self.queue.cost(day, cell)) == row, (day, cell)
        fields = sum(self.queue.client.hlen(name) for name in self.queue.client.keys(COST + "*"))
        assert fields == 2 * len(self.model.ledger)
        for name in ("queue", "urgent", "claims", "grants", "left", "later:entries", "returned"):
            kind = self.queue.client.type(key(name))
            size = {b"stream": self.queue.client.xlen, b"hash": self.queue.client.hlen,
                    b"list": self.queue.client.llen, b"none": lambda _: 0}[kind](key(name))
            assert size == 0, "%s still holds %d" % (name, size)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 20261001
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else STEPS
    with RedisServer() as server:
        server.load_library()
        run, done = Run(Queue(server.client()), seed), []
        try:
            for number in range(steps):
                done.append(run.step())
                run.check()
            run.drain()
            run.finish()
        except Exception:
            print("seed %d, step %d, last steps: %s" % (seed, len(done), " ".join(done[-12:])),
                  file=sys.stderr)
            raise
        print("seed %d: %d steps, %d members, %d workers lived, ledger %d, all in one place" % (
            seed, steps, len(run.model.place), run.worker_count,
            sum(row[1] for row in run.model.ledger.values())))


if __name__ == "__main__":
    main()
