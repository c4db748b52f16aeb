"""A hundred malformed entries among good ones: the good ones are sent, each bad one ends in dead with a
reason that names its field. What was missing elsewhere is added, and a requeue sends those that
waited for it; what is wrong in the entry itself is said to be enqueued anew, and is refused again."""
import json

from house import BASE, BUSINESS, House, expect, notification

GOOD = 300
LONG = "x" * 257
# What is wrong, the words that a reason must begin with and hold, what can be done. A field that is
# None is left out.
CASES = [
    (dict(to=None), "to: missing", "anew"),
    (dict(to=""), "to: ", "anew"),
    (dict(to="hello"), "to: ", "anew"),
    (dict(to="0612345678"), "to: ", "anew"),
    (dict(to="0033612345678"), "to: ", "anew"),
    (dict(to="+33"), "to: ", "anew"),
    (dict(to="+336123456789012345"), "to: ", "anew"),
    (dict(to="+9991234567"), "to: ", "anew"),
    (dict(recipient="FR.13491208655302741918"), "recipient: stands beside to", "anew"),
    (dict(to=None, recipient="nobody"), "recipient: not a business-scoped user id", "anew"),
    (dict(template=None), "template: ", "anew"),
    (dict(lang=None), "lang: missing", "anew"),
    (dict(template="delivery_konfirmation"), "template: \"delivery_konfirmation\" is not", "requeue"),
    (dict(lang="fi"), "lang: template \"delivery_confirmation\" is not in language \"fi\"", "requeue"),
    (dict(tmplate="delivery_confirmation"), "tmplate: unknown field", "anew"),
    (dict(To="+33612345678"), "To: unknown field", "anew"),
    (dict(params="{}"), "params: ", "anew"),
    (dict(params="{\"body\"", **{"1": None, "2": None, "3": None}), "parameter params: ", "anew"),
    (dict(**{"3": None}), "parameter 3: has no value", "anew"),
    (dict(**{"4": "more"}), "parameter 4: is not in the template", "anew"),
    (dict(**{"2": None}), "2: parameters are 1, 2", "anew"),
    (dict(**{"1": "two\nlines"}), "parameter 1: has a line break", "anew"),
    (dict(**{"1": "five     spaces"}), "parameter 1: has a line break, a tab, five spaces", "anew"),
    (dict(**{"1": ""}), "parameter 1: has no value", "anew"),
    (dict(**{"p.name": "Claire"}), "p.name: parameters are 1, 2", "anew"),
    (dict(**{"1": None, "2": None, "3": None, "p.name": "Claire"}), "parameter ", "anew"),
    (dict(**{"0": "nothing"}), "0: parameters are 1, 2", "anew"),
    (dict(**{"33": "nothing"}), "33: ", "anew"),
    (dict(**{"2": "SOLDES : -50 % sur tout, aujourd'hui seulement"}), "policy: promotional (in a", "anew"),
    (dict(not_before="tomorrow"), "not_before: not Unix milliseconds", "anew"),
    (dict(not_before="-1"), "not_before: not Unix milliseconds", "anew"),
    (dict(template=""), "template: ", "anew"),
    (dict(lang=""), "lang: missing", "anew"),
    (dict(to="+33 6 12"), "to: ", "anew"),
    (dict(**{"1": "a\ttab"}), "parameter 1: has a line break", "anew"),
    (dict(**{"1": "x" * 1100}), "parameter body: is longer", "anew"),
    (dict(expires=""), "expires: not Unix milliseconds", "anew"),
    (dict(expires="2026-11-24"), "expires: not Unix milliseconds", "anew"),
    (dict(id=LONG), "id: too long", "anew"),
    (dict(id="a\x07b"), "id: not UTF-8", "anew"),
    (dict(ref=LONG), "ref: too long", "anew"),
    (dict(text="hello"), "text: stands beside template", "anew"),
]
# What only an entry can have, and what only a line can.
ENTRIES = [
    (dict(notification(1), **{"1": b"\xff\xfe"}), "1: not UTF-8", "anew"),
    (dict(notification(1), to=b"\xff"), "to: not UTF-8", "anew"),
    (dict(notification(1), **{"p.x%d" % i: "y" for i in range(130)}), "entry: more than", "anew"),
    (dict(notification(1), **{"1": "x" * 300000}), "entry: more than 256 KiB", "anew"),
    ({"bulk": ""}, "bulk: must have 1 to 64 lines", "anew"),
    ({"bulk": "{}\n" * 65}, "bulk: must have 1 to 64 lines", "anew"),
    (dict(notification(1), bulk="{}"), "bulk: ", "anew"),
    ({"nothing": "at all"}, "nothing: unknown field", "anew"),
]
LINES = [
    ("", "bulk: nothing in it", "anew"),
    ("hello", "bulk: not a flat JSON object", "anew"),
    ("[]", "bulk: not a flat JSON object", "anew"),
    ("{\"to\":\"+33612345678\"", "bulk: not a flat JSON object", "anew"),
    ("{\"to\":[\"+33612345678\"],\"template\":\"order_shipped\",\"lang\":\"fr\"}", "to: ", "anew"),
    ("{\"to\":null,\"template\":\"order_shipped\",\"lang\":\"fr\"}", "to: ", "anew"),
    ("{\"to\":\"+33612345678\",\"to\":\"+33612345679\"}", "to: stands twice", "anew"),
]
# Those whose recipient has opted out, and who comes back.
OPTED_OUT = ("+33612999999", "to: this recipient has opted out", "requeue")


def enqueue(house):
    """Bad ones between good ones, singly and in bulks of which some lines are good. Returns what is
    expected of dead: member -> (words, remedy)."""
    expected = {}
    good = iter(range(GOOD))

    def fine():
        return notification(next(good))

    for wrong, words, remedy in CASES:
        bad = notification(0, **dict({"id": None}, **wrong))
        entry = house.add(fine(), bad, fine(), stream="queue")[1]
        expected[entry] = (words, remedy)
        entry = house.add_bulk(fine(), bad, fine())
        expected[entry + "/2"] = (words, remedy)
    for bad, words, remedy in ENTRIES:
        entry = house.add(fine(), bad)[1]
        expected[entry] = (words, remedy)
    for start in range(0, len(LINES), 4):
        some = LINES[start:start + 4]
        entry = house.add_bulk(*[line for line, _, _ in some], fine(), stream="urgent")
        for i, (_, words, remedy) in enumerate(some):
            expected["u%s/%d" % (entry, i + 1)] = (words, remedy)
    number, words, remedy = OPTED_OUT
    for stream, prefix in (("queue", ""), ("urgent", "u")):
        entry = house.add(notification(0, to=number, id=None), stream=stream)[0]
        expected[prefix + entry] = (words, remedy)
    house.add(*[notification(i) for i in good])
    return expected


def each_names_its_field(house, expected):
    dead = house.dead()
    expect(set(dead) == set(expected), "dead are these and no others: missing %s, more %s"
           % ([expected[one] for one in expected if one not in dead], set(dead) - set(expected)))
    listed = {one["entry"]: one for one in json.loads(house.verb("dead", "list", "--json").stdout)["dead"]}
    wrong = []
    for member, (words, remedy) in expected.items():
        one, found = dead[member], listed[member]
        if not (one["type"] == "refused" and one["reason"].startswith(words)
                and found["remedy"] == remedy):
            wrong.append("%s (%s), not %s (%s)" % (one["reason"], found["remedy"], words, remedy))
    expect(not wrong, "each names its field:\n" + "\n".join(wrong))
    told = [one for one in house.outcomes_of("refused")]
    expect(sorted(one["entry"] for one in told) == sorted(expected), "each was told once")


def what_can_be_done_is_said(house, expected):
    counts = {word: sum(remedy == word for _, remedy in expected.values()) for word in ("requeue", "anew")}
    text = house.verb("dead", "list").stdout
    expect("requeue: %d can be mended and requeued" % counts["requeue"] in text, text[-600:])
    expect("anew: %d would be refused again as they stand: enqueue them anew, corrected"
           % counts["anew"] in text, text[-600:])
    named = json.loads(house.verb("dead", "list", "--remedy", "requeue", "--json").stdout)["dead"]
    expect(len(named) == counts["requeue"], "--remedy names them")
    return counts


def mend(house):
    """The template and the language that were missing, and the customer comes back."""
    for name, lang in (("delivery_konfirmation", "fr"), ("delivery_confirmation", "fi")):
        text = ("{\"name\":\"%s\",\"language\":\"%s\",\"category\":\"UTILITY\",\"components\":[{\"type\":"
                "\"BODY\",\"text\":\"Bonjour {{1}}, votre colis {{2}} est pour le {{3}}, merci.\",\"example\":"
                "{\"body_text\":[[\"Claire\",\"CMD-1\",\"mardi\"]]}}]}" % (name, lang))
        path = house.file("template.json", text)
        house.ask_emulator("/emulator/templates", "--data", "@" + path)
        house.verb("template", "add", "--reason", "it was forgotten", path)
    house.wait_until("the catalogue", lambda: house.log().count("event=catalogue") >= 2)
    house.verb("optout", "remove", "--business", "acme", OPTED_OUT[0])


def main():
    with House() as house:
        house.redis.client().sadd(BUSINESS + ":optout", OPTED_OUT[0])
        sender = house.sender("--numbers", "strict")
        expected = enqueue(house)
        expect(len(expected) >= 90, "about a hundred: %d" % len(expected))
        house.wait_until_quiet()
        house.wait_until("all outcomes", lambda: house.outcomes_of("accepted") and not any(
            house.stats()[name] for name in ("waiting", "urgent", "claimed", "granted")))
        each_names_its_field(house, expected)
        expect(len(house.outcomes_of("accepted")) == house.tally()["accepted"] == GOOD,
               "all good ones were sent: %s" % house.tally())
        counts = what_can_be_done_is_said(house, expected)
        mend(house)
        told = house.verb("dead", "requeue", "--remedy", "requeue", "--reason", "ticket 4711").stdout
        expect("%d requeued" % counts["requeue"] in told, told)
        house.wait_until("they are sent", lambda: len(house.outcomes_of("accepted")) == GOOD +
                         counts["requeue"])
        expect(len(house.dead()) == counts["anew"], "the others stay")
        # As they stand they are refused again, and whoever asks is told beforehand.
        result = house.verb("dead", "requeue", "--all", "--reason", "perhaps", check=False)
        expect("%d of them are wrong in the entry itself" % counts["anew"] in result.stderr, result)
        whole = sum("bulk" in one and one["bulk"] != "{}" for one, _, _ in ENTRIES)
        expect(result.returncode == 1 and "refused as a whole bulk" in result.stderr, result)
        house.wait_until("all are back", lambda: len(house.dead()) == counts["anew"])
        house.wait_until_quiet()
        again = {member: one["reason"] for member, one in house.dead().items()}
        other = [(words, again.get(member)) for member, (words, remedy) in expected.items()
                 if remedy == "anew" and not words.startswith("entry: ")  # it is in later now
                 and not again.get(member, "").startswith(words)]
        expect(not other, "for the same reasons: %s" % other)
        expect(len(house.outcomes_of("accepted")) == house.tally()["accepted"] == GOOD + counts["requeue"],
               "none of them was sent")
        expect(house.redis.client().xlen(BASE + ":dead") == counts["anew"], "each once")
        house.stop(sender)
        print("%d good ones sent, %d bad ones named, %d mended and sent, %d to be enqueued anew (%d whole "
              "bulks)" % (GOOD, len(expected), counts["requeue"], counts["anew"], whole))


if __name__ == "__main__":
    main()
