"""The operators' verbs: queue pause/resume/stats, dead list/requeue/purge/log, optout, why."""
import json
import os
import re
import subprocess
import time

import house as houses
from house import ACCOUNT, BASE, BUILD, BUSINESS, House, notification
from schemas import fits

NAME = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
MEMBER = re.compile(r"[ur]?\d+-\d+(/\d+)?")
PAUSE = {"accounts": [{"account": NAME, "paused": bool, "changed": bool, "by": str, "reason": str,
                       "at": int, "stopped?": {"code": int, "reason": str, "at": int}}]}
STATS = {"accounts": [{"account": NAME, "waiting": int, "urgent": int, "claimed": int,
                       "granted": int, "later": int, "uncertain": int, "dead": int,
                       "parked": int, "exposed": int, "oldest_ms": int, "rate": float, "paused": bool,
                       "stopped": bool, "throttled": bool}]}
DEAD = {"dead": [{"account": NAME, "entry": MEMBER, "type": {"refused", "failed", "dead", "uncertain"},
                  "reason": str, "template": str, "attempts": int, "at": int,
                  "remedy": {"requeue", "anew", "decide"}, "advice": str, "fields?": dict}]}
CHANGE = {"refused": [{"entry": str, "reason": str}], "action": {"requeue", "purge"},
          "dry_run": bool, "matched": int, "done": int, "gone": int}
LOG = {"changes": [{"account": NAME, "at": int, "action": {"requeue", "purge"}, "who": str,
                    "reason": str, "entries": [MEMBER]}]}
OPTOUT = {"recipient": str, "status": {"added", "known", "removed", "unknown", "bad"},
          "reason": str}
WHY = {"name": str, "account": NAME, "sentence": str, "member": str,
       "place": {"waiting", "claimed", "granted", "later", "uncertain", "dead", "gone", "none",
                 "stray"},
       "source?": {"queue", "urgent", "replies"}, "ahead?": int, "members?": int, "left?": int,
       "holder?": str, "claim?": str, "grant?": str, "at?": int, "attempt?": int, "attempts?": int,
       "reason?": str, "due?": int, "until?": int, "price?": int, "currency?": str, "day?": str,
       "cell?": str, "id?": str, "workers?": int, "now?": int, "paused_by?": str,
       "paused_for?": str, "paused_at?": int, "stopped_code?": int, "stopped_for?": str,
       "stopped_at?": int, "throttled_until?": int, "throttled_for?": str, "proven?": str,
       "possible_duplicate?": int, "type?": str, "outcome?": dict,
       "history?": [{"at": int, "attempt": int, "reason": str}]}

LINE = {"to": "+33612345678", "template": "delivery_confirmation", "lang": "fr", "1": "C", "2": "D",
        "3": "E"}


def expect(condition, what):
    houses.expect(condition, str(what))


def asked(house, *words, shape=None, code=0, **more):
    """The verb's --json, which must fit its schema."""
    result = house.verb(*words, "--json", check=False, **more)
    expect(result.returncode == code, "%s: exit %d, got %r" % (words, code, result))
    return fits(json.loads(result.stdout), shape, " ".join(words[:2]))


def says(house, words, code, *texts, **more):
    """The verb ends with this code, and says these words on standard error (0, 1: output)."""
    result = house.verb(*words, check=False, **more)
    where = result.stdout if code in (0, 1) else result.stderr
    expect(result.returncode == code, "%s: exit %d, got %r" % (words, code, result))
    for one in texts:
        expect(one in where, "%s: %r must say %r" % (words, where, one))
    return result


# ---- pause ---------------------------------------------------------------------------------------

def pause(house):
    found = asked(house, "queue", "pause", "--reason", "ticket 1", "--by", "ann", shape=PAUSE)
    expect(found["accounts"][0]["changed"] and found["accounts"][0]["by"] == "ann", found)
    again = asked(house, "queue", "pause", "--reason", "ticket 2", "--by", "bob", shape=PAUSE)
    expect(not again["accounts"][0]["changed"] and again["accounts"][0]["by"] == "ann",
           "the first word stands: %s" % again)
    says(house, ["queue", "pause", "--reason", "x"], 0, "was paused already by ann")
    stats = asked(house, "queue", "stats", shape=STATS)["accounts"][0]
    expect(stats["paused"] and not stats["stopped"], "stats says so")
    sender = house.sender("--workers", "2", "--connections", "1")
    entry = house.add(*[notification(i) for i in range(200)])[7]
    time.sleep(1.5)
    expect(house.outcomes() == [] and house.stats()["waiting"] == 200, "nothing goes out")
    told = asked(house, "why", entry, shape=WHY)
    expect(told["place"] == "waiting" and told["ahead"] == 7 and told["paused_by"] == "ann", told)
    says(house, ["why", entry], 0, "paused by ann", "ticket 1", "facteur queue resume")
    start = time.monotonic()
    says(house, ["queue", "resume", "--reason", "go"], 0, "within a second")
    house.wait_for_outcomes(200)
    expect(time.monotonic() - start < 3, "it went on within a second or so")
    says(house, ["queue", "resume", "--reason", "go"], 0, "was not paused; resumed by")
    return sender


def pause_in_full_run(house):
    """With 2,000 claimed or granted: what is on the wire is finished, and nothing follows."""
    before = len(house.outcomes())
    house.add(*[notification(i) for i in range(1000, 3000)])
    house.wait_for_outcomes(before + 100)
    house.verb("queue", "pause", "--reason", "stop")
    house.wait_until("nothing on the wire", lambda: house.stats()["granted"] == 0, 20)
    held = len(house.outcomes())
    time.sleep(2)
    stats = house.stats()
    expect(len(house.outcomes()) == held < before + 2000, "nothing follows: %d" % held)
    expect(stats["claimed"] == 0 and stats["later"] + stats["waiting"] == before + 2000 - held,
           "no worker sits on any: %s" % stats)
    house.verb("queue", "resume", "--reason", "go")
    house.wait_for_outcomes(before + 2000)
    kinds = {outcome["type"] for outcome in house.outcomes()}
    expect(kinds == {"accepted"}, "all were accepted, each once: %s" % kinds)
    expect(len({outcome["entry"] for outcome in house.outcomes()}) == before + 2000, "each once")


# ---- opt-outs -------------------------------------------------------------------------------------

def optouts(house):
    lines = "+33612000001\n +52 1 55 1234 5678 \n\n0612345678\n" + "9" * 600 + "\nFR.1349\n"
    result = house.verb("optout", "add", "--business", "acme", "--json", stdin=lines, check=False)
    found = [fits(json.loads(line), OPTOUT) for line in result.stdout.splitlines()]
    expect(result.returncode == 65 and "2 cannot be read" in result.stderr, result)
    expect([one["status"] for one in found] == ["added", "added", "bad", "bad", "added"], found)
    expect(found[1]["recipient"] == "+5215512345678", "as it is sent to")
    expect("+ and the country" in found[2]["reason"], "a hint")
    says(house, ["optout", "add", "+33612000001"], 0, "+33612000001: known")
    names = house.verb("optout", "list").stdout.split()
    expect(sorted(names) == ["+33612000001", "+5215512345678", "+525512345678", "FR.1349"], names)
    listed = [json.loads(line) for line in house.verb("optout", "list", "--json").stdout.splitlines()]
    expect(sorted(one["recipient"] for one in listed) == sorted(names), "the same as JSON lines")
    before = len(house.outcomes())
    entries = house.add(notification(1, id="o-1", to="+33 612 00 00 01"),
                        notification(2, id="o-2", to="+525512345678"),
                        notification(3, id="o-3", to=None, recipient="FR.1349"),
                        notification(4, id="o-4"))
    house.wait_for_outcomes(before + 4)
    last = {outcome["entry"]: outcome for outcome in house.outcomes()[before:]}
    for entry in entries[:3]:
        expect(last[entry]["type"] == "refused" and "opted out" in last[entry]["reason"],
               "the %s is refused: %s" % (entry, last[entry]))
    expect(last[entries[3]]["type"] == "accepted", "others go out")
    expect(last[entries[0]]["reason"] == "to: this recipient has opted out", last[entries[0]])
    says(house, ["optout", "remove", "+33612000001", "+5215512345678", "FR.1349", "+33612000009"],
         0, "+33612000009: unknown")
    expect(house.verb("optout", "list").stdout == "", "nobody is left")
    return entries[:3]


# ---- dead -----------------------------------------------------------------------------------------

def dead(house, opted_out):
    before = len(house.outcomes())
    lost = house.add(notification(10, id="d-1", template="not_there"), {"foo": "bar"})
    bulk = house.add_bulk(dict(LINE, template="not_there"), "{broken", LINE)
    house.wait_for_outcomes(before + 5)
    members = [bulk + "/1", bulk + "/2"]
    found = asked(house, "dead", "list", shape=DEAD)["dead"]
    expect({one["entry"] for one in found} == set(opted_out + lost + members), found)
    expect(all("fields" not in one for one in found), "what a producer wrote is shown on demand")
    found = asked(house, "dead", "list", "--template", "not_there", "--whole", shape=DEAD)["dead"]
    whole = {one["entry"]: one["fields"] for one in found}
    expect(set(whole) == {lost[0], members[0]}, "by template: %s" % found)
    expect(whole[lost[0]]["template"] == "not_there", "with the whole original")
    for words, count in ((["--type", "refused"], 7), (["--type", "dead"], 0), (["--since", "1h"], 7),
                         (["--because", "opted out"], 3), (["--reason", "opted out"], 3),
                         (["--entry", bulk], 2), (["--entry", members[1]], 1), (["--count", "4"], 4),
                         (["--entry", lost[1], "--entry", lost[0]], 2),
                         (["--because", "opted out", "--template", "not_there"], 0)):
        found = asked(house, "dead", "list", *words, shape=DEAD)["dead"]
        expect(len(found) == count, "%s: %d, got %d" % (words, count, len(found)))
    says(house, ["dead", "list", "--type", "dead"], 0, "nothing fits")
    says(house, ["dead", "list"], 0, "not in the catalogue", "foo: unknown field")
    told = asked(house, "why", "d-1", shape=WHY)
    expect(told["place"] == "dead" and told["member"] == lost[0], "found by its own id: %s" % told)
    says(house, ["why", members[1]], 0, "was refused", "enqueue it anew", "dead purge --entry " + members[1])

    says(house, ["dead", "requeue", "--because", "opted out", "--dry-run"], 0, "3 would be requeued")
    found = asked(house, "dead", "purge", "--all", "--dry-run", shape=CHANGE)
    expect(found["matched"] == 7 and found["done"] == 0, found)
    expect(house.stats()["dead"] == 7, "a dry run changes nothing")
    before = len(house.outcomes())
    found = asked(house, "dead", "requeue", "--because", "opted out", "--reason", "came back",
                  shape=CHANGE)
    expect(found["done"] == 3 and not found["refused"], found)
    house.wait_for_outcomes(before + 3)
    last = house.outcomes()[before:]
    expect({(one["type"], one["entry"]) for one in last} == {("accepted", one) for one in opted_out},
           "sent under their own names: %s" % last)
    says(house, ["dead", "requeue", "--because", "opted out", "--reason", "x"], 1, "0 requeued")
    found = asked(house, "dead", "requeue", "--all", "--reason", "try", shape=CHANGE)
    expect(found["done"] == 4, found)
    house.wait_until("they are dead again", lambda: house.stats()["dead"] == 4)
    expect(set(house.dead()) == set(lost + members), "under the same names")
    says(house, ["dead", "purge", "--entry", bulk, "--reason", "told them", "--by", "bob"], 0,
         "2 purged")
    says(house, ["why", members[0]], 0, "its entry was purged since")
    says(house, ["dead", "purge", "--all", "--reason", "told them"], 0, "2 purged")
    says(house, ["dead", "list"], 0, "nothing is dead")
    log = asked(house, "dead", "log", shape=LOG)["changes"]
    expect([(one["action"], len(one["entries"])) for one in log]
           == [("purge", 2), ("purge", 2), ("requeue", 4), ("requeue", 3)], log)
    expect(log[1]["who"] == "bob" and log[1]["reason"] == "told them"
           and set(log[1]["entries"]) == set(members), log[1])
    says(house, ["dead", "log"], 0, "bob", "told them")


def requeue_what_is_odd(house):
    client = house.redis.client()
    client.xadd(BASE + ":dead", {"entry": "5-5", "type": "refused", "reason": "bulk: odd",
                                 "attempts": 0, "at": 1, "o.bulk": "x"})
    client.xadd(BASE + ":dead", {"entry": "6-6", "type": "refused", "reason": "a\x1b[31mred\n",
                                 "attempts": 0, "at": 1, "o.record": "{"})
    client.xadd(BASE + ":dead", {"nothing": "of ours"})
    result = says(house, ["dead", "list"], 0, "a?[31mred?")
    expect("\x1b" not in result.stdout, "no stranger's escape reaches a terminal")
    found = asked(house, "dead", "requeue", "--type", "refused", "--reason", "x", shape=CHANGE, code=1)
    expect({one["entry"] for one in found["refused"]} == {"5-5", "6-6"} and found["done"] == 0, found)
    expect("enqueue its lines anew" in found["refused"][0]["reason"], found)
    result = house.verb("dead", "requeue", "--type", "refused", "--reason", "x", check=False)
    expect(result.returncode == 1 and "2 stay dead" in result.stdout
           and "5-5: it was refused as a whole bulk" in result.stderr, result)
    house.verb("dead", "purge", "--all", "--reason", "x")


# ---- why ------------------------------------------------------------------------------------------

def why_of_what_happened(house, entry):
    told = asked(house, "why", entry, shape=WHY)
    expect(told["place"] == "gone" and told["outcome"]["type"] == "accepted", told)
    says(house, ["why", entry], 0, entry + " was accepted by Meta at", "0.0300 USD", "wamid.")
    told = asked(house, "why", "id-7", shape=WHY)
    expect(told["member"] == entry and told["place"] == "gone", "by its own id: %s" % told)
    before = len(house.outcomes())
    twin, old = house.add(notification(7), notification(5000, expires="1700000000000"))
    bulk = house.add_bulk(dict(LINE, id="b \"1\""), dict(LINE, id="b-2"))
    house.wait_for_outcomes(before + 4)
    says(house, ["why", twin], 0, "was dropped as a duplicate", "first used by " + entry)
    says(house, ["why", old], 0, "was expired at")
    expect(asked(house, "why", "b \"1\"", shape=WHY)["member"] == bulk + "/1", "an id with quotes")
    expect(asked(house, "why", bulk, shape=WHY)["place"] == "gone", "a bulk that is done")
    told = asked(house, "why", "nobody", shape=WHY, code=1)
    expect(told["place"] == "none", told)
    says(house, ["why", "1-1"], 1, "nothing is known of 1-1 in acme/fr")


def why_of_what_waits(house):
    """No sender runs."""
    entries = house.add(notification(6000), notification(6001))
    urgent = "u" + house.add(notification(6002), stream="urgent")[0]
    reply = "r" + house.add(notification(6003), stream="replies")[0]
    bulk = house.add_bulk(dict(LINE, id="six"), dict(LINE, id="seven"))
    says(house, ["why", entries[1]], 0, "waits in the stream queue, 1 entry before it",
         "start facteur run")
    says(house, ["why", urgent], 0, "stream urgent, 0 entries")
    says(house, ["why", reply], 0, "takes nothing from replies")
    says(house, ["why", bulk], 0, "a bulk of 2, 0 of which have left")
    expect(asked(house, "why", "id-6001", shape=WHY)["member"] == entries[1], "by id, in the stream")
    expect(asked(house, "why", "id-6002", shape=WHY)["member"] == urgent, "by id, in urgent")
    expect(asked(house, "why", "seven", shape=WHY)["member"] == bulk + "/2", "by id, in a bulk")
    client = house.redis.client()
    far = int(time.time() * 1000) + 3600 * 1000
    client.execute_command("FCALL", "facteur_enqueue", 2, BASE, BUSINESS, "queue", "to",
                           "+33612345678", "template", "t", "lang", "fr", "id", "later-1",
                           "not_before", far)
    client.delete(BASE + ":id:later-1")
    told = asked(house, "why", "later-1", shape=WHY)
    expect(told["place"] == "later" and told["due"] == far, told)
    says(house, ["why", told["member"]], 0, "because its producer said so", "(in 59 min)")
    client.delete(BASE + ":later", BASE + ":later:entries")
    sender = house.sender("--workers", "1")
    house.wait_until_quiet()
    house.stop(sender)


def why_on_the_way(house):
    """A sender that has a black hole in front of it, and is killed."""
    house.set_faults(black_hole=1.0)
    sender = house.sender("--workers", "1", "--request-timeout", "60s", "--lease", "1s", "--streams",
                          "4", "--connections", "1")
    entries = house.add(*[notification(i) for i in range(7000, 7400)])
    house.wait_until("some are granted", lambda: house.stats()["granted"] > 0)
    granted, claimed = entries[0], entries[20]
    says(house, ["why", granted], 0, "is on its way to Meta: attempt 1", "0.0300 USD")
    says(house, ["why", claimed], 0, "was taken by worker", "waits there for its turn")
    expect(asked(house, "why", granted, shape=WHY)["place"] == "granted", "and as JSON")
    expect(asked(house, "why", "id-7020", shape=WHY)["member"] == claimed, "by id, when taken")
    sender.kill()
    sender.wait()
    house.set_faults(black_hole=0.0)
    other = house.sender("--workers", "1", "--lease", "1s")
    house.wait_until("what was on its way is uncertain",
                     lambda: asked(house, "why", granted, shape=WHY)["place"] == "uncertain", 20)
    says(house, ["why", granted], 0, "nobody knows whether Meta sent it", "A receipt is awaited",
         "may be on the bill")
    house.wait_until_quiet()
    house.stop(other)
    says(house, ["why", claimed], 0, "was accepted")


# ---- mistakes -------------------------------------------------------------------------------------

def mistakes(house):
    cases = [
        (["queue", "puase"], "did you mean queue pause?"),
        (["dead"], "There is: facteur dead list, facteur dead requeue"),
        (["dead", "bury"], "facteur dead purge"),
        (["dead", "requeue"], "which ones?"),
        (["dead", "requeue", "--all", "--type", "dead", "--reason", "x"], "not both"),
        (["dead", "requeue", "--all"], "why? Give --reason"),
        (["dead", "purge", "--all", "--reason", " "], "why? Give --reason"),
        (["dead", "purge", "--all", "--reason", "a\nb"], "one line"),
        (["dead", "purge", "--all", "--reason", "x" * 513], "at most 512 bytes"),
        (["dead", "purge", "--all", "--reason", "x", "--by", ""], "who are you?"),
        (["dead", "list", "--type", "accepted"], "refused, failed, dead and uncertain"),
        (["dead", "list", "--since", "yesterday"], "must be a time with its unit"),
        (["dead", "list", "--entry", "order-7"], "facteur why finds it"),
        (["dead", "list", "--entry", "1-1/"], "an entry is called like"),
        (["dead", "list", "--because", ""], "which text?"),
        (["dead", "list", "everything"], "\"everything\" is too much"),
        (["dead", "list", "--tpye", "dead"], "did you mean --type?"),
        (["queue", "pause"], "why? Give --reason"),
        (["queue", "pause", "acme/de", "--reason", "x"], "accounts are named with --account"),
        (["queue", "pause", "--reason", "x", "--account", "acme/fr", "--account", "Acme/DE"],
         "Acme"),
        (["optout", "add", "--business", "acme/fr", "+331"], "a business is named"),
        (["optout", "list", "--business", "ACME"], "a business is named"),
        (["why"], "which one?"), (["why", "a", "b"], "which one?"), (["why", ""], "which one?"),
        (["why", "x" * 257], "1 to 256 bytes"),
    ]
    for words, text in cases:
        says(house, words, 64, text, stdin="")
    expect(not house.redis.client().hget(BASE + ":state", "paused") == b"1",
           "no account was paused when one name is wrong")
    for words in (["queue", "stats"], ["queue", "pause", "--reason", "x"], ["dead", "list"],
                  ["why", "1-1"], ["optout", "list"]):
        bare = {name: value for name, value in os.environ.items() if not name.startswith("FACTEUR")}
        bare["FACTEUR_REDIS"] = "unix:" + house.redis.socket
        result = subprocess.run([BUILD + "/facteur"] + words, capture_output=True, text=True, env=bare)
        expect(result.returncode == 64 and "which account?" in result.stderr, (words, result))
        result = house.verb(*words, "--redis", "unix:/nowhere/redis.sock", check=False)
        expect(result.returncode == 69 and "cannot reach Redis at unix:/nowhere" in result.stderr,
               (words, result))


def redis_says_no(house):
    client = house.redis.client()
    client.execute_command("FUNCTION", "DELETE", "facteur")
    for words in (["queue", "pause", "--reason", "x"], ["why", "1-1"]):
        result = house.verb(*words, check=False)
        expect(result.returncode == 69 and "facteur run loads them" in result.stderr, result)
    house.redis.load_library()
    client.rename(BASE + ":events", "kept")
    client.set(BASE + ":events", "x")
    result = house.verb("why", "1-1", check=False)
    expect(result.returncode == 69 and "holds something else" in result.stderr, result)
    client.rename("kept", BASE + ":events")
    client.execute_command("ACL", "SETUSER", "default", "-xrange")
    result = house.verb("dead", "list", check=False)
    expect(result.returncode == 69 and "access list forbids" in result.stderr, result)
    client.execute_command("ACL", "SETUSER", "default", "+@all")


def main():
    with House(emulator=("--latency", "100ms"), streams=20) as house:
        expect(ACCOUNT == "acme/fr", "the account of the texts below")
        sender = pause(house)
        entry = next(one["entry"] for one in house.outcomes() if one["id"] == "id-7")
        pause_in_full_run(house)
        opted_out = optouts(house)
        dead(house, opted_out)
        requeue_what_is_odd(house)
        why_of_what_happened(house, entry)
        house.stop(sender)
        why_of_what_waits(house)
        why_on_the_way(house)
        mistakes(house)
        redis_says_no(house)
    print("pause, dead, opt-outs, why: as written")


if __name__ == "__main__":
    main()
