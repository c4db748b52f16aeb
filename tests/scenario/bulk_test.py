"""Bulk entries and malformed everything: each bad one ends in dead with the name of its field, is
kept there whole, and stops nobody; the good ones beside it are sent; a retried member keeps its name.
"""
import json

from house import BASE, House, expect, notification

BIG = 300 * 1024

# What is wrong -> the field that the reason must begin with. None: that field is left out.
BAD_FIELDS = [
    ({"color": "red"}, "color"),
    ({"To": "+33612345678"}, "To"),
    ({"": "x"}, ""),
    ({"to": None}, "to"),
    ({"to": ""}, "to"),
    ({"to": "0612345678"}, "to"),
    ({"to": "0033612345678"}, "to"),
    ({"to": "+33 6"}, "to"),
    ({"to": "call me"}, "to"),
    ({"to": "+" + "3" * 600}, "to"),
    ({"recipient": "FR.13491208655302741918"}, "recipient"),
    ({"to": None, "recipient": "nobody"}, "recipient"),
    ({"template": None}, "template"),
    ({"template": "no_such_template"}, "template"),
    ({"template": "x" * 600}, "template"),
    ({"lang": None}, "lang"),
    ({"lang": "xx"}, "lang"),
    ({"3": None}, "parameter 3"),
    ({"2": None}, "2"),
    ({"4": "one more"}, "parameter 4"),
    ({"33": "far too many"}, "33"),
    ({"0": "numbers begin with 1"}, "0"),
    ({"p.name": "not both"}, "p.name"),
    ({"params": "{}"}, "params"),
    ({"1": None, "2": None, "3": None, "params": "{\"body\":"}, "parameter params"),
    ({"not_before": "tomorrow"}, "not_before"),
    ({"expires": "1732377600"}, "expires"),
    ({"expires": "-1"}, "expires"),
    ({"id": "x" * 257}, "id"),
    ({"id": "a\nb"}, "id"),
    ({"ref": "x" * 257}, "ref"),
    ({"1": "Cl\0aire"}, "1"),
    ({"text": "a reply", "in_reply_to": "wamid.x"}, "text"),
    ({"template": None, "lang": None, "1": None, "2": None, "3": None, "text": "a reply"}, "template"),
    ({"bulk": "{}"}, "bulk"),
]

# Only an entry's fields can be these.
BAD_ENTRIES = [
    ({"1": b"Cl\xe9aire"}, "1"),
    ({b"\xff\xfe": "x"}, ""),
    ({"1": "x" * BIG}, "entry"),
    ({"p.%d" % number: "x" for number in range(200)}, "entry"),
]

# Only a bulk member's line can be these; it must be in dead as it came.
BAD_LINES = [
    ("", "bulk"),
    ("   ", "bulk"),
    ("{", "bulk"),
    ("null", "bulk"),
    ("[]", "bulk"),
    ("{}", "bulk"),
    ("not JSON", "bulk"),
    ("{\"to\":\"+33612345678\"} and more", "bulk"),
    ("{\"to\":\"+33612345678\",\"to\":\"+33612345679\"}", "to"),
    ("{\"to\":[\"+33612345678\"]}", "to"),
    ("{\"to\":true}", "to"),
    ("{\"to\":\"\\ud800\"}", "bulk"),
    ("{\"to\":\"+33612345678\",\"template\":{\"name\":\"x\"}}", "template"),
    ("[" * 5000, "bulk"),
    (json.dumps({"f%d" % number: "x" for number in range(100)}), "f0"),
]


class Expected:
    """What must end in dead: member -> the field that its reason begins with."""

    def __init__(self):
        self.fields = {}
        self.good = []
        self.count = 0

    def one_more(self):
        """A good one, unlike all before."""
        self.count += 1
        return notification(self.count)

    def check(self, house, whole=True):
        house.wait_until_quiet(30)
        dead = house.dead()
        ended = {outcome["entry"]: outcome for outcome in house.outcomes()}
        for member, (field, what) in self.fields.items():
            expect(member in dead, "%s (%s) in dead, not %s" % (member, what[:80],
                                                                ended.get(member)))
            reason = dead[member]["reason"]
            expect(reason.startswith(field + ":") if field else reason != "",
                   "%s: a reason that begins with %s, not \"%s\"" % (what[:80], field, reason))
            expect(not whole or any(name.startswith("o.") for name in dead[member]),
                   "%s: kept whole" % member)
        expect(set(dead) == set(self.fields), "only those in dead, not %s" % (
            {name: dead[name]["reason"] for name in set(dead) - set(self.fields)}))
        accepted = {outcome["entry"] for outcome in house.outcomes_of("accepted")}
        expect(accepted == set(self.good), "accepted: %d of %d" % (len(accepted), len(self.good)))


def bad_entries(house, expected):
    """Each between two good ones, as an entry of its own."""
    for fields, field in BAD_FIELDS + BAD_ENTRIES:
        expected.good += house.add(expected.one_more())
        bad = notification(0, id="bad-%d" % expected.count)
        bad.update(fields)
        entry = house.add({name: value for name, value in bad.items() if value is not None})[0]
        expected.fields[entry] = (field, "entry %r" % fields)
    # What no dict can say: a field that stands twice, fields without end.
    client = house.redis.client()
    for words, field in ((["to", "+33612345678", "to", "+33612345678"], "to"),
                         (["f", "x"] * 60000, "entry")):
        entry = client.execute_command("XADD", BASE + ":queue", "*", *words).decode()
        expected.fields[entry] = (field, "%d words" % len(words))
    expected.good += house.add(expected.one_more())


def bad_bulk_entries(house, expected):
    """Bulk entries that no line can be read of: they end in dead as a whole."""
    good = notification(0, id=None)
    for bulk, field in (("", "bulk"),
                        ("\n".join([json.dumps(good)] * 65), "bulk"),
                        ("x" * BIG, "entry")):
        entry = house.add({"bulk": bulk})[0]
        expected.fields[entry] = (field, "bulk %s" % bulk[:40])


def bad_members(house, expected):
    """Each as a line between good ones, in bulk entries of up to 64."""
    lines = [(json.dumps({name: value for name, value in
                          dict(notification(0, id=None), **fields).items()
                          if value is not None}), field) for fields, field in BAD_FIELDS]
    lines += BAD_LINES
    while lines:
        some, lines = lines[:32], lines[32:]
        texts = []
        for line, _ in some:
            texts += [json.dumps(expected.one_more()), line]
        entry = house.add_bulk(*texts)
        expected.good += ["%s/%d" % (entry, n) for n in range(1, len(texts), 2)]
        for number, (line, field) in enumerate(some):
            expected.fields["%s/%d" % (entry, 2 * number + 2)] = (field, "line %s" % line)


def full_bulk_entries(house, expected, count):
    for _ in range(count):
        entry = house.add_bulk(*[expected.one_more() for _ in range(64)])
        expected.good += ["%s/%d" % (entry, n) for n in range(1, 65)]


def malformed_everything():
    with House() as house:
        expected = Expected()
        full_bulk_entries(house, expected, 10)
        bad_entries(house, expected)
        bad_bulk_entries(house, expected)
        bad_members(house, expected)
        full_bulk_entries(house, expected, 10)
        sender = house.sender()
        expected.check(house)
        expect("redis_lost" not in house.log(sender), "Redis stayed: %s" % house.log(sender))
        house.stop(sender)
        client = house.redis.client()
        expect(client.xlen(BASE + ":queue") == 0 and client.hlen(BASE + ":left") == 0,
               "nothing left in the stream")
        expect(not any(house.pending().values()), "nothing held: %s" % house.pending())


def retried_members_keep_their_names():
    """A quarter of the attempts fails with Graph's 5xx: members come back one by one. (Some of these
    codes slow the account, so it takes its time.)"""
    with House(emulator=["--fault", "5xx_graph=0.25", "--seed", "9"]) as house:
        lines = [notification(number) for number in range(64)]
        entries = [house.add_bulk(*[dict(line, id="%s-%d" % (line["id"], turn)) for line in lines])
                   for turn in range(4)]
        members = {"%s/%d" % (entry, n) for entry in entries for n in range(1, 65)}
        sender = house.sender("--retry", "50ms*100")
        house.wait_for_outcomes(len(members), 90)
        house.wait_until_quiet(30)
        house.stop(sender)
        outcomes = house.outcomes()
        expect(len(outcomes) == len(members) and {o["entry"] for o in outcomes} == members,
               "each member once, under the name it had")
        expect({o["type"] for o in outcomes} == {"accepted"}, "all accepted in the end")
        expect(max(o["attempt"] for o in outcomes) > 1, "some of them retried")
        names = [one["callback"].split(";")[2] for one in house.accepted()]
        expect(sorted(names) == sorted(members), "and Meta was told the same names, once each")
        print("attempts:", sorted({o["attempt"] for o in outcomes}))


def main():
    malformed_everything()
    retried_members_keep_their_names()


if __name__ == "__main__":
    main()
