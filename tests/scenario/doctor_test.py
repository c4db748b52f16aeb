"""facteur doctor on a healthy machine, and on broken ones: each line good, or what to do."""
import errno
import json
import os
import resource
import subprocess
import sys

from certificates import Authority
from fake_redis import FakeRedis
from house import ACCOUNT, BUILD, House, expect, free_port
from redis_server import RedisServer
from schemas import fits
from servers import Nginx

FACTEUR = os.path.join(BUILD, "facteur")
SHAPE = {"good": bool,
         "checks": [{"good": bool, "text": str,
                     "name": {"config", "kernel", "io_uring", "files", "memory", "redis", "role",
                              "persistence", "eviction", "functions", "clock", "dns", "graph",
                              "token"}}]}
ALL = ["kernel", "io_uring", "files", "memory", "redis", "role", "persistence", "eviction",
       "functions", "clock", "dns", "graph", "token"]


class Patient:
    """A machine with all that a sender needs. `but`: options that take something away."""

    def __init__(self, house, graph, ca_file):
        self.options = {"--redis": "unix:" + house.redis.socket, "--account": ACCOUNT,
                        "--graph": graph, "--ca-file": ca_file, "--token-file": house.token}

    def words(self, but):
        options = dict(self.options, **but)
        return [word for name, value in options.items() if value is not None
                for word in (name, value)]

    def run(self, *more, but=None, launcher=(), **options):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("FACTEUR_")}
        environment.update(options.pop("environment", {}))
        return subprocess.run([*launcher, FACTEUR, "doctor", *self.words(but or {}), *more],
                              capture_output=True, text=True, timeout=60, env=environment,
                              **options)

    def is_sick(self, name, *words, **options):
        """Exactly this is bad, in these words. As text and as JSON."""
        result = self.run("--json", **options)
        found = fits(json.loads(result.stdout), SHAPE)
        bad = {check["name"]: check["text"] for check in found["checks"] if not check["good"]}
        expect(result.returncode == 1 and not found["good"] and result.stderr == "", str(result))
        expect(list(bad) == [name], "only %s is bad: %s" % (name, bad))
        for word in words:
            expect(word in bad[name], "%s: %r must say %r" % (name, bad[name], word))
        text = self.run(**options).stdout
        lines = [line for line in text.splitlines() if line.startswith("bad ")]
        expect(len(lines) == 1 and lines[0].split()[1] == name, "the same as text: %s" % text)
        expect(text.splitlines()[-1].startswith("1 of "), "and how many: %s" % text)
        print(lines[0])


def healthy(patient):
    result = patient.run("--json")
    found = fits(json.loads(result.stdout), SHAPE)
    expect(result.returncode == 0 and found["good"], str(result))
    expect([check["name"] for check in found["checks"]] == ALL, "looked at: %s" % found)
    result = patient.run()
    expect(result.returncode == 0 and result.stderr == "", str(result))
    lines = result.stdout.splitlines()
    expect(lines[-1] == "all 13 good" and all(line.startswith("good ") for line in lines[:-1]),
           result.stdout)


def redis_is_broken(house, patient):
    patient.is_sick("redis", "cannot reach Redis at unix:/nowhere", "is the server running?",
                    but={"--redis": "unix:/nowhere/redis.sock"})
    patient.is_sick("redis", "--redis unix:/PATH", but={"--redis": None})
    with RedisServer(append=None) as server:
        server.load_library()
        patient.is_sick("persistence", "a restart of Redis loses", "appendonly yes",
                        but={"--redis": "unix:" + server.socket})
    client = house.redis.client()
    for setting, value, back, name, words in (
            ("appendfsync", "everysec", "always", "persistence", ("last second", "always")),
            ("maxmemory-policy", "allkeys-lru", "noeviction", "eviction", ("throws", "noeviction"))):
        client.config_set(setting, value)
        patient.is_sick(name, *words)
        client.config_set(setting, back)
    client.execute_command("FUNCTION", "FLUSH")
    patient.is_sick("functions", "not in this Redis", "facteur run loads it")
    house.redis.load_library()
    client.config_set("requirepass", "secret-word")
    patient.is_sick("redis", "password")
    wrong = house.file("wrong", "not-the-word\n")
    result = patient.run("--redis-password-file", wrong)
    expect(result.returncode == 1 and "not-the-word" not in result.stdout + result.stderr,
           "no password is ever printed")
    patient.is_sick("redis", "two lines", "must hold one line",
                    but={"--redis-password-file": house.file("two lines", "a\nb\n")})
    right = house.file("right", "secret-word\n")
    expect(patient.run("--redis-password-file", right).returncode == 0, "the right password")
    client.execute_command("AUTH", "secret-word")
    client.config_set("requirepass", "")


def redis_is_odd(house, patient):
    path = house.path("fake.sock")
    for state, name, words in (
            ({}, None, ()),
            ({"version": "6.2.7"}, "redis", ("6.2.7", "7.0", "upgrade")),
            ({"role": "slave"}, "role", ("a replica of 10.0.0.7", "master's address")),
            ({"written": "err"}, "persistence", ("cannot write", "disk full?")),
            ({"refused": ("CONFIG",)}, "persistence", ("cannot be seen", "+config|get")),
            ({"used": 95 << 20, "most": 100 << 20}, "eviction", ("95 of 100 MiB", "raise maxmemory")),
            ({"library": "1.0.9"}, "functions", ("1.0.9 in Redis", "loads the newer")),
            ({"library": "99.0.0"}, "functions", ("99.0.0 in Redis", "use the newer facteur")),
            ({"library": None}, "functions", ("not in this Redis",)),
            ({"refused": ("FCALL_RO",)}, "functions", ("access list",)),
            ({"behind_ms": 5000}, "clock", ("behind ours", "chrony")),
            ({"behind_ms": -5000}, "clock", ("ahead of ours", "synchronize")),
            ({"refused": ("TIME",)}, "clock", ("+time",)),
            ({"refused": ("INFO",)}, None, ())):
        fake = FakeRedis(path, **state).start()
        but = {"--redis": "unix:" + path}
        if name is not None:
            patient.is_sick(name, *words, but=but)
        elif "refused" in state:
            result = patient.run(but=but)
            expect(result.returncode == 1 and result.stdout.count("allow our user +info") == 4,
                   result.stdout)
        else:
            expect(patient.run(but=but).returncode == 0, "a good one is good")
        fake.listener.close()


def graph_is_broken(house, patient, authority):
    stranger = Authority(house.folder, "stranger")
    patient.is_sick("graph", "not trusted", "--ca-file", but={"--ca-file": stranger.path})
    patient.is_sick("graph", "/nowhere/ca.crt", but={"--ca-file": "/nowhere/ca.crt"})
    expired = Nginx(house, authority.sign("old", days=-1))
    patient.is_sick("graph", "expired", but={"--graph": expired.url})
    other = Nginx(house, authority.sign("other", host="graph.example"))
    patient.is_sick("graph", "graph.example", but={"--graph": other.url})
    plain = Nginx(house, authority.sign("plain"), http2=False)
    patient.is_sick("graph", "HTTP/1.1 only", "--graph", but={"--graph": plain.url})
    patient.is_sick("graph", "nothing listens there",
                    but={"--graph": "https://127.0.0.1:%d" % free_port()})
    patient.is_sick("graph", "https://HOST", but={"--graph": "http://127.0.0.1"})
    patient.is_sick("dns", "no.such.host.invalid", but={"--graph": "https://no.such.host.invalid"})


def token_is_broken(house, patient):
    def is_sick(text, *words, mode=0o600):
        path = house.file("bad token", text)
        os.chmod(path, mode)
        patient.is_sick("token", *words, but={"--token-file": path})
    is_sick("", "must hold one line")
    is_sick("EAAG\nsecret\n", "must hold one line")
    is_sick("EAAG secret", "no access token has")
    is_sick("EAAGsecret", "others can read", "chmod 600", mode=0o644)
    patient.is_sick("token", "/nowhere/token", but={"--token-file": "/nowhere/token"})
    patient.is_sick("token", "no access token for acme/fr", "FACTEUR_TOKEN",
                    but={"--token-file": None})
    patient.is_sick("token", "which account?", but={"--account": None})
    patient.is_sick("token", "\"Acme\" is not the name", but={"--account": "Acme/fr"})
    result = patient.run(but={"--token-file": None}, environment={"FACTEUR_TOKEN": "EAAGsecret"})
    expect(result.returncode == 0 and "EAAG" not in result.stdout, "from the environment")


def machine_is_broken(patient):
    forbid = os.path.join(os.path.dirname(__file__), "forbid_io_uring.py")
    for number, word in ((errno.EPERM, "not allowed here"), (errno.ENOSYS, "no io_uring")):
        launcher = [sys.executable, forbid, str(number)]
        patient.is_sick("io_uring", word, "seccomp", launcher=launcher)
        names = [check["name"] for check in
                 json.loads(patient.run("--json", launcher=launcher).stdout)["checks"]]
        expect(names == ["kernel", "io_uring", "files", "memory", "token"],
               "without a ring nothing is connected to: %s" % names)

    def few_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    patient.is_sick("files", "only 40 may be open", "ulimit -n", "LimitNOFILE=",
                    preexec_fn=few_files)

    if "-fsanitize" in open(os.path.join(BUILD, "build.ninja")).read() or os.cpu_count() < 2:
        return  # a sanitizer's shadow is terabytes of addresses; one worker needs less than this

    def little_memory():
        resource.setrlimit(resource.RLIMIT_AS, (250 << 20, 250 << 20))
    patient.is_sick("memory", "a process may have 250 MiB", "ulimit -v", preexec_fn=little_memory)


def from_a_file(house, patient):
    options = patient.options
    text = ("redis: %s\ngraph: %s/v26.0\nca_file: %s\ntoken_file: %s\nbusinesses:\n  - name: acme\n"
            "    accounts:\n      - name: fr\n        phone_number_id: \"1\"\n      - name: de\n"
            "        phone_number_id: \"2\"\n        token_environment: TOKEN_DE\n"
            % (options["--redis"], options["--graph"], options["--ca-file"],
               options["--token-file"]))
    config = house.file("facteur.yaml", text)
    alone = dict.fromkeys(options, None)
    alone["--config"] = config
    found = patient.run(but=alone, environment={"TOKEN_DE": "EAAG"})
    expect(found.returncode == 0 and "acme/de: there" in found.stdout, found.stdout)
    patient.is_sick("token", "acme/de", "TOKEN_DE", but=alone)
    patient.is_sick("redis", "unix:/nowhere", but=dict(alone, **{"--redis": "unix:/nowhere"}),
                    environment={"TOKEN_DE": "EAAG"})
    house.file("facteur.yaml", text.replace("graph:", "grahp:"))
    patient.is_sick("config", "facteur.yaml:2", "did you mean \"graph\"?",
                    but={"--config": config})


def mistakes(patient):
    result = patient.run("patient")
    expect(result.returncode == 64 and "\"patient\" is too much" in result.stderr, str(result))
    result = patient.run("--jsno")
    expect(result.returncode == 64 and "did you mean --json?" in result.stderr, str(result))


def main():
    with House(emulator=None) as house:
        authority = Authority(house.folder)
        server = Nginx(house, authority.sign("good"))
        patient = Patient(house, server.url, authority.path)
        healthy(patient)
        redis_is_broken(house, patient)
        redis_is_odd(house, patient)
        graph_is_broken(house, patient, authority)
        token_is_broken(house, patient)
        machine_is_broken(patient)
        from_a_file(house, patient)
        mistakes(patient)
        healthy(patient)
    print("doctor: each told, and what to do")


if __name__ == "__main__":
    main()
