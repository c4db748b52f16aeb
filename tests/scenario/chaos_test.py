"""A short run of facteur-load chaos, single entries and bulk: senders, Redis and the Graph API are
killed, stopped and cut off, and every promise is kept. It leaves nothing behind, says what it did,
and a broken promise is told by its exit."""
import glob
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("FACTEUR_BUILD", os.path.join(ROOT, "build"))
LOAD = os.path.join(BUILD, "loadtest/facteur-load")


def expect(condition, text):
    if not condition:
        sys.exit("expected: " + text)


def chaos(folder, *options):
    return subprocess.run([LOAD, "chaos", "--json", "--quiet"] + list(options), timeout=280,
                          capture_output=True, text=True, env=dict(os.environ, TMPDIR=folder))


def processes_of(folder):
    """Those that name the folder: a test must not leave a Redis or a sender behind."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                if folder.encode() in file.read():
                    found.append(path)
        except OSError:
            pass
    return found


def every_promise_is_kept(seed, bulk, policy):
    with tempfile.TemporaryDirectory(prefix="facteur-") as folder:
        result = chaos(folder, "--messages", "3000", "--kills", "10", "--seed", str(seed),
                       "--bulk", str(bulk), "--policy", policy)
        expect(result.returncode == 0, "promises kept with seed %d, bulk %d, %s:\n%s%s"
               % (seed, bulk, policy, result.stdout, result.stderr))
        report = json.loads(result.stdout.splitlines()[-1])
        print("seed %d, bulk %d, %s:" % (seed, bulk, policy), report["faults"], "accepted",
              report["accepted"], "parked", report["parked"], "receipts", report["receipts"])
        for name in ("lost", "duplicates", "ledger_difference", "troubles", "exposure"):
            expect(report[name] == 0, "%s 0, not %s" % (name, report[name]))
        expect(sum(report["faults"].values()) == 10, "ten faults")
        expect(report["accepted"] >= 2850, "95 % accepted")
        receipts = report["receipts"]
        expect(receipts["told"] >= 2 * report["accepted"], "each receipt told twice")
        expect(receipts["uncertain"] > 0, "receipts that found what was uncertain")
        expect((report["parked"] > 0) == (policy == "park"), "parked by that policy alone")
        expect(not os.listdir(folder), "nothing left in %s" % os.listdir(folder))
        expect(not processes_of(folder), "no process left: %s" % processes_of(folder))


def a_broken_promise_is_told():
    """Without any time to drain, not everything has an outcome: exit 1, and the logs are kept."""
    with tempfile.TemporaryDirectory(prefix="facteur-") as folder:
        result = chaos(folder, "--messages", "2000", "--kills", "1", "--only", "kill-sender",
                       "--seed", "5", "--timeout", "0")
        expect(result.returncode == 1 and "promises broken" in result.stdout, "exit 1: %s"
               % result.stdout)
        kept = result.stderr.split("files: ")[1].strip()
        expect("seed 5" in result.stderr and os.path.exists(kept + "/sender-0.log"),
               "seed and logs are named: %s" % result.stderr)
        expect(not processes_of(folder), "no process left: %s" % processes_of(folder))


def main():
    with ThreadPoolExecutor(2) as both:  # most of their time is waiting
        list(both.map(every_promise_is_kept, (1, 3, 4), (1, 50, 50), ("park", "park", "resend")))
    a_broken_promise_is_told()


if __name__ == "__main__":
    main()
