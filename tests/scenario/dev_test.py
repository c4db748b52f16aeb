"""run --dev: its own Redis in a state folder, for every verb, kept from one run to the next."""
import json
import os
import subprocess
import tempfile
import time

from house import ACCOUNT, BUILD, PHONE_ID, House, expect, notification


def verb(state, *words, stdin=None):
    return subprocess.run([BUILD + "/facteur", *words, "--dev", "--state", state, "--account", ACCOUNT],
                          input=stdin, capture_output=True, text=True, timeout=60)


def start(house, state, log):
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [BUILD + "/facteur", "run", "--dev", "--state", state, "--account",
             ACCOUNT + "=" + PHONE_ID, "--graph", house.url + "/v26.0", "--ca-file",
             house.certificate(), "--token-file", house.token], stdout=out, stderr=out)
    house.others.append(process)
    end = time.monotonic() + 30
    while "event=redis_ready" not in open(log).read():
        expect(process.poll() is None and time.monotonic() < end, "it starts: " + open(log).read())
        time.sleep(0.05)
    return process


def outcomes(state):
    return [json.loads(line) for line in verb(state, "events").stdout.splitlines()]


def stop(process):
    process.terminate()
    expect(process.wait(timeout=60) == 0, "it drains and ends well")


def main():
    with House() as house:
        state = os.path.join(house.folder, "deep/state")
        log = house.path("dev.log")
        expect(verb(state, "queue", "stats").returncode == 69, "nobody is there yet: 69")

        first = start(house, state, log)
        lines = json.dumps(notification(1)) + "\n"
        expect(verb(state, "enqueue", "--quiet", stdin=lines).returncode == 0, "a verb finds it")
        house.wait_until("an outcome", lambda: len(outcomes(state)) == 1)
        stop(first)
        expect(verb(state, "queue", "stats").returncode == 69, "its Redis ended with it")

        second = start(house, state, log)
        expect([one["type"] for one in outcomes(state)] == ["accepted"], "what was there is there")
        expect(verb(state, "cost", "report", "--json").stdout.find('"count":1') > 0, "the ledger too")
        shared = start(house, state, house.path("shared.log"))
        stop(shared)  # it found a Redis there, so it is not its to stop
        expect(verb(state, "queue", "stats").returncode == 0, "the Redis of the other goes on")
        stop(second)

    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run([BUILD + "/facteur", "run", "--dev", "--state", folder + "/" + 90 * "x",
                                 "--account", ACCOUNT + "=1"], capture_output=True, text=True,
                                env=dict(os.environ, FACTEUR_TOKEN="t"))
        expect(result.returncode in (69, 78) and "too long for a socket" in result.stderr,
               "a path that no socket can have: " + result.stderr)
    print("--dev brings, keeps, shares and ends its Redis")


if __name__ == "__main__":
    main()
