"""What becomes of numbers on their way to Meta: strict and lenient, WhatsApp's own old forms, user
ids, always + and digits, and newer numbering plans from a file."""
import os
import subprocess
import sys

from house import BUILD, PHONE_ID, ROOT, House, expect, notification

GENERATOR = os.path.join(ROOT, "sender/cost/generate/phone_automaton.py")

#       written by the producer    country  what Meta gets        lenient     strict
CASES = (
    ("+33612345678",               "FR", "+33612345678",          "accepted", "accepted"),
    ("33 6 12-34.56(79)",          "FR", "+33612345679",          "accepted", "accepted"),
    ("\u202a+33\u00a0612345680",   "FR", "+33612345680",          "accepted", "accepted"),
    ("5217791095691",              "MX", "+5217791095691",        "accepted", "accepted"),
    ("553186371020",               "BR", "+553186371020",         "accepted", "accepted"),
    ("+33012345678",               "FR", "+33012345678",          "accepted", "refused"),
    ("0612345678",                 "",   None,                    "refused",  "refused"),
    ("0033612345678",              "",   None,                    "refused",  "refused"),
    ("+3361234567",                "FR", None,                    "refused",  "refused"),
    ("+80012345678",               "",   None,                    "refused",  "refused"),
    ("+33612345678x1",             "",   None,                    "refused",  "refused"),
)


def send_all(house, numbers):
    before = len(house.outcomes())
    house.add(*[notification(before + i, to=number) for i, number in enumerate(numbers)])
    house.wait_for_outcomes(before + len(numbers))
    by_id = {outcome["id"]: outcome for outcome in house.outcomes()[before:]}
    return [by_id["id-%d" % (before + i)] for i in range(len(numbers))]


def every_case(house, column, recipients):
    seen = len(house.accepted())
    outcomes = send_all(house, [case[0] for case in CASES])
    for case, outcome in zip(CASES, outcomes):
        expect(outcome["type"] == case[column], "%s is %s: %s" % (case[0], case[column], outcome))
        expect(outcome.get("country", "") == case[1], "%s is of %s: %s" % (case[0], case[1], outcome))
        if outcome["type"] == "refused":
            expect(outcome["reason"].startswith("to: "), "names the field: %s" % outcome)
        elif recipients:
            expect(outcome["to"] == case[2], "+ and digits: %s" % outcome)
    accepted = [one["to"] for one in house.accepted()[seen:]]
    wanted = [case[2] for case in CASES if case[column] == "accepted"]
    expect(sorted(accepted) == sorted(wanted), "on the wire %s, not %s" % (wanted, accepted))


def user_ids(house):
    seen = len(house.accepted())
    before = len(house.outcomes())
    house.add(notification(before, to=None, recipient="DE.13491208655302741918"),
              notification(before + 1, to=None, recipient="de.13491208655302741918"))
    house.wait_for_outcomes(before + 2)
    good, bad = sorted(house.outcomes()[before:], key=lambda outcome: outcome["type"])
    expect((good["type"], good["country"], good["market"]) == ("accepted", "DE", "Germany"), str(good))
    expect(bad["type"] == "refused" and bad["reason"].startswith("recipient: "), str(bad))
    expect([one["to"] for one in house.accepted()[seen:]] == ["DE.13491208655302741918"], "as it is")


def newer_plans(house):
    """Plans in which France has five digits, and only those: by the flag, and refused if damaged."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from phone_test import make_table
    table = make_table(house.folder, "9.0.1", "[1-5]\\d{4}", [5])
    sender = house.sender("--recipients", "clear", "--phone-table", table)
    five, nine = send_all(house, ["+3312345", "+33612345678"])
    expect(five["type"] == "accepted" or "to:" not in five["reason"], "by the file: %s" % five)
    expect(nine["type"] == "refused" and "too long" in nine["reason"], "by the file: %s" % nine)
    house.stop(sender)
    with open(table, "r+b") as file:
        file.truncate(2000)
    run = subprocess.run([os.path.join(BUILD, "facteur"), "run", "--check-config", "--redis",
                          "unix:" + house.redis.socket, "--account", "acme/fr=" + PHONE_ID,
                          "--token-file", house.token, "--phone-table", table],
                         capture_output=True, text=True, timeout=60, check=False)
    expect(run.returncode == 78 and table + ": is cut short" in run.stderr, str(run))


def main():
    with House() as house:
        sender = house.sender("--recipients", "clear")
        every_case(house, 3, recipients=True)
        user_ids(house)
        house.stop(sender)
        sender = house.sender("--numbers", "strict")
        every_case(house, 4, recipients=False)
        house.stop(sender)
        newer_plans(house)
    print("phone numbers on their way: good")


if __name__ == "__main__":
    main()
