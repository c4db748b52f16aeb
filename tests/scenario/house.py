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
import random
import signal
import socket
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
    """`emulator`: its options, or None for a house without one. `redis`: settings of redis-server."""

    def __init__(self, emulator=(), append="always", streams=100, redis=()):
        self.folder = tempfile.mkdtemp(prefix="facteur-house-")
        self.redis = RedisServer(append=append, settings=redis)
        self.redis.load_library()
        self.token = self.file("token", "token-of-the-scenario\n")
        self.senders = []
        self.others = []
        self.emulator = self.url = None
        if emulator is not None:
            try:
                self.start_emulator(list(emulator) + ["--streams", str(streams)])
            except BaseException:  # nobody will leave a house that was never entered
                self.__exit__()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.senders + self.others:
            if process.poll() is None:
                process.kill()  # a stopped one dies of it, too
                process.wait()
        self.redis.close()
        subprocess.call(["rm", "-rf", self.folder])

    # ---- what stands in the house --------------------------------------------------------------

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, text):
        """Writes a file of the house, readable by its owner only, and returns its path."""
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        return self.path(name)

    def start(self, command, **options):
        """A process that is killed, by its own pid, when the house is left."""
        process = subprocess.Popen(command, **options)
        self.others.append(process)
        return process

    def start_emulator(self, options):
        process = self.start(
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
        self.emulator = process

    def certificate(self):
        return self.path("emulator.crt")

    def ask_emulator(self, path, *options):
        answer = subprocess.run(["curl", "-sS", "--http2", "--cacert", self.certificate(),
                                 self.url + path] + list(options), capture_output=True, text=True,
                                timeout=30)
        if answer.returncode != 0:
            sys.exit("the emulator does not answer: " + answer.stderr)
        return [json.loads(line) for line in answer.stdout.splitlines()]

    def tally(self):
        """The emulator's own books: what it accepted, refused, and left without an answer."""
        return self.ask_emulator("/emulator/tally")[0]

    def accepted(self):
        """What the emulator truly accepted, one after the other."""
        found = []
        while True:
            more = self.ask_emulator("/emulator/accepted?from=%d&limit=1000" % len(found))
            found += [one for one in more if "callback" in one]
            if not any("callback" in one for one in more):
                return found

    def set_faults(self, **rates):
        self.ask_emulator("/emulator/faults", "--data", json.dumps(rates))

    def play_receipts(self, kind="accepted", of=None):
        """Tells the receipts of what the emulator accepted, as webhooks would; `of`: those of which
        this is true. Returns the answers by member."""
        answers = {}
        for one in self.accepted():
            _, _, member, attempt, grant, index, price, currency, day, cell = \
                one["callback"].split(";")[:10]
            if of is not None and not of(one):
                continue
            line = "\t".join([kind, member, attempt, grant, index, day, cell, currency, price,
                              one["wamid"], "", "" if kind == "accepted" else "(#131026) no"])
            answer, = self.redis.client().execute_command(
                "FCALL", "facteur_receipt", 2, BASE, BUSINESS, 100000, 600000, 1, line)
            answers.setdefault(member, []).append(answer.decode())
        return answers

    def exposed(self):
        """Attempts that may be on the bill without our knowing: the sum of their prices."""
        return sum(int(line.split(b"\t")[5])
                   for line in self.redis.client().hvals(BASE + ":exposed"))

    def booked(self):
        """The ledger's sum over all days and cells: how many, and millionths."""
        client, sums = self.redis.client(), {"count": 0, "millionths": 0}
        for day in client.scan_iter(BUSINESS + ":cost:*"):
            for field, value in client.hgetall(day).items():
                sums[field.decode().rsplit(".", 1)[1]] += int(value)
        return sums["count"], sums["millionths"]

    # ---- senders -------------------------------------------------------------------------------

    def sender(self, *options, graph=None, ca_file=None, redis=None, launcher=(), account=True):
        """Starts `facteur run`. `graph`: a URL with its version; `launcher`: words before facteur;
        `account`: False when a configuration names the accounts, for the option would replace them."""
        with open(self.path("sender-%d.log" % len(self.senders)), "wb") as log:
            process = subprocess.Popen(
                list(launcher) + [os.path.join(BUILD, "facteur"), "run",
                 "--redis", redis or "unix:" + self.redis.socket,
                 "--graph", graph or self.url + "/v26.0",
                 "--ca-file", ca_file or self.certificate(), "--token-file", self.token]
                + (["--account", ACCOUNT + "=" + PHONE_ID] if account else []) + list(options),
                stdout=log, stderr=log)
        self.senders.append(process)
        return process

    def log(self, process=None):
        """What a sender said; without one: what all of them said, the first one first."""
        numbers = range(len(self.senders)) if process is None else [self.senders.index(process)]
        text = ""
        for number in numbers:
            with open(self.path("sender-%d.log" % number), errors="replace") as file:
                text += file.read()
        return text

    def wait_for_log(self, words, process=None, seconds=30):
        self.wait_until("the log line \"%s\"" % words, lambda: words in self.log(process), seconds)

    def stop(self, process, seconds=60):
        """SIGTERM, and it must drain and end well."""
        process.send_signal(signal.SIGTERM)
        if process.wait(timeout=seconds) != 0:
            sys.exit("the sender ended with %d:\n%s" % (process.returncode,
                                                        self.log(process)[-6000:]))

    # ---- notifications and what became of them --------------------------------------------------

    def add(self, *notifications, stream="queue", base=BASE):
        """XADDs each of the notifications, and returns their ENTRYs (without the stream's letter)."""
        pipe = self.redis.client().pipeline(transaction=False)
        for fields in notifications:
            pipe.xadd(base + ":" + stream, fields)
        return [entry.decode() for entry in pipe.execute()]

    def add_bulk(self, *lines, stream="queue"):
        """One bulk entry. A line is a dict, or a string that is written as it is."""
        texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)
                 for line in lines]
        return self.add({"bulk": "\n".join(texts)}, stream=stream)[0]

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

    def outcomes(self, base=BASE):
        """Every outcome as it stands in events, oldest first."""
        client = self.redis.client()
        lines = []
        for _, fields in client.xrange(base + ":events"):
            lines += fields[b"outcomes"].split(b"\n")
        return [json.loads(line) for line in lines if line]

    def outcomes_of(self, kind):
        return [outcome for outcome in self.outcomes() if outcome["type"] == kind]

    def dead(self):
        """What stands in dead: member -> its fields."""
        found = {}
        for _, fields in self.redis.client().xrange(BASE + ":dead"):
            text = {name.decode("utf-8", "replace"): value.decode("utf-8", "replace")
                    for name, value in fields.items()}
            found[text["entry"]] = text
        return found

    def pending(self):
        """What the dead or the living still hold: must be empty when all is done and all have left."""
        client = self.redis.client()
        return {"workers": client.hlen(BUSINESS + ":workers"), "claims": client.hlen(BASE + ":claims"),
                "grants": client.hlen(BASE + ":grants"), "returned": client.llen(BASE + ":returned")}

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

    def wait_for_outcomes(self, count, seconds=60):
        self.wait_until("%d outcomes" % count, lambda: len(self.outcomes()) >= count, seconds)

    def wait_until_quiet(self, seconds=120):
        """Nothing waits, is claimed, granted or later: all is settled or uncertain."""
        def quiet():
            stats = self.stats()
            return sum(stats[name] for name in
                       ("waiting", "urgent", "claimed", "granted", "later")) == 0
        self.wait_until("an empty queue", quiet, seconds)


def notification(number, **more):
    """A good one, to a number and with an id of its own. More fields, or others: by name."""
    fields = {"to": "+336%08d" % (12000000 + number), "template": "delivery_confirmation",
              "lang": "fr", "1": "Claire", "2": "CMD-%d" % number, "3": "mardi 24 novembre",
              "id": "id-%d" % number, "ref": "ref-%d" % number}
    fields.update(more)
    return {name: value for name, value in fields.items() if value is not None}


def free_port():
    """A TCP port of loopback that nobody has now, for servers that cannot choose one themselves.

    It lies below those that the kernel gives to connections, or one of these could take it before
    the server does."""
    for _ in range(1000):
        port = random.SystemRandom().randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    sys.exit("no port of loopback is free")


def expect(condition, text):
    if not condition:
        sys.exit("expected: " + text)
