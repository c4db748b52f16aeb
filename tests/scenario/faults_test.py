"""A bad day at Meta's: every fault of the emulator at a few percent, single and bulk.

The audit closes to the last millionth; nothing is lost, nothing is sent twice; what certainly was
not processed (REFUSED_STREAM, above GOAWAY's last id) costs neither an attempt nor a doubt; and
nothing is parked but what the emulator really left without an answer of Graph's.
"""
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from house import House, expect

MESSAGES = 5000
STREAMS = 20  # on one connection: what a connection that breaks may take with it
HARMLESS = ["refused=0.05", "goaway=0.01", "dribble=0.02"]
HARMFUL = HARMLESS + ["5xx=0.03", "throttle=0.003", "pair=0.003", "reset_after=0.02",
                      "connection_reset=0.002", "black_hole=0.01", "cut=0.02", "slow=0.01"]


def run(house, bulk):
    house.load("fill", "--messages", str(MESSAGES), "--seed", "11", "--bulk", str(bulk),
               "--duplicates", "0.02")
    sender = house.sender("--workers", "2", "--request-timeout", "2s", "--retry",
                          "200ms, 500ms*20")
    house.wait_until_quiet()
    report = house.audit()
    house.stop(sender)
    print("bulk %d:" % bulk, {name: report[name] for name in
                              ("accepted", "refused", "duplicate", "parked", "exposure")})
    for name in ("lost", "duplicates", "possible_duplicates", "ledger_difference", "dead"):
        expect(report[name] == 0, "%s 0, not %s" % (name, report[name]))
    expect(report["duplicate"] > 0, "ids that stand twice")
    return report


def options(faults):
    return ["--latency", "5ms-40ms", "--seed", "5"] + [
        word for fault in faults for word in ("--fault", fault)]


def what_was_not_processed_is_free(bulk):
    with House(emulator=options(HARMLESS), streams=STREAMS) as house:
        report = run(house, bulk)
        faults = house.tally()["faults"]
        expect(faults["refused"] > 100 and faults["goaway"] > 20, "faults enough: %s" % faults)
        expect(report["parked"] == 0, "no doubt: nothing parked")
        attempts = Counter(outcome["attempt"] for outcome in house.outcomes_of("accepted"))
        expect(list(attempts) == [1], "accepted at the first attempt, not %s" % dict(attempts))


def only_what_was_left_unanswered_is_parked(bulk):
    with House(emulator=options(HARMFUL), streams=STREAMS) as house:
        report = run(house, bulk)
        tally = house.tally()
        faults = tally["faults"]
        print("faults:", faults)
        for name, count in faults.items():
            expect(count > 0, "the fault %s happened" % name)
        reasons = Counter(outcome["reason"].split(":")[0]
                          for outcome in house.outcomes_of("uncertain"))
        print("parked:", dict(reasons))
        expect(sum(reasons.values()) == report["parked"], "each parked one was told, once")
        expect(reasons.pop("HTTP 502 with a page of HTML", 0) <= faults["5xx_html"],
               "502 only where the emulator said it")
        expect(reasons.pop("HTTP 504 with a page of HTML", 0) <= faults["5xx_lost"],
               "504 only where the emulator said it")
        # A connection that breaks leaves all of its streams without an answer.
        broken = (faults["connection_reset"] + faults["cut"]) * STREAMS
        silent = faults["reset_after"] + faults["black_hole"] + faults["slow"] + broken
        expect(sum(reasons.values()) <= silent, "no answer only where none came: %s of %d"
               % (dict(reasons), silent))
        # The emulator's own count: it accepted these, and the sender did not hear it. What broke
        # before the emulator had read it is not in its books.
        unheard = tally["accepted"] - report["accepted"]
        expect(unheard <= report["parked"], "what was accepted unheard is parked: %d of %d"
               % (unheard, report["parked"]))
        expect(report["parked"] <= unheard + faults["5xx_html"] + broken, "and little else")


def main():
    what_was_not_processed_is_free(bulk=1)
    what_was_not_processed_is_free(bulk=50)
    with ThreadPoolExecutor() as both:  # most of their time is waiting
        list(both.map(only_what_was_left_unanswered_is_parked, (1, 64)))


if __name__ == "__main__":
    main()
