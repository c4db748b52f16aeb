"""A sender that is stopped for longer than its lease, with Meta's answers waiting in its socket.

Another one declares it dead, and what it had granted becomes uncertain: on the bill, and nobody knows.
When it wakes it has the answers. They are told as receipts: recorded, charged once, and no doubt is
left; nothing is sent a second time. Singles and bulk members; while they wait for receipts, after
they were parked, and after they were sent again.
"""
import signal

from house import House, expect, notification

LEASE = ["--workers", "1", "--lease", "1s"]
SINGLES, MEMBERS = 30, 10
GOOD = SINGLES + MEMBERS


def on_the_wire(house, *options):
    """A sender that has sent them all, and stands still before the first answer comes."""
    sleeper = house.sender(*LEASE, *options)
    house.wait_for_log("event=redis_ready", sleeper)
    house.add(*[notification(number) for number in range(SINGLES)])
    house.add_bulk(*[notification(100 + number) for number in range(MEMBERS)])
    house.wait_until("all at Meta's", lambda: house.tally()["accepted"] == GOOD, 10)
    sleeper.send_signal(signal.SIGSTOP)
    expect(not house.outcomes(), "no answer has come: else this test shows nothing")
    expect(house.stats()["granted"] == GOOD, "all of them are granted")
    return sleeper


def another_one_takes_over(house, *options):
    other = house.sender(*LEASE, *options)
    house.wait_until("all uncertain", lambda: len(house.outcomes_of("uncertain")) == GOOD, 20)
    expect(house.exposed() == house.tally()["billed"]["millionths"], "exposure: the whole bill")
    expect(house.booked() == (0, 0), "and nothing is booked")
    return other


def books_close(house):
    tally = house.tally()
    expect(house.exposed() == 0, "exposure back to 0")
    expect(house.booked() == (tally["accepted"], tally["billed"]["millionths"]),
           "charged once: %s of %s" % (house.booked(), tally["billed"]))


def end(house, *senders):
    for sender in senders:
        house.stop(sender)
    expect(not any(house.pending().values()), "nothing held: %s" % house.pending())


def while_they_wait_for_receipts():
    with House(emulator=["--latency", "2s"]) as house:
        sleeper = on_the_wire(house)
        other = another_one_takes_over(house)
        sleeper.send_signal(signal.SIGCONT)
        house.wait_until("the answers", lambda: len(house.outcomes_of("accepted")) == GOOD, 20)
        house.wait_for_log("event=accepted_late", sleeper)
        expect(house.tally()["accepted"] == GOOD and house.tally()["duplicates"] == 0, "sent once")
        expect(house.stats()["uncertain"] == 0 and not house.dead(), "no doubt is left")
        ids = sorted(outcome["id"] for outcome in house.outcomes_of("accepted"))
        expect(len(set(ids)) == GOOD, "each told once: %s" % ids)
        for outcome in house.outcomes_of("accepted"):
            expect(outcome["wamid"].startswith("wamid.") and outcome["attempt"] == 1 and
                   outcome["ref"].startswith("ref-") and len(outcome["to"]) == 64,
                   "with all that an outcome has: %s" % outcome)
        books_close(house)
        # And the webhooks of the same messages, later: known.
        answers = house.play_receipts()
        expect(all(answer == ["known"] for answer in answers.values()), "known: %s" % answers)
        books_close(house)
        end(house, sleeper, other)


def after_they_were_parked():
    with House(emulator=["--latency", "2s"]) as house:
        sleeper = on_the_wire(house)
        other = another_one_takes_over(house, "--uncertain-wait", "2s", "--request-timeout", "1s")
        house.wait_until("all parked", lambda: len(house.dead()) == GOOD, 20)
        sleeper.send_signal(signal.SIGCONT)
        house.wait_until("the answers", lambda: len(house.outcomes_of("accepted")) == GOOD, 20)
        expect(not house.dead(), "proof takes them out of dead")
        books_close(house)
        end(house, sleeper, other)


def after_they_were_sent_again():
    """The policy said so: each is a second message, flagged, and both are charged."""
    with House(emulator=["--latency", "2s"]) as house:
        sleeper = on_the_wire(house)
        other = another_one_takes_over(house, "--uncertain-wait", "4s", "--request-timeout", "3s",
                                       "--uncertain", "resend")
        house.wait_until("all again", lambda: len(house.outcomes_of("accepted")) == GOOD, 30)
        expect(all(outcome.get("possible_duplicate") is True
                   for outcome in house.outcomes_of("accepted")), "flagged")
        sleeper.send_signal(signal.SIGCONT)
        house.wait_until("the late answers", lambda: len(house.outcomes_of("corrected")) == GOOD, 20)
        expect(house.tally()["accepted"] == 2 * GOOD, "Meta has each of them twice")
        books_close(house)
        end(house, sleeper, other)


def main():
    while_they_wait_for_receipts()
    after_they_were_parked()
    after_they_were_sent_again()
    print("late answers: told as receipts, charged once, exposure 0")


if __name__ == "__main__":
    main()
