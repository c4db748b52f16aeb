"""A Redis that can be put back to a mark, and workers that keep what they had granted.

A server with `appendfsync always` is marked (its log is copied), works on, and is put back to the
mark: so it has forgotten what came after, as `everysec` or a failover may.
"""
import os
import shutil
import sys
import time
import traceback

from redis_server import LIBRARY, RedisServer
from queue_calls import CELL, DAY, Queue, census, group, holder_name, outcome, record_of
from queue_library_test import equal

W1, W2, W3 = holder_name(1), holder_name(2), holder_name(3)
PRICE = 75000
CELLS = [(DAY, CELL, "USD", PRICE)]


def load(client):
    with open(LIBRARY, encoding="utf-8") as file:
        client.execute_command("FUNCTION", "LOAD", "REPLACE", file.read())


class House:
    """A Redis that can be put back to a mark."""

    def __init__(self):
        self.server = RedisServer(append="always")
        self.queue = Queue(self.server.client())
        load(self.queue.client)
        self.marks = 0
        self.connect()

    def connect(self):
        self.queue = Queue(self.server.client())

    def mark(self):
        """The mark to go back to: a copy of the log."""
        self.marks += 1
        folder = os.path.join(self.server.folder, "mark%d" % self.marks)
        shutil.copytree(os.path.join(self.server.folder, "appendonlydir"), folder)
        return folder

    def restart(self, mark=None):
        """kill -9, and up again: with all it was told, or only what was before the mark."""
        self.server.kill()
        if mark:
            log = os.path.join(self.server.folder, "appendonlydir")
            shutil.rmtree(log)
            shutil.copytree(mark, log)
        self.server.start()
        self.connect()
        return self.queue


class Worker:
    """What a sender keeps in its memory: its grants, and what became of their members."""

    def __init__(self, house, holder):
        self.house, self.holder, self.numbers, self.grants = house, holder, 0, {}
        house.queue.beat(holder)

    @property
    def queue(self):
        return self.house.queue

    def name(self):
        self.numbers += 1
        return "%s.%d" % (self.holder, self.numbers)

    def claim(self, members=500):
        return self.queue.claim(self.holder, self.name(), members)

    def grant(self, source, names, attempt=1, ids=None):
        """Grants the members of a claim's part: all of them are open now."""
        grant = self.name()
        members = [(name, attempt, 0, (ids or {}).get(name, "")) for name in names]
        reply = self.queue.grant(self.holder, grant, source, members, CELLS)
        equal(reply, ["ok", "g" * len(names)])
        self.grants[grant] = {"record": record_of(self.holder, source, members, CELLS), "n": names,
                              "source": source, "open": set(range(len(names))), "accepted": set(),
                              "uncertain": set()}
        return grant

    def settle(self, grant, action, numbers, ids=()):
        """Settles members of a grant, one group each, and remembers what was answered."""
        held, groups = self.grants[grant], []
        for number in numbers:
            name = held["n"][number]
            entry, _, n = name.partition("/")
            where = {"names": [name]} if held["source"] == "later" else \
                {"bulks": [(entry, 1 << int(n) - 1, 5)]} if n else {"singles": [name]}
            arguments = {"accept": (), "drop": (), "uncertain": (9999999999999, 1, "no answer"),
                         "later": (5, 1, "try later", 0)}[action]
            cells = [(0, 1, PRICE)] if action == "accept" else ()
            kind = {"accept": "accepted", "drop": "failed"}.get(action, action)
            groups.append(group(grant, held["source"], action, arguments, [number], cells,
                                outcomes=[outcome(name, kind)] if action != "later" else (),
                                ids=ids, **where))
        answers = self.queue.settle(self.holder, groups)
        if answers == ["declare"]:
            return answers
        for number in numbers:
            held["open"].discard(number)
            if action in ("accept", "uncertain"):
                held["accepted" if action == "accept" else action].add(number)
        return answers

    def declare(self, done=True):
        """Tells all, adopts what is still open, and returns that by name."""
        told = [(grant, held["record"], sorted(held["accepted"]), sorted(held["uncertain"]),
                 sorted(held["open"])) for grant, held in sorted(self.grants.items())]
        self.claim_of_open = self.name()
        found = self.queue.declare(self.holder, self.claim_of_open, told)
        if found == ["fenced"]:
            return found
        kept = []
        for (grant, *_), numbers in zip(told, found):
            held = self.grants[grant]
            held["open"], held["source"] = set(numbers), "later"
            kept += [held["n"][number] for number in numbers]
        if done:
            equal(self.queue.declared(self.holder), ["ok"])
        return kept


def places(queue):
    found = census(queue)
    for member, where in found.items():
        assert len(where) == 1, "%s is in %s" % (member, where)
    return {member: where[0] for member, where in found.items()}


def kinds(queue, entry):
    return [event["type"] for event in queue.events() if event["entry"] == entry]


def all_claimable(queue):
    """Whatever a newcomer can get hold of."""
    queue.beat(W3)
    found, number = [], 1
    while True:
        more = queue.claim(W3, "%s.%d" % (W3, number), 500).members()
        if not more:
            return found
        found, number = found + more, number + 1


def wait_until(what, is_so, seconds=20):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain for " + what
        time.sleep(0.02)


def run(names):
    """Runs the test functions among `names`, each with a house of its own."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    failures, count = [], 0
    for name, test in list(names.items()):
        if not name.startswith("test_") or word not in name:
            continue
        house = House()
        count += 1
        try:
            test(house)
        except Exception:  # a failure of one test must not hide the others
            failures.append(name)
            print("FAIL %s\n%s" % (name, traceback.format_exc()), file=sys.stderr)
        finally:
            house.server.close()
    print("%d tests, %d failed %s" % (count, len(failures), " ".join(failures)))
    sys.exit(1 if failures or count == 0 else 0)
