"""The committed table against its source, where npm works: made again, and asked like the library.

Exit 77 (skipped) where npm or node are missing or the registry is out of reach.
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile

from house import BUILD, ROOT, expect

COMMITTED = os.path.join(ROOT, "sender/cost/phone_table.inc")
GENERATOR = os.path.join(ROOT, "sender/cost/generate/phone_automaton.py")
ANSWERS = 100000

# The library's word under the strict rule: valid, and its E.164 form is what was written.
ASK = """
const { parsePhoneNumberFromString } = require(process.argv[1] + "/max");
const lines = require("fs").readFileSync(0, "utf8").trim().split("\\n");
console.log(lines.map((text) => {
  const number = parsePhoneNumberFromString(text);
  if (!number || !number.isValid() || number.number !== text) return "-";
  return number.country || "001";
}).join("\\n"));
"""


def skip(why):
    print("SKIP: " + why)
    sys.exit(77)


def run(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=240, check=False, **options)


def fetch(folder, version):
    """The package of the committed table, unpacked."""
    try:
        packed = run("npm", "pack", "--silent", "libphonenumber-js@" + version, cwd=folder,
                     env=dict(os.environ, npm_config_fetch_retries="0",
                              npm_config_fetch_timeout="30000"))
    except (OSError, subprocess.TimeoutExpired) as error:
        skip("npm does not work here: %s" % error)
    if packed.returncode != 0:
        skip("npm does not give libphonenumber-js %s here" % version)
    archive = os.path.join(folder, packed.stdout.split()[-1])
    expect(run("tar", "xzf", archive, "-C", folder).returncode == 0, "tar reads the package")
    return archive


def the_table_is_what_the_generator_makes(folder, archive, date):
    made = os.path.join(folder, "made.inc")
    table = os.path.join(folder, "made.phones")
    result = run(sys.executable, GENERATOR, archive, "--date", date, "--c", made, "--table", table)
    expect(result.returncode == 0, "the generator: " + result.stderr)
    with open(made, encoding="ascii") as one, open(COMMITTED, encoding="ascii") as other:
        expect(one.read() == other.read(), "phone_table.inc is out of date: run " + GENERATOR)
    return table


def numbers_to_ask(count):
    """Vectors with a digit or two changed, cut or added: most of them at the edge of a range."""
    chance = random.Random(20261123)
    with open(ROOT + "/tests/data/phone_vectors.tsv", encoding="utf-8") as file:
        known = [line.split("\t")[0] for line in file if re.match(r"\+[1-9][0-9]{5,14}\t", line)]
    found = []
    for _ in range(count):
        digits = list(chance.choice(known)[1:])
        for _ in range(chance.randrange(1, 5)):
            digits[chance.randrange(1, len(digits))] = str(chance.randrange(10))
        if chance.random() < 0.1:
            digits.pop()
        elif chance.random() < 0.1 and len(digits) < 15:
            digits.append(str(chance.randrange(10)))
        found.append("+" + "".join(digits))
    return found


def it_answers_like_the_library(folder, table):
    numbers = numbers_to_ask(ANSWERS)
    text = "\n".join(numbers) + "\n"
    try:
        library = run("node", "-e", ASK, os.path.join(folder, "package"), input=text)
    except OSError as error:
        skip("node does not work here: %s" % error)
    expect(library.returncode == 0, "the library: " + library.stderr)
    theirs = library.stdout.split()
    expect(len(theirs) == len(numbers), "an answer for each number")
    for words in ([], ["--table", table]):
        ours = [json.loads(line) for line in
                run(BUILD + "/facteur", "phone", "--json", "--plain", *words, input=text)
                .stdout.splitlines()]
        different = []
        valid = 0
        for number, one, other in zip(numbers, ours, theirs):
            said = one["country"] if one["status"] == "valid" else "-"
            if other == "001":  # a network without a country: refused, whatever the range
                agreed = one["status"] == "invalid"
            elif re.match(r"\+375(8|0|10)", number):  # the library strips 810 and 0 as if dialled
                continue
            else:
                agreed = said == other
            valid += other != "-"
            if not agreed:
                different.append((number, said, other))
        print("%d numbers, %d valid, %d answered otherwise" % (len(numbers), valid, len(different)))
        expect(valid > ANSWERS // 10, "numbers at the edge: %d valid" % valid)
        expect(different == [], "as the library: %s" % different[:10])


def main():
    with open(COMMITTED, encoding="ascii") as file:
        head = file.read(600)
    version = re.search(r"source  libphonenumber-js (\S+)", head).group(1)
    date = re.search(r"date    (\S+)", head).group(1)
    with tempfile.TemporaryDirectory(prefix="facteur-plans-") as folder:
        archive = fetch(folder, version)
        table = the_table_is_what_the_generator_makes(folder, archive, date)
        it_answers_like_the_library(folder, table)
    print("phone automaton: good")


if __name__ == "__main__":
    main()
