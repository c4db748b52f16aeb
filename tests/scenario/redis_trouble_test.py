"""Redis in trouble: it loads, is full, is held up by a script, refuses writes, has lost our functions
or has others of their name, holds a key of a wrong type, or is slow.

Each time the sender says so once, keeps its outcomes, and goes on by itself: nothing is lost, nothing
is sent twice, and the books close.
"""
import re
import signal
import threading
import time

from cutting_proxy import CuttingProxy
from house import ACCOUNT, BASE, PHONE_ID, House, expect, notification
from redis_pair import busy_for, closed, said_once
from redis_server import LIBRARY, redis

MESSAGES = 2000
FAST = ["--latency", "10ms-40ms"]
OPTIONS = ["--workers", "1", "--connections", "2", "--streams", "50"]


def fill(house, messages=MESSAGES):
    house.load("fill", "--messages", str(messages), "--seed", "21", "--bulk", "5")


def in_mid_flight(house, **options):
    """A sender that is at work."""
    fill(house)
    sender = house.sender(*OPTIONS, **options)
    house.wait_until("work under way", lambda: len(house.outcomes()) > 100)
    return sender


def goes_on(house, sender, what):
    house.wait_until_quiet(30)
    closed(house, what, sender)
    expect(not any(house.pending().values()), "nothing held: %s" % house.pending())
    expect(house.tally()["duplicates"] == 0, "Meta saw each of them once")


def redis_loads_its_files():
    with House(emulator=FAST) as house:
        sender = in_mid_flight(house)
        house.redis.kill()
        # So many microseconds a command of its log: it answers LOADING meanwhile.
        house.redis.settings += ["--key-load-delay", "2000",
                                 "--loading-process-events-interval-bytes", "1024"]
        start = threading.Thread(target=house.redis.start)
        start.start()
        house.wait_for_log("Redis is still reading its files", sender)
        start.join()
        goes_on(house, sender, "loading:")
        said_once(house, "Redis is still reading its files", sender)


def refusal_of(command, *arguments):
    try:
        return "done: %s" % command(*arguments)
    except redis.exceptions.ResponseError as error:
        return str(error)


def redis_is_full():
    with House(emulator=["--latency", "50ms-150ms"]) as house:
        client = house.redis.client()
        sender = in_mid_flight(house)
        left = house.stats()["waiting"]
        expect(left > 0, "entries left to settle")
        client.config_set("maxmemory", "1mb")
        expect("OOM" in refusal_of(client.xadd, BASE + ":queue", notification(1)),
               "a producer is refused")
        house.wait_until_quiet(30)  # settling goes on
        client.config_set("maxmemory", "0")
        goes_on(house, sender, "full:")
        expect("redis_trouble" not in house.log(sender), "a full Redis is no trouble to a sender")


def a_script_holds_redis_up():
    with House(emulator=FAST) as house:
        house.redis.client().config_set("busy-reply-threshold", "100")
        sender = in_mid_flight(house)
        busy = busy_for(house.redis, 1500)
        house.wait_for_log("BUSY", sender)
        busy.read_response()
        goes_on(house, sender, "busy:")
        said_once(house, "event=redis_trouble ", sender)
        said_once(house, "event=redis_trouble_over", sender)


def redis_refuses_writes():
    with House(emulator=FAST) as house:
        client = house.redis.client()
        sender = in_mid_flight(house)
        client.config_set("min-replicas-to-write", "1")
        house.wait_for_log("too few replicas", sender)
        time.sleep(1)
        told = len(house.outcomes())
        time.sleep(0.3)
        expect(len(house.outcomes()) == told, "nothing is settled meanwhile")
        client.config_set("min-replicas-to-write", "0")
        goes_on(house, sender, "refusing writes:")
        said_once(house, "event=redis_trouble ", sender)


def library(version, *functions):
    """A library of our name that knows no more than its version."""
    return "#!lua name=facteur\nredis.register_function{function_name='facteur_version', " \
        "flags={'no-writes'}, callback=function() return '%s' end}\n" % version


def the_functions_are_gone():
    with House(emulator=FAST) as house:
        client = house.redis.client()
        sender = in_mid_flight(house)
        client.execute_command("FUNCTION", "FLUSH")
        house.wait_for_log("event=library_loaded", sender)
        goes_on(house, sender, "functions flushed:")
        said_once(house, "event=library_loaded", sender)


def the_functions_are_of_another_version():
    with House(emulator=FAST) as house:
        client = house.redis.client()
        sender = in_mid_flight(house)
        client.execute_command("FUNCTION", "LOAD", "REPLACE", library("0.9.0"))
        house.wait_for_log("event=library_loaded", sender)  # over an older one
        house.wait_until("more", lambda: len(house.outcomes()) > 500)
        client.execute_command("FUNCTION", "LOAD", "REPLACE", library("99.0.0"))
        house.wait_for_log("event=library_newer", sender)
        time.sleep(0.5)
        expect(client.execute_command("FCALL_RO", "facteur_version", 0) == b"99.0.0",
               "an older facteur does not take over")
        with open(LIBRARY, encoding="utf-8") as file:
            client.execute_command("FUNCTION", "LOAD", "REPLACE", file.read())
        goes_on(house, sender, "functions of another version:")
        said_once(house, "event=library_newer", sender)


def a_key_of_a_wrong_type():
    """One account's `later` is a string: that account waits, and the other goes on."""
    other = "facteur:{acme}:es"
    with House(emulator=FAST) as house:
        client = house.redis.client()
        client.set(BASE + ":later", "not a sorted set")
        house.add(*[notification(number) for number in range(300)])
        house.add(*[notification(number) for number in range(300, 600)], base=other)
        sender = house.sender("--account", "acme/es=" + PHONE_ID, *OPTIONS)
        house.wait_until("the other account's outcomes",
                         lambda: len(house.outcomes(other)) == 300, 20)
        expect(not house.outcomes(), "the account itself waits")
        house.wait_for_log("key %s:later holds a string and not a zset" % BASE, sender)
        time.sleep(1.5)  # it is asked again, and says nothing more
        said_once(house, BASE + ":later holds", sender)
        client.delete(BASE + ":later")
        house.wait_for_outcomes(300, 20)
        house.wait_for_log("event=refusals_over", sender)
        house.stop(sender)
        said_once(house, "event=refusals_over", sender)
        expect({outcome["type"] for outcome in house.outcomes() + house.outcomes(other)}
               == {"accepted"}, "all accepted")
        expect(house.tally()["accepted"] == 600 and house.tally()["duplicates"] == 0, "each once")


def a_key_turns_wrong_in_mid_flight():
    """Events become a list: no outcome can be told, so none is settled until that is mended."""
    with House(emulator=FAST) as house:
        client = house.redis.client()
        sender = in_mid_flight(house)
        with client.pipeline() as at_once:
            at_once.rename(BASE + ":events", BASE + ":kept").rpush(BASE + ":events", "no stream")
            at_once.execute()
        house.wait_for_log("key %s:events holds a list and not a stream" % BASE, sender)
        time.sleep(1)
        claimed = re.findall(r"cause=\"FACTEUR key [^\"]*:events holds", house.log(sender))
        expect(len(claimed) == 1, "said once, not %d times" % len(claimed))
        client.rename(BASE + ":kept", BASE + ":events")
        goes_on(house, sender, "a wrong key in mid-flight:")


def redis_is_slow():
    with House(emulator=FAST) as house:
        proxy = CuttingProxy(house.redis.socket)
        sender = in_mid_flight(house, redis="tcp://127.0.0.1:%d" % proxy.port)
        proxy.delay = 1.2  # seconds, each answer
        time.sleep(4)
        proxy.delay = 0
        house.redis.process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        house.redis.process.send_signal(signal.SIGCONT)
        goes_on(house, sender, "slow:")
        expect("redis_lost" not in house.log(sender), "slow is not lost")
        proxy.close()


def main():
    redis_loads_its_files()
    redis_is_full()
    a_script_holds_redis_up()
    redis_refuses_writes()
    the_functions_are_gone()
    the_functions_are_of_another_version()
    a_key_of_a_wrong_type()
    a_key_turns_wrong_in_mid_flight()
    redis_is_slow()


if __name__ == "__main__":
    main()
