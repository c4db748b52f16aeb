"""facteur why, for every place and every reason: where it is, what it waits for, until when, what can
be done. Each test is a place or an end, by its name.

    python3 tests/scenario/why_test.py [word in a test's name]
"""
import json
import os
import subprocess
import sys
import time
import traceback

from redis_server import RedisServer
from house import BUILD
from queue_calls import CELL, DAY, KEEP, Queue, group, holder_name, key, text
from receipts import receipt

W1, W2 = holder_name(1), holder_name(2)
ID = "order 1/2"
PLACES = {"waiting", "claimed", "granted", "later", "uncertain", "dead", "gone", "none", "stray"}
asserted = set()  # places that some test has asked about

server = RedisServer()


def equal(found, wanted):
    assert found == wanted, "found %r, wanted %r" % (found, wanted)


def ask(name, *words):
    environment = dict(os.environ, FACTEUR_REDIS="unix:" + server.socket, FACTEUR_ACCOUNT="acme/fr")
    return subprocess.run([BUILD + "/facteur", "why", *words, "--", name] if name.startswith("-")
                          else [BUILD + "/facteur", "why", *words, name],
                          capture_output=True, text=True, timeout=60, env=environment)


def says(name, place, *fragments, code=0, never=()):
    """One sentence, in that order, and the same in JSON beside the place. Returns the JSON."""
    told = ask(name)
    equal(told.returncode, code)
    sentence, *history = told.stdout.rstrip("\n").split("\n")
    at = 0
    for fragment in fragments:
        found = sentence.find(fragment, at)
        assert found >= 0, "%r is not (in this order) in %r" % (fragment, sentence)
        at = found + len(fragment)
    for fragment in never:
        assert fragment not in sentence, "%r is in %r" % (fragment, sentence)
    assert sentence.endswith("."), "a sentence: %r" % told.stdout
    assert all(line.startswith("  attempt ") for line in history), "and its attempts: %r" % told.stdout
    found = json.loads(ask(name, "--json").stdout)
    equal(found["place"], place)
    assert found["sentence"], found
    asserted.add(place)
    return found


def now():
    return int(time.time() * 1000)


def in_ms(ms):
    """A time as a sentence tells it."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime((now() + ms) / 1000))


def outcome(member, kind, **more):
    """As a sender writes it: without spaces."""
    return json.dumps(dict({"type": kind, "entry": member}, **more), separators=(",", ":"))


def take(queue, holder=W1, number=1):
    return queue.claim(holder, "%s.%d" % (holder, number)).parts[0]


def grant(queue, member, source="queue", attempt=1, number=2, price=75000, id=""):
    name = "%s.%d" % (W1, number)
    equal(queue.grant(W1, name, source, [(member, attempt, 0, id)], [(DAY, CELL, "USD", price)])[1],
          "g")
    return name


def granted(queue, **fields):
    """One that is granted: its name, its claim's and its grant's."""
    queue.beat(W1)
    entry = queue.add(**fields)
    claim = take(queue).claim
    return entry, claim, grant(queue, entry, id=fields.get("id", ""))


def settled(queue, action, arguments=(), told=None, ids=(), **more):
    """One that was granted and settled like this; `told`: its outcome's type."""
    entry, claim, name = granted(queue, **({"id": ids[0]} if ids else {}))
    lines = [outcome(entry, told, at=now(), attempt=1, **more)] if told else []
    cells = [(0, 1, 75000)] if action == "accept" else []
    equal(queue.settle(W1, [group(name, "queue", action, arguments, [0], cells, singles=[entry],
                                  outcomes=lines, ids=ids)], [claim]), ["ok"])
    return entry, name


def refused(queue, reason, kind="refused", attempts=0):
    """One that stands in dead for this reason."""
    queue.beat(W1)
    entry = queue.add()
    claim = take(queue).claim
    equal(queue.settle(W1, [group("claim:" + claim, "queue", "dead", (kind, reason, attempts, 1),
                                  singles=[entry])], [claim]), ["ok"])
    return entry


def pause(queue):
    queue.call("pause", "pause", "ann", "ticket 4711")


def stop(queue):
    queue.call("stop", 190, "(#190) the token is not good", "0123456789abcdef", KEEP)


def throttle(queue, ms=30000):
    queue.client.hset(key("state"), mapping={"throttled_until": now() + ms,
                                             "throttled_for": "(#130429) Rate limit hit"})


# ---- waiting ------------------------------------------------------------------------------------

def test_waiting(queue):
    queue.beat(W1)
    queue.add()
    entry = queue.add()
    found = says(entry, "waiting", entry + " waits in the stream queue, 1 entry before it",
                 "as soon as a worker has room")
    equal((found["ahead"], found["source"], found["account"]), (1, "queue", "acme/fr"))


def test_waiting_first_of_urgent(queue):
    queue.beat(W1)
    entry = queue.add("urgent")
    says(entry, "waiting", entry + " waits in the stream urgent, 0 entries before it")


def test_waiting_reply(queue):
    queue.beat(W1)
    says(queue.add("replies"), "waiting", "in the stream replies", "takes nothing from replies")


def test_waiting_behind_many(queue):
    pipe = queue.client.pipeline(transaction=False)
    for _ in range(1100):
        pipe.xadd(key("queue"), {"to": "+33612345678"})
    entry = text(pipe.execute()[-1])
    says(entry, "waiting", "1000 or more entries before it")


def test_waiting_without_a_sender(queue):
    says(queue.add(), "waiting", "no sender is running for this business: start facteur run")


def test_waiting_behind_a_paused_account(queue):
    queue.beat(W1)
    pause(queue)
    found = says(queue.add(), "waiting", "paused by ann at " + in_ms(0), "(ticket 4711)",
                 "facteur queue resume lets it go on")
    equal((found["paused_by"], found["paused_for"]), ("ann", "ticket 4711"))


def test_waiting_behind_a_stopped_account(queue):
    queue.beat(W1)
    stop(queue)
    found = says(queue.add(), "waiting", "the account was stopped at " + in_ms(0),
                 "Meta refuses it ((#190) the token is not good)", "facteur queue resume, or give it another")
    equal((found["stopped_code"], found["stopped_for"]), (190, "(#190) the token is not good"))


def test_waiting_behind_a_throttled_account(queue):
    queue.beat(W1)
    throttle(queue)
    found = says(queue.add(), "waiting", "Meta has had too much of this account",
                 "(#130429) Rate limit hit", "goes on by itself in 2")
    assert found["throttled_until"] > now()


def test_waiting_after_a_throttle(queue):
    queue.beat(W1)
    throttle(queue, -1)
    says(queue.add(), "waiting", "as soon as a worker has room", never=("too much",))


def test_waiting_given_back(queue):
    entries = [queue.add() for _ in range(3)]
    queue.beat(W1)
    take(queue)
    queue.fence(W1)
    queue.recover()
    queue.beat(W2)
    says(entries[2], "waiting", "in the stream queue, 2 entries before it", "room for it")


def test_waiting_bulk_and_its_member(queue):
    queue.beat(W1)
    entry = queue.add(bulk="{}\n{}\n{}\n")
    found = says(entry, "waiting", "It is a bulk of 3, 0 of which have left: ask for one as %s/1" % entry)
    equal((found["members"], found["left"]), (3, 0))
    says(entry + "/3", "waiting", entry + "/3 waits in the stream queue")


def test_waiting_by_id(queue):
    queue.beat(W1)
    entry = queue.add(id=ID)
    equal(says(ID, "waiting", entry + " waits")["member"], entry)
    bulk = queue.add(bulk='{"id":"in a bulk"}\n{"id":"in a \\"bulk\\" too"}')
    says("in a \"bulk\" too", "waiting", bulk + "/2 waits")


# ---- claimed ------------------------------------------------------------------------------------

def test_claimed(queue):
    queue.beat(W1)
    entry = queue.add()
    take(queue)
    found = says(entry, "claimed", entry + " was taken by worker " + W1, "ago and waits there",
                 "its turn (the account's pace, or room", "if that worker dies")
    equal(found["holder"], W1)


def test_claimed_behind_a_throttle(queue):
    queue.beat(W1)
    entry = queue.add()
    take(queue)
    throttle(queue)
    says(entry, "claimed", "was taken by worker", "too much of this account", "by itself in")


def test_claimed_bulk_and_its_member(queue):
    queue.beat(W1)
    entry = queue.add(bulk="{}\n{}\n")
    take(queue)
    says(entry, "claimed", "It is a bulk of 2, 0 of which have left")
    says(entry + "/2", "claimed", entry + "/2 was taken by worker")


def test_claimed_from_later(queue):
    entry, _ = settled(queue, "later", (1, 1, "no connection", 0))
    queue.beat(W2)
    take(queue, W2, 3)
    says(entry, "claimed", "was taken by worker " + W2)


def test_claimed_though_an_attempt_was_accepted(queue):
    entry, name = settled(queue, "uncertain", (1, 1, "cut"))
    equal(queue.overdue("resend")[1:4], [0, 0, 1])
    take(queue, W1, 5)
    equal(queue.receive(receipt("accepted", entry, name, 0)), ["ok claimed"])
    says(entry, "claimed", "Meta has accepted an earlier attempt", "not sent again")


# ---- granted ------------------------------------------------------------------------------------

def test_granted(queue):
    entry, _, _ = granted(queue)
    found = says(entry, "granted", entry + " is on its way to Meta: attempt 1", "by worker " + W1,
                 "0.0750 USD", "or becomes uncertain")
    equal((found["price"], found["attempt"]), (75000, 1))


def test_granted_bulk_member(queue):
    queue.beat(W1)
    entry = queue.add(bulk="{}\n{}\n")
    take(queue)
    grant(queue, entry + "/2")
    says(entry + "/2", "granted", entry + "/2 is on its way to Meta")
    says(entry + "/1", "claimed")


def test_granted_by_id(queue):
    entry, _, _ = granted(queue, id=ID)
    equal(says(ID, "granted", entry + " is on its way")["id"], ID)


# ---- later --------------------------------------------------------------------------------------

def test_later_scheduled(queue):
    queue.beat(W1)
    entry = queue.enqueue("queue", to="+33612345678", template="order_shipped", lang="fr", id=ID,
                          not_before=now() + 3600 * 1000 + 500)[1]
    for name in (entry, ID):
        says(name, "later", "%s waits until %s" % (entry, in_ms(3600 * 1000)), "(in 60 min)",
             "its producer said so (not_before)", "nothing needs to be done")


def test_later_scheduled_urgent_of_a_paused_account(queue):
    pause(queue)
    entry = queue.enqueue("urgent", to="+33612345678", template="order_shipped", lang="fr",
                          not_before=now() + 60000)[1]
    says(entry, "later", entry + " waits until", "not_before", "paused by ann")


def test_later_retry(queue):
    entry, _ = settled(queue, "later", (now() + 90500, 2, "HTTP 503", 0))
    says(entry, "later", entry + " waits until " + in_ms(90500), "for attempt 3: HTTP 503")


def test_later_throttled(queue):
    entry, _ = settled(queue, "later", (now() + 5000, 0, "the account was throttled", 0))
    throttle(queue, 5000)
    says(entry, "later", "for attempt 1: the account was throttled", "Rate limit hit", "by itself in")


def test_later_stopped(queue):
    entry, _ = settled(queue, "later", (now(), 0, "(#190) the token is not good", 0))
    stop(queue)
    says(entry, "later", " is due for attempt 1", "the account was stopped at", "another token")


def test_later_pair_limit(queue):
    entry, _ = settled(queue, "later", (now() + 4000, 0, "(#131056) Pair rate limit hit", 1))
    says(entry, "later", "waits until", "for attempt 1: (#131056) Pair rate limit hit")


def test_later_due(queue):
    entry, _ = settled(queue, "later", (1, 1, "no connection", 0))
    says(entry, "later", entry + " is due for attempt 2: no connection", "the next claim takes it")
    queue.client.delete("facteur:{acme}:workers")
    says(entry, "later", "is due", "no sender is running")


def test_later_requeued(queue):
    entry = refused(queue, "template: \"x\" is not in the catalogue")
    ids = [text(one) for one, _ in queue.client.xrange(key("dead"))]
    equal(queue.call("requeue", "ann", "added it", 1, *ids), ["ok"])
    says(entry, "later", entry + " is due for attempt 1: requeued")


def test_later_resent(queue):
    entry, _ = settled(queue, "uncertain", (1, 1, "cut"))
    equal(queue.overdue("resend")[1:4], [0, 0, 1])
    says(entry, "later", "for attempt 2", "An earlier attempt may have reached the customer")


# ---- uncertain and parked -----------------------------------------------------------------------

def test_uncertain(queue):
    entry, _ = settled(queue, "uncertain", (now() + 600000, 1, "no answer in 30 s"))
    found = says(entry, "uncertain", entry + " is uncertain: attempt 1 at " + in_ms(0),
                 "(no answer in 30 s)", "nobody knows whether Meta sent it",
                 "A receipt is awaited until " + in_ms(600000), "parked in dead, given up or sent again", "setting `uncertain`",
                 "0.0750 USD may be on the bill")
    equal(found["price"], 75000)


def test_uncertain_over_its_time(queue):
    entry, _ = settled(queue, "uncertain", (now() - 60000, 1, "cut"))
    says(entry, "uncertain", "A receipt was awaited until " + in_ms(-60000))


def test_uncertain_after_a_crash(queue):
    entry, _, _ = granted(queue)
    queue.fence(W1)
    equal(queue.recover(now() + 600000), [1, 1])
    says(entry, "uncertain", "nobody knows whether Meta sent it", "A receipt is awaited")


def test_dead_parked(queue):
    entry, _ = settled(queue, "uncertain", (1, 1, "cut"))
    equal(queue.overdue("park")[1:4], [1, 0, 0])
    found = says(entry, "dead", entry + " is parked", "nobody knows whether Meta sent it", "since ",
                 "A receipt still settles it", "perhaps a second time: facteur dead requeue --entry "
                 + entry)
    equal((found["type"], found["attempts"]), ("uncertain", 1))


# ---- dead ---------------------------------------------------------------------------------------

MENDED = [
    ('template: "x" is not in the catalogue', "add the template (facteur template add)"),
    ('lang: template "x" is not in language "fi"', "add the template in that language"),
    ("template: its category is marketing, and promotional content does not go out",
     "promotional content does not go out; if the template is none, correct its category"),
    ("template: the text is longer than Meta takes", "shorten the template"),
    ('policy: promotional (in the text): "sale" (offer)', "change the template's words"),
    ("to: this recipient has opted out", "facteur optout remove"),
    ("recipient: this recipient has opted out", "facteur optout remove"),
]
ANEW = [
    ("to: too short for France", "the number is none (facteur phone says why)"),
    ("recipient: not a business-scoped user id, such as FR.13491208655302741918", "the field is wrong"),
    ('policy: promotional (in a parameter): "-50%" (discount)', "its parameter holds these words"),
    ("parameter 3: is not in the template", "leave the parameter out, or add it"),
    ("parameter 2: has no value", "the field is wrong in the entry itself"),
    ("tmplate: unknown field: p. in front makes it a parameter", "the field is wrong"),
    ("not_before: not Unix milliseconds, which have 13 digits today", "the field is wrong"),
    ("entry: more than 256 KiB or 128 fields", "in smaller entries"),
    ("entry: its record in later cannot be read", "something else wrote it"),
    ("bulk: must have 1 to 64 lines", "in bulks of 1 to 64 lines"),
    ("bulk: not a flat JSON object of texts and numbers", "its line is no notification"),
    ("template: missing; free text is a reply: write it to the stream replies", "the field is wrong"),
]


def test_dead_refused_and_can_be_mended(queue):
    for reason, advice in MENDED:
        queue.client.flushall()
        entry = refused(queue, reason)
        found = says(entry, "dead", entry + " was refused at " + in_ms(0), reason, "it is kept in dead",
                     "To have it sent: ", advice, "then facteur dead requeue --entry " + entry)
        equal((found["type"], found["reason"]), ("refused", reason))


def test_dead_refused_for_what_is_wrong_in_it(queue):
    for reason, advice in ANEW:
        queue.client.flushall()
        entry = refused(queue, reason)
        says(entry, "dead", entry + " was refused at ", reason, "would be refused again as it stands",
             advice, "enqueue it anew, corrected", "facteur dead purge --entry " + entry,
             never=("requeue --entry",))


def test_dead_failed_at_meta(queue):
    entry = refused(queue, "(#132015) Template is paused", "failed", 1)
    says(entry, "dead", entry + " was refused by Meta at ", "(#132015) Template is paused",
         "mend it at Meta's", "facteur dead requeue --entry " + entry)


def test_dead_retries_used_up(queue):
    entry = refused(queue, "HTTP 503", "dead", 5)
    says(entry, "dead", entry + " was given up after 5 attempts at ", "HTTP 503",
         "facteur dead requeue --entry " + entry)


def test_dead_bulk_member_and_id(queue):
    queue.beat(W1)
    entry = queue.add(bulk='{"id":"one"}\n{"id":"two"}\n')
    claim = take(queue).claim
    equal(queue.settle(W1, [group("claim:" + claim, "queue", "dead", ("refused", "to: missing", 0, 1),
                                  bulks=[(entry, 2, 2)])]), ["ok"])
    says(entry + "/2", "dead", entry + "/2 was refused")
    says("two", "dead", entry + "/2 was refused")
    says(entry, "claimed", "It is a bulk of 2, 1 of which have left")


# ---- outcomes -----------------------------------------------------------------------------------

def test_gone_accepted(queue):
    entry, _ = settled(queue, "accept", told="accepted", ids=(ID,), id=ID, price=75000,
                       currency="USD", wamid="wamid.HBgL")
    for name in (entry, ID):
        found = says(name, "gone", entry + " was accepted by Meta at " + in_ms(0), "attempt 1",
                     "0.0750 USD: wamid.HBgL", never=("twice",))
    equal(found["outcome"]["wamid"], "wamid.HBgL")


def test_gone_accepted_perhaps_twice(queue):
    entry, _ = settled(queue, "accept", told="accepted", price=75000, currency="USD",
                       wamid="wamid.HBgL", possible_duplicate=True)
    says(entry, "gone", "was accepted by Meta", "the customer may have it twice")


def test_gone_by_a_receipt(queue):
    entry, name = settled(queue, "uncertain", (1, 1, "cut"))
    equal(queue.receive(receipt("accepted", entry, name, 0)), ["ok uncertain"])
    says(entry, "gone", entry + " was accepted by Meta", "wamid.X")


def test_gone_corrected(queue):
    entry, name = settled(queue, "uncertain", (1, 1, "cut"))
    equal(queue.overdue("drop")[1:4], [0, 1, 0])
    says(entry, "gone", entry + " was given up, for no answer and no receipt came, at ")
    equal(queue.receive(receipt("accepted", entry, name, 0)), ["ok gone"])
    says(entry, "gone", entry + " was accepted by an earlier attempt too, as its receipt says")


def test_gone_failed(queue):
    entry, _ = settled(queue, "drop", told="failed", reason="(#131026) Message undeliverable")
    says(entry, "gone", entry + " was refused by Meta at ", "(#131026) Message undeliverable")


def test_gone_duplicate(queue):
    entry, _ = settled(queue, "drop", told="duplicate", reason="id: first used by 1-1")
    says(entry, "gone", entry + " was dropped as a duplicate at ", "first used by 1-1")


def test_gone_expired(queue):
    entry, _ = settled(queue, "drop", told="expired", reason="expires: its time was over")
    says(entry, "gone", entry + " was expired at ", "its time was over")


def test_gone_refused_and_purged(queue):
    for kind in ("refused", "dead"):
        queue.client.flushall()
        queue.beat(W1)
        entry = queue.add()
        claim = take(queue).claim
        queue.settle(W1, [group("claim:" + claim, "queue", "dead", (kind, "to: missing", 0, 1),
                                singles=[entry],
                                outcomes=[outcome(entry, kind, reason="to: missing", at=now())])],
                     [claim])
        ids = [text(one) for one, _ in queue.client.xrange(key("dead"))]
        equal(queue.call("purge", "ann", "told the shop", 1000, 1, *ids), ["ok"])
        says(entry, "gone", "%s was %s at " % (entry, kind), "to: missing", "purged since",
             "facteur dead log")


def test_gone_bulk_member(queue):
    queue.beat(W1)
    entry = queue.add(bulk='{"id":"one"}\n{"id":"two"}\n')
    claim = take(queue).claim
    name = grant(queue, entry + "/2", id="two")
    equal(queue.settle(W1, [group(name, "queue", "accept", (), [0], [(0, 1, 75000)],
                                  bulks=[(entry, 2, 2)], ids=["two"],
                                  outcomes=[outcome(entry + "/2", "accepted", id="two", at=now(),
                                                    attempt=1, price=1, currency="USD", wamid="w")])]),
          ["ok"])
    for one in (entry + "/2", "two"):
        says(one, "gone", entry + "/2 was accepted by Meta")
    says(entry + "/1", "claimed", "was taken by worker")


# ---- nowhere ------------------------------------------------------------------------------------

def test_none(queue):
    for name in ("nobody's", "1732377600000-0", "u1732377600000-0/3"):
        says(name, "none", "nothing is known of " + name, "events keep", code=1)


def test_stray(queue):
    queue.add()
    entry = queue.add()
    queue.client.hset(key("cursor"), "queue", entry)
    says(entry, "stray", "behind the cursor and in no claim", "XADD it anew")


# ---- all of them --------------------------------------------------------------------------------

def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    failures, count = [], 0
    with server:
        server.load_library()
        queue = Queue(server.client())
        for name, test in list(globals().items()):
            if not name.startswith("test_") or word not in name:
                continue
            queue.client.flushall()
            count += 1
            try:
                test(queue)
            except Exception:  # a failure of one test must not hide the others
                failures.append(name)
                print("FAIL %s\n%s" % (name, traceback.format_exc()), file=sys.stderr)
    if not word and asserted != PLACES:
        failures.append("places nobody asked about: %s" % sorted(PLACES - asserted))
    print("%d tests, %d failed %s" % (count, len(failures), " ".join(failures)))
    sys.exit(1 if failures or count == 0 else 0)


if __name__ == "__main__":
    main()
