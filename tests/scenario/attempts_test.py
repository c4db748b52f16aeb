"""What follows from what Meta answers: waits, schedules, whom they slow, and the end of all attempts."""
import email.utils
import json
import time

from certificates import Authority
from house import BASE, BUSINESS, PHONE_ID, House, expect, notification
from servers import Scripted

OTHER = BUSINESS + ":be"
OTHER_PHONE = "106540352242923"
CROWD = 200


def number_to(recipient, number, **more):
    return notification(number, to=recipient, **more)


class Scene:
    """A house whose Graph API answers by rules, and a sender for two accounts in it."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        self.house = House(emulator=None)
        self.house.__enter__()
        authority = Authority(self.house.folder)
        self.graph = Scripted(self.house, authority.sign("graph"))
        self.authority = authority.path
        return self

    def __exit__(self, *error):
        self.house.__exit__(*error)

    def start(self):
        self.sender = self.house.sender(
            "--workers", "1", "--account", "acme/be=" + OTHER_PHONE, *self.options,
            graph=self.graph.url + "/v26.0", ca_file=self.authority)
        self.house.wait_for_log("event=redis_ready", self.sender)
        time.sleep(0.3)  # its lease holds: what comes now goes at once

    def end(self):
        self.house.stop(self.sender)


def gaps(requests):
    return [(after["at"] - before["at"]) / 1000 for before, after in zip(requests, requests[1:])]


def the_limit_of_a_pair_delays_nobody_else():
    """Two to one recipient, both refused at once, the next try as well: 1 s, 4 s; the other one
    waits in a slot behind it. Two hundred to others go meanwhile, and cost nothing either."""
    with Scene() as scene:
        house, graph = scene.house, scene.graph
        one = "+33612345678"
        graph.set_rules({"to": one, "code": 131056, "status": 400, "times": 3})
        scene.start()
        house.add(number_to(one, 1), number_to(one, 2))
        house.wait_until("the first refusals", lambda: len(graph.requests(to=one)) == 2)
        began = time.time() * 1000
        house.add(*[notification(100 + number) for number in range(CROWD)])
        house.wait_until("both of them", lambda: len(house.outcomes()) == CROWD + 2, 40)
        scene.end()
        crowd = [one_of for one_of in graph.requests() if one_of["to"] != one]
        late = max(one_of["at"] for one_of in crowd) - began
        pair = graph.requests(to=one)
        print("the others after %d ms; the pair's gaps: %s" % (late, gaps(pair)))
        expect(len(crowd) == CROWD and late < 3000, "nobody else waits: %d ms" % late)
        expect(len(pair) == 5, "refused three times, then accepted twice: %d" % len(pair))
        waits = gaps(pair)
        expect(waits[0] < 0.9 and 0.9 <= waits[1] < 2.5, "4^0 s: %s" % waits)
        expect(3.9 <= waits[2] < 6, "4^1 s: %s" % waits)
        expect(waits[3] > 1, "the other one in a slot behind it: %s" % waits)
        for outcome in house.outcomes():
            expect(outcome["type"] == "accepted" and outcome["attempt"] == 1,
                   "it costs no attempt: %s" % outcome)
        expect("account_throttled" not in house.log(), "the account was not slowed")


def a_server_that_asks_for_time_gets_it():
    """503 with Retry-After, in seconds and as a date: the account waits so long, the other does not."""
    for headers in ({"retry-after": "2"}, {"retry-after": None}):
        with Scene() as scene:
            house, graph = scene.house, scene.graph
            scene.start()
            if headers["retry-after"] is None:  # whole seconds: at least two from now
                headers = {"retry-after": email.utils.formatdate(int(time.time()) + 3, usegmt=True)}
            graph.set_rules({"phone": PHONE_ID, "code": 2, "status": 503, "headers": headers,
                             "times": 1})
            house.add(notification(1))
            house.wait_for_log("event=account_throttled", scene.sender)
            house.add(*[notification(number) for number in range(2, 30)])
            house.add(*[notification(number) for number in range(30)], base=OTHER)
            house.wait_until("all of them", lambda: len(house.outcomes()) == 29 and
                             len(house.outcomes(OTHER)) == 30, 20)
            scene.end()
            mine, other = graph.requests(phone=PHONE_ID), graph.requests(phone=OTHER_PHONE)
            wait = (mine[1]["at"] - mine[0]["at"]) / 1000
            print("Retry-After %s: %.1f s" % (headers["retry-after"], wait))
            expect(1.9 <= wait < 4.5, "as long as it asked for: %.1f s" % wait)
            expect(other[-1]["at"] - mine[0]["at"] < 1900, "the other account went on")
            expect(all(outcome["attempt"] == 1 for outcome in house.outcomes()), "at no cost")


def history_of(one):
    return [line.split(" ", 2) for line in json.loads(one["history"])]


def used_up_ones_are_dead_with_their_history():
    with Scene("--retry", "200ms, 300ms", "--retry-classes", "unknown=none; stop_template=100ms") as scene:
        house, graph = scene.house, scene.graph
        recipients = ["+3361200000%d" % number for number in range(1, 6)]
        graph.set_rules(
            {"to": recipients[0], "code": 131000, "status": 500, "message": "(#131000) first", "times": 1},
            {"to": recipients[0], "code": 131000, "status": 500, "message": "(#131000) again"},
            {"to": recipients[1], "code": 999999, "status": 500},
            {"to": recipients[2], "code": 132015, "status": 400, "times": 1},
            {"to": recipients[3], "code": 131026, "status": 400},
            {"to": recipients[4], "code": 131000, "status": 500, "times": 2})
        scene.start()
        began = time.time() * 1000
        entries = house.add(*[number_to(to, number) for number, to in enumerate(recipients)])
        house.wait_for_outcomes(len(recipients))
        scene.end()
        kinds = {outcome["entry"]: (outcome["type"], outcome["attempt"]) for outcome in house.outcomes()}
        expect([kinds[entry] for entry in entries] == [
            ("dead", 3), ("dead", 1), ("accepted", 2), ("failed", 1), ("accepted", 3)],
            "each by its class: %s" % kinds)
        dead = house.dead()
        expect(sorted(dead) == sorted(entries[:2]), "what was used up is kept: %s" % dead)
        one = dead[entries[0]]
        expect((one["type"], one["attempts"]) == ("dead", "3"), "after three attempts: %s" % one)
        history = history_of(one)
        expect([line[1] for line in history] == ["1", "2", "3"], "each attempt: %s" % history)
        expect([line[2] for line in history] ==
               ["(#131000) first", "(#131000) again", "(#131000) again"], "in Meta's words: %s" % history)
        times = [int(line[0]) for line in history]
        expect(began <= times[0] and times[1] - times[0] >= 170 and times[2] - times[1] >= 260,
               "when: %s" % times)
        why = house.verb("why", entries[0]).stdout
        expect("after 3 attempts" in why and "attempt 1 at" in why and "(#131000) first" in why, why)
        told = json.loads(house.verb("why", entries[0], "--json").stdout)["history"]
        expect([(line["attempt"], line["reason"]) for line in told] ==
               [(1, "(#131000) first"), (2, "(#131000) again"), (3, "(#131000) again")],
               "for programs: %s" % told)
        # What another program wrote there is no history, and harms nobody.
        client = house.redis.client()
        for bad in ('["1 2', "[]x", '["1 2 a",]', '["a b c"]', "{}", "[1]", '["1 1 \\u0000\\u001b"]'):
            client.xadd(BASE + ":dead", {"entry": "9-9", "type": "dead", "reason": "r", "attempts": 1,
                                         "at": 1, "history": bad, "o.to": "+33612345678"})
            client.hset(BASE + ":dead:members", "9-9", client.xrevrange(BASE + ":dead", count=1)[0][0])
            told = json.loads(house.verb("why", "9-9", "--json").stdout)
            expect(len(told["history"]) == (bad.count("u0000")), "%s: %s" % (bad, told))


def main():
    the_limit_of_a_pair_delays_nobody_else()
    a_server_that_asks_for_time_gets_it()
    used_up_ones_are_dead_with_their_history()


if __name__ == "__main__":
    main()
