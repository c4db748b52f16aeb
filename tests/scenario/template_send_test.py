"""Every template that is shipped, in every language, sent; languages to fall back to; bad parameters."""
import glob
import json

from house import ROOT, House, expect

CATALOGUE = ROOT + "/templates/catalogue"
HEADERS = {"IMAGE": {"link": "https://example.com/qr/FR-20841.png"},
           "DOCUMENT": {"id": "2871834006348767", "filename": "tickets.pdf"}}


def examples(whole):
    """A notification of this template, filled in with its own examples."""
    fields = {"template": whole["name"], "lang": whole["language"]}
    params = {}
    for component in whole["components"]:
        example = component.get("example", {})
        for number, value in enumerate(example.get("body_text", [[]])[0], 1):
            fields[str(number)] = value
        for key in ("body_text_named_params", "header_text_named_params"):
            for one in example.get(key, []):
                fields["p." + one["param_name"]] = one["example"]
        if component.get("format") in HEADERS:
            params["header"] = HEADERS[component["format"]]
        for index, button in enumerate(component.get("buttons", [])):
            if "{{1}}" in button.get("url", ""):
                params.setdefault("buttons", {})[str(index)] = "6A12345678901"
    if whole["name"] == "one_time_code":
        fields["1"] = "123456"
    if params:
        fields["params"] = params
    return packed(fields)


def packed(fields):
    """`params` stands instead of plain fields: then the body's values go there, too."""
    params = fields.get("params")
    if not isinstance(params, dict):
        return fields
    plain = {name: value for name, value in fields.items()
             if name.isdigit() or name.startswith("p.")}
    named = {name[2:]: value for name, value in plain.items() if name.startswith("p.")}
    if plain:
        params = dict(params, body=named or [plain[name] for name in sorted(plain)])
    others = {name: value for name, value in fields.items() if name not in plain}
    return dict(others, params=json.dumps(params))


def every_shipped_template(house):
    """Meta's side (the emulator's own reading of the files) accepts each request."""
    sent = []
    for number, path in enumerate(sorted(glob.glob(CATALOGUE + "/*.json"))):
        with open(path) as file:
            fields = examples(json.load(file))
        fields.update(to="+336%08d" % (12000000 + number), ref=path)
        sent.append(fields)
    house.add(*sent)
    house.wait_for_outcomes(len(sent))
    bad = [outcome for outcome in house.outcomes() if outcome["type"] != "accepted"]
    expect(bad == [] and len(sent) == 120, "all 120 are accepted: %s" % bad[:3])
    accepted = {(line["template"], line["language"]) for line in house.accepted()}
    expect(len(accepted) == 120, "each in its own language: %d" % len(accepted))
    expect(house.tally()["bad_requests"] == 0, "no request that Meta would not take")


ORDER = {"to": "+33612345678", "template": "order_shipped", "lang": "fr", "1": "Claire",
         "2": "CMD-1042"}
TICKET = {"to": "+33612345678", "template": "event_ticket_qr", "lang": "fr",
          "p.first_name": "Claire", "p.event": "Carmen", "p.date": "5 mai", "p.venue": "Opéra",
          "p.seat": "F 12", "params": {"header": {"link": "https://example.com/a.png"}}}
TRACKING = {"to": "+33612345678", "template": "order_shipped_tracking", "lang": "fr",
            "1": "Claire", "2": "CMD-1042", "3": "Colissimo", "4": "mardi",
            "params": {"buttons": {"0": "6A1"}}}
APPOINTMENT = {"to": "+33612345678", "template": "appointment_reminder", "lang": "fr",
               "p.first_name": "Claire", "p.date": "5 mai", "p.time": "10 h", "p.place": "ici"}


def with_(base, **changes):
    fields = dict(base)
    fields.update({name.replace("__", ".").lstrip("n"): value for name, value in changes.items()})
    return {name: value for name, value in fields.items() if value is not None}


def header(**fields):
    return with_(TICKET, params={"header": fields})


# What is wrong, and what the reason must say: the field, and why.
REFUSED = [
    (with_(ORDER, template="order_shiped"),
     'template: "order_shiped" is not in the catalogue'),
    (with_(ORDER, lang="eo"), 'lang: template "order_shipped" is not in language "eo"'),
    (with_(ORDER, lang="fr_FR"), 'lang: template "order_shipped" is not in language "fr_FR"'),
    (with_(ORDER, n2=None), "parameter 2: has no value"),
    (with_(ORDER, n2=" "), "parameter 2: has no value"),
    (with_(ORDER, n3="x"), "parameter 3: is not in the template"),
    (with_(ORDER, n1=None, n2=None, p__first="x"), "parameter first: is not in the template"),
    (with_(ORDER, n2="a\nb"), "parameter 2: has a line break, a tab, five spaces in a row"),
    (with_(ORDER, n2="a     b"), "parameter 2: has a line break, a tab, five spaces in a row"),
    (with_(ORDER, n2="x" * 1024), "parameter body: is longer than Meta takes"),
    (with_(ORDER, params={"header": {"link": "https://a.b/"}}),
     "parameter params.header: is not in the template"),
    (with_(TICKET, params=None), "parameter header: has no value"),
    (with_(TICKET, p__seat=None), "parameter seat: has no value"),
    (with_(TICKET, params=json.dumps(TICKET["params"])), "params: parameters are 1, 2, … up to"),
    (header(link="http://a.b/c.png"), "parameter link: is not an https:// address"),
    (header(link="/c.png"), "parameter link: is not an https:// address"),
    (header(id="12x"), "parameter id: is not the number that Meta gave to an upload"),
    (header(link="https://a.b/", id="1"), "parameter id: is not as the template needs it"),
    (header(link="https://a.b/", filename="a.png"), "parameter params.header: is not in the"),
    (with_(TRACKING, params=None), "parameter buttons.0: has no value"),
    (with_(TRACKING, params={"buttons": {"0": "x" * 2000}}), "parameter buttons.0: is longer"),
    (with_(TRACKING, params={"buttons": {"0": "a", "1": "p" * 129}}),
     "parameter buttons.1: is longer"),
    (with_(TRACKING, params={"buttons": {"7": "a"}}), "parameter params.buttons: is not in the"),
    (with_(APPOINTMENT, params={"buttons": {"2": "+33"}}),
     "parameter buttons.2: is not in the template"),
    (with_({"to": "+33612345678", "template": "one_time_code", "lang": "fr"}, n1="1" * 16),
     "parameter 1: is longer than Meta takes"),
    (with_(ORDER, n1=None, n2=None, params="{"), "parameter params: is not as the template"),
    (with_(ORDER, n1=None, n2=None, params="[1]"), "params: "),
]


def bad_ones_are_told_and_kept(house):
    """Each bad one between two good ones: it is in dead with its reason, and the good ones went."""
    first = len(house.outcomes())
    entries = []
    for fields, _ in REFUSED:
        house.add(ORDER)
        entries += house.add(packed(fields))
    house.add(ORDER)
    house.wait_for_outcomes(first + 2 * len(REFUSED) + 1)
    outcomes = {outcome["entry"]: outcome for outcome in house.outcomes()[first:]}
    dead = house.dead()
    for entry, (fields, words) in zip(entries, REFUSED):
        outcome = outcomes[entry]
        expect(outcome["type"] == "refused" and words in outcome["reason"],
               "%r for %s, not %s" % (words, fields, outcome))
        expect(dead[entry]["o.template"] == fields["template"], "kept whole, to be mended")
    accepted = [one for one in outcomes.values() if one["type"] == "accepted"]
    expect(len(accepted) == len(REFUSED) + 1, "the good ones went: %d" % len(accepted))


# With these chains: what is asked for → what is sent; None: refused.
CHAINS = "fr_CA>fr>en, pt_PT>pt_BR, *>en"
FALLBACKS = [("fr", "fr"), ("fr_CA", "fr"), ("pt_PT", "pt_BR"), ("de_AT", "en"), ("sv", "en")]


def along_the_languages(house):
    first = len(house.outcomes())
    entries = house.add(*[dict(ORDER, lang=asked) for asked, _ in FALLBACKS])
    house.wait_for_outcomes(first + len(FALLBACKS))
    outcomes = {outcome["entry"]: outcome for outcome in house.outcomes()[first:]}
    sent = {line["callback"].split(";")[2]: line["language"] for line in house.accepted()}
    for entry, (asked, used) in zip(entries, FALLBACKS):
        expect(outcomes[entry]["type"] == "accepted" and outcomes[entry]["lang"] == used,
               "%s falls back to %s, and its event says so: %s" % (asked, used, outcomes[entry]))
        expect(sent[entry] == used, "and so does the request: %s" % sent[entry])


def bad_chains(house):
    for chains, words in (("fr", "a chain has two languages at least"),
                          ("french>en", "is not a language of Meta's"),
                          ("fr>en>fr", "fr is twice in one chain")):
        result = house.verb("run", "--account", "acme/fr=106540352242922", "--token-file",
                            house.token, "--fallback", chains, "--check-config", check=False)
        expect(result.returncode == 78 and words in result.stderr, result.stderr)


def main():
    with House() as house:
        sender = house.sender("--workers", "1", "--lease", "2s")
        every_shipped_template(house)
        bad_ones_are_told_and_kept(house)
        house.stop(sender)
        sender = house.sender("--workers", "1", "--lease", "2s", "--fallback", CHAINS)
        along_the_languages(house)
        house.stop(sender)
        bad_chains(house)
    print("templates: 120 sent, %d refused with their reason, %d languages" %
          (len(REFUSED), len(FALLBACKS)))


if __name__ == "__main__":
    main()
