"""What operators do to a queue, against a real Redis: pause, opt-outs, requeue, purge, why.

    python3 tests/scenario/queue_operation_test.py [word in a test's name]
"""
import json
import sys
import traceback

from redis_server import RedisServer
from queue_calls import ACCOUNT, BUSINESS, Queue, census, group, holder_name, key, outcome, text
from queue_library_test import BULK, W1, W2, claimed, equal, granted, member_lines, refused

WHO = ("ann", "ticket 1")
OPTOUT = BUSINESS + ":optout"


def kill_off(queue, member, kind="refused", why="template: gone", claim=None, number=1):
    """Claims and settles one as dead."""
    part = claim or claimed(queue, number=number).parts[0]
    entry, _, n = member.partition("/")
    where = {"bulks": [(entry, 1 << int(n) - 1, 3)]} if n else {"singles": [member]}
    queue.settle(W1, [group("claim:" + part.claim, "queue", "dead", (kind, why, 0, 1),
                            outcomes=[outcome(member, kind)], **where)])


def dead_ids(queue):
    return {text(fields[b"entry"]): text(entry)
            for entry, fields in queue.client.xrange(key("dead")) if b"entry" in fields}


def told(queue, name):
    flat = queue.call("why", name)
    return dict(zip(flat[0::2], flat[1::2]))


# ---- pause --------------------------------------------------------------------------------------

def test_pause_is_said_once(queue):
    first = queue.call("pause", "pause", *WHO)
    equal(first[:3], ["ok", "ann", "ticket 1"])
    before = queue.dump()
    equal(queue.call("pause", "pause", "bob", "other"), ["already"] + first[1:])
    equal(queue.dump(), before)
    equal(queue.stats()["paused"], 1)
    equal(queue.call("pause", "resume", "bob", "mended")[:3], ["ok", "bob", "mended"])
    equal(queue.call("pause", "resume", "eve", "again")[:3], ["already", "bob", "mended"])
    equal(queue.stats()["paused"], 0)


def test_resume_of_what_never_was_paused(queue):
    equal(queue.call("pause", "resume", *WHO), ["already", "", "", "0"])
    equal(queue.client.exists(key("state")), 0)


def test_paused_gives_nothing(queue):
    entries = [queue.add() for _ in range(3)]
    part = claimed(queue, members=2).parts[0]
    queue.call("pause", "pause", *WHO)
    before = queue.dump()
    assert claimed(queue, number=2).paused
    equal(queue.grant(W1, W1 + ".9", "queue", member_lines(entries[:1])), ["paused"])
    assert claimed(queue, W2).paused
    equal({name: value for name, value in queue.dump().items() if b"workers" not in name},
          {name: value for name, value in before.items() if b"workers" not in name})
    # What was done before is told again, for its reply may have been lost.
    equal(queue.claim(W1, W1 + ".1").members(), part.members())
    queue.call("pause", "resume", *WHO)
    equal(claimed(queue, number=2).members(), entries[2:])
    granted(queue, entries[:1], number=9)


def test_a_grant_repeated_in_a_pause_is_told_again(queue):
    entry = queue.add()
    claimed(queue)
    granted(queue, [entry])
    queue.call("pause", "pause", *WHO)
    before = queue.dump()
    granted(queue, [entry])
    equal(queue.dump(), before)


def test_settling_goes_on_in_a_pause(queue):
    entry = queue.add()
    part = claimed(queue).parts[0]
    grant = granted(queue, [entry])
    queue.call("pause", "pause", *WHO)
    equal(queue.settle(W1, [group(grant, "queue", "accept", indexes=[0], cells=[(0, 1, 75000)],
                                  singles=[entry])], [part.claim]), ["ok"])


def test_pause_refuses_nonsense(queue):
    for words, arguments in (("pause or resume", ("stop", *WHO)), ("who", ("pause", "", "x")),
                             ("the reason", ("pause", "ann", " ")),
                             ("who", ("pause", "a\nb", "x")), ("who", ("pause", "a" * 129, "x")),
                             ("the reason", ("pause", "ann", "x" * 513)),
                             ("the reason", ("pause", "ann")),
                             ("too many", ("pause", *WHO, "more"))):
        refused(queue, words, lambda a=arguments: queue.call("pause", *a))
    queue.client.set(key("state"), "x")
    refused(queue, "holds a string", lambda: queue.call("pause", "pause", *WHO))


def test_pause_when_memory_is_full(queue):
    queue.client.config_set("maxmemory", 1)
    try:
        equal(queue.call("pause", "pause", *WHO)[0], "ok")
    finally:
        queue.client.config_set("maxmemory", 0)


# ---- opt-outs -----------------------------------------------------------------------------------

def test_who_opted_out_is_not_granted(queue):
    entries = [queue.add() for _ in range(4)]
    claimed(queue)
    queue.client.sadd(OPTOUT, "+525512345678", "FR.13")
    lines = [(entry, 1, 0, "id-%d" % n) for n, entry in enumerate(entries)]
    who = ["+5215512345678,+525512345678", "+33612345678", "FR.13", "FR.131"]
    reply = queue.grant(W1, W1 + ".1", "queue", lines, recipients=who)
    equal(reply, ["ok", "ogog"])
    assert not queue.client.exists(key("id:id-0")), "its id is nobody's"
    equal(text(queue.client.get(key("id:id-1"))), entries[1])
    equal(queue.stats()["granted"], 2)
    before = queue.dump()
    equal(queue.grant(W1, W1 + ".1", "queue", lines, recipients=who), reply)
    queue.client.srem(OPTOUT, "FR.13")
    equal(queue.grant(W1, W1 + ".1", "queue", lines, recipients=who), reply)  # the record says so
    queue.client.sadd(OPTOUT, "FR.13", "+33612345678")
    equal(queue.grant(W1, W1 + ".1", "queue", lines, recipients=who), reply)
    queue.client.srem(OPTOUT, "+33612345678")
    equal(queue.dump(), before)


def test_all_opted_out_leaves_no_grant(queue):
    entries = [queue.add() for _ in range(2)]
    claimed(queue)
    queue.client.sadd(OPTOUT, "+1")
    equal(queue.grant(W1, W1 + ".1", "queue", member_lines(entries), recipients=["+1", "+1"]),
          ["ok", "oo"])
    equal(queue.client.hlen(key("grants")), 0)


def test_an_opted_out_one_owns_no_id_of_its_batch(queue):
    entries = [queue.add() for _ in range(3)]
    claimed(queue)
    queue.client.sadd(OPTOUT, "+1")
    lines = [(entry, 1, 0, "same") for entry in entries]
    reply = queue.grant(W1, W1 + ".1", "queue", lines, recipients=["+1", "+2", "+3"])
    equal(reply, ["ok", "ogd", entries[1]])
    equal(queue.grant(W1, W1 + ".1", "queue", lines, recipients=["+1", "+2", "+3"])[1][1:], "gd")


def test_many_recipients(queue):
    lines = [("1-%d" % n, 1, 0, "") for n in range(4096)]
    queue.beat(W1)
    queue.client.sadd(OPTOUT, *["+%d" % n for n in range(0, 4096, 2)])
    who = ["+%d,+%d" % (10000 + n, n) for n in range(4096)]
    equal(queue.grant(W1, W1 + ".1", "queue", lines, recipients=who), ["ok", "og" * 2048])


def test_recipients_must_be_as_many(queue):
    entry = queue.add()
    claimed(queue)
    for who in (["+1", "+2"], ["+1 "]):
        refused(queue, "recipients of 1 members",
                lambda w=who: queue.grant(W1, W1 + ".1", "queue", member_lines([entry]),
                                          recipients=w))
    equal(queue.grant(W1, W1 + ".1", "queue", member_lines([entry]), recipients=[""]), ["ok", "g"])
    queue.client.set(OPTOUT, "x")
    refused(queue, "holds a string",
            lambda: queue.grant(W1, W1 + ".2", "queue", member_lines([entry])))


# ---- requeue ------------------------------------------------------------------------------------

def requeue(queue, *ids):
    return queue.call("requeue", *WHO, len(ids), *ids)


def test_requeue_a_single(queue):
    entry = queue.add(**{"id": "order 7", "1": "\u00e9\u00e8 \"x\"\t/"})
    queue.client.set(key("id:order 7"), entry)
    kill_off(queue, entry)
    ids = dead_ids(queue)
    equal(requeue(queue, ids[entry]), ["ok"])
    equal(census(queue), {entry: ["later"]})
    before = queue.dump()
    equal(requeue(queue, ids[entry]), ["gone"])  # a repetition does nothing, and logs nothing
    equal(queue.dump(), before)
    part = claimed(queue, number=2).parts[0]
    name, record = part.entries[0]
    fields = dict(zip(record["fields"][0::2], record["fields"][1::2]))
    equal((name, record["attempt"], fields["1"], fields["id"]),
          (entry, 0, "\u00e9\u00e8 \"x\"\t/", "order 7"))
    assert abs(int(fields.pop("not_before")) - record["at"]) < 2, "its age counts from now"
    granted(queue, [entry], source="later", number=2)


def test_requeue_a_member(queue):
    entry = queue.add(bulk=BULK)
    part = claimed(queue).parts[0]
    kill_off(queue, entry + "/2", claim=part)
    equal(requeue(queue, *dead_ids(queue).values()), ["ok"])
    equal(census(queue)[entry + "/2"], ["later"])
    record = json.loads(queue.client.hget(key("later:entries"), entry + "/2"))
    equal(record["fields"][0], "member")
    line = json.loads(record["fields"][1])
    assert line.pop("not_before") == record["at"]
    equal(line, json.loads(BULK.split("\n")[1]))


def test_requeue_keeps_the_producers_times(queue):
    far = 4102444800000
    entries = [queue.add(expires=far), queue.add(not_before=1000), queue.add(not_before=far),
               queue.add(not_before="soon"),
               queue.add(bulk='{"to":"+1","expires":%d}\n{"to":"+1","not_before":1000,'
                              '"1":"\\"not_before\\":7"}\n[1]' % far)]
    part = claimed(queue).parts[0]
    members = entries[:4] + ["%s/%d" % (entries[4], n) for n in (1, 2, 3)]
    for member in members:
        kill_off(queue, member, claim=part)
    equal(requeue(queue, *[dead_ids(queue)[member] for member in members]), ["ok"] * 7)
    records = {text(name): json.loads(record)
               for name, record in queue.client.hgetall(key("later:entries")).items()}

    def of(member):
        flat = records[member]["fields"]
        return dict(zip(flat[0::2], flat[1::2]))
    now = records[entries[0]]["at"]
    assert "not_before" not in of(entries[0])
    equal(of(entries[1])["not_before"], str(now))
    equal(of(entries[2])["not_before"], str(far))
    equal(of(entries[3])["not_before"], "soon")
    equal(json.loads(of(members[4])["member"]), {"to": "+1", "expires": far})
    equal(json.loads(of(members[5])["member"]),
          {"to": "+1", "not_before": now, "1": "\"not_before\":7"})
    equal(of(members[6])["member"], "[1]")


def test_requeue_an_urgent_one(queue):
    entry = queue.add("urgent")
    part = claimed(queue).parts[0]
    queue.settle(W1, [group("claim:" + part.claim, "urgent", "dead", ("dead", "tired", 9, 0),
                            singles=[entry])])
    equal(requeue(queue, dead_ids(queue)[entry]), ["ok"])
    equal(claimed(queue, number=2).members(), [entry])


def test_requeue_what_cannot_be(queue):
    bulk = queue.add(bulk="x\n" * 65)
    odd = text(queue.client.xadd(key("queue"), {"member": "{}"}))
    wide = queue.add(**{"f%d" % n: "x" for n in range(2100)})
    part = claimed(queue).parts[0]
    for entry in (bulk, odd, wide):
        kill_off(queue, entry, claim=part)
    hand = [text(queue.client.xadd(key("dead"), fields)) for fields in
            ({"entry": "5-5", "type": "dead", "o.record": "{half"}, {"entry": "not one", "o.to": "+1"},
             {"type": "dead"}, {"entry": "6-6"}, {"entry": "7-7", "o.to": "+1"})]
    ids = dead_ids(queue)
    found = requeue(queue, ids[bulk], ids[odd], ids[wide], *hand, "1-1")
    equal([answer[:2] for answer in found], ["no"] * 7 + ["ok", "go"])
    assert "whole bulk" in found[0] and "cannot be read" in found[1], found
    equal(set(dead_ids(queue)), {bulk, odd, wide, "5-5", "not one", "6-6"})


def test_requeue_never_over_another(queue):
    entry = queue.add()
    kill_off(queue, entry)
    first = dead_ids(queue)[entry]
    twin = text(queue.client.xadd(key("dead"), queue.client.xrange(key("dead"))[0][1]))
    equal(requeue(queue, first, first, twin), ["ok", "gone", "no it is under way already"])
    equal(requeue(queue, twin), ["no it is under way already"])


def test_requeue_refuses_nonsense(queue):
    entry = queue.add()
    kill_off(queue, entry)
    good = dead_ids(queue)[entry]
    for words, arguments in (("no id of a stream", (*WHO, 1, "x")), ("who", ("", "x", 1, good)),
                             ("ends before", (*WHO, 2, good)), ("too many", (*WHO, 0, good)),
                             ("at most 512", (*WHO, 513, *[good] * 513))):
        refused(queue, words, lambda a=arguments: queue.call("requeue", *a))
        refused(queue, words, lambda a=arguments: queue.call("purge", *a[:2], 1000, *a[2:]))
    refused(queue, "dedupe_ttl", lambda: queue.call("purge", *WHO, "x", 1, good))
    queue.client.set(key("dead:log"), "x")
    refused(queue, "holds a string", lambda: requeue(queue, good))


def test_the_log_says_who_and_why(queue):
    entries = [queue.add() for _ in range(3)]
    part = claimed(queue).parts[0]
    for entry in entries:
        kill_off(queue, entry, claim=part)
    ids = dead_ids(queue)
    requeue(queue, ids[entries[0]], ids[entries[1]])
    equal(queue.call("purge", "bob", "told", 1000, 2, ids[entries[2]], ids[entries[1]]), ["ok", "gone"])
    equal(queue.client.xlen(key("dead")), 0)
    log = [{text(name): text(value) for name, value in fields.items()}
           for _, fields in queue.client.xrange(key("dead:log"))]
    equal(log, [{"action": "requeue", "who": "ann", "reason": "ticket 1", "n": "2",
                 "entries": " ".join(entries[:2])},
                {"action": "purge", "who": "bob", "reason": "told", "n": "1",
                 "entries": entries[2]}])


# ---- why ----------------------------------------------------------------------------------------

def test_why_of_each_place(queue):
    entries = [queue.add() for _ in range(7)]
    urgent, reply = queue.add("urgent"), queue.add("replies")
    found = told(queue, entries[3])
    equal((found["place"], found["source"], found["ahead"], found["workers"]),
          ("waiting", "queue", "3", "0"))
    equal(told(queue, urgent)["source"], "urgent")
    equal(told(queue, reply)["source"], "replies")
    parts = {part.source: part for part in claimed(queue, members=6).parts}
    part = parts["queue"]
    found = told(queue, entries[1])
    equal((found["place"], found["holder"], found["claim"]), ("claimed", W1, part.claim))
    equal(told(queue, entries[6])["ahead"], "1")
    grant = granted(queue, entries[:2], number=7, price=42)
    found = told(queue, entries[1])
    equal([found[name] for name in ("place", "grant", "attempt", "price", "currency", "holder")],
          ["granted", grant, "1", "42", "USD", W1])
    queue.settle(W1, [group(grant, "queue", "uncertain", (5000, 1, "cut"), indexes=[0],
                            singles=[entries[0]]),
                      group("claim:" + part.claim, "queue", "later", (7000, 1, "throttled"),
                            singles=[entries[2]]),
                      group("claim:" + part.claim, "queue", "dead", ("refused", "x", 0, 1),
                            singles=[entries[3]])])
    found = told(queue, entries[0])
    equal([found[name] for name in ("place", "until", "attempt", "reason", "price", "currency")],
          ["uncertain", "5000", "1", "cut", "42", "USD"])
    found = told(queue, entries[2])
    equal([found[name] for name in ("place", "due", "attempt", "reason")],
          ["later", "7000", "1", "throttled"])
    found = told(queue, entries[3])
    equal((found["place"], found["dead"]), ("dead", dead_ids(queue)[entries[3]]))
    equal(told(queue, entries[1])["place"], "granted")
    equal(claimed(queue, W2, members=1).members(), [entries[2]])
    found = told(queue, entries[2])
    equal((found["place"], found["holder"], found["reason"]), ("claimed", W2, "throttled"))
    equal(queue.give_back(W2, W2 + ".1"), 1)
    equal(told(queue, entries[2])["place"], "later")


def test_why_of_members_and_ids(queue):
    entry = queue.add(bulk=BULK)
    found = told(queue, entry)
    equal([found[name] for name in ("place", "members", "left", "ahead")], ["waiting", "3", "0", "0"])
    equal(told(queue, entry + "/3")["place"], "waiting")
    equal(told(queue, entry + "/4")["place"], "none")
    part = claimed(queue).parts[0]
    kill_off(queue, entry + "/2", claim=part)
    equal(told(queue, entry)["left"], "1")
    equal(told(queue, entry + "/2")["place"], "dead")
    equal(told(queue, entry + "/1")["place"], "claimed")
    queue.fence(W1)
    queue.recover()
    equal(told(queue, entry + "/1")["place"], "waiting")
    queue.client.set(key("id:mine"), entry + "/1")
    found = told(queue, "mine")
    equal((found["id"], found["member"], found["place"]), ("mine", entry + "/1", "waiting"))
    queue.client.set(key("id:7-7"), entry + "/3")  # an id that looks like an entry
    equal(told(queue, "7-7")["member"], entry + "/3")
    equal(told(queue, "nobody's")["place"], "none")
    assert "member" not in told(queue, "nobody's")
    nowhere = told(queue, "8-8")
    equal((nowhere["place"], nowhere["member"]), ("none", "8-8"))


def test_why_names_the_pause(queue):
    entry = queue.add()
    queue.call("pause", "pause", *WHO)
    found = told(queue, entry)
    equal((found["paused_by"], found["paused_for"]), WHO)
    queue.call("pause", "resume", *WHO)
    assert "paused_by" not in told(queue, entry)


def test_why_of_what_should_not_be(queue):
    entry = queue.add()
    claimed(queue)
    queue.client.delete(key("claims"))
    equal(told(queue, entry)["place"], "stray")


def test_why_reads_only(queue):
    entry = queue.add()
    before = queue.dump()
    queue.client.execute_command("FCALL_RO", "facteur_why", 2, ACCOUNT, BUSINESS, entry)
    equal(queue.dump(), before)
    for name in ("", "x" * 257):
        refused(queue, "one name", lambda n=name: queue.call("why", n))
    refused(queue, "one name", lambda: queue.call("why", "a", "b"))
    queue.client.rpush(key("id:list"), "x")
    equal(told(queue, "list")["place"], "none")


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    failures, count = [], 0
    with RedisServer() as server:
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
    print("%d tests, %d failed %s" % (count, len(failures), " ".join(failures)))
    sys.exit(1 if failures or count == 0 else 0)


if __name__ == "__main__":
    main()
