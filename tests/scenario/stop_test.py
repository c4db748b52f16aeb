"""An account that Meta refuses: stopped once for all workers, its queue kept, started again.

    python3 tests/scenario/stop_test.py [word in a test's name]
"""
import queue_tests
from queue_calls import KEEP, census, group, key, outcome, text
from queue_library_test import W1, W2, claimed, equal, granted, member_lines, refused

OLD, NEW = "0f1e2d3c4b5a6978", "8796a5b4c3d2e1f0"


def stop(queue, code=190, reason="Error validating access token", token=OLD):
    return queue.call("stop", code, reason, token, KEEP)


def state(queue):
    return {text(name): text(value) for name, value in queue.client.hgetall(key("state")).items()}


def test_stop_is_said_once_and_tells_an_event(queue):
    equal(stop(queue), ["ok"])
    before = queue.dump()
    equal(stop(queue), ["already"])
    equal(stop(queue, code=10, reason="another", token=NEW), ["already"])
    equal(queue.dump(), before)
    events = queue.events()
    at = events[0].pop("at")
    equal(events, [{"type": "stopped", "account": "fr", "code": 190,
                    "reason": "Error validating access token"}])
    found = state(queue)
    equal(found, {"stopped": "1", "stop_code": "190", "stop_at": str(at), "stop_token": OLD,
                  "stop_reason": "Error validating access token"})
    equal(queue.stats()["stopped"], 1)


def test_a_stopped_account_gives_nothing_and_keeps_its_queue(queue):
    entries = [queue.add() for _ in range(3)]
    part = claimed(queue, members=2).parts[0]
    grant = granted(queue, entries[:1])
    stop(queue)
    before = queue.dump()
    assert claimed(queue, number=2).stopped
    equal(queue.grant(W1, W1 + ".5", "queue", member_lines(entries[1:2])), ["stopped"])
    equal(queue.dump(), before)
    # What was done before and whose reply was lost is answered as it was.
    equal(claimed(queue).members(), entries[:2])
    equal(queue.grant(W1, grant, "queue", member_lines(entries[:1])), ["ok", "g"])
    # What is on the wire is settled, and what was only claimed goes back.
    equal(queue.settle(W1, [group(grant, "queue", "drop", indexes=[0], singles=entries[:1],
                                  outcomes=[outcome(entries[0], "failed")])]), ["ok"])
    equal(queue.give_back(W1, part.claim), 1)
    equal(sorted(census(queue)), sorted(entries[1:]))
    equal(queue.call("pause", "resume", "ann", "paid")[0], "ok")
    equal(claimed(queue, W2).members(), entries[1:])


def test_resume_starts_a_stopped_account(queue):
    stop(queue)
    equal(queue.call("pause", "resume", "ann", "paid the bill")[:3], ["ok", "ann", "paid the bill"])
    found = state(queue)
    equal((found["stopped"], found["paused"], found["who"]), ("0", "0", "ann"))
    assert not [name for name in found if name.startswith("stop_")]
    equal(queue.call("pause", "resume", "eve", "x")[:3], ["already", "ann", "paid the bill"])
    equal(stop(queue), ["ok"])  # and it may be stopped again
    equal(len(queue.events()), 2)


def test_a_pause_outlives_a_stop_until_it_is_resumed(queue):
    queue.call("pause", "pause", "ann", "holiday")
    stop(queue)
    assert claimed(queue).paused
    equal(queue.call("token", NEW), ["started"])
    found = state(queue)
    equal((found["paused"], found["who"], found["reason"]), ("1", "ann", "holiday"))
    stop(queue)
    equal(queue.call("pause", "pause", "bob", "me too")[0], "already")
    equal(queue.call("pause", "resume", "bob", "all good")[0], "ok")
    equal((state(queue)["paused"], state(queue)["stopped"]), ("0", "0"))


def test_another_token_starts_what_was_stopped_under_one(queue):
    equal(queue.call("token", OLD), ["ok"])
    equal(queue.client.exists(key("state")), 0)
    stop(queue)
    before = queue.dump()
    equal(queue.call("token", OLD), ["stopped"])
    equal(queue.dump(), before)
    equal(queue.call("token", NEW), ["started"])
    equal(queue.call("token", NEW), ["ok"])
    found = state(queue)
    equal((found["stopped"], found["who"], found["reason"]), ("0", "facteur", "it has another token"))
    assert not claimed(queue).stopped


def test_why_says_that_the_account_is_stopped(queue):
    entry = queue.add()
    stop(queue)
    flat = queue.call("why", entry)
    told = dict(zip(flat[0::2], flat[1::2]))
    equal((told["stopped_code"], told["stopped_for"]), ("190", "Error validating access token"))
    equal(told["stopped_at"], state(queue)["stop_at"])


def test_stop_refuses_nonsense(queue):
    for words, arguments in (
            ("the code", ("x", "r", OLD, KEEP)), ("the code", (-1, "r", OLD, KEEP)),
            ("the reason", (1, "", OLD, KEEP)), ("the reason", (1, "a\nb", OLD, KEEP)),
            ("the reason", (1, "x" * 513, OLD, KEEP)), ("the token", (1, "r", "", KEEP)),
            ("the token", (1, "r", "x" * 65, KEEP)), ("events_keep", (1, "r", OLD, "x")),
            ("ends where", (1, "r", OLD)), ("too many", (1, "r", OLD, KEEP, 1))):
        refused(queue, words, lambda: queue.call("stop", *arguments))
    for words, arguments in (("the token", ("",)), ("ends where", ()), ("too many", (OLD, OLD))):
        refused(queue, words, lambda: queue.call("token", *arguments))
    for name in ("state", "events", "events:index"):
        queue.client.flushall()
        queue.client.set(key(name), "x")
        refused(queue, "holds a string", lambda: stop(queue))
    queue.client.set(key("state"), "x")
    refused(queue, "holds a string", lambda: queue.call("token", OLD))


if __name__ == "__main__":
    queue_tests.run(globals())
