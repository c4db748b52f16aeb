"""SIGTERM in mid-flight: what is on the wire is finished, what is not goes back at once.

The second sender must not have to wait for any lease, so its lease is a minute: only what was
given back can be sent in the seconds that this test allows.
"""
import signal
import time

from house import House, expect

MESSAGES = 3000
# Few exchanges at once, and slow ones: a drain always comes in the middle of the queue.
NARROW = ["--workers", "2", "--connections", "2", "--streams", "50", "--lease", "1m"]

ON_THE_WIRE = 2 * 2 * 50  # at most


def begin(house, *options):
    """A sender in mid-flight: some are accepted, some are on the wire, most wait."""
    house.load("fill", "--messages", str(MESSAGES), "--seed", "3", "--bulk", "20")
    sender = house.sender(*(NARROW + list(options)))
    house.wait_until("something accepted", lambda: len(house.outcomes_of("accepted")) > 100)
    return sender


def expect_nothing_held(house):
    held = house.pending()
    for name in ("workers", "claims", "grants"):
        expect(held[name] == 0, "%s empty: %s" % (name, held))


def finishes_what_is_on_the_wire(house):
    sender = begin(house)
    before = len(house.outcomes())
    started = time.monotonic()
    house.stop(sender, seconds=5)  # exit code 0
    seconds = time.monotonic() - started
    after = len(house.outcomes())
    stats = house.stats()
    print("drained in %.2f s, %d outcomes more; then %s" % (seconds, after - before, stats))
    # What was on the wire is a latency away from its answer; what only waited is not sent.
    expect(seconds < 2, "one latency and a little, not %.1f s" % seconds)
    expect(after - before <= 2 * ON_THE_WIRE + 150, "no new claims: %d more" % (after - before))
    expect(stats["uncertain"] == 0, "nothing in doubt")
    expect(stats["waiting"] > 0, "work left: else this test shows nothing")
    expect_nothing_held(house)
    report = house.audit(check=False)
    expect(report["lost"] == 0 and report["ledger_difference"] == 0, "books in order: %s" % report)


def the_next_one_sends_the_rest_at_once(house):
    second = house.sender("--lease", "1m")
    house.wait_until_quiet(20)
    report = house.audit()
    house.stop(second)
    expect_nothing_held(house)
    expect(report["parked"] == 0 and report["duplicates"] == 0, "each once, none in doubt")
    attempts = {outcome["attempt"] for outcome in house.outcomes_of("accepted")}
    expect(attempts == {1}, "a drain costs no attempt: %s" % attempts)


def the_second_signal_ends_at_once(house):
    """As a crash would: exit code 0 or not, but now; and the lease cleans up."""
    sender = begin(house, "--drain", "1m")
    sender.send_signal(signal.SIGTERM)
    house.wait_for_log("event=draining", sender)
    started = time.monotonic()
    sender.send_signal(signal.SIGTERM)
    sender.wait(timeout=5)
    seconds = time.monotonic() - started
    print("the second signal: %.2f s, exit %d" % (seconds, sender.returncode))
    expect(seconds < 1.5, "at once, not after %.1f s" % seconds)
    expect("event=ended_at_once" in house.log(sender), "it says so")
    expect(sender.returncode == 0, "an end, no crash: %s" % house.log(sender)[-3000:])


def the_lease_cleans_up(house):
    """What was on the wire is in doubt, because its answer was not waited for; the rest is sent."""
    granted = house.stats()["granted"]
    expect(0 < granted <= 2 * ON_THE_WIRE * 2, "something was under way: %d" % granted)
    house.set_faults(slow=0)
    sender = house.sender("--lease", "500ms")
    house.wait_until_quiet(20)
    report = house.audit()
    house.stop(sender)
    print("granted at the end %d, parked %d" % (granted, report["parked"]))
    expect(report["parked"] == granted, "parked: what was granted, and nothing else")
    expect_nothing_held(house)


def the_deadline_ends_at_once(house):
    sender = begin(house, "--drain", "1s")
    started = time.monotonic()
    sender.send_signal(signal.SIGTERM)
    sender.wait(timeout=10)
    seconds = time.monotonic() - started
    print("the deadline of 1 s: %.2f s, exit %d" % (seconds, sender.returncode))
    expect(0.9 < seconds < 2.5, "after its deadline, not after %.1f s" % seconds)
    expect("event=ended_at_once" in house.log(sender), "it says so")


def main():
    with House(emulator=["--latency", "200ms"]) as house:
        finishes_what_is_on_the_wire(house)
        the_next_one_sends_the_rest_at_once(house)
    for end in (the_second_signal_ends_at_once, the_deadline_ends_at_once):
        # Answers that come too late to be waited for.
        with House(emulator=["--latency", "200ms", "--fault", "slow=0.5"]) as house:
            end(house)
            the_lease_cleans_up(house)


if __name__ == "__main__":
    main()
