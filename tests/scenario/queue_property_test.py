"""Thousands of random operations of three workers that die at random, with receipts that come early,
late, doubled, and of attempts that Redis has forgotten, against a model.

After each step every member must be in exactly one place, and that place must be the model's; each
attempt is charged at most once, and what Meta accepted is in the ledger or exposed; what is told is
what the model says. At the end all receipts are given and all is drained: no exposure is left, and
the ledger holds what was accepted, to the millionth.

    python3 tests/scenario/queue_property_test.py [seed [steps]]
"""
import collections
import json
import random
import sys
import time

from redis_server import RedisServer
from queue_calls import (COST, Queue, census, group, holder_name, key, outcome, text)
from queue_model import CELLS, EXPOSED, FORGOTTEN, OPEN, PRICES, Model
from receipts import receipt

STEPS = 3000
RECEIPT_KINDS_MIN = 16  # a walk that meets fewer shows nothing: see `met`
EVENTS_KEEP = 200      # few, so that the library trims; the test reads along
DRAIN_ROUNDS_MAX = 2000
LIVE_MAX = 250         # members that wait or are worked on: beyond it nothing is added
DEAD_MAX = 40          # more are purged, so that looking everywhere stays quick
FAR = 1 << 45          # ms: a receipt is awaited for longer than this test runs


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
        self.everyone = {}   # holder → worker, the dead ones too
        self.last_event, self.event_count = "-", 0
        self.ghosts = 0      # attempts that Redis never heard of
        self.met = collections.Counter()  # (state of an attempt, what its receipt said, answer)
        for _ in range(3):
            self.hire()

    def hire(self):
        self.worker_count += 1
        worker = Worker(self.worker_count)
        assert self.queue.beat(worker.holder)[0] == "ok"
        self.workers.append(worker)
        self.everyone[worker.holder] = worker

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
        lines = [(member, 1, cell, name) for member, cell, name in zip(members, cells, ids)]
        name = worker.name()

        def call():
            return self.queue.grant(worker.holder, name, source, lines, CELLS)

        reply, wanted, owners = call(), "", []
        for member, one in zip(members, ids):
            if member in self.model.proven:
                wanted += "p"
                continue
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
            for i, (member, cell) in enumerate(zip(row[1], row[2])):
                self.model.begin("%s/%d" % (name, i), member, cell)
        if "p" in wanted and self.random.random() < 0.7:
            self.free_proven(worker, [members[i] for i, mark in enumerate(wanted) if mark == "p"])

    def free_proven(self, worker, members):
        """What must not be sent again is settled by its claim."""
        for claim, source, member in worker.free_members():
            if member in members:
                one = group("claim:" + claim, source, "free", **self.places(source, [member]))
                assert self.queue.settle(worker.holder, [one], keep=EVENTS_KEEP) == ["ok"]
                self.apply(worker, "claim:" + claim, [member], "free", [])

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
                "uncertain": (self.random.choice([99, FAR]), 1, "reset")}.get(action, ())

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
        return made, token, names, action, chosen

    def apply(self, worker, token, names, action, chosen):
        """What a settled group changes, in the model and in the worker's memory."""
        by_grant = not token.startswith("claim:")
        for i, member in enumerate(names):
            self.model.settle(member, action, self.model.attempts["%s/%d" % (token, chosen[i])]
                              if by_grant else None)
        if by_grant:
            self.model.granted[token][4].update(chosen)
            if len(self.model.granted[token][4]) == len(self.model.granted[token][2]):
                del self.model.granted[token]
            self.drop_settled(worker, token, chosen)
        self.drop_claimed(names)

    def drop_settled(self, worker, token, indexes):
        row = worker.grants[token]
        row[3].update(indexes)
        if len(row[3]) == len(row[1]):
            del worker.grants[token]

    def drop_claimed(self, names):
        """They have left, or wait elsewhere: nobody has them claimed any more."""
        for rows in [self.model.claims] + [worker.claims for worker in self.everyone.values()]:
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

    # ---- receipts ---------------------------------------------------------------------------------

    def receive(self, attempts=None):
        """A few receipts in one call, some twice: of what is on its way, of what nobody knows of, and
        once more of what is known."""
        if attempts is None:
            known = list(self.model.attempts.values())
            places = self.model.place
            open_ones = [one for one in self.model.unsettled.values()
                         if places[one.member] != "uncertain" or self.random.random() < 0.05]
            again = [one for one in open_ones if one.state == EXPOSED]
            attempts = [one for some in (known, open_ones, again)
                        for one in self.random.sample(some, min(len(some), 2))]
            if self.random.random() < 0.5 and self.model.live():
                attempts += [self.forget()] + attempts[:1]
        lines, wanted = [], []
        for attempt in attempts:
            if attempt.is_true is None:
                attempt.is_true = self.random.random() < 0.6
            lines.append(self.line_of(attempt))
            before = attempt.state
            wanted.append(self.take_in(attempt))
            self.met[before, attempt.is_true, wanted[-1]] += 1
        if lines:
            assert self.queue.receive(*lines, keep=EVENTS_KEEP) == wanted, (lines, wanted)
        for attempt in attempts:  # of what is gone and forgotten nobody can tell
            if attempt.state == FORGOTTEN:
                attempt.is_true = False

    def line_of(self, attempt):
        grant, index = attempt.token.rsplit("/", 1)
        day, cell, currency, price = CELLS[attempt.cell]
        if attempt.state != FORGOTTEN:
            price, cell = 999, "what|Redis|knows|is|not|asked"
        return receipt("accepted" if attempt.is_true else "failed", attempt.member, grant, index,
                       price=price, day=day, cell=cell, currency=currency)

    def take_in(self, attempt):
        """What the model makes of a receipt, and what the worker that sent it then has to know."""
        was_open = attempt.state == OPEN
        answer = (self.model.accept if attempt.is_true else self.model.fail)(attempt)
        if was_open:
            grant, index = attempt.token.rsplit("/", 1)
            self.drop_settled(self.everyone[grant[:16]], grant, [int(index)])
        if self.model.place[attempt.member] == "gone":
            self.drop_claimed([attempt.member])
        return answer

    def forget(self):
        """An accepted attempt of anybody that Redis has forgotten."""
        self.ghosts += 1
        claimed = sorted(member for row in self.model.claims.values() for member in row[2])
        some = self.random.choice([sorted(self.model.place), sorted(self.model.live()), claimed])
        member = self.random.choice(some or sorted(self.model.live()))
        attempt = self.model.begin("%s.%d/0" % ("f" * 16, self.ghosts), member,
                                   self.random.randrange(len(CELLS)), FORGOTTEN)
        attempt.is_true = True
        return attempt

    def overdue(self):
        policies = [self.random.choice(["park", "drop", "resend"]) for _ in range(2)]
        most = self.random.choice([1, 3, 100])
        due = text(self.queue.client.zrangebyscore(key("uncertain"), "-inf", FAR - 1))
        counts = {"park": 0, "drop": 0, "resend": 0}
        for member in due[:most]:
            cell = self.model.attempts[self.model.waits_for[member]].cell
            policy = policies["|authentication|" in CELLS[cell][1]]
            self.model.overdue(member, policy)
            counts[policy] += 1
        reply = self.queue.overdue(*policies, keep=EVENTS_KEEP, members=most)
        assert reply[1:4] == list(counts.values()), (reply, counts)

    def requeue(self):
        """An operator looks at what is dead."""
        dead = text(self.queue.client.hgetall(key("dead:members")))
        dead = {text(member): text(found) for member, found in dead.items()}
        some = self.random.sample(sorted(dead), min(len(dead), 3))
        if some:
            reply = self.queue.call("requeue", "ann", "again", len(some),
                                    *[dead[member] for member in some])
            assert reply == ["ok"] * len(some), reply
            for member in some:
                self.model.place[member] = "later"
        rest = sorted(set(dead) - set(some))[DEAD_MAX:]
        if rest:
            reply = self.queue.call("purge", "ann", "too many", 600000, len(rest),
                                    *[dead[member] for member in rest])
            assert reply == ["ok"] * len(rest), reply
            for member in rest:
                self.model.place[member] = "gone"
                self.model.ended.add(member)

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
        answer = self.queue.settle(worker.holder, [one[0]], keep=EVENTS_KEEP)[0]
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
                        self.model.lose(member, self.model.attempts["%s/%d" % (name, i)])
                        parked += 1
                del self.model.granted[name]
        claims = [claim for claim, row in self.model.claims.items() if row[0] not in living]
        for claim in claims:
            del self.model.claims[claim]
        until = self.random.choice([99, FAR])
        assert self.queue.recover(until, keep=EVENTS_KEEP) == [len(claims), parked]
        assert self.queue.recover(until, keep=EVENTS_KEEP) == [0, 0]

    # ---- checking -------------------------------------------------------------------------------

    def read_events(self):
        """What was told since is what the model says, each once."""
        found = []
        for entry, fields in self.queue.client.xrange(key("events"), self.last_event):
            self.last_event = "(" + text(entry)
            for line in text(fields[b"outcomes"]).split("\n"):
                event = json.loads(line)
                found.append((event["entry"], event["type"]))
                assert event["type"] != "corrected" or event["possible_duplicate"] is True
            self.event_count += int(fields[b"n"])
            assert self.event_count == int(fields[b"upto"])
        assert sorted(found) == sorted(self.model.to_tell), (found, self.model.to_tell)
        self.model.to_tell = []

    def check_money(self):
        for (day, cell), row in self.model.ledger.items():
            assert list(self.queue.cost(day, cell)) == row, (day, cell, row)
        assert self.queue.exposed() == self.model.exposed()
        if self.random.random() < 0.02:
            self.model.check_attempts()

    def check(self):
        self.read_events()
        self.check_money()
        places = census(self.queue)
        for member, found in places.items():
            assert len(found) == 1, "%s is in %s" % (member, found)
        wanted = {member: [place] for member, place in self.model.place.items() if place != "gone"}
        if places != wanted:
            wrong = {member: (places.get(member), wanted.get(member))
                     for member in set(places) | set(wanted)
                     if places.get(member) != wanted.get(member)}
            raise AssertionError("found, wanted: %r" % wrong)
        proven = {text(member): text(line).split("\n")[0].split(" ")
                  for member, line in self.queue.client.hgetall(key("proven")).items()}
        assert proven == self.model.proven, (proven, self.model.proven)
        stats = self.queue.stats()
        granted = sum(len(row[2]) - len(row[4]) for row in self.model.granted.values())
        assert stats["granted"] == granted, (stats, granted)
        claimed = sum(len(row[2]) for row in self.model.claims.values())
        assert stats["claimed"] + granted == claimed, (stats, claimed)

    def step(self):
        worker = self.random.choice(self.workers)
        action = self.random.choices(
            [self.add, self.claim, self.grant, self.settle, self.repeat, self.give_back, self.die,
             self.recover, self.receive, self.overdue, self.requeue],
            [6, 6, 8, 12, 3, 1, 0.6, 0.3, 3, 3, 1])[0]
        if action in (self.add, self.recover, self.receive, self.overdue, self.requeue):
            action()
        else:
            action(worker)
        return action.__name__

    def drain(self):
        """No more producers: all receipts come, and one worker claims and accepts what is left."""
        while self.workers:
            self.die_quietly(self.workers[0])
        self.recover()
        self.hire()
        worker = self.workers[0]
        for _ in range(DRAIN_ROUNDS_MAX):
            lost = list(self.model.exposed())[:500]
            self.receive([self.model.attempts[token] for token in lost])
            if not self.model.live() and not self.model.unsettled:
                break
            self.queue.client.zunionstore(key("later"), {key("later"): 0})  # all is due
            self.claim(worker)
            self.grant(worker)
            self.free_proven(worker, list(self.model.proven))
            while worker.grants:
                self.settle(worker)
            self.check()
        self.model.check_attempts()
        assert not self.model.unsettled and not self.model.waits_for
        assert not self.model.live(), "never claimed: %s" % self.model.live()[:10]
        self.queue.settle(worker.holder, [], list(worker.claims))
        assert self.queue.leave(worker.holder) == 1

    def die_quietly(self, worker):
        self.workers.remove(worker)
        assert self.queue.fence(worker.holder) == 1

    def finish(self):
        accepted = [attempt for attempt in self.model.attempts.values() if attempt.is_true]
        for number, cell in enumerate(CELLS):
            count = sum(attempt.cell == number for attempt in accepted)
            assert self.queue.cost(*cell[:2]) == (count, count * PRICES[number]), cell
        for member, place in self.model.place.items():
            assert (member in self.model.ended) == (place == "gone"), (member, place)
        assert self.queue.client.xlen(key("events")) < EVENTS_KEEP + 10
        fields = sum(self.queue.client.hlen(name) for name in self.queue.client.keys(COST + "*"))
        assert fields == 2 * len(self.model.ledger)
        for name in ("queue", "urgent", "claims", "grants", "left", "later:entries", "later:held",
                     "later", "uncertain", "uncertain:entries", "exposed", "proven", "returned"):
            kind = self.queue.client.type(key(name))
            size = {b"stream": self.queue.client.xlen, b"hash": self.queue.client.hlen,
                    b"list": self.queue.client.llen, b"zset": self.queue.client.zcard, b"none": lambda _: 0}[kind](key(name))
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
        assert steps < STEPS or len(run.met) >= RECEIPT_KINDS_MIN, run.met
        print("seed %d: %d steps, %d members, %d workers lived, %d receipts of %d kinds, ledger %d, all "
              "in one place" % (seed, steps, len(run.model.place), run.worker_count,
                                sum(run.met.values()), len(run.met),
                                sum(row[1] for row in run.model.ledger.values())))


if __name__ == "__main__":
    main()
