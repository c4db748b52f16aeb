#!/usr/bin/env python3
"""Makes facteur's table of the world's numbering plans from libphonenumber's metadata.

    phone_automaton.py [PACKAGE] [--c FILE] [--table FILE] [--date YYYY-MM-DD]

PACKAGE is libphonenumber-js of npm: "libphonenumber-js@1.13.16" (the default: fetched with npm pack),
its .tgz, or its folder. --c writes what is compiled in (sender/cost/phone_table.inc), --table what
`facteur run --phone-table` and `facteur phone --table` read. Without both: --c, in its place. --date
is the day the package came out; npm is asked if it is not given. Monthly:

    python3 sender/cost/generate/phone_automaton.py libphonenumber-js@NEW && git diff --stat

The table answers exactly what the metadata says: every pattern of a calling code is followed at
once, digit by digit (digit_pattern.py), which gives a tree of states with an answer in each; equal
subtrees are one state; a subtree of "any digits, so many of them" is a leaf. Nothing is lost.
"""
import argparse
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tarfile
import tempfile

from digit_pattern import PatternError, Positions

HERE = os.path.dirname(os.path.abspath(__file__))
C_FILE = os.path.join(os.path.dirname(HERE), "phone_table.inc")
PACKAGE = "libphonenumber-js@1.13.16"
DIGITS_MAX = 15  # E.164

# Forms that WhatsApp keeps from before a numbering plan changed, as (calling code, digits before,
# digits as WhatsApp has them, the same of today): legacy is what becomes valid when replaced. None
# of these calling codes is shared, so the country is certain. Argentina needs no line: its plan has
# both 54 9 and ten digits (mobiles) and 54 and ten digits (lines).
LEGACY = (
    [("52", 0, "1", "")]  # Mexico: 52 1 and ten digits
    + [("55", 2, digit, "9" + digit) for digit in "6789"]  # Brazil: mobiles without the ninth digit
    + [("225", 0, "", today) for today in ("01", "05", "07", "21", "25", "27")]  # Côte d'Ivoire
    + [("229", 0, "", "01")]  # Benin
)


class Region:
    def __init__(self, name, plan, positions):
        self.name = name
        self.lengths = set(plan[3])
        self.leading = positions.add(plan[10], and_more=True) if len(plan) > 10 and plan[10] else 0
        self.general = positions.add(plan[2])
        self.types = []
        types = plan[11] if len(plan) > 11 and plan[11] else []
        for kind in types:
            if not kind:
                continue
            pattern = kind[0] or types[0][0]  # an empty one: mobiles share the fixed lines' pattern
            lengths = set(kind[1]) if len(kind) > 1 and kind[1] else self.lengths
            self.types.append((positions.add(pattern), lengths))

    def has_type(self, places, depth):
        return (
            depth in self.lengths
            and places & self.general != 0
            and any(depth in lengths and places & accept for accept, lengths in self.types)
        )


class Plan:
    """All regions of one calling code. A walk's state is (places, depth, shadows): a shadow walks
    as a legacy form's number of today does, once the digits that it must still see have come."""

    def __init__(self, code, names, metadata):
        self.code = code
        self.positions = Positions()
        self.regions = [Region(n, metadata["countries"][n], self.positions) for n in names]
        self.rules = [rule[1:] for rule in LEGACY if rule[0] == code]
        self.depth_max = DIGITS_MAX - len(code)

    def begin(self):
        return self.spawn((1, 0, ()))

    def spawn(self, state):
        places, depth, shadows = state
        for before, written, today in self.rules:
            if before == depth and places:
                shadow_places, shadow_depth = places, depth
                for digit in today:
                    shadow_places = self.positions.after(shadow_places)
                    shadow_places &= self.positions.by_digit[int(digit)]
                    shadow_depth += 1
                if shadow_places:
                    shadows += ((written, shadow_places, shadow_depth),)
        return places, depth, tuple(sorted(set(shadows)))

    def step_all(self, state):
        """The states after each of the ten digits."""
        places, depth, shadows = state
        after = self.positions.after(places)
        shadows_after = [(w, p if w else self.positions.after(p), d) for w, p, d in shadows]
        for digit in range(10):
            mask = self.positions.by_digit[digit]
            new = []
            for written, shadow_places, shadow_depth in shadows_after:
                if written:
                    if written[0] == str(digit):
                        new.append((written[1:], shadow_places, shadow_depth))
                elif shadow_places & mask:
                    new.append(("", shadow_places & mask, shadow_depth + 1))
            yield self.spawn((after & mask, depth + 1, tuple(new)))

    def region_of(self, places, depth):
        """libphonenumber's rule: leading digits decide without a second chance, else the first
        region that has a type of number for it."""
        if len(self.regions) == 1:
            return 0 if self.regions[0].has_type(places, depth) else None
        for index, region in enumerate(self.regions):
            if region.leading:
                if places & region.leading:
                    return index if region.has_type(places, depth) else None
            elif region.has_type(places, depth):
                return index
        return None

    def label(self, state):
        """0: no number. Else 1 + twice the region's index, and 1 more if it is a legacy form."""
        places, depth, shadows = state
        region = self.region_of(places, depth)
        if region is not None:
            return 1 + 2 * region
        for written, shadow_places, shadow_depth in shadows:
            if not written and self.region_of(shadow_places, shadow_depth) is not None:
                return 2
        return 0


DEAD = ("leaf", 0, 0)


class Automaton:
    """Shared by all calling codes. A node is ("leaf", lengths left, label) or ("state", number)."""

    def __init__(self):
        self.numbers = {}  # (label, children) -> state
        self.states = []  # children before parents
        self.hints = []  # index of the one region below, or 0: the main one
        self.regions_below = []
        self.leaves = {DEAD: 0}

    def regions_of(self, node):
        if node[0] == "state":
            return self.regions_below[node[1]]
        return frozenset([(node[2] - 1) // 2] if node[2] else [])

    def node(self, label, children):
        first = children[0]
        if first[0] == "leaf" and all(child == first for child in children):
            if first == DEAD:
                return ("leaf", 1, label) if label else DEAD
            if label in (0, first[2]):
                return ("leaf", first[1] << 1 | (1 if label else 0), first[2])
        key = (label, tuple(children))
        if key not in self.numbers:
            below = set([(label - 1) // 2] if label else [])
            for child in children:
                below |= self.regions_of(child)
                if child[0] == "leaf":
                    self.leaves.setdefault(child, len(self.leaves))
            self.numbers[key] = len(self.states)
            self.states.append(key)
            self.regions_below.append(frozenset(below))
            self.hints.append(min(below) if len(below) == 1 else 0)
        return ("state", self.numbers[key])

    def add_plan(self, plan):
        memory = {}

        def visit(state):
            places, depth, shadows = state
            if not places and not shadows:
                return DEAD
            if state not in memory:
                if depth == plan.depth_max:
                    children = [DEAD] * 10
                else:
                    children = [visit(child) for child in plan.step_all(state)]
                memory[state] = self.node(plan.label(state), children)
            return memory[state]

        return visit(plan.begin())

    def child(self, node, digit):
        if node[0] == "state":
            return self.states[node[1]][1][digit]
        return ("leaf", node[1] >> 1, node[2]) if node[1] > 1 else DEAD

    def number_of(self, node):
        """As tables have it: leaves first (0 is the dead one), then states."""
        return len(self.leaves) + node[1] if node[0] == "state" else self.leaves[node]


class Table:
    """What is written: see phone_table_state.h for every field."""

    def __init__(self, metadata, about):
        if metadata.get("version") != 4:
            sys.exit(f"metadata of version {metadata.get('version')!r}: only 4 is understood")
        self.about = about
        automaton = Automaton()
        self.codes = []  # (calling code, total lengths, first country, count)
        self.countries = []
        roots = {}
        codes = {**metadata["country_calling_codes"], **{c: [] for c in metadata["nonGeographic"]}}
        for code, names in sorted(codes.items()):
            if not re.fullmatch("[1-9][0-9]{0,2}", code):
                sys.exit(f"{code!r} is no calling code")
            names = [name for name in names if name != "001"]
            lengths = 0
            if names:
                plan = Plan(code, names, metadata)
                node = automaton.add_plan(plan)
                for region in plan.regions:
                    for length in region.lengths:
                        if len(code) + length <= DIGITS_MAX:
                            lengths |= 1 << len(code) + length
            else:
                node = DEAD
            self.codes.append((int(code), lengths, len(self.countries), len(names)))
            self.countries += names
            self.add_roots(automaton, roots, code, node)
        self.root = [automaton.number_of(roots.get(i, (DEAD, 0))[0]) for i in range(1000)]
        self.root_code = [roots.get(i, (DEAD, 0))[1] for i in range(1000)]
        self.next = [[automaton.number_of(c) for c in children] for _, children in automaton.states]
        self.accept = [label for label, _ in automaton.states]
        self.hint = automaton.hints
        self.leaves = [(leaf[1], leaf[2]) for leaf in automaton.leaves]

    def add_roots(self, automaton, roots, code, node):
        """The states behind a number's first three digits, from which every walk begins."""
        nodes = {code: node}
        for _ in range(3 - len(code)):
            nodes = {
                text + str(digit): automaton.child(n, digit)
                for text, n in nodes.items()
                for digit in range(10)
            }
        for text, n in nodes.items():
            if int(text) in roots:
                sys.exit(f"calling code {code} begins like another")
            roots[int(text)] = (n, len(self.codes))
            if n[0] == "leaf":
                automaton.leaves.setdefault(n, len(automaton.leaves))


# ---- writing ---------------------------------------------------------------------------------------


def wrapped(items):
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > 100:
            lines.append(line)
            line = "   "
        line += " " + item + ","
    return lines + [line]


def c_text(table):
    about = table.about
    out = [
        "/* Made by generate/phone_automaton.py: numbering data derived from Google libphonenumber",
        " * metadata (Apache-2.0) via libphonenumber-js (MIT). Not edited by hand.",
        f" * source  {about['source']} {about['version']}",
        f" * date    {about['date']}",
        f" * sha256  {about['sha256']} (metadata.max.json) */",
        "/* clang-format off */",
        "enum {",
        f"    BUILTIN_STATES = {len(table.next)},",
        f"    BUILTIN_LEAVES = {len(table.leaves)},",
        f"    BUILTIN_CODES = {len(table.codes)},",
        f"    BUILTIN_COUNTRIES = {len(table.countries)},",
        "};",
        f'static const char builtin_source[] = "{about["source"]}";',
        f'static const char builtin_version[] = "{about["version"]}";',
        f'static const char builtin_date[] = "{about["date"]}";',
        f'static const char builtin_sha256[] = "{about["sha256"]}";',
    ]
    arrays = [
        ("uint16_t builtin_root[1000]", map(str, table.root)),
        ("uint8_t builtin_root_code[1000]", map(str, table.root_code)),
        (
            "uint16_t builtin_next[BUILTIN_STATES][10]",
            ("{" + ",".join(map(str, row)) + "}" for row in table.next),
        ),
        ("uint8_t builtin_accept[BUILTIN_STATES]", map(str, table.accept)),
        ("uint8_t builtin_hint[BUILTIN_STATES]", map(str, table.hint)),
        (
            "struct phone_leaf builtin_leaves[BUILTIN_LEAVES]",
            (f"{{0x{lengths:04x},{label}}}" for lengths, label in table.leaves),
        ),
        (
            "struct phone_code builtin_codes[BUILTIN_CODES]",
            (f"{{{code},0x{mask:04x},{at},{n}}}" for code, mask, at, n in table.codes),
        ),
        ("char builtin_countries[BUILTIN_COUNTRIES][3]", (f'"{name}"' for name in table.countries)),
    ]
    for head, items in arrays:
        out += ["", f"static const {head} = {{"] + wrapped(items) + ["};"]
    return "\n".join(out + ["/* clang-format on */", ""])


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def table_bytes(table):
    """Little-endian, without gaps: see phone_table_file.c."""
    about = table.about
    body = struct.pack(
        "<HHHH32s16s16s72s",
        len(table.next),
        len(table.leaves),
        len(table.codes),
        len(table.countries),
        *(about[key].encode() for key in ("source", "version", "date", "sha256")),
    )
    body += struct.pack("<1000H", *table.root) + bytes(table.root_code)
    body += b"".join(struct.pack("<10H", *row) for row in table.next)
    body += bytes(table.accept) + bytes(table.hint)
    body += b"".join(struct.pack("<HB", *leaf) for leaf in table.leaves)
    body += b"".join(struct.pack("<HHHB", *code) for code in table.codes)
    body += "".join(table.countries).encode()
    return struct.pack("<8sIIQ", b"facteurP", 1, 24 + len(body), fnv1a(body)) + body


# ---- reading ---------------------------------------------------------------------------------------


def fetch(spec, folder):
    if not re.fullmatch(r"libphonenumber-js@[0-9A-Za-z.-]+", spec):
        sys.exit(f"{spec}: not a folder, a .tgz or libphonenumber-js@VERSION")
    try:
        run = subprocess.run(
            ["npm", "pack", "--silent", spec], cwd=folder, check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"npm pack {spec} failed: {getattr(error, 'stderr', '') or error}")
    return os.path.join(folder, run.stdout.split()[-1])


def read_package(path):
    """-> (bytes of metadata.max.json, version)"""
    if os.path.isdir(path):
        with open(os.path.join(path, "metadata.max.json"), "rb") as file:
            metadata = file.read()
        with open(os.path.join(path, "package.json"), "rb") as file:
            return metadata, json.load(file)["version"]
    with tarfile.open(path) as archive:
        metadata = archive.extractfile("package/metadata.max.json").read()
        return metadata, json.load(archive.extractfile("package/package.json"))["version"]


def date_of(version):
    command = ["npm", "view", "libphonenumber-js", "time", "--json"]
    try:
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        return json.loads(run.stdout)[version][:10]
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError):
        sys.exit(f"npm does not tell when {version} came out: give --date YYYY-MM-DD")


def make_table(package, date=None):
    with tempfile.TemporaryDirectory() as folder:
        path = package if os.path.exists(package) else fetch(package, folder)
        data, version = read_package(path)
    about = {
        "source": "libphonenumber-js",
        "version": version,
        "date": date or date_of(version),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    return Table(json.loads(data), about)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", nargs="?", default=PACKAGE)
    parser.add_argument("--c", metavar="FILE")
    parser.add_argument("--table", metavar="FILE")
    parser.add_argument("--date", metavar="YYYY-MM-DD")
    options = parser.parse_args()
    if options.date and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", options.date):
        parser.error(f"--date {options.date}: write YYYY-MM-DD")
    try:
        table = make_table(options.package, options.date)
    except (PatternError, OSError, ValueError, KeyError, IndexError) as error:
        sys.exit(f"{options.package}: {error}")
    if options.c or not options.table:
        with open(options.c or C_FILE, "w", encoding="utf-8") as file:
            file.write(c_text(table))
    if options.table:
        with open(options.table, "wb") as file:
            file.write(table_bytes(table))
    print(
        f"libphonenumber-js {table.about['version']} of {table.about['date']}: "
        f"{len(table.next)} states, {len(table.leaves)} leaves, {len(table.codes)} calling codes, "
        f"{len(table.countries)} countries",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
