"""Rate cards: what is wrong with one is said before it is used; one that changes under load prices
every message by exactly one card; accounts have their own currency and their own midnight."""
import csv
import datetime
import io
import json
import os
import subprocess
import time
import zoneinfo

import schemas
from house import ACCOUNT, BASE, BUILD, BUSINESS, PHONE_ID, ROOT, House, expect

FACTEUR = os.path.join(BUILD, "facteur")
SHIPPED = ROOT + "/sender/cost/data/rates.csv"
HEADER = "market,category,price,currency,effective_from,source"
CATEGORIES = ["utility", "authentication", "marketing", "service"]
CHANGES = 6
MESSAGES = 14000


def markets():
    with open(ROOT + "/sender/cost/data/markets.csv", encoding="utf-8") as file:
        return sorted({row["market_from_2026_10_01"] for row in csv.DictReader(file)})


MARKETS = markets()


def card(price, currency="USD", day="2026-10-01", without=()):
    """A whole card. `price`: (number of the market, category) -> text."""
    return ["%s,%s,%s,%s,%s,made up" % (market, category, price(number, category), currency, day)
            for number, market in enumerate(MARKETS) for category in CATEGORIES
            if market not in without]


def numbered(version):
    """Prices that tell of which version and of which market they are."""
    return lambda market, category: "0.%06d" % (version * 1000 + market * 10 +
                                                CATEGORIES.index(category))


def text(*rows):
    return "\n".join((HEADER,) + rows) + "\n"


def facteur(*words, code=0, environment=None):
    result = subprocess.run([FACTEUR] + list(words), capture_output=True, text=True, timeout=60,
                            env=dict(os.environ, **(environment or {})))
    expect(result.returncode == code, "facteur %s: exit %d, not %d\n%s%s" % (
        " ".join(words), code, result.returncode, result.stdout, result.stderr))
    return result


# ---- rates check and rates list ------------------------------------------------------------------

def good(market, category):
    return "0.0100"


BROKEN = [  # a file, the line, what is said, what to do
    (text(*card(good, without=["France"])), 2, "has no utility price for 1 market: France",
     "add the rows"),
    (text(*card(good)).replace("0.0100", '"0,0100"', 1), 2, '"0,0100" is not a price',
     "like 0.0550"),
    (text(*card(good)).replace("0.0100", "0,0100", 1), 2, "7 fields, but the header has 6",
     "a price has a point"),
    (text(*card(good)).replace("0.0100", "0.01.2", 1), 2, '"0.01.2" is not a price', "one point"),
    (text(*card(good)).replace("utility", "utilty", 1), 2, '"utilty" is no category', "write"),
    (text(*card(good), "Atlantis,utility,0.01,USD,2026-10-01,x"), 190, '"Atlantis" is no market',
     "correct the name"),
    (text(*card(good), "France,utility,0.02,USD,2026-10-01,x"), 190,
     '"France" has two utility prices', "keep one row"),
    (text(*card(good)).replace("USD", "US", 1), 2, '"US" is no currency', "three capital letters"),
    (text(*card(good)).replace("USD", "USB", 1), 2, '"USB" is none of the currencies', "slip"),
    (text(*card(good, day="2026-07-01")), 2, "from 2026-10-01 on", "add the card"),
    ("\ufeff" + text(*card(good, without=["France"])), 1, "a byte order mark", "without BOM"),
    ("", 0, "the file is empty", "give a CSV file"),
    (text(), 0, "no prices, only a header line", "add the rows"),
    (text(*card(good)).replace(",", ";"), 1, 'no column "market"', "save it with commas"),
    ("\0\0\0", 0, "not a text in UTF-8", "CSV"),
]


def check_names_what_is_wrong(house):
    for number, (content, line, what, remedy) in enumerate(BROKEN):
        path = house.file("broken-%d.csv" % number, content)
        if "from 2026-10-01 on" in what:  # a card that was whole in July
            rows = [row for row in content.splitlines()
                    if row.split(",")[0] not in NEW_IN_OCTOBER]
            path = house.file("broken-%d.csv" % number, "\n".join(rows) + "\n")
        result = facteur("rates", "check", path, "--json", code=1)
        report = schemas.fits(json.loads(result.stdout), schemas.RATES_CHECK)
        found = [finding for finding in report["findings"]
                 if what in finding["what"] and remedy in finding["remedy"]]
        expect(found, "case %d: %r is said: %s" % (number, what, report["findings"][:3]))
        expect(found[0]["line"] == line and found[0]["file"] == path,
               "case %d: its place is line %d: %s" % (number, line, found[0]))
        words = facteur("rates", "check", path, code=1).stdout
        place = path + ":" + ("%d:" % line if line else "")
        expect(place in words and what in words and remedy in words, "in words, too: " + words)


NEW_IN_OCTOBER = ["Bangladesh", "Iraq", "Kazakhstan", "Kuwait", "Morocco", "Nepal", "Oman",
                  "Sri Lanka", "Ukraine"]


def check_is_content(house):
    whole = house.file("whole.csv", text(*card(good)))
    facteur("rates", "check", whole)
    folder = house.path("cards")
    os.mkdir(folder)
    house.file("cards/1.csv", text(*card(good)))
    house.file("cards/2.csv", text(*card(good, day="2027-01-01")))
    house.file("cards/3.csv", text(*card(good, currency="EUR")))
    report = json.loads(facteur("rates", "check", folder, "--json").stdout)
    expect([(one["currency"], one["effective_from"]) for one in report["cards"]] ==
           [("EUR", "2026-10-01"), ("USD", "2026-10-01"), ("USD", "2027-01-01")],
           "three cards of a folder: %s" % report["cards"])
    facteur("rates", "check")  # what is shipped
    facteur("rates", "check", whole, folder, code=1)  # the same price twice
    facteur("rates", "check", house.path("nowhere.csv"), code=1)
    facteur("rates", "check", "--day", "tomorrow", code=64)


def list_tells_where_a_card_is_in_force():
    def in_force(moment, *zones):
        words = [word for zone in zones for word in ("--time-zone", zone)]
        result = facteur("rates", "list", "--rates", SHIPPED, "--json", "--at", moment, *words)
        cards = schemas.fits(json.loads(result.stdout), schemas.RATES_LIST)["cards"]
        return {one["effective_from"]: one["in_force"] for one in cards if one["in_force"]}
    expect(in_force("2026-11-23T12:00:00Z") == {"2026-10-01": ["UTC"]}, "UTC is the default")
    zones = ["Europe/Paris", "America/Sao_Paulo", "Asia/Kolkata"]
    for moment, old, new in (("2026-09-30T18:29:59Z", zones, []),
                             ("2026-09-30T18:30:00Z", zones[:2], zones[2:]),
                             ("2026-09-30T22:00:00Z", zones[1:2], [zones[0], zones[2]]),
                             ("2026-10-01T03:00:00Z", [], zones)):
        expected = {day: names for day, names in (("2026-04-01", old), ("2026-10-01", new)) if names}
        expect(in_force(moment, *zones) == expected, "%s: %s" % (moment, in_force(moment, *zones)))
    words = facteur("rates", "list", "--rates", SHIPPED).stdout
    expect("USD       2026-10-01  -                47  UTC" in words, "a table: " + words)
    expect("Nowhere/Land" in facteur("rates", "list", "--time-zone", "Nowhere/Land", code=65).stderr,
           "an unknown zone is named")
    facteur("rates", "list", "--at", "noon", code=64)


# ---- what run refuses ----------------------------------------------------------------------------

def run_refuses(house):
    words = ["run", "--account", ACCOUNT + "=" + PHONE_ID, "--token-file", house.token, "--redis",
             "unix:" + house.redis.socket, "--check-config", "--rates"]

    def check(content, *flags):
        return facteur(*words, house.file("run.csv", content), *flags, code=78).stderr
    whole = text(*card(good))
    for content, flags, expected in (
            (text(*card(good, without=["France"])), [],
             'run.csv:2: the USD card of 2026-10-01, in force on'),
            (whole.replace("0.0100", '"0,0100"', 1), [], 'run.csv:2: "0,0100" is not a price'),
            (whole.replace("0.0100", "0.01.2", 1), [], 'run.csv:2: "0.01.2" is not a price'),
            (whole, ["--currency", "EUR"], "acme/fr: there is no rate card in EUR"),
            (whole, ["--currency", "eur"], '"eur" is not three capital letters'),
            (whole, ["--time-zone", "Europe/Pari"], 'time zone "Europe/Pari" is not known here'),
            (whole, ["--time-zone", "../../etc/passwd"], "is no time zone"),
            (text(*card(good, day="2099-01-01")), [], "the first begins on 2099-01-01"),
    ):
        said = check(content, *flags)
        expect(expected in said, "%r is said: %s" % (expected, said))
    # A card to come with a hole is no reason not to start.
    later = house.file("later.csv", text(*card(good), "France,utility,0.02,USD,2099-01-01,x"))
    said = facteur(*words, later).stderr
    expect("event=rate_card_hole" in said and "2099-01-01" in said, "but it is said: " + said)


# ---- a card that changes under load --------------------------------------------------------------

def replace(path, content):
    """As a careful operator does: never half a file."""
    with open(path + ".new", "w") as file:
        file.write(content)
    os.rename(path + ".new", path)


def fill(house, first, count):
    pipe = house.redis.client().pipeline(transaction=False)
    prefixes = ["+336", "+4915", "+5731", "+9198"]
    for start in range(first, first + count, 50):
        lines = [json.dumps({"to": prefixes[n % 4] + "%08d" % (12000000 + n),
                             "template": "delivery_confirmation", "lang": "fr", "1": "Claire",
                             "2": "CMD-%d" % n, "3": "mardi", "ref": str(n)})
                 for n in range(start, min(start + 50, first + count))]
        pipe.xadd(BASE + ":queue", {"bulk": "\n".join(lines)})
    pipe.execute()


def version_of(outcome):
    """Which card's price that is; and it must be that market's and that category's."""
    version, rest = divmod(outcome["price"], 1000)
    market, category = divmod(rest, 10)
    expect(MARKETS[market] == outcome["market"] and CATEGORIES[category] == outcome["category"],
           "the price of its own market and category: %s" % outcome)
    return version


def ledger(house):
    """(day, field without its end) -> [count, millionths]"""
    cells = {}
    client = house.redis.client()
    for key in client.keys(BUSINESS + ":cost:*"):
        for field, value in client.hgetall(key).items():
            cell, unit = field.decode().rsplit(".", 1)
            entry = cells.setdefault((key.decode()[-10:], cell), [0, 0])
            entry[0 if unit == "count" else 1] += int(value)
    return cells


def taken_in(house):
    """When each card was taken in, by the sender's own clock: Unix milliseconds."""
    times = []
    for line in house.log().splitlines():
        if " event=rates " in line:
            at = datetime.datetime.strptime(line.split()[0], "at=%Y-%m-%dT%H:%M:%S.%fZ")
            times.append(at.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
    return times


def changes_under_load():
    """Most of the queue is claimed and quoted long before it is sent: what waits is quoted anew."""
    with House(emulator=["--latency", "50ms"], append="everysec") as house:
        path = house.file("rates.csv", text(*card(numbered(1))))
        fill(house, 0, MESSAGES)
        sender = house.sender("--rates", path, "--workers", "2", "--connections", "1", "--streams",
                              "20")
        house.wait_until("something accepted", lambda: len(house.outcomes()) > 100)
        for version in range(2, CHANGES + 2):
            replace(path, text(*card(numbered(version))))
            house.wait_until("card %d taken in" % version,
                             lambda: len(taken_in(house)) == version - 1, 10)
        # A bad one changes nothing: the newest of before stays.
        replace(path, text(*card(numbered(99), without=["France"])))
        house.wait_for_log("event=rates_refused")
        expect("has no utility price" in house.log(), "and it is said why")
        expect(house.stats()["waiting"] + house.stats()["claimed"] > 0, "all of it under load")
        house.wait_until_quiet()
        house.stop(sender)
        outcomes = house.outcomes()
        expect(len(outcomes) == MESSAGES, "all are told of: %d" % len(outcomes))
        compare_cards(outcomes, taken_in(house))
        compare_books(house, outcomes)


def what_waits_is_quoted_anew():
    """An account's pace keeps claimed messages for seconds; they go at the price of the card then."""
    with House(emulator=[]) as house:
        path = house.file("rates.csv", text(*card(numbered(1))))
        config = house.file("facteur.yaml", PACED.format(
            socket=house.redis.socket, graph=house.url, certificate=house.certificate(),
            token=house.token, rates=path, phone=PHONE_ID))
        fill(house, 0, 500)
        with open(house.path("sender-0.log"), "wb") as log:
            sender = subprocess.Popen([FACTEUR, "run", "--config", config], stdout=log, stderr=log)
        house.senders.append(sender)
        house.wait_for_outcomes(20)
        replace(path, text(*card(numbered(2))))
        house.wait_until("card 2 taken in", lambda: len(taken_in(house)) == 1, 10)
        old = len(house.outcomes())
        house.wait_for_outcomes(old + 60)
        house.stop(sender)
        late = [outcome for outcome in house.outcomes()[old + 10:] if version_of(outcome) != 2]
        expect(not late, "at the price of the old card after the new one: %s" % late[:2])


def compare_cards(outcomes, times):
    priced = {}
    latest = {}
    for outcome in outcomes:
        expect(outcome["type"] == "accepted", "nothing else happened: %s" % outcome)
        version = version_of(outcome)
        priced[version] = priced.get(version, 0) + 1
        latest[version] = max(latest.get(version, 0), outcome["at"])
    print("messages by card: %s" % dict(sorted(priced.items())))
    expect(set(priced) == set(range(1, CHANGES + 2)), "by every card that was in force")
    late = [round(latest[version] - times[version - 1]) for version in range(1, CHANGES + 1)]
    print("ms from a new card to the last outcome by the one before: %s" % late)
    expect(max(late) < 2000, "granted at most by the card before, not waiting by it: %s" % late)


def compare_books(house, outcomes):
    """Ledger, events and what the emulator was told in the callback data are the same."""
    by_cell = {}
    for outcome in outcomes:
        name = "%s|%s|%s#%s" % (outcome["country"], outcome["market"], outcome["category"],
                                outcome["currency"])
        entry = by_cell.setdefault(name, [0, 0])
        entry[0] += 1
        entry[1] += outcome["price"]
    booked = {}
    for (_, cell), amounts in ledger(house).items():
        parts = cell.split("#")[0].split("|")
        entry = booked.setdefault("|".join(parts[1:4]) + "#" + cell.split("#")[1], [0, 0])
        entry[0] += amounts[0]
        entry[1] += amounts[1]
    expect(booked == by_cell, "ledger = events: %s\n%s" % (booked, by_cell))
    prices = {outcome["entry"]: str(outcome["price"]) for outcome in outcomes}
    accepted = house.accepted()
    expect(len(accepted) == len(outcomes), "each was accepted once")
    for line in accepted:
        parts = line["callback"].split(";")
        expect(parts[6] == prices[parts[2]], "callback data and event agree: %s" % parts)


# ---- two accounts, two currencies, two midnights -------------------------------------------------

PACED = """
redis: unix:{socket}
graph: {graph}/v26.0
ca_file: {certificate}
token_file: {token}
rates: {rates}
workers: 1
businesses:
  - name: acme
    accounts:
      - name: fr
        phone_number_id: "{phone}"
        pace: 40/s
"""

CONFIGURATION = """
redis: unix:{socket}
graph: {graph}/v26.0
ca_file: {certificate}
token_file: {token}
rates: {rates}
workers: 1
businesses:
  - name: acme
    accounts:
      - name: fr
        phone_number_id: "{phone}"
      - name: br
        phone_number_id: "{other}"
        currency: BRL
        time_zone: {zone}
"""


def day_in(zone):
    return datetime.datetime.now(zoneinfo.ZoneInfo(zone)).date().isoformat()


def another_day():
    """A zone where it is another day than in UTC; there is always one."""
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        if day_in(zone) != day_in("UTC"):
            return zone
    raise SystemExit("no zone with another day")


def each_account_is_billed_in_its_own():
    other = "209900000000001"
    with House(emulator=["--phone-id", other]) as house:
        zone = another_day()
        rates = house.file("rates.csv", text(*card(lambda m, c: "0.0100"),
                                             *card(lambda m, c: "0.0500", currency="BRL")))
        config = house.file("facteur.yaml", CONFIGURATION.format(
            socket=house.redis.socket, graph=house.url, certificate=house.certificate(),
            token=house.token, rates=rates, phone=PHONE_ID, other=other, zone=zone))
        days = {"fr": {day_in("UTC")}, "br": {day_in(zone)}}
        with open(house.path("sender-0.log"), "wb") as log:
            sender = subprocess.Popen([FACTEUR, "run", "--config", config], stdout=log, stderr=log)
        house.senders.append(sender)
        client = house.redis.client()
        for account, count in (("fr", 3), ("br", 4)):
            for number in range(count):
                client.xadd(BUSINESS + ":" + account + ":queue",
                            {"to": "+3361200000%d" % number, "template": "delivery_confirmation",
                             "lang": "fr", "1": "Claire", "2": "CMD", "3": "mardi"})
        house.wait_until("seven bookings", lambda: sum(entry[0] for entry in
                                                       ledger(house).values()) == 7)
        house.stop(sender)
        days["fr"].add(day_in("UTC"))  # midnight may have passed
        days["br"].add(day_in(zone))
        for (day, cell), (count, millionths) in ledger(house).items():
            account = cell.split("|")[0]
            expect(day in days[account], "%s on %s, not %s" % (cell, days[account], day))
            expected = (3, 30000, "USD") if account == "fr" else (4, 200000, "BRL")
            expect((count, millionths, cell.split("#")[1]) == expected, "%s: %s" % (cell, expected))
        for account, currency in (("fr", "USD"), ("br", "BRL")):
            for _, fields in client.xrange(BUSINESS + ":" + account + ":events"):
                for line in fields[b"outcomes"].decode().split("\n"):
                    expect(json.loads(line)["currency"] == currency, "its event says so: " + line)
        report_tells_of_both(house, zone)


def report_tells_of_both(house, zone):
    both = ["--account", ACCOUNT, "--account", "acme/br"]
    environment = {"FACTEUR_REDIS": "unix:" + house.redis.socket}

    def report(*words, code=0):
        return facteur("cost", "report", *words, code=code, environment=environment)

    def rows(*words):
        result = report(*words, "--json")
        return schemas.fits(json.loads(result.stdout), schemas.COST_REPORT)
    month = sorted({day_in("UTC")[:7], day_in(zone)[:7]})
    expect(rows("--account", ACCOUNT)["total"] == {"count": 3, "millionths": 30000},
           "today in UTC is the default")
    there = rows("--account", "acme/br", "--time-zone", zone, "--by", "account,day,country")
    expect(there["currency"] == "BRL" and there["total"] == {"count": 4, "millionths": 200000},
           "today there: %s" % there)
    expect(there["rows"] == [{"account": "br", "day": day_in(zone), "country": "FR", "count": 4,
                              "millionths": 200000}], "rows: %s" % there["rows"])
    counts = {"USD": 0, "BRL": 0}
    for one in month:
        for currency in counts:
            counts[currency] += rows(*both, "--month", one, "--currency", currency, "--by",
                                     "category,template,market")["total"]["count"]
    expect(counts == {"USD": 3, "BRL": 4}, "the month has both, never added up: %s" % counts)
    table = report("--account", "acme/br", "--time-zone", zone, "--by", "category,template")
    expect("utility   delivery_confirmation         4  0.2000  100.0 %" in table.stdout
           and "\u2588" in table.stdout and "total" in table.stdout, "a table: " + table.stdout)
    lines = list(csv.DictReader(io.StringIO(report("--account", "acme/br", "--time-zone", zone,
                                                   "--csv").stdout)))
    expect(lines == [{"country": "FR", "count": "4", "millionths": "200000", "amount": "0.2000",
                      "currency": "BRL"}], "CSV: %s" % lines)
    for words, said in ((["--month", "2026-13"], "is not a month"), (["--month", "11"], "month"),
                        (["--month", "2026-11", "--from", "2026-11-01"], "not both"),
                        (["--from", "2026-02-30"], "--from 2026-02-30 is not a day"),
                        (["--time-zone", "Mars/Base"], "Mars/Base"), (["today"], "not an option"),
                        (["--by", "contry"], "contry")):
        expect(said in report("--account", ACCOUNT, *words, code=64).stderr, "%s: said" % words)


def main():
    started = time.monotonic()
    with House(emulator=None) as house:
        check_names_what_is_wrong(house)
        check_is_content(house)
        list_tells_where_a_card_is_in_force()
        run_refuses(house)
    each_account_is_billed_in_its_own()
    changes_under_load()
    what_waits_is_quoted_anew()
    print("rate cards: as written, in %.0f s" % (time.monotonic() - started))


if __name__ == "__main__":
    main()
