"""The configuration: file < environment < flags, SIGHUP, and an account's pace."""
import os
import signal
import subprocess
import time

from house import BUILD, PHONE_ID, House, expect

FILE = """
redis: unix:{socket}
graph: {graph}/v26.0
ca_file: {certificate}
token_file: {token}
workers: 1
lease: 2s
businesses:
  - name: acme
    accounts:
      - name: fr
        phone_number_id: "{phone}"
{more}
"""


class Configured:
    def __init__(self, house):
        self.house = house
        self.path = os.path.join(house.folder, "facteur.yaml")

    def write(self, more="", change=None):
        text = FILE.format(socket=self.house.redis.socket, graph=self.house.url,
                           certificate=self.house.certificate(), token=self.house.token,
                           phone=PHONE_ID, more=more)
        with open(self.path, "w") as file:
            file.write(text if change is None else text.replace(*change))

    def check(self, *flags, environment=None):
        return subprocess.run([BUILD + "/facteur", "run", "--config", self.path, "--check-config"]
                              + list(flags), capture_output=True, text=True,
                              env=dict(os.environ, **(environment or {})))

    def start(self):
        with open(self.house.path("sender-%d.log" % len(self.house.senders)), "wb") as log:
            process = subprocess.Popen([BUILD + "/facteur", "run", "--config", self.path],
                                       stdout=log, stderr=log)
        self.house.senders.append(process)
        return process


def the_file_the_environment_the_flags(config):
    config.write()
    expect(config.check().returncode == 0, "the file alone is enough")
    config.write(change=("workers: 1", "workers: 65"))
    expect(config.check().returncode == 78, "65 workers in the file: bad configuration")
    expect(config.check("--workers", "2").returncode == 0, "a flag is over the file")
    config.write(change=("ca_file: ", "ca_file: /nowhere/"))
    expect(config.check(environment={"FACTEUR_CURRENCY": "XYZ"}).returncode == 78,
           "the environment is over the default")
    for flags in (["--uncertain", "maybe"], ["--uncertain-codes", "maybe"], ["--retry", "5"],
                  ["--retry-classes", "unknown"], ["--uncertain-wait", "31s"], ["--dedupe-ttl", "0s"]):
        config.write()
        expect(config.check(*flags).returncode == 78, "bad: " + " ".join(flags))
    config.write(more="        uncertain: drop\n        uncertain_codes: park\n        retry: none\n"
                 "        retry_classes: {retry_limited: \"5s, 1m*3\", stop_template: 1h}",
                 change=("lease: 2s", "lease: 2s\nuncertain: resend\nretry_classes:\n  unknown: none"))
    expect(config.check().returncode == 0, "all of it, for all and for an account of its own: "
           + config.check().stderr)
    expect(config.check(environment={"FACTEUR_UNCERTAIN": "maybe"}).returncode == 78,
           "the environment is over the file")
    expect(config.check(environment={"FACTEUR_UNCERTAIN_CODES": "resend"}).returncode == 0,
           "and may say something good")
    expect(config.check("--currency", "USD",
                        environment={"FACTEUR_CURRENCY": "XYZ"}).returncode == 0,
           "a flag is over the environment")


def mistakes(config):
    cases = [
        (("workers: 1", "wrokers: 1"), "did you mean \"workers\"?"),
        (("lease: 2s", "lease: 2"), "lease: \"2\" must be a time with its unit"),
        (("lease: 2s", "lease: 100ms"), "lease: must be from 500ms"),
        (("  - name: acme", "\t- name: acme"), "a tab"),
        (("name: fr", "name: FR"), "FR"),
        (("workers: 1", "numbers: harsh"), "neither strict nor lenient"),
        (("workers: 1", "recipients: open"), "neither hashed nor clear"),
        (("workers: 1", "retry: 5"), ":6: retry schedule: \"5\" has no unit"),
        (("workers: 1", "retry_classes: {unknown: 5}"), ":6: retry classes: unknown: "),
        (("workers: 1", "retry_classes: {unknwon: 5s}"), "did you mean \"unknown\"?"),
        (("workers: 1", "uncertain: maybe"), ":6: uncertain: \"maybe\" is none of park"),
        (("workers: 1", "uncertain_codes: send"), ":6: uncertain_codes: \"send\" is none of park"),
        (("workers: 1", "uncertain_wait: 31s"), "Set uncertain-wait to 32s or more"),
        (('"%s"' % PHONE_ID, '"12a"'), "phone_number_id"),
        (("graph: https", "graph: http"), "https://HOST"),
        (("token_file: ", "token_file: /nowhere"), "/nowhere"),
    ]
    for change, says in cases:
        config.write(change=change)
        result = config.check()
        expect(result.returncode == 78, "%s: exit 78, got %d" % (change[1], result.returncode))
        expect(says in result.stderr, "%s: %r must say %r" % (change[1], result.stderr, says))
    for pace in ("-1/s", "80", "0/s", "80/parsec"):
        config.write(more="        pace: %s" % pace)
        result = config.check()
        expect(result.returncode == 78 and "is not a rate" in result.stderr, "pace " + pace)
        expect(config.path + ":" in result.stderr, "the file and the line are named")
    for mistake, says in (("retry: soon", "\"soon\" is no wait"), ("uncertain: no", "is none of park"),
                          ("retry_classes: {stop_country: 1}", "stop_country: retry schedule"),
                          ("uncertain_codes: x", "uncertain_codes: \"x\" is none of park")):
        config.write(more="        " + mistake)
        result = config.check()
        expect(result.returncode == 78 and says in result.stderr, mistake + ": " + result.stderr)
        expect(config.path + ":11: " in result.stderr, "the account's line: " + result.stderr)
    account = '      - name: fr\n        phone_number_id: "1"'
    config.write(more=account)
    expect("is given twice" in config.check().stderr, "an account twice")
    token = config.house.token
    secret = open(token).read().strip()
    for text, says in (("", "must hold one line"), ("two\nlines\n", "must hold one line"),
                       ("has a space\n", "no access token has")):
        with open(token, "w") as file:
            file.write(text)
        config.write()
        result = config.check()
        expect(result.returncode == 78 and says in result.stderr, "token %r" % text)
        expect("space" not in result.stderr and "two" not in result.stderr,
               "a token is never printed")
    with open(token, "w") as file:
        file.write(secret + "\n")
    config.write()
    expect(config.check().returncode == 0, "a token file that ends in a newline is fine")


def accepted(house):
    return sum(1 for outcome in house.outcomes() if outcome["type"] == "accepted")


def enqueue(house, count, start=0):
    lines = "".join('{"to":"+33612345678","template":"delivery_confirmation","lang":"fr",'
                    '"1":"Claire","2":"CMD-%d","3":"Colissimo","id":"c-%d"}\n' % (i, i)
                    for i in range(start, start + count))
    house.verb("enqueue", "--quiet", stdin=lines)


def pace_and_reload(config):
    house = config.house
    config.write(more="        pace: 40/s")
    sender = config.start()
    enqueue(house, 2000)
    house.wait_until("the first at 40/s", lambda: accepted(house) >= 20)
    before, start = accepted(house), time.monotonic()
    time.sleep(3)
    rate = (accepted(house) - before) / (time.monotonic() - start)
    expect(25 < rate <= 46, "about 40/s, and not more: %.1f" % rate)

    config.write(more="        pace: forty")
    sender.send_signal(signal.SIGHUP)
    house.wait_until("a refusal", lambda: "reload_refused" in house.log())
    expect(sender.poll() is None, "the old settings stay in force")
    before = accepted(house)
    house.wait_until("going on at 40/s", lambda: accepted(house) > before + 20)

    config.write(more="        pace: 4000/s")
    sender.send_signal(signal.SIGHUP)
    house.wait_until("the new sender", lambda: "event=reloaded" in house.log())
    house.wait_until("the rest, fast", lambda: accepted(house) == 2000, 20)
    house.stop(sender)
    expect(house.stats()["claimed"] + house.stats()["granted"] + house.stats()["waiting"] == 0,
           "nothing left behind by the two")
    wamids = [outcome["wamid"] for outcome in house.outcomes()]
    expect(len(set(wamids)) == 2000, "each once")


def main():
    with House() as house:
        config = Configured(house)
        the_file_the_environment_the_flags(config)
        mistakes(config)
        pace_and_reload(config)
    print("file, environment, flags, mistakes, pace, reload: as written")


if __name__ == "__main__":
    main()
