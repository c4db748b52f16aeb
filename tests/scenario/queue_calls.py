"""The function library's calls from Python, and a census of where every member is.

Written from queue/README.md alone, without a look at the C side: two readings of one page.
"""
import json
import re

import redis_server  # first: it finds the python that has redis
import redis

BUSINESS = "facteur:{acme}"
ACCOUNT = BUSINESS + ":fr"
DAY = "2026-10-01"
CELL = "fr|FR|Rest of Western Europe|utility|order_shipped|2018"
COST = BUSINESS + ":cost:"
KEEP = 100000
TTL = 600000

# The error that a refused call raises.
Refused = redis.exceptions.ResponseError


def key(name):
    return ACCOUNT + ":" + name


def holder_name(number):
    return "%016x" % number


def text(value):
    """bytes to str, inside lists too."""
    if isinstance(value, list):
        return [text(one) for one in value]
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def bits_of(indexes):
    """Four members a digit, member 0 the lowest bit of the first digit."""
    digits = [0] * (max(indexes) // 4 + 1)
    for index in indexes:
        digits[index // 4] |= 1 << index % 4
    return "".join("%x" % digit for digit in digits)


def record_of(holder, source, members, cells=((DAY, CELL, "USD", 1),), at=1000):
    """The record of a grant as a worker keeps it. `members`: (name, attempt, cell, id)."""
    return "\n".join(["%s\t%d\t%s\t%d" % (holder, at, source, len(members))]
                     + ["\t".join(map(str, ("c",) + tuple(cell))) for cell in cells]
                     + ["\t".join(map(str, member)) for member in members])


def outcome(member, kind, **more):
    return json.dumps(dict({"type": kind, "entry": member}, **more))


def group(token, source, action, arguments=(), indexes=None, cells=(), singles=(), bulks=(),
          names=(), outcomes=(), ids=()):
    """One group of settle. `cells`: (number, count, millionths); `bulks`: (entry, mask, total). Of
    `later` the throttles are 0 unless given."""
    if action == "later" and len(arguments) == 3:
        arguments = (*arguments, 0)
    parts = [token, source, action, *arguments, "-" if indexes is None else bits_of(indexes)]
    parts += [len(cells)] + [value for cell in cells for value in cell]
    parts += [len(singles), *singles, len(bulks)]
    for entry, mask, total in bulks:
        parts += [entry, "%016x" % mask, total]
    for values in (names, outcomes, ids):
        parts += [len(values), *values]
    return parts


class Part:
    """One part of a claim: its name, source, entries [(name, {field: value} or record)], masks."""

    def __init__(self, reply):
        self.claim, self.source = reply[0], reply[1]
        self.is_ahead = reply[2] is None  # the worker has read it itself
        self.entries = [(entry[0], self._content(entry[1])) for entry in reply[2] or []]
        self.masks = {reply[3][i]: int(reply[3][i + 1], 16) for i in range(0, len(reply[3]), 2)}

    @staticmethod
    def _content(value):
        if isinstance(value, list):
            return dict(zip(value[0::2], value[1::2]))
        try:
            return None if value is None else json.loads(value)
        except ValueError:
            return value

    def members(self):
        """All members that have not left."""
        found = []
        for name, content in self.entries:
            if self.source == "later" or content is None or "bulk" not in content:
                found.append(name)
                continue
            lines = content["bulk"].rstrip("\n").split("\n")
            found += ["%s/%d" % (name, n + 1) for n in range(len(lines))
                      if not self.masks.get(name, 0) & 1 << n]
        return found


class Claimed:
    def __init__(self, reply):
        self.fenced, self.paused, self.stopped, self.declare, self.wait = (
            reply[0] == word for word in ("fenced", "paused", "stopped", "declare", "wait"))
        if reply[0] == "ok":
            self.now, self.next_due, self.cursor_urgent, self.cursor_queue = reply[1:5]
            self.parts = [Part(part) for part in reply[5:]]

    def members(self):
        return [member for part in self.parts for member in part.members()]


class Queue:
    """One account's calls over one connection."""

    def __init__(self, client):
        self.client = client

    def call(self, function, *arguments, keys=(ACCOUNT, BUSINESS)):
        return text(self.client.execute_command("FCALL", "facteur_" + function, len(keys), *keys,
                                                *arguments))

    def beat(self, holder, number=1, how="new"):
        return self.call("beat", holder, number, how, keys=(BUSINESS,))

    def fence(self, holder, number=1):
        return self.call("fence", holder, number, keys=(BUSINESS,))

    def leave(self, holder):
        return self.call("leave", holder)

    def claim(self, holder, claim, members=500, size=1 << 20):
        return Claimed(self.call("claim", holder, claim, members, size))

    def grant(self, holder, grant, source, members, cells=((DAY, CELL, "USD", 1),), ids=(),
              at=1000, recipients=None):
        """`members`: (name, attempt, cell, id); `ids`: taken from them unless given; `recipients`:
        one a member, with a comma between the forms of one person."""
        lines = ["\t".join(map(str, member)) for member in members]
        pairs = ids or [(i, member[3]) for i, member in enumerate(members) if member[3]]
        cell_lines = ["\t".join(map(str, cell)) for cell in cells]
        return self.call("grant", holder, grant, at, source, len(cell_lines), *cell_lines,
                         len(lines), *lines, len(pairs),
                         *[value for pair in pairs for value in pair],
                         " ".join(recipients or ["+33612345678"] * len(members)))

    def settle(self, holder, groups, claims=(), keep=KEEP, ttl=TTL):
        parts = [part for one in groups for part in one]
        return self.call("settle", holder, keep, ttl, len(groups), *parts, len(claims), *claims)

    def declare(self, holder, claim, grants=(), until=5000, keep=KEEP, ttl=TTL):
        """`grants`: (name, record, accepted, uncertain, open), the last three as member numbers.
        Returns what is open, grant by grant, as member numbers; or the reply if it is no `ok`."""
        words = []
        for name, record, *bits in grants:
            words += [name, record] + [bits_of(indexes) if indexes else "" for indexes in bits]
        reply = self.call("declare", holder, claim, until, keep, ttl, len(grants), *words)
        if reply[0] != "ok":
            return reply
        return [[4 * place + bit for place, digit in enumerate(hexes) for bit in range(4)
                 if int(digit, 16) & 1 << bit] for hexes in reply[1:]]

    def declared(self, holder):
        return self.call("declared", holder, keys=(BUSINESS,))

    def give_back(self, holder, *claims):
        return self.call("return", holder, *claims)

    def recover(self, until=5000, keep=KEEP):
        return self.call("recover", until, keep)

    def receive(self, *lines, keep=KEEP, ttl=TTL):
        """Receipts, a line each: see receipts.py."""
        return self.call("receipt", keep, ttl, len(lines), *lines)

    def overdue(self, policy="park", codes_policy="drop", keep=KEEP, ttl=TTL, members=100):
        return self.call("overdue", policy, codes_policy, keep, ttl, members)

    def exposed(self):
        """token → millionths of what may be on the bill."""
        return {text(token): int(line.split(b"\t")[5])
                for token, line in self.client.hgetall(key("exposed")).items()}

    def enqueue(self, stream, **fields):
        flat = []
        for name, value in fields.items():
            flat += [name.replace("p_", "p.") if name.startswith("p_") else name, value]
        return self.call("enqueue", stream, *flat)

    def enqueue_flat(self, stream, *flat):
        return self.call("enqueue", stream, *flat)

    def stats(self):
        flat = self.call("stats")
        return dict(zip(flat[0::2], flat[1::2]))

    def add(self, stream="queue", **fields):
        """A producer's XADD; returns the ENTRY."""
        content = {"to": "+33612345678", "template": "order_shipped", "lang": "fr"}
        found = self.client.xadd(key(stream), fields if "bulk" in fields else dict(content, **fields))
        return {"queue": "", "urgent": "u", "replies": "r"}[stream] + text(found)

    def events(self):
        found = []
        for _, fields in self.client.xrange(key("events")):
            lines = [json.loads(line) for line in text(fields[b"outcomes"]).split("\n")]
            assert int(fields[b"n"]) == len(lines)
            found += lines
        return found

    def cost(self, day=DAY, cell=CELL, currency="USD"):
        """(count, millionths) of one ledger cell, exact."""
        found = self.client.hmget(COST + day, ["%s#%s.count" % (cell, currency),
                                               "%s#%s.millionths" % (cell, currency)])
        return tuple(int(value or 0) for value in found)

    def dump(self):
        """Everything in this Redis, to compare before and after."""
        return {name: (self.client.dump(name), self.client.execute_command("PEXPIRETIME", name))
                for name in self.client.keys("*")}

    def content(self):
        """The same as seen by a reader: equal before and after a restart."""
        read = {b"string": self.client.get, b"hash": self.client.hgetall,
                b"list": lambda name: self.client.lrange(name, 0, -1),
                b"zset": lambda name: self.client.zrange(name, 0, -1, withscores=True),
                b"stream": self.client.xrange}
        return {name: read[self.client.type(name)](name) for name in self.client.keys("*")}


def census(queue):
    """member → list of places: stream, later, uncertain, dead. More than one is a fault."""
    places = {}
    client = queue.client
    left = {text(name): int(mask, 16) for name, mask in client.hgetall(key("left")).items()}
    for stream, prefix in (("queue", ""), ("urgent", "u"), ("replies", "r")):
        for entry, fields in client.xrange(key(stream)):
            name = prefix + text(entry)
            if b"bulk" not in fields:
                places.setdefault(name, []).append("stream")
                continue
            lines = fields[b"bulk"].rstrip(b"\n").split(b"\n")
            for n in range(len(lines)):
                if not left.get(name, 0) & 1 << n:
                    places.setdefault("%s/%d" % (name, n + 1), []).append("stream")
    for place in ("later", "uncertain"):
        for member in client.hkeys(key(place + ":entries")):
            places.setdefault(text(member), []).append(place)
    for _, fields in client.xrange(key("dead")):
        places.setdefault(text(fields[b"entry"]), []).append("dead")
    return places


def entry_of(member):
    return re.sub("/.*", "", member)
