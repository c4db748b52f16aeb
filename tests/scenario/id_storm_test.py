"""A thousand producers send the same thousand ids, while workers and Redis die: each is sent once.

    python3 tests/scenario/id_storm_test.py [seed]

Most come in bulk entries, which are deduplicated when they are granted; the rest through
facteur_enqueue. What Meta took is drawn by lot and kept here: the library never sees it but by
settles and receipts. At the end every id was taken exactly once, and charged once.
"""
import json
import random
import sys
import time

from redis_server import RedisServer
from queue_calls import (CELL, DAY, KEEP, TTL, Queue, census, group, holder_name, key, outcome, text)
from queue_library_test import equal

SMALL_STORMS = 30
WORKERS = 3
PRICE = 1400
NOTE = {"to": "+33612345678", "template": "order_shipped", "lang": "fr"}


class Storm:
    """`enqueuers` of the producers use facteur_enqueue; a worker that sends dies with `danger`."""

    def __init__(self, server, seed, producers, ids, enqueuers, danger):
        self.random = random.Random(seed)
        self.producers, self.ids, self.enqueuers, self.danger = producers, ids, enqueuers, danger
        self.server = server
        self.queue = Queue(server.client())
        self.taken = {}    # id → members whose message Meta took
        self.granted = {}  # id → members that were granted
        self.lost = []     # attempts of dead workers that Meta took: receipts to come
        self.holders = 0
        self.numbers = 0
        self.counts = dict.fromkeys(("duplicate", "refused", "died", "retried", "receipts"), 0)

    # ---- producers ------------------------------------------------------------------------------

    def produce(self):
        """Everything at once, in an order of its own for each producer."""
        bulks = []
        for _ in range(self.producers - self.enqueuers):
            ids = list(range(self.ids))
            self.random.shuffle(ids)
            bulks += [ids[i:i + 64] for i in range(0, self.ids, 64)]
        singles = [number for _ in range(self.enqueuers) for number in range(self.ids)]
        self.random.shuffle(bulks)
        self.random.shuffle(singles)
        share = 1 + len(bulks) // 80
        while bulks or singles:
            pipe = self.queue.client.pipeline(transaction=False)
            for ids in bulks[:share]:
                pipe.xadd(key("queue"), {"bulk": "\n".join('{"id":"i%d"}' % one for one in ids)})
            for number in singles[:2 * share]:
                pipe.execute_command(
                    "FCALL", "facteur_enqueue", 2, key("x")[:-2], key("x").split("}")[0] + "}",
                    self.random.choice(("queue", "urgent")), "id", "i%d" % number,
                    *[word for pair in NOTE.items() for word in pair])
            pipe.execute()
            del bulks[:share], singles[:2 * share]
            yield

    # ---- workers --------------------------------------------------------------------------------

    def newcomer(self):
        self.holders += 1
        holder = holder_name(self.holders)
        self.queue.beat(holder)
        return holder

    def name(self, holder):
        self.numbers += 1
        return "%s.%d" % (holder, self.numbers)

    @staticmethod
    def members_of(part):
        """[(name, id)] of what a part holds and has not left."""
        found = []
        for name, content in part.entries:
            if part.source == "later":
                fields = dict(zip(content["fields"][0::2], content["fields"][1::2]))
                line = json.loads(fields["member"]) if "member" in fields else fields
                found.append((name, line["id"]))
            elif "bulk" in content:
                found += [("%s/%d" % (name, n + 1), json.loads(line)["id"])
                          for n, line in enumerate(content["bulk"].split("\n"))
                          if not part.masks.get(name, 0) & 1 << n]
            else:
                found.append((name, content["id"]))
        return found

    def places(self, part, members):
        """Where members are, as a group of settle says it."""
        if part.source == "later":
            return {"names": members}
        totals = {name: content["bulk"].count("\n") + 1 for name, content in part.entries
                  if "bulk" in content}
        masks, singles = {}, []
        for member in members:
            entry, _, n = member.partition("/")
            if n:
                masks[entry] = masks.get(entry, 0) | 1 << int(n) - 1
            else:
                singles.append(member)
        return {"singles": singles, "bulks": [(entry, mask, totals[entry])
                                              for entry, mask in masks.items()]}

    def work(self, holder):
        """One claim, granted and settled; or the worker dies somewhere on the way."""
        claimed = self.queue.claim(holder, self.name(holder), self.random.choice((1, 64, 512)))
        for part in claimed.parts:
            members = self.members_of(part)
            if self.random.random() < 0.1:
                self.refuse(holder, part, members.pop())
            for first in range(0, len(members), 512):
                if not self.send(holder, part, members[first:first + 512]):
                    return False
        return True

    def refuse(self, holder, part, member):
        """Refused before any grant: it gives its id back if it has it, and only then."""
        name, one = member
        owner = self.queue.client.get(key("id:" + one))
        reply = self.queue.settle(holder, [group(
            "claim:" + part.claim, part.source, "dead", ("refused", "promotional", 0, 1), ids=[one],
            outcomes=[outcome(name, "refused")], **self.places(part, [name]))])
        equal(reply, ["ok"])
        was_owner = owner is not None and text(owner) == name
        equal(self.queue.client.get(key("id:" + one)), None if was_owner else owner)
        self.counts["refused"] += 1

    def send(self, holder, part, members):
        grant = self.name(holder)
        reply = self.queue.grant(holder, grant, part.source,
                                 [(name, 1, 0, one) for name, one in members],
                                 [(DAY, CELL, "USD", PRICE)])
        equal(reply[0], "ok")
        going = [member for member, mark in zip(members, reply[1]) if mark == "g"]
        twins = [name for (name, _), mark in zip(members, reply[1]) if mark == "d"]
        assert set(reply[1]) <= {"g", "d"}, reply[1]
        for name, one in going:
            self.granted.setdefault(one, set()).add(name)
        answers = [self.random.choice(("taken", "taken", "taken", "later")) for _ in going]
        if going and self.random.random() < self.danger:  # some were sent, and nobody will hear what came of them
            for index, (member, answer) in enumerate(zip(going, answers)):
                if answer == "taken":
                    self.take(*member)
                    self.lost.append((member[0], grant, index))
            return False
        self.settle(holder, part, grant, twins, going, answers)
        return True

    def take(self, name, one):
        self.taken.setdefault(one, []).append(name)

    def settle(self, holder, part, grant, twins, going, answers):
        groups = []
        if twins:
            groups.append(group("claim:" + part.claim, part.source, "drop",
                                outcomes=[outcome(twins[0], "duplicate")],
                                **self.places(part, twins)))
            self.counts["duplicate"] += len(twins)
        good = [index for index, answer in enumerate(answers) if answer == "taken"]
        if good:
            for index in good:
                self.take(*going[index])
            groups.append(group(grant, part.source, "accept", (), good, [(0, len(good), PRICE * len(good))],
                                outcomes=[outcome(going[index][0], "accepted") for index in good],
                                ids=[going[index][1] for index in good],
                                **self.places(part, [going[index][0] for index in good])))
        for index, answer in enumerate(answers):
            if answer == "later":
                groups.append(group(grant, part.source, "later", (5, 1, "throttled", 1), [index],
                                    **self.places(part, [going[index][0]])))
                self.counts["retried"] += 1
        equal(set(self.queue.settle(holder, groups, [part.claim])), {"ok"})

    # ---- deaths ---------------------------------------------------------------------------------

    def bury(self, holder):
        self.counts["died"] += 1
        equal(self.queue.fence(holder), 1)
        while self.queue.recover(until=1) != [0, 0]:
            pass
        self.random.shuffle(self.lost)
        lines = ["\t".join(map(str, ("accepted", name, 1, grant, index, DAY, CELL, "USD", PRICE, "w",
                                     "", ""))) for name, grant, index in self.lost]
        for first in range(0, len(lines), 500):
            answers = self.queue.call("receipt", KEEP, TTL, len(lines[first:first + 500]),
                                      *lines[first:first + 500])
            assert all(answer.startswith("ok ") for answer in answers), set(answers)
        self.counts["receipts"] += len(self.lost)
        self.lost = []
        # What Meta never took goes out again.
        while self.queue.call("overdue", "resend", "resend", KEEP, TTL, 4096)[3] > 0:
            pass

    def restart(self):
        self.server.kill()
        self.server.start()
        self.queue = Queue(self.server.client())
        for holder in self.workers:
            self.queue.declare(holder, self.name(holder))
            self.queue.declared(holder)

    def run(self):
        self.workers = [self.newcomer() for _ in range(WORKERS)]
        producing, steps, restarts = self.produce(), 0, 0
        is_producing = True
        while True:
            steps += 1
            if is_producing and self.random.random() < 0.5:
                is_producing = next(producing, "end") != "end"
            number = self.random.randrange(WORKERS)
            if not self.work(self.workers[number]):
                self.bury(self.workers[number])
                self.workers[number] = self.newcomer()
            if steps % 1000 == 0:
                restarts += 1
                self.restart()
            if not is_producing and not self.is_work_left():
                return steps, restarts

    def is_work_left(self):
        numbers = self.queue.stats()
        return any(numbers[name] for name in ("waiting", "urgent", "claimed", "granted", "later",
                                              "uncertain"))

    # ---- the end --------------------------------------------------------------------------------

    def judge(self):
        equal(len(self.taken), self.ids)
        twice = {one: names for one, names in self.taken.items() if len(names) != 1}
        assert not twice, "taken more than once: %s" % twice
        equal(self.queue.cost(), (self.ids, self.ids * PRICE))
        for one, names in self.taken.items():
            equal(text(self.queue.client.get(key("id:" + one))), names[0])
            assert 0 < self.queue.client.pttl(key("id:" + one)) <= TTL
        places = set(where for found in census(self.queue).values() for where in found)
        assert places <= {"dead"}, places


def storm(server, seed, **settings):
    queue = Queue(server.client())
    queue.client.flushall()
    server.load_library()
    found = Storm(server, seed, **settings)
    steps, restarts = found.run()
    found.judge()
    return dict(found.counts, steps=steps, restarts=restarts)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else int(time.time())
    print("seed %d" % seed, flush=True)
    with RedisServer(append="always") as server:
        counts = {}
        for number in range(SMALL_STORMS):
            for name, count in storm(server, seed * 1000 + number, producers=30, ids=40, enqueuers=10,
                                     danger=0.3).items():
                counts[name] = counts.get(name, 0) + count
        print("%d storms of 30 producers and 40 ids: %s" % (SMALL_STORMS, counts), flush=True)
        assert counts["died"] > 10 and counts["retried"] > 100 and counts["refused"] > 10, counts
        print("1,000 producers, 1,000 ids, each sent once: %s" % storm(
            server, seed, producers=1000, ids=1000, enqueuers=20, danger=0.2))


if __name__ == "__main__":
    main()
