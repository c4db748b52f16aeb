"""When it goes out, and whether: not_before, expires, ids, urgent, and an account that is throttled."""
import time

from house import BASE, BUSINESS, PHONE_ID, House, expect, notification

OTHER = BUSINESS + ":be"
OTHER_PHONE = "106540352242923"


def now_ms():
    return int(time.time() * 1000)


def outcome_of(house, number):
    found = [outcome for outcome in house.outcomes() if outcome["id"] == "id-%d" % number]
    expect(len(found) == 1, "one outcome of id-%d, not %s" % (number, found))
    return found[0]


def not_before_waits_and_is_in_time(house):
    due = now_ms() + 2000
    house.add(notification(1, not_before=due))
    house.add(notification(2))
    fields = [text for pair in notification(3, not_before=due).items() for text in pair]
    answer = house.redis.client().execute_command(
        "FCALL", "facteur_enqueue", 2, BASE, BUSINESS, "queue", *fields)
    expect(answer[0] == b"scheduled", "facteur_enqueue says scheduled, not %s" % answer)
    house.wait_for_outcomes(1)
    time.sleep(0.5)
    expect([outcome["id"] for outcome in house.outcomes()] == ["id-2"], "only what was due")
    expect(house.stats()["later"] == 2, "the others wait in later")
    house.wait_for_outcomes(3)
    for number in (1, 3):
        late = outcome_of(house, number)["at"] - due
        print("due, then accepted after %d ms" % late)
        expect(0 <= late < 800, "in time: %d ms after it was due" % late)


def what_is_too_old_is_not_sent(house):
    before = len(house.outcomes())
    house.add(notification(11, expires=now_ms() - 1),
              notification(12, expires=now_ms() + 60000),
              notification(13, not_before=now_ms() + 700, expires=now_ms() + 900000),
              notification(14, not_before=now_ms() + 700, expires=now_ms() + 100))
    house.wait_for_outcomes(before + 4)
    expect(outcome_of(house, 11)["type"] == "expired", "the past is over")
    expect(outcome_of(house, 12)["type"] == "accepted", "a minute is enough")
    expect(outcome_of(house, 13)["type"] == "accepted", "due, and not too late")
    expect(outcome_of(house, 14)["type"] == "expired", "over before it was due")


def an_id_is_sent_once(house):
    before = len(house.outcomes())
    good = notification(21)
    entries = house.add(good, good, dict(good, to="+33612345678"))  # one batch, most likely
    house.wait_for_outcomes(before + 3)
    entries += house.add(good)  # another batch
    entries.append("u" + house.add(good, stream="urgent")[0])  # another stream
    bulk = house.add_bulk(good, notification(22), notification(22))
    house.wait_for_outcomes(before + 8)
    outcomes = {outcome["entry"]: outcome for outcome in house.outcomes()[before:]}
    expect(outcomes[entries[0]]["type"] == "accepted", "the first one was accepted")
    for name in entries[1:] + [bulk + "/1"]:
        outcome = outcomes[name]
        expect(outcome["type"] == "duplicate" and entries[0] in outcome["reason"],
               "a duplicate that names the first: %s" % outcome)
    expect(outcomes[bulk + "/2"]["type"] == "accepted" and
           outcomes[bulk + "/3"]["type"] == "duplicate" and
           bulk + "/2" in outcomes[bulk + "/3"]["reason"], "so in a bulk entry: %s" % outcomes)


def a_bad_one_does_not_take_an_id(house):
    before = len(house.outcomes())
    house.add(notification(31, lang="xx"))
    house.wait_for_outcomes(before + 1)
    house.add(notification(31))
    house.wait_for_outcomes(before + 2)
    kinds = [outcome["type"] for outcome in house.outcomes()[before:]]
    expect(kinds == ["refused", "accepted"], "mended and sent again: %s" % kinds)


def ids_hold_across_two_senders(house):
    """Every id four times, spread over the stream; two senders with two workers each."""
    before = len(house.outcomes())
    numbers = range(100, 400)
    for turn in range(4):
        house.add(*[notification(number, ref="turn-%d" % turn) for number in numbers])
    others = [house.sender("--workers", "2") for _ in range(2)]
    house.wait_for_outcomes(before + 4 * len(numbers))
    for sender in others:
        house.stop(sender)
    outcomes = house.outcomes()[before:]
    accepted = sorted(o["id"] for o in outcomes if o["type"] == "accepted")
    expect(accepted == sorted("id-%d" % number for number in numbers), "each id accepted once")
    expect(sum(o["type"] == "duplicate" for o in outcomes) == 3 * len(numbers), "thrice a duplicate")


def one_sender():
    with House() as house:
        sender = house.sender()
        not_before_waits_and_is_in_time(house)
        what_is_too_old_is_not_sent(house)
        an_id_is_sent_once(house)
        a_bad_one_does_not_take_an_id(house)
        house.stop(sender)
        ids_hold_across_two_senders(house)
        told = [one["callback"].split(";")[2] for one in house.accepted()]
        expect(sorted(told) == sorted(o["entry"] for o in house.outcomes_of("accepted")),
               "Meta accepted what the events say, once each")


def max_age_is_for_what_says_nothing():
    with House() as house:
        house.add(notification(1), notification(2, expires=now_ms() + 60000))
        time.sleep(1.1)
        sender = house.sender("--max-age", "1s")
        house.wait_for_outcomes(2)
        house.stop(sender)
        expect(outcome_of(house, 1)["type"] == "expired", "older than --max-age")
        expect(outcome_of(house, 2)["type"] == "accepted", "its own word counts")


def what_waited_too_long_for_meta_is_not_sent():
    """Claimed and granted in time, but nobody was there: when Meta is back it is too late for one."""
    with House() as house:
        port = house.url.split(":")[2]
        house.emulator.terminate()
        house.emulator.wait()
        house.add(notification(1, expires=now_ms() + 1000), notification(2))
        sender = house.sender()
        house.wait_until("both granted", lambda: house.stats()["granted"] == 2)
        house.wait_until("one expired", lambda: len(house.outcomes()) == 1, 10)
        house.start_emulator(["--listen", "127.0.0.1:" + port])
        house.wait_for_outcomes(2)
        house.stop(sender)
        expect(outcome_of(house, 1)["type"] == "expired", "its time was over")
        expect(outcome_of(house, 2)["type"] == "accepted", "the other one was sent")
        expect(house.tally()["accepted"] == 1, "Meta saw one")


def urgent_goes_before_a_full_queue():
    with House(emulator=["--latency", "100ms"]) as house:  # a hundred a second
        house.add(*[notification(number) for number in range(2000)])
        sender = house.sender("--workers", "1", "--connections", "1", "--streams", "10")
        house.wait_until("a sender at work", lambda: len(house.outcomes()) > 50)
        entries = ["u" + entry for entry in
                   house.add(*[notification(9000 + n) for n in range(20)], stream="urgent")]
        added = now_ms()
        house.wait_until("the urgent ones",
                         lambda: set(entries) <= {o["entry"] for o in house.outcomes()}, 20)
        outcomes = house.outcomes()
        late = max(o["at"] for o in outcomes if o["entry"] in entries) - added
        left = house.stats()["waiting"] + house.stats()["claimed"]
        print("20 urgent ones after %d ms, with %d of the queue still to be sent" % (late, left))
        expect(left > 1000, "the queue was still full: else this test shows nothing")
        expect(late < 1500, "urgent: at once, not after %d ms" % late)
        house.stop(sender)


def urgent_overtakes_bulks_at_a_slow_pace():
    """Two a second: a bulk entry is claimed whole and is half a minute's work. What is urgent does not
    wait for it, and the queue has its floor all the same."""
    with House() as house:
        house.add_bulk(*[notification(number) for number in range(64)])
        house.add_bulk(*[notification(100 + number) for number in range(64)])
        path = house.file("facteur.yaml", """
businesses:
  - name: acme
    accounts:
      - name: fr
        phone_number_id: "%s"
        pace: 2/s
""" % PHONE_ID)
        sender = house.sender("--workers", "1", "--config", path, account=False)
        house.wait_until("it began", lambda: len(house.outcomes()) >= 2)
        entries = ["u" + entry for entry in
                   house.add(*[notification(9000 + n) for n in range(16)], stream="urgent")]
        added = now_ms()
        house.wait_until("the urgent ones",
                         lambda: set(entries) <= {o["entry"] for o in house.outcomes()}, 30)
        at = [o["at"] - added for o in house.outcomes() if o["entry"] in entries]
        between = sum(o["entry"] not in entries and added < o["at"] < added + max(at)
                      for o in house.outcomes())
        print("16 urgent ones at 2/s after %d to %d ms, %d of the queue between them"
              % (min(at), max(at), between))
        expect(min(at) < 4000, "the first at once: after %d ms" % min(at))
        expect(max(at) < 14000, "all before the queue: after %d ms" % max(at))
        expect(2 <= between <= 6, "an eighth of them is the queue's: %d" % between)
        house.stop(sender)


def a_throttled_account_resumes_by_itself():
    """At Meta's limit: throttling costs no attempt, and the other account does not feel it."""
    with House(emulator=["--phone-id", OTHER_PHONE, "--limit-rate", "100"]) as house:
        house.add(*[notification(number) for number in range(400)])
        sender = house.sender("--workers", "1", "--account", "acme/be=" + OTHER_PHONE)
        house.wait_for_log("account_throttled")
        house.add(*[notification(number) for number in range(30)], base=OTHER)
        added = time.monotonic()
        house.wait_until("the other account", lambda: len(house.outcomes(OTHER)) == 30, 10)
        other_seconds = time.monotonic() - added
        left = 400 - len(house.outcomes())
        house.wait_for_outcomes(400, 30)
        house.stop(sender)
        print("the other account after %.2f s, with %d of the throttled one left"
              % (other_seconds, left))
        expect(other_seconds < 1 and left > 0, "the other account does not wait for this one")
        for outcome in house.outcomes() + house.outcomes(OTHER):
            expect(outcome["type"] == "accepted" and outcome["attempt"] == 1,
                   "throttling costs no attempt: %s" % outcome)
        expect("account=acme/be" not in house.log(), "only one account was throttled")
        expect(house.tally()["accepted"] == 430 and house.tally()["duplicates"] == 0, "once each")


def main():
    one_sender()
    max_age_is_for_what_says_nothing()
    what_waited_too_long_for_meta_is_not_sent()
    urgent_goes_before_a_full_queue()
    urgent_overtakes_bulks_at_a_slow_pace()
    a_throttled_account_resumes_by_itself()


if __name__ == "__main__":
    main()
