#!/usr/bin/env python3
"""Makes phone_table.inc from data/prefixes.csv: a trie over digits, as C tables.

    python3 sender/cost/phone_table.py            writes sender/cost/phone_table.inc
    python3 sender/cost/phone_table.py --check    exits 1 if the committed file is not what it would write
"""
import csv
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "data", "prefixes.csv")
TARGET = os.path.join(HERE, "phone_table.inc")

# Where one prefix belongs to several countries by length: the one that speaks for other lengths
# (the main region of the calling code in libphonenumber's order).
MAIN = {"1": "US", "290": "SH", "599": "CW"}


def fail(text):
    sys.exit(f"{SOURCE}: {text}")


def read_rows():
    """prefix -> its (country, calling code, length mask), the main country first."""
    rows = {}
    with open(SOURCE, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            prefix, code, country = row["prefix"], row["calling_code"], row["country"]
            if not (prefix.isdigit() and prefix.startswith(code) and len(prefix) <= 15):
                fail(f"prefix {prefix!r} does not begin with its calling code {code!r}")
            if country == "001":  # a network without a country: facteur knows no such code
                continue
            if not (len(country) == 2 and country.isupper()):
                fail(f"{country!r} is not a country")
            mask = 0
            for length in row["total_lengths"].split("|"):
                if not len(prefix) <= int(length) <= 15:
                    fail(f"prefix {prefix} cannot have total length {length}")
                mask |= 1 << int(length)
            rows.setdefault(prefix, []).append((country, int(code), mask))
    for prefix, entries in rows.items():
        if len(entries) > 1:
            if prefix not in MAIN:
                fail(f"prefix {prefix} has several countries: name the main one in MAIN")
            entries.sort(key=lambda entry: (entry[0] != MAIN[prefix], entry[0]))
        used = 0
        for entry in entries:
            if used & entry[2]:
                fail(f"prefix {prefix} gives one length to two countries")
            used |= entry[2]
    for entries in list(rows.values()):
        if str(entries[0][1]) not in rows:
            fail(f"calling code {entries[0][1]} has no row of its own")
    return rows


def make(rows):
    names = sorted({prefix[:i] for prefix in rows for i in range(len(prefix) + 1)})
    index = {name: i for i, name in enumerate(names)}  # the root, "", sorts first
    shortest = min(mask & -mask for entries in rows.values() for _, _, mask in entries)
    out = [
        "/* Made by phone_table.py from data/prefixes.csv: numbering data derived from Google",
        " * libphonenumber metadata (Apache-2.0) via libphonenumber-js 1.13.16 (MIT), 2026-11-10. */",
        "/* clang-format off */",
        f"enum {{ PHONE_TABLE_NODES = {len(names)}, PHONE_TABLE_ENTRIES = "
        f"{sum(map(len, rows.values()))}, PHONE_DIGITS_MIN = {shortest.bit_length() - 1} }};",
        "",
        "static const struct phone_node phone_nodes[PHONE_TABLE_NODES] = {",
    ]
    entries = []
    for name in names:
        children = [index.get(name + digit, 0) for digit in "0123456789"]
        while len(children) > 1 and children[-1] == 0:
            children.pop()
        mine = rows.get(name, [])
        out.append(f"    {{{{{', '.join(map(str, children))}}}, {len(entries)}, {len(mine)}}}, /* {name} */")
        entries += mine
    out += ["};", "", "static const struct phone_entry phone_entries[PHONE_TABLE_ENTRIES] = {"]
    for country, code, mask in entries:
        out.append(f'    {{"{country}", {code}, 0x{mask:04x}}},')
    out += ["};", "/* clang-format on */", ""]
    return "\n".join(out)


def main():
    text = make(read_rows())
    if sys.argv[1:] == ["--check"]:
        with open(TARGET, encoding="utf-8") as file:
            if file.read() != text:
                sys.exit(f"{TARGET} is out of date: run python3 sender/cost/phone_table.py")
    elif len(sys.argv) == 1:
        with open(TARGET, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        sys.exit(__doc__)


main()
