"""A whole house for scenarios: Redis, the emulator, senders and facteur-load, all of them private.

    with House() as house:
        house.load("fill", "--messages", "1000")
        sender = house.sender()
        house.wait_for_outcomes(1000)
        house.stop(sender)
        report = house.audit()

Everything is on loopback or a unix socket, and is stopped by its own pid.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from redis_server import RedisServer

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("FACTEUR_BUILD", os.path.join(ROOT, "build"))
PHONE_ID = "106540352242922"
ACCOUNT = "acme/fr"
BASE = "facteur:{acme}:fr"
BUSINESS = "facteur:{acme}"


class House:
    def __init__(self, emulator=(), append="always", streams=100):
        self.folder = tempfile.mkdtemp(prefix="facteur-house-")
        self.redis = RedisServer(append=append)
        self.redis.load_library()
        self.token = os.path.join(self.folder, "token")
        with open(self.token, "w") as file:
            file.write("token-of-the-scenario\n")
        self.senders = []
        self.emulator = self.start_emulator(list(emulator) + ["--streams", str(streams)])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.senders + [self.emulator]:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.redis.close()
        subprocess.call(["rm", "-rf", self.folder])

    def start_emulator(self, options):
        process = subprocess.Popen(
            [os.path.join(BUILD, "loadtest/facteur-emulator"), "--listen", "127.0.0.1:0",
             "--make-certificate", self.folder, "--token-file", self.token, "--phone-id", PHONE_ID,
             "--templates", ROOT + "/templates/catalogue",
             "--prefixes", ROOT + "/sender/cost/data/prefixes.csv",
             "--markets", ROOT + "/sender/cost/data/markets.csv",
             "--rates", ROOT + "/sender/cost/data/rates.csv", "--quiet"] + options,
            stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        if "listening on " not in line:
            sys.exit("the emulator did not start")
        self.url = line.split("listening on ")[1].strip()
        return process

    def certificate(self):
        return os.path.join(self.folder, "emulator.crt")

    def sender(self, *options, graph=None, ca_file=None):
        log = open(os.path.join(self.folder, "sender.log"), "ab")
        process = subprocess.Popen(
            [os.path.join(BUILD, "facteur"), "run", "--redis", "unix:" + self.redis.socket,
             "--account", ACCOUNT + "=" + PHONE_ID, "--graph", (graph or self.url) + "/v26.0",
             "--ca-file", ca_file or self.certificate(), "--token-file", self.token]
            + list(options), stdout=log, stderr=log)
        log.close()
        self.senders.append(process)
        return process

    def log(self):
        with open(os.path.join(self.folder, "sender.log"), errors="replace") as file:
            return file.read()

    def stop(self, process, seconds=60):
        """SIGTERM, and it must drain and end well."""
        process.send_signal(signal.SIGTERM)
        if process.wait(timeout=seconds) != 0:
            sys.exit("the sender ended with %d:\n%s" % (process.returncode, self.log()[-3000:]))

    def verb(self, *words, stdin=None, check=True):
        result = subprocess.run(
            [os.path.join(BUILD, "facteur")] + list(words), input=stdin, capture_output=True,
            text=True, timeout=120,
            env=dict(os.environ, FACTEUR_REDIS="unix:" + self.redis.socket, FACTEUR_ACCOUNT=ACCOUNT))
        if check and result.returncode != 0:
            sys.exit("facteur %s: exit %d\n%s%s" % (" ".join(words), result.returncode,
                                                    result.stdout, result.stderr))
        return result

    def load(self, verb, *options, check=True):
        result = subprocess.run(
            [os.path.join(BUILD, "loadtest/facteur-load"), verb, "--redis",
             "unix:" + self.redis.socket, "--account", ACCOUNT, "--quiet"] + list(options),
            capture_output=True, text=True, timeout=280)
        if check and result.returncode != 0:
            sys.exit("facteur-load %s: exit %d\n%s%s" % (verb, result.returncode, result.stdout,
                                                         result.stderr))
        return result

    def audit(self, check=True):
        result = self.load("audit", "--emulator", self.url, "--ca-file", self.certificate(),
                           "--json", check=False)
        report = json.loads(result.stdout.strip().splitlines()[-1])
        if check and result.returncode != 0:
            sys.exit("the audit says no:\n%s%s\n%s" % (result.stdout, result.stderr,
                                                       self.log()[-3000:]))
        return report

    def outcomes(self):
        """Every outcome as it stands in events, oldest first."""
        client = self.redis.client()
        lines = []
        for _, fields in client.xrange(BASE + ":events"):
            lines += fields[b"outcomes"].split(b"\n")
        return [json.loads(line) for line in lines if line]

    def stats(self):
        client = self.redis.client()
        flat = client.execute_command("FCALL_RO", "facteur_stats", 2, BASE, BUSINESS)
        return {flat[i].decode(): int(flat[i + 1]) for i in range(0, len(flat), 2)}

    def wait_until(self, what, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                sys.exit("waited %d s for %s in vain; stats %s\n%s"
                         % (seconds, what, self.stats(), self.log()[-3000:]))
            time.sleep(0.02)

    def wait_until_quiet(self, seconds=120):
        """Nothing waits, is claimed, granted or later: all is settled or uncertain."""
        def quiet():
            stats = self.stats()
            return sum(stats[name] for name in
                       ("waiting", "urgent", "claimed", "granted", "later")) == 0
        self.wait_until("an empty queue", quiet, seconds)


def expect(condition, text):
    if not condition:
        sys.exit("expected: " + text)
