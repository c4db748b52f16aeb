"""An account that Meta lets send nothing: stopped once for all workers, its queue kept, and going on
when an operator says so or another token comes. The other account does not feel it."""
import json
import os
import signal
import subprocess
import time

from certificates import Authority
from house import BASE, BUILD, BUSINESS, House, PHONE_ID, expect, notification
from servers import Scripted

OTHER = BUSINESS + ":be"
OTHER_PHONE = "106540352242923"
OLD, NEW = "EAAB-the-old-token", "EAAB-the-new-token"
COUNT = 50

FILE = """
redis: unix:{socket}
graph: {graph}/v26.0
ca_file: {authority}
workers: 2
lease: 2s
businesses:
  - name: acme
    accounts:
      - {{name: fr, phone_number_id: "{phone}", token_file: {token}}}
      - {{name: be, phone_number_id: "{other}", token_file: {other_token}}}
"""


class Scene:
    """Two senders with two workers each, for two accounts with a token each."""

    def __enter__(self):
        self.house = house = House(emulator=None)
        house.__enter__()
        authority = Authority(house.folder)
        self.graph = Scripted(house, authority.sign("graph"))
        self.token = house.file("fr.token", OLD + "\n")
        self.config = house.file("facteur.yaml", FILE.format(
            socket=house.redis.socket, graph=self.graph.url, authority=authority.path,
            phone=PHONE_ID, other=OTHER_PHONE, token=self.token,
            other_token=house.file("be.token", "EAAB-of-the-other\n")))
        return self

    def __exit__(self, *error):
        self.house.__exit__(*error)

    def start(self):
        for number in range(2):
            with open(self.house.path("sender-%d.log" % number), "wb") as log:
                self.house.senders.append(subprocess.Popen(
                    [os.path.join(BUILD, "facteur"), "run", "--config", self.config], stdout=log,
                    stderr=log))
        for sender in self.house.senders:
            self.house.wait_for_log("event=redis_ready", sender)

    def stop_account(self, **rule):
        """Meta refuses whatever the rule fits; half a queue is there before, half comes after."""
        house = self.house
        self.graph.set_rules(dict({"status": 401, "code": 190}, **rule))
        house.add(*[notification(number) for number in range(COUNT)])
        house.wait_until("the stop", lambda: house.stats()["stopped"] == 1)
        house.add(*[notification(number) for number in range(COUNT, 2 * COUNT)])
        house.add(*[notification(number) for number in range(COUNT)], base=OTHER)
        house.wait_until("the other account", lambda: len(house.outcomes(OTHER)) == COUNT, 10)
        house.wait_until("all to be given back", lambda: house.stats()["granted"] == 0)

    def all_go(self):
        house = self.house
        house.wait_until("all of them", lambda: len(house.outcomes_of("accepted")) == 2 * COUNT, 20)
        for outcome in house.outcomes_of("accepted"):
            expect(outcome["attempt"] == 1, "it cost no attempt: %s" % outcome)
        for sender in house.senders:
            house.stop(sender)
        expect(not any(house.pending().values()), "nothing held: %s" % house.pending())

    def stops(self):
        return self.house.outcomes_of("stopped")


def is_stopped(scene):
    """Nothing of it is sent, and everybody who asks is told why."""
    house = scene.house
    before = len(scene.graph.requests(phone=PHONE_ID))
    time.sleep(1.5)
    asked = len(scene.graph.requests(phone=PHONE_ID)) - before
    expect(asked == 0, "a stopped account sends nothing: %d" % asked)
    expect(len(scene.stops()) == 1, "one event: %s" % scene.stops())
    expect(house.log().count("event=account_stopped") == 1, "one loud line")
    stats = house.stats()
    expect(stats["waiting"] + stats["later"] + stats["claimed"] == 2 * COUNT, "its queue: %s" % stats)
    shown = json.loads(house.verb("queue", "stats", "--json").stdout)["accounts"][0]
    expect(shown["stopped"] is True and shown["paused"] is False, "stats says so: %s" % shown)
    expect("stopped" in house.verb("queue", "stats").stdout, "in words, too")
    last = house.redis.client().xrevrange(BASE + ":queue", count=1)[0][0].decode()
    why = house.verb("why", last).stdout
    expect("because Meta refuses it ((#190) Access token has expired)" in why and
           "queue resume" in why, why)
    told = json.loads(house.verb("why", last, "--json").stdout)
    expect(told["stopped_code"] == 190 and told["stopped_at"] > 0, "for programs: %s" % told)
    everything = house.log() + json.dumps(house.outcomes()) + repr(
        [house.redis.client().hgetall(key) for key in (BASE + ":state", BASE + ":later:entries")])
    expect("EAAB" not in everything, "the token is told nowhere")


def an_operator_lets_it_go_on():
    with Scene() as scene:
        house = scene.house
        scene.start()
        scene.stop_account(phone=PHONE_ID, message="(#190) Malformed access token " + OLD)
        is_stopped(scene)
        # Not mended: it is stopped again, which is another event.
        said = house.verb("queue", "resume", "--reason", "try").stdout
        expect("goes on" in said and "(#190) Access token has expired" in said, said)
        house.wait_until("the next stop", lambda: len(scene.stops()) == 2)
        scene.graph.set_rules()
        told = json.loads(house.verb("queue", "resume", "--reason", "mended", "--json").stdout)
        expect(told["accounts"][0]["stopped"]["code"] == 190, "what had stopped it: %s" % told)
        scene.all_go()
        expect(len(scene.stops()) == 2, "and no more stops")


def another_token_lets_it_go_on():
    """Replaced in its file, and SIGHUP. Only one of the two senders is told at first."""
    with Scene() as scene:
        house = scene.house
        scene.start()
        scene.stop_account(token=OLD)
        is_stopped(scene)
        house.file("fr.token", NEW + "\n")
        for sender in house.senders:
            sender.send_signal(signal.SIGHUP)
        house.wait_for_log("event=account_started")
        scene.all_go()
        expect(len(scene.stops()) <= 2, "the old token's last word at most: %s" % scene.stops())
        tokens = {one["token"] for one in scene.graph.requests(phone=PHONE_ID) if one["status"] == 200}
        expect(tokens == {NEW}, "under the new token: %s" % tokens)


def a_new_sender_with_another_token_lets_it_go_on():
    with Scene() as scene:
        house = scene.house
        scene.start()
        scene.stop_account(token=OLD)
        for sender in house.senders:
            house.stop(sender)
        expect(house.stats()["stopped"] == 1, "it stays stopped while nobody is there")
        house.senders.clear()
        house.file("fr.token", NEW + "\n")
        scene.start()
        scene.all_go()
        expect(len(scene.stops()) == 1, "one stop")


def main():
    an_operator_lets_it_go_on()
    another_token_lets_it_go_on()
    a_new_sender_with_another_token_lets_it_go_on()
    print("stopped once, told to everybody, started by an operator and by another token")


if __name__ == "__main__":
    main()
