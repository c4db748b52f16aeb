"""Redis dies and is started again in mid-flight: each sender declares what it has before anybody
claims. With its log written always, or killed with what it had written, nothing is lost, nothing is
sent twice and nothing is parked. A log that lost its end (everysec, and a machine without power) is
made here by cutting it: what is then forgotten is told again from the senders' memory.
"""
import glob
import os
import re
import time

from house import House, expect
from redis_pair import closed, said_once

MESSAGES = 6000
OPTIONS = ["--workers", "1", "--connections", "2", "--streams", "50"]


def begin(house, senders=2, messages=MESSAGES, bulk=5):
    house.load("fill", "--messages", str(messages), "--seed", "51", "--bulk", str(bulk))
    started = [house.sender(*OPTIONS) for _ in range(senders)]
    house.wait_until("both at work", lambda: all(
        "event=redis_ready" in house.log(sender) for sender in started)
        and len(house.outcomes()) > 300)
    return started


def end(house, senders, what, **allowed):
    house.wait_until_quiet(60)
    for sender in senders:
        expect(sender.poll() is None, "the sender lives")
        house.stop(sender)
    report = closed(house, what, **allowed)
    expect(not any(house.pending().values()), "nothing held: %s" % house.pending())
    return report


def redis_restarts(append, kill):
    with House(emulator=["--latency", "30ms-90ms"], append=append) as house:
        senders = begin(house)
        for turn in range(1, 4):
            before = len(house.outcomes())
            if kill:
                house.redis.kill()
            else:
                house.redis.stop()
            time.sleep(0.1)
            house.redis.start()
            house.wait_until("more outcomes", lambda: len(house.outcomes()) > before + 200)
        end(house, senders, "%s, %s three times:" % (append, "killed" if kill else "stopped"))
        expect(house.tally()["duplicates"] == 0, "Meta saw each of them once")
        for sender in senders:
            said_once(house, "event=declaring ", sender, most=3)
            expect("event=declared " in house.log(sender), "and declared")
            expect("worker_fenced" not in house.log(sender), "nobody was fenced")


def cut_log(folder, share):
    """Takes away this share of what its append-only file holds since both senders announced
    themselves: one that was announced in the seconds that are forgotten would not be waited for."""
    path = sorted(glob.glob(os.path.join(folder, "appendonlydir", "*.incr.aof")))[-1]
    with open(path, "rb") as file:
        log = file.read()
    announced = {}
    for match in re.finditer(rb"\{acme\}:workers\r\n\$16\r\n(\w{16})\r\n", log):
        announced.setdefault(match.group(1), match.end())
    expect(len(announced) == 2, "both senders stand in the log: %s" % announced)
    # Only whole blocks may go.
    blocks = [match.start() for match in re.finditer(rb"\*1\r\n\$5\r\nMULTI\r\n", log)
              if match.start() > max(announced.values())]
    keep = blocks[-max(1, int(len(blocks) * share))]
    with open(path, "r+b") as file:
        file.truncate(keep)
    return len(log) - keep


def redis_forgets_the_end(share, away=0):
    """`away`: seconds until it is back. The senders' memory counts from when they last heard it."""
    with House(emulator=["--latency", "30ms-90ms"], append="no") as house:
        senders = begin(house)
        house.redis.kill()
        lost = cut_log(house.redis.folder, share)
        time.sleep(away)
        house.redis.start()
        told = len(house.outcomes())
        report = end(house, senders, "%d bytes of the log lost, back to %d outcomes:" % (lost, told))
        expect(house.tally()["duplicates"] == 0, "Meta saw each of them once")
        expect(report["accepted"] == house.tally()["accepted"], "all that Meta accepted is booked")
        declared = [int(re.search(r"event=declared .*accepted=(\d+)", house.log(sender)).group(1))
                    for sender in senders]
        print("    accepted and declared again:", declared)
        expect(sum(declared) > 0, "something accepted was declared")


def main():
    redis_restarts("always", kill=True)
    redis_restarts("everysec", kill=False)
    redis_forgets_the_end(0.1)
    redis_forgets_the_end(1, away=11)


if __name__ == "__main__":
    main()
