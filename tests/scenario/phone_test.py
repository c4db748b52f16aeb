"""facteur phone: 5,000 vectors through the verb, its lines and exits, and a table of one's own."""
import json
import os
import subprocess
import sys
import tempfile
import time

from house import BUILD, ROOT, expect

FACTEUR = os.path.join(BUILD, "facteur")
VECTORS = os.path.join(ROOT, "tests/data/phone_vectors.tsv")
GENERATOR = os.path.join(ROOT, "sender/cost/generate/phone_automaton.py")
KEYS = ["input", "status", "e164", "country", "market", "reason"]


def phone(*words, stdin=b""):
    return subprocess.run([FACTEUR, "phone"] + list(words), input=stdin, capture_output=True, timeout=120)


def answers(*words, stdin=b""):
    """The answers as JSON, and the exit code."""
    run = phone("--json", *words, stdin=stdin)
    lines = [json.loads(line) for line in run.stdout.decode("utf-8").splitlines()]
    for line in lines:
        expect(list(line) == KEYS, "these keys in this order: %s" % line)
        expect(line["status"] in ("valid", "legacy", "unlisted", "invalid"), "a status: %s" % line)
        expect(all(value is None or isinstance(value, str) and value != "" or key == "input"
                   for key, value in line.items()), "text or null: %s" % line)
    return lines, run.returncode


def read_vectors():
    with open(VECTORS, encoding="utf-8", newline="\n") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("# ")]
    return rows[1:]


def agrees(row, answer):
    expected, note = row[1], row[3]
    if "policy:wa-legacy alt=" in note:
        return (answer["status"], answer["country"]) == ("legacy", note.split("alt=")[1][:2])
    if expected == "001":  # a network without a country has no price
        return answer["status"] == "invalid" and "no country" in answer["reason"]
    if expected == "INVALID":
        return answer["status"] in ("invalid", "unlisted")
    plus = row[0] if row[0].startswith("+") else "+" + row[0]
    return (answer["status"], answer["country"], answer["e164"]) == ("valid", expected, plus)


def the_vectors_through_the_verb():
    rows = read_vectors()
    expect(len(rows) == 5000, "5,000 vectors, not %d" % len(rows))
    text = "".join(row[0] + "\n" for row in rows).encode("utf-8")
    lines, code = answers("--plain", stdin=text)
    expect(len(lines) == len(rows) and code == 1, "an answer for every line")
    wrong = [(row, line) for row, line in zip(rows, lines) if not agrees(row, line)]
    print("%d vectors, %d disagreements" % (len(rows), len(wrong)))
    expect(wrong == [], "no disagreement: %s" % wrong[:5])
    expect([line["input"] for line in lines] == [row[0] for row in rows], "in order, as written")
    for line in lines:
        expect(line["status"] == "invalid" or line["market"] is not None, "a market: %s" % line)


def people_write_numbers_so():
    lines, code = answers("+33 6 12-34.56(78)", "33612345678", "FR.13491208655302741918",
                          "5215512345678")
    expect(code == 0, "all can be sent to")
    expect([line["e164"] for line in lines] ==
           ["+33612345678", "+33612345678", None, "+5215512345678"], "E.164: %s" % lines)
    expect([line["country"] for line in lines] == ["FR", "FR", "FR", "MX"], "countries: %s" % lines)
    expect([line["status"] for line in lines] == ["valid"] * 3 + ["legacy"], "status: %s" % lines)
    expect(lines[0]["market"] == "France" and lines[0]["reason"] is None, "a market, no reason")
    lines, code = answers("--plain", "+33 612345678")
    expect(code == 1 and lines[0]["status"] == "invalid", "--plain drops nothing")
    text = phone("+33612345678", "0612345678", "\x1b[2J\u202e").stdout.decode("utf-8")
    first, second, third = text.splitlines()
    expect(first.split() == ["+33612345678", "valid", "FR", "France"], first)
    expect(second.split()[:4] == ["0612345678", "invalid", "-", "-"] and "write +" in second, second)
    expect(third.isascii() and third.isprintable(), "nothing that moves a terminal: %r" % third)


def strict_is_about_the_exit():
    lines, code = answers("+33012345678")
    expect(code == 0 and lines[0]["status"] == "unlisted" and lines[0]["country"] == "FR", str(lines))
    lines, code = answers("--strict", "+33012345678")
    expect(code == 1 and lines[0]["status"] == "unlisted", str(lines))
    lines, code = answers("--strict", "5215512345678")
    expect(code == 0 and lines[0]["status"] == "legacy", str(lines))
    expect(phone("--strikt", "1").returncode == 64, "an unknown option is 64")


def lines_of_every_kind():
    head = b"3" * 256
    text = (b"\n\r\n+33612345678\r\n" + head + b"4" * 5000000 + b"\n" + head + b"\n" +
            b"+336\xff\xfe\n+336\x0012345678\n{\"a\":\"b\"}\n" + "+33\u00a0612345678\n".encode() +
            b"+4915123456789")
    lines, code = answers(stdin=text)
    expect(code == 1, "not all are numbers")
    expect([line["status"] for line in lines] ==
           ["invalid", "invalid", "valid"] + ["invalid"] * 5 + ["valid", "valid"], str(lines))
    expect([line["input"] for line in lines[:5]] ==
           ["", "", "+33612345678", "3" * 256, "3" * 256], "a long line is cut: %s" % lines[:5])
    expect(lines[5]["input"] == "+336\ufffd\ufffd" and lines[6]["input"] == "+336\x0012345678" and
           lines[7]["input"] == '{"a":"b"}', "whatever it is, it is JSON: %s" % lines[5:8])
    expect("empty" in lines[0]["reason"] and "too long" in lines[3]["reason"], str(lines))
    expect(answers(stdin=b"") == ([], 0), "nothing in, nothing out")


def a_pipe_is_answered_at_once():
    pipe = subprocess.Popen([FACTEUR, "phone"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for part in (b"+336", b"12345", b"678\n+4"):
        pipe.stdin.write(part)
        pipe.stdin.flush()
        time.sleep(0.05)
    expect(pipe.stdout.readline().split()[0] == b"+33612345678", "before the end of the input")
    pipe.stdin.write(b"915123456789")
    pipe.stdin.close()
    expect(pipe.stdout.read().split()[:2] == [b"+4915123456789", b"valid"], "a line without its end")
    expect(pipe.wait() == 0, "all good")
    full = subprocess.run([FACTEUR, "phone", "+33612345678"], stdout=open("/dev/full", "wb"),
                          stderr=subprocess.PIPE, check=False)
    expect(full.returncode == 75 and b"cannot write" in full.stderr, str(full))
    folder = subprocess.run([FACTEUR, "phone"], stdin=os.open("/tmp", os.O_RDONLY),
                            stderr=subprocess.PIPE, check=False)
    expect(folder.returncode == 65 and b"cannot read standard input" in folder.stderr, str(folder))


# Two countries of one calling code, and one that changes its plan: as libphonenumber-js has them.
def write_package(folder, version, pattern, lengths):
    one = ["33", "00", pattern, lengths, [], 0, 0, 0, 0, 0, 0, [[pattern], [""]]]
    first = ["44", "00", "[1-7]\\d{3,4}", [4, 5], [], 0, 0, 0, 0, 0, 0, [["1\\d{3}"], ["7\\d{4}", [5]]]]
    second = ["44", "00", "7[89]\\d{2,3}", [4, 5], [], 0, 0, 0, 0, 0, "7(?:8|9[0-4])", [["7[89]\\d\\d"]]]
    metadata = {"version": 4, "country_calling_codes": {"33": ["FR"], "44": ["JE", "GB"]},
                "countries": {"FR": one, "GB": first, "JE": second},
                "nonGeographic": {"881": ["881", 0, "\\d{9}", [9]]}}
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/metadata.max.json", "w", encoding="ascii") as file:
        json.dump(metadata, file)
    with open(folder + "/package.json", "w", encoding="ascii") as file:
        json.dump({"version": version}, file)


def make_table(folder, version, pattern, lengths):
    write_package(folder + "/package", version, pattern, lengths)
    path = "%s/%s.phones" % (folder, version)
    run = subprocess.run([sys.executable, GENERATOR, folder + "/package", "--date", "2027-01-02",
                          "--table", path], capture_output=True, text=True, check=False)
    expect(run.returncode == 0, "the generator: " + run.stderr)
    return path


def a_table_of_ones_own(folder):
    old = make_table(folder, "9.0.1", "[1-5]\\d{4}", [5])
    new = make_table(folder, "9.0.2", "[1-5]\\d{4}|6[0-35]?\\d{4}", [5, 6])
    cases = [
        ("+3312345", "valid", "FR", "valid"), ("+3361234", "unlisted", "FR", "valid"),
        ("+33651234", "invalid", "FR", "valid"), ("+33641234", "invalid", "FR", "unlisted"),
        ("+441234", "valid", "GB", "valid"), ("+4412345", "unlisted", "GB", "unlisted"),
        ("+4471234", "valid", "GB", "valid"), ("+447123", "unlisted", "GB", "unlisted"),
        ("+447812", "valid", "JE", "valid"),
        # JE's leading digits decide, without a second chance at GB's 7 and four digits
        ("+4478123", "unlisted", "JE", "unlisted"), ("+447951", "unlisted", "GB", "unlisted"),
        ("+4479512", "valid", "GB", "valid"), ("+448123", "unlisted", "JE", "unlisted"),
        ("+881123456789", "invalid", None, "invalid"), ("+4915123456789", "invalid", None, "invalid"),
    ]
    numbers = [case[0] for case in cases]
    for table, column in ((old, 1), (new, 3)):
        lines, _ = answers("--table", table, *numbers)
        found = [(line["input"], line["status"], line["country"]) for line in lines]
        expect(found == [(case[0], case[column], case[2]) for case in cases],
               "%s: %s" % (table, found))
    about = json.loads(phone("--version", "--json", "--table", new).stdout)
    expect((about["version"], about["date"], about["file"]) == ("9.0.2", "2027-01-02", new), str(about))
    return new


def a_damaged_table_is_refused(folder, good):
    with open(good, "rb") as file:
        data = file.read()
    middle = len(data) // 2
    damaged = {"cut short": data[:middle], "is damaged": data[:middle] + b"\xaa" + data[middle + 1:],
               "is no phone table": b"market,price\n", "longer than it says": data + b"\n"}
    for words, content in damaged.items():
        path = folder + "/bad.phones"
        with open(path, "wb") as file:
            file.write(content)
        run = phone("--table", path, "+33612345678")
        expect(run.returncode == 65 and run.stdout == b"", "refused: %s" % run)
        expect(run.stderr.decode().startswith("facteur phone: %s: " % path) and
               words.encode() in run.stderr, "%s: %s" % (words, run.stderr))
    run = phone("--table", folder + "/none", "1")
    expect(run.returncode == 65 and b"No such file" in run.stderr, str(run))


def the_generator_refuses_what_it_does_not_understand(folder):
    for pattern in ("[1-5]\\d*", "(?=1)\\d{4}", "1\\d{4}$", "(1)\\d", "1|", "[5-1]", "1{3"):
        write_package(folder + "/strange", "9.0.3", pattern, [5])
        run = subprocess.run([sys.executable, GENERATOR, folder + "/strange", "--date", "2027-01-02",
                              "--table", folder + "/strange.phones"], capture_output=True, text=True,
                             check=False)
        expect(run.returncode == 1 and "pattern" in run.stderr and "Traceback" not in run.stderr,
               "%s: %s" % (pattern, run.stderr))
        expect(not os.path.exists(folder + "/strange.phones"), "no table of half a plan")


def the_built_in_table_says_what_it_is():
    with open(ROOT + "/sender/cost/phone_table.inc", encoding="ascii") as file:
        head = file.read(600)
    about = json.loads(phone("--version", "--json").stdout)
    expect(about["file"] is None, str(about))
    for key in ("source", "version", "date", "sha256"):
        expect(about[key] in head, "%s of the file's head: %s" % (key, about))
    text = phone("--version").stdout.decode()
    expect(about["version"] in text and about["date"] in text, text)


def main():
    the_vectors_through_the_verb()
    people_write_numbers_so()
    strict_is_about_the_exit()
    lines_of_every_kind()
    a_pipe_is_answered_at_once()
    the_built_in_table_says_what_it_is()
    with tempfile.TemporaryDirectory(prefix="facteur-phone-") as folder:
        good = a_table_of_ones_own(folder)
        a_damaged_table_is_refused(folder, good)
        the_generator_refuses_what_it_does_not_understand(folder)
    print("phone: good")


if __name__ == "__main__":
    main()
