#!/usr/bin/env python3
"""What sleeps costs nothing and wakes at once: two hundred accounts that are idle, paused or stopped
ask Redis nothing, and whatever no stream shows (resumed, scheduled, requeued) is heard by the bell."""
import time

from house import ACCOUNT, BASE, BUSINESS, PHONE_ID, House, expect, notification

OTHERS = 200
SECONDS = 3.0
LEASE = "60s"  # a beat in fifteen seconds: nothing below is found out by a beat


def config(house):
    """All accounts of one business; only the first one's number is known to the emulator."""
    accounts = [("fr", PHONE_ID)] + [("a%d" % i, str(2000 + i)) for i in range(OTHERS)]
    return house.file("facteur.yaml", "businesses:\n  - name: acme\n    accounts:\n" + "".join(
        "      - name: %s\n        phone_number_id: \"%s\"\n        token_file: %s\n"
        % (name, number, house.token) for name, number in accounts))


def calls(house):
    """What senders asked of Redis so far."""
    stats = house.redis.client().info("commandstats")
    return sum(stats.get("cmdstat_" + name, {"calls": 0})["calls"]
               for name in ("fcall", "fcall_ro", "xread", "xrange", "client|unblock"))


def function(house, name, account, *arguments):
    return house.redis.client().execute_command("FCALL", "facteur_" + name, 2, BUSINESS + ":" + account,
                                                BUSINESS, *arguments)


def cpu_seconds(process):
    with open("/proc/%d/stat" % process.pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def costs_nothing(house, sender, what):
    time.sleep(3)  # the first looks, and those that follow from what was done before, are over
    before, cpu = calls(house), cpu_seconds(sender)
    time.sleep(SECONDS)
    asked, used = calls(house) - before, cpu_seconds(sender) - cpu
    print("%s: %d calls and %.2f s of CPU in %d s" % (what, asked, used, SECONDS))
    expect(asked <= 4, "%s: %d calls in %d s" % (what, asked, SECONDS))
    expect(used < 0.5, "%s: %.2f s of CPU" % (what, used))


def is_sent_at_once(house, before, what):
    """Another one was accepted, and no beat or timer was waited for."""
    start = time.monotonic()
    house.wait_until(what, lambda: len(house.outcomes_of("accepted")) > before, 10)
    seconds = time.monotonic() - start
    expect(seconds < 3, "%s took %.1f s" % (what, seconds))
    return len(house.outcomes_of("accepted"))


def pause_all(house):
    for i in range(OTHERS):
        function(house, "pause", "a%d" % i, "pause", "alice", "the campaign is wrong")
        house.add(notification(i), base=BUSINESS + ":a%d" % i)
    function(house, "stop", "a0", 131042, "payment is due", "0123456789abcdef", 1000)


def everything_is_heard(house):
    sent = 0
    house.add(notification(1))
    sent = is_sent_at_once(house, sent, "a new one")
    function(house, "pause", "fr", "pause", "alice", "a look")
    house.add(notification(2))
    time.sleep(0.5)
    expect(len(house.outcomes_of("accepted")) == sent, "a paused account sends nothing")
    function(house, "pause", "fr", "resume", "alice", "all is well")
    sent = is_sent_at_once(house, sent, "what waited for a resume")
    soon = int(time.time() * 1000) + 400
    flat = [word for pair in notification(3, not_before=str(soon)).items() for word in pair]
    expect(function(house, "enqueue", "fr", "queue", *flat)[0] == b"scheduled", "it is scheduled")
    sent = is_sent_at_once(house, sent, "what was scheduled")
    house.add(notification(4, template="unknown"))
    house.wait_until("it is refused", lambda: len(house.dead()) == 1)
    with open(house.path("unknown.json"), "w") as file:
        file.write('{"name":"unknown","language":"fr","category":"UTILITY","components":[{"type":"BODY",'
                   '"text":"Bonjour {{1}}, votre colis {{2}} arrive {{3}}, merci de votre confiance.",'
                   '"example":{"body_text":[["Claire","CMD-1","mardi"]]}}]}')
    house.ask_emulator("/emulator/templates", "--data", "@" + house.path("unknown.json"))
    house.verb("template", "add", "--reason", "it was forgotten", house.path("unknown.json"))
    house.wait_for_log("event=catalogue")
    house.verb("dead", "requeue", "--all", "--reason", "the template is there")
    is_sent_at_once(house, sent, "what was requeued")


def main():
    with House() as house:
        sender = house.sender("--config", config(house), "--workers", "1", "--lease", LEASE,
                              account=False)
        house.wait_for_log("redis_ready")
        expect("accounts=%d " % (OTHERS + 1) in house.log(), "all of them: " + house.log())
        costs_nothing(house, sender, "idle")
        pause_all(house)
        costs_nothing(house, sender, "paused or stopped, with something to do")
        everything_is_heard(house)
        costs_nothing(house, sender, "afterwards")
        expect(ACCOUNT == "acme/fr" and BASE == BUSINESS + ":fr", "the account of this test")
        house.stop(sender)
    print("what sleeps costs nothing, and wakes at once")


if __name__ == "__main__":
    main()
