"""facteur policy check: arguments, plain lines, JSON lines; its JSON, its exits, its order."""
import json
import subprocess

from house import BUILD, expect
from schemas import fits

ANSWER = {"promotional": bool, "score": float,
          "findings": [{"rule": str, "words": str, "start": int, "end": int}]}
FINE = "Bonjour Claire, votre colis CMD-1042 a été livré mardi."
SALE = "VENTE FLASH : -50 % sur tout le site, aujourd'hui seulement !"


def check(*words, stdin=""):
    return subprocess.run([BUILD + "/facteur", "policy", "check", *words], input=stdin.encode(),
                          capture_output=True, timeout=30)


def answers(result):
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def main():
    lines = [{"text": FINE, "lang": "fr"}, {"text": SALE, "lang": "fr"}, {"text": FINE},
             {"text": ""}, {"text": "é" * 40000}]
    result = check("--json", stdin="".join(json.dumps(line) + "\n" for line in lines))
    expect(result.returncode == 1, "one is promotional: exit 1, got %d" % result.returncode)
    told = answers(result)
    expect([one["promotional"] for one in told] == [False, True, False, False, True],
           "one answer a line, in order, what is too long to look at refused: %s" % told)
    for line, one in zip(lines, told):
        fits(one, ANSWER)
        expect(0 <= one["score"] <= 1, "a score from 0 to 1")
        for finding in one["findings"]:
            text = line["text"].encode()
            expect(text[finding["start"]:finding["end"]].decode() == finding["words"],
                   "start and end are the bytes of the words: %s" % finding)
    expect(any("50" in finding["words"] for finding in told[1]["findings"]), "names the offer")

    expect(check(FINE).returncode == 0, "fine: exit 0")
    result = check(FINE, SALE)
    expect(result.returncode == 1 and result.stdout.decode().startswith("fine"), "arguments, in order")
    result = check(stdin=FINE + "\n" + SALE + "\n")
    expect([line.split()[0] for line in result.stdout.decode().splitlines()]
           == ["fine", "promotional"], "plain lines")

    result = check("--json", stdin='{"text":"x"}\n{"text":\n{"lang":"fr"}\n{"text":"y"}\n')
    expect(result.returncode == 65, "bad lines: exit 65")
    said = result.stderr.decode()
    expect("line 2" in said and "line 3" in said and "text" in said, "named by their number: " + said)
    told = answers(result)
    expect(len(told) == 4 and "error" in told[1] and "error" in told[2] and "score" in told[3],
           "one line in, one line out, also for a bad one")
    expect(check("--lnag", "fr").returncode == 64, "a wrong option: exit 64")
    print("arguments, lines, JSON lines: judged, in order")


if __name__ == "__main__":
    main()
