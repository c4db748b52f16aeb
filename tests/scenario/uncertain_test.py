"""What nobody knows whether it was sent: parked, given up or sent again, and what its receipt makes of it.

The emulator accepts everything and answers nothing (a black hole), so that every attempt is
uncertain and every one is on the bill. Singles, members of bulk entries and one-time codes.
"""
from concurrent.futures import ThreadPoolExecutor

from house import House, expect, notification

WAIT = ["--workers", "1", "--lease", "500ms", "--request-timeout", "500ms", "--uncertain-wait",
        "1500ms"]
SINGLES, MEMBERS, CODES = 12, 8, 3
PLAIN = SINGLES + MEMBERS
ALL = PLAIN + CODES


def code(number):
    return notification(number, template="one_time_code", lang="en",
                        **{"1": "49182%d" % (number % 10), "2": None, "3": None})


def fill(house):
    house.add(*[notification(number) for number in range(SINGLES)])
    house.add(*[code(100 + number) for number in range(CODES)], stream="urgent")
    house.add_bulk(*[notification(200 + number) for number in range(MEMBERS)])


def all_uncertain(house, *options):
    """A sender whose every attempt got no answer; the exposure is the whole bill."""
    house.set_faults(black_hole=1)
    fill(house)
    sender = house.sender(*WAIT, *options)
    house.wait_until("%d uncertain" % ALL, lambda: len(house.outcomes_of("uncertain")) == ALL)
    expect(house.tally()["accepted"] == ALL, "Meta accepted them all")
    expect(house.exposed() == bill(house) > 0, "exposure: the whole bill")
    expect(house.booked() == (0, 0), "nothing is booked yet")
    return sender


def is_over(house):
    return house.stats()["uncertain"] == 0


def bill(house):
    return house.tally()["billed"]["millionths"]


def of_codes(outcomes):
    return [outcome for outcome in outcomes if outcome["template"] == "one_time_code"]


def books_close(house):
    """Every attempt is on the bill once, and none is in doubt any more."""
    expect(house.exposed() == 0, "exposure 0 when every receipt is in")
    expect(house.booked() == (house.tally()["accepted"], bill(house)),
           "ledger %s = bill %s" % (house.booked(), bill(house)))


def parked_and_codes_dropped():
    """The defaults."""
    with House(emulator=[]) as house:
        sender = all_uncertain(house)
        house.wait_until("the end of the wait", lambda: is_over(house))
        dead = house.dead()
        expect(len(dead) == PLAIN and all(one["type"] == "uncertain" for one in dead.values()),
               "all but the codes are parked: %s" % dead)
        expect(len(of_codes(house.outcomes_of("dropped"))) == len(house.outcomes_of("dropped")) == CODES,
               "the codes are dropped: a late one is of no use")
        expect(house.exposed() == bill(house), "they may be on the bill all the same")
        expect("event=uncertain_over" in house.log(sender), "the sender says so")
        expect(house.tally()["accepted"] == ALL, "nothing was sent again")
        # The receipts come in after all: out of dead, and charged; of the dropped: charged.
        answers = house.play_receipts()
        expect(all(answer == ["ok dead"] or answer == ["ok gone"] for answer in answers.values()),
               "every receipt was news: %s" % answers)
        expect(not house.dead(), "proof takes them out of dead")
        expect(len(house.outcomes_of("accepted")) == PLAIN, "told as accepted")
        expect(len(house.outcomes_of("corrected")) == CODES, "the charge of the dropped came late")
        books_close(house)
        answers = house.play_receipts()
        expect(all(answer == ["known"] for answer in answers.values()), "each once: %s" % answers)
        books_close(house)
        house.stop(sender)


def a_receipt_in_time():
    """It ends the wait: accepted, or failed and free."""
    with House(emulator=[]) as house:
        sender = all_uncertain(house, "--uncertain-wait", "10m")
        expect(house.stats()["uncertain"] == ALL, "they wait")
        failed = [one["callback"].split(";")[2] for one in house.accepted()[::3]]
        for kind in ("accepted", "failed"):
            answers = house.play_receipts(
                kind, lambda one: (one["callback"].split(";")[2] in failed) == (kind == "failed"))
            expect(all(answer == ["ok uncertain"] for answer in answers.values()),
                   "%s: %s" % (kind, answers))
        expect(len(house.outcomes_of("failed")) == len(failed), "told as failed")
        expect(len(house.outcomes_of("accepted")) == ALL - len(failed), "told as accepted")
        expect(house.exposed() == 0 and is_over(house), "no doubt is left")
        expect(house.booked()[0] == ALL - len(failed), "what failed is not charged")
        house.stop(sender)


def everything_dropped():
    with House(emulator=[]) as house:
        sender = all_uncertain(house, "--uncertain", "drop")
        house.wait_until("the end of the wait", lambda: is_over(house))
        expect(len(house.outcomes_of("dropped")) == ALL and not house.dead(), "all are dropped")
        expect(house.tally()["accepted"] == ALL, "nothing was sent again")
        house.play_receipts()
        books_close(house)
        house.stop(sender)


def sent_again_and_flagged():
    with House(emulator=[]) as house:
        sender = all_uncertain(house, "--uncertain", "resend", "--uncertain-codes", "park")
        house.set_faults(black_hole=0)
        house.wait_until("all sent again", lambda: len(house.outcomes_of("accepted")) == PLAIN)
        for outcome in house.outcomes_of("accepted"):
            expect(outcome.get("possible_duplicate") is True and outcome["attempt"] == 2,
                   "flagged, the second attempt: %s" % outcome)
        expect(len(house.dead()) == CODES, "codes have their own policy: parked")
        expect(not of_codes(house.outcomes_of("accepted")), "and are not sent again")
        tally = house.tally()
        expect(tally["accepted"] == ALL + PLAIN and tally["duplicates"] == PLAIN,
               "Meta has them twice: %s" % tally)
        # A parked one that an operator sends again is flagged as well.
        house.verb("dead", "requeue", "--account", "acme/fr", "--type", "uncertain",
                   "--reason", "asked the customers")
        house.wait_until("the codes, too", lambda: len(house.outcomes_of("accepted")) == ALL)
        expect(all(outcome.get("possible_duplicate") is True
                   for outcome in house.outcomes_of("accepted")), "each is flagged")
        expect(house.exposed() > 0, "of the first attempts nobody knows yet")
        house.play_receipts()
        expect(len(house.outcomes_of("corrected")) == ALL, "the first attempts, charged late")
        books_close(house)
        house.stop(sender)


def main():
    with ThreadPoolExecutor() as all_at_once:  # most of their time is waiting
        runs = [all_at_once.submit(run) for run in (
            parked_and_codes_dropped, a_receipt_in_time, everything_dropped, sent_again_and_flagged)]
    for run in runs:
        run.result()
    print("parked, dropped, sent again and flagged; receipts before and after: as configured")


if __name__ == "__main__":
    main()
