"""facteur-load against a real Redis and a sender played by hand: the audit sees every place, and
every thing that is spoilt. No emulator, no facteur: only the keys as queue/README.md has them."""
import json
import os
import subprocess
import sys

from redis_server import RedisServer

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("FACTEUR_BUILD", os.path.join(ROOT, "build"))
A = "facteur:{acme}:fr"
PRICE = 55000
CELL = "fr|FR|France|utility|order|2018#USD"
MESSAGES = 400


class Play:
    """A filled Redis, and the moves of a sender."""

    def __init__(self, server, bulk):
        self.redis = server.client()
        self.socket = server.socket
        self.redis.flushall()
        self.upto = 0
        self.load("fill", "--messages", str(MESSAGES), "--seed", "5", "--bulk", str(bulk),
                  "--urgent", "0.3", "--bad", "0", "--promotional", "0", check=True)
        self.members = []
        for stream, letter in (("queue", ""), ("urgent", "u")):
            for entry, fields in self.redis.xrange(A + ":" + stream):
                self.add_members(stream, letter + entry.decode(), fields)
        expect(len(self.members) == MESSAGES, "%d members are written" % MESSAGES)

    def add_members(self, stream, entry, fields):
        if b"bulk" not in fields:
            flat = [part.decode() for pair in fields.items() for part in pair]
            self.members.append({"name": entry, "entry": entry, "stream": stream, "of": 1,
                                 "ref": fields[b"ref"].decode(), "fields": flat})
            return
        lines = fields[b"bulk"].decode().split("\n")
        for number, line in enumerate(lines, 1):
            self.members.append({"name": "%s/%d" % (entry, number), "entry": entry,
                                 "stream": stream, "of": len(lines), "number": number,
                                 "ref": json.loads(line)["ref"], "fields": ["member", line]})

    def load(self, verb, *options, check=False):
        result = subprocess.run(
            [os.path.join(BUILD, "loadtest/facteur-load"), verb, "--redis", "unix:" + self.socket,
             "--account", "acme/fr", "--quiet", "--json"] + list(options),
            capture_output=True, text=True, timeout=120)
        if check and result.returncode != 0:
            sys.exit("facteur-load %s: exit %d\n%s%s" % (verb, result.returncode, result.stdout,
                                                         result.stderr))
        return result.returncode, json.loads(result.stdout.strip().splitlines()[-1])

    def leave(self, member):
        """The member leaves its stream; a bulk entry goes when all its members have."""
        bare = member["entry"].lstrip("u")
        if "number" not in member:
            self.redis.xdel(A + ":" + member["stream"], bare)
            return
        mask = int(self.redis.hget(A + ":left", member["entry"]) or b"0", 16)
        mask |= 1 << (member["number"] - 1)
        if bin(mask).count("1") == member["of"]:
            self.redis.hdel(A + ":left", member["entry"])
            self.redis.xdel(A + ":" + member["stream"], bare)
        else:
            self.redis.hset(A + ":left", member["entry"], "%016x" % mask)

    def event(self, members, kind, **more):
        lines = []
        for member in members:
            ms = int(member["entry"].lstrip("u").split("-")[0])
            lines.append(json.dumps({"type": kind, "entry": member["name"], "ref": member["ref"],
                                     "at": ms + 5, **more}))
        self.upto += len(lines)
        self.redis.xadd(A + ":events", {"n": len(lines), "upto": self.upto,
                                        "outcomes": "\n".join(lines)})

    def accept(self, members):
        for member in members:
            self.leave(member)
        self.event(members, "accepted", price=PRICE, currency="USD", wamid="wamid.x")
        day = "facteur:{acme}:cost:2026-11-23"
        self.redis.hincrby(day, CELL + ".count", len(members))
        self.redis.hincrby(day, CELL + ".millionths", PRICE * len(members))

    def wait(self, member, place, **more):
        self.leave(member)
        self.redis.zadd(A + ":" + place, {member["name"]: 1})
        self.redis.hset(A + ":%s:entries" % place, member["name"],
                        json.dumps({"attempt": 1, "at": 1, "reason": "x",
                                    "fields": member["fields"], **more}))

    def be_uncertain(self, member, number):
        """No answer came; of the odd ones no receipt came in time either, and they are parked."""
        line = [member["name"], "1", "2026-11-23", CELL.split("#")[0], "USD", str(PRICE), "1"]
        self.redis.hset(A + ":exposed", "h.1/%d" % number, "\t".join(line))
        if number % 2 == 0:
            self.wait(member, "uncertain", price=str(PRICE))
        else:
            self.bury(member, "uncertain")
        self.event([member], "uncertain")

    def die(self, member, kind):
        self.bury(member, kind)
        self.event([member], kind)

    def bury(self, member, kind):
        self.leave(member)
        original = {}
        for i in range(0, len(member["fields"]), 2):
            original["o." + member["fields"][i]] = member["fields"][i + 1]
        self.redis.xadd(A + ":dead", {"entry": member["name"], "type": kind, "reason": "x",
                                      "attempts": 1, "at": 1, **original})

    def claim(self, members):
        ids = [member["entry"] for member in members]
        self.redis.hset(A + ":claims", "h.1", "\t".join(["h", "queue", ids[0], ids[-1], "1"]))

    def grant(self, members, settled="0"):
        lines = ["h\t1\tqueue\t%d" % len(members), "c\t2026-11-23\tcell\tUSD\t55000"]
        lines += ["%s\t1\t0\t" % member["name"] for member in members]
        self.redis.hset(A + ":grants", "h.2", "\n".join(lines))
        self.redis.hset(A + ":grants", "h.2#", settled)

    def audit(self):
        return self.load("audit")


def expect(condition, text):
    if not condition:
        sys.exit("expected: " + text)


def expect_report(play, **wanted):
    code, report = play.audit()
    for name, value in wanted.items():
        expect(report[name] == value, "%s %s, but it is %s\n%s" % (name, value, report[name], report))
    expect(code == (0 if report["good"] else 1), "exit code as the verdict: %d" % code)


def play_well(server, bulk):
    """Members in every place there is. Returns the play, and who is where."""
    play = Play(server, bulk)
    queue = [m for m in play.members if m["stream"] == "queue"]
    urgent = [m for m in play.members if m["stream"] == "urgent"]
    play.accept(queue[:100] + urgent[:50])
    for member in queue[100:110]:
        play.wait(member, "later")
    for number, member in enumerate(urgent[50:57]):
        play.be_uncertain(member, number)
    for member in queue[110:113]:
        play.die(member, "dead")
    for member in urgent[57:59]:
        play.die(member, "failed")
    for member in queue[113:117]:
        play.leave(member)
    play.event(queue[113:117], "dropped")
    granted = queue[120:125]
    play.grant(granted, settled="2")  # the second is settled: not granted any more
    return play, queue, urgent


def every_place_is_seen(server, bulk):
    play, queue, urgent = play_well(server, bulk)
    gone = 150 + 10 + 7 + 3 + 2 + 4
    expect_report(play, good=True, accepted=150, later=10, parked=7, dead=3, failed=2, dropped=4,
                  granted=4, waiting=MESSAGES - gone - 4, lost=0, exposure=7 * PRICE,
                  ledger=150 * PRICE, overdue=4, problems={}, foreign=0, missed_events=0, moving=False)
    if bulk == 1:
        play.claim(queue[118:130])
        expect_report(play, good=True, granted=4, claimed=8)


def what_is_spoilt_is_found(server, bulk):
    def lose(play, queue, urgent):
        play.leave(urgent[-1])

    def settle_twice(play, queue, urgent):
        play.event(queue[:1], "failed")

    def book_too_much(play, queue, urgent):
        play.redis.hincrby("facteur:{acme}:cost:2026-11-23", CELL + ".millionths", 1)

    def keep_after_retry(play, queue, urgent):
        member = queue[-1]
        play.redis.hset(A + ":later:entries", member["name"],
                        json.dumps({"attempt": 1, "fields": member["fields"]}))

    def die_silently(play, queue, urgent):
        play.die(urgent[-1], "dead")
        last = play.redis.xrevrange(A + ":events", count=1)[0][0]
        play.redis.xdel(A + ":events", last)

    def park_after_outcome(play, queue, urgent):
        play.bury(queue[0], "uncertain")

    def refuse_a_fine_one(play, queue, urgent):
        play.die(queue[-1], "refused")

    cases = [(lose, {"lost": 1}), (settle_twice, {"two_outcomes": 1}), (book_too_much, {"ledger": 1}),
             (keep_after_retry, {"two_places": 1}), (die_silently, {"no_event": 1}),
             (refuse_a_fine_one, {"fine_refused": 1}), (park_after_outcome, {"two_places": 1})]
    for spoil, problems in cases:
        play, queue, urgent = play_well(server, bulk)
        spoil(play, queue, urgent)
        expect_report(play, good=False, problems=problems)


def trimmed_events_are_said(server):
    play, queue, _ = play_well(server, 1)
    first = play.redis.xrange(A + ":events", count=1)[0][0]
    play.redis.xdel(A + ":events", first)
    for member in queue[:100]:
        play.redis.set(A + ":id:" + member["ref"].replace("/", "-"), member["name"])
    _, report = play.audit()
    expect(report["missed_events"] == 150, "150 outcomes are missed: %s" % report)


def a_lost_redis_is_said():
    result = subprocess.run([os.path.join(BUILD, "loadtest/facteur-load"), "audit", "--redis",
                             "unix:/nowhere.sock", "--account", "acme/fr"],
                            capture_output=True, text=True, timeout=60)
    expect(result.returncode == 69 and "--redis" in result.stderr, "exit 69: " + result.stderr)


def main():
    with RedisServer() as server:
        for bulk in (1, 7):
            every_place_is_seen(server, bulk)
            what_is_spoilt_is_found(server, bulk)
        trimmed_events_are_said(server)
    a_lost_redis_is_said()
    print("facteur-load: every place is seen, every spoilt thing is found")


if __name__ == "__main__":
    main()
