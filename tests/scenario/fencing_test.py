"""Leases and fencing: a sender that was stopped for longer than its lease, with requests ready, sends
none of them when it wakes up; and no clock that jumps ends anybody's lease.

Redis' clock is moved, and so is the machine's wall clock as a sender sees it.
"""
import os
import shutil
import signal
import struct
import subprocess
import time

from house import BASE, BUILD, House, expect, notification
from redis_pair import closed

LEASE = "1s"
HOUR = 3600


def member_of(accepted):
    """Out of biz_opaque_callback_data: f1;BUSINESS/ACCOUNT;MEMBER;…"""
    return accepted["callback"].split(";")[2]


def a_sender_wakes_with_requests_ready():
    """Two streams and answers that take long: most of what it was granted has not left."""
    with House(emulator=["--latency", "200ms-300ms"]) as house:
        house.load("fill", "--messages", "400", "--seed", "41", "--bad", "0", "--promotional", "0")
        options = ["--workers", "1", "--connections", "1", "--streams", "20", "--lease", LEASE]
        stopped = house.sender(*options)
        house.wait_until("work under way", lambda: len(house.outcomes()) > 40)
        stopped.send_signal(signal.SIGSTOP)
        other = house.sender(*options)
        house.wait_for_log("event=worker_recovered", other)
        parked = set(house.redis.client().zrange(BASE + ":uncertain", 0, -1))
        expect(len(parked) > 20, "granted to it, and more than can be on the wire: %d" % len(parked))
        stopped.send_signal(signal.SIGCONT)
        house.wait_for_log("event=worker_fenced", stopped)
        house.wait_until_quiet(60)
        still = {member.decode() for member in
                 house.redis.client().zrange(BASE + ":uncertain", 0, -1)}
        left = {member_of(one) for one in house.accepted()}
        print("parked at the stop %d; its late answers resolved %d of them; %d never left"
              % (len(parked), len(parked) - len(still), len(still - left)))
        expect(len(still) > 0, "some had not left: else this test shows nothing")
        expect(not still & left, "what had not left at the stop never did: %s" % (still & left))
        expect(house.tally()["duplicates"] == 0, "Meta saw each of them once")
        for sender in (stopped, other):
            house.stop(sender)
        closed(house, "woken:", parked=len(still))


class Clock:
    """What a program sees of the wall clock, and of nothing else; moved while it runs."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "clock")
        self.environment = {"LD_PRELOAD": os.path.join(BUILD, "tests/simulation/moved_clock.so"),
                            "FACTEUR_CLOCK_AHEAD": self.path,
                            # It stands in front of a sanitizer's own library, and may.
                            "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.move(0)

    def move(self, seconds):
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(struct.pack("q", seconds * 1000000))

    def launcher(self):
        return ["env"] + ["%s=%s" % pair for pair in self.environment.items()]


def work_while(house, senders, clock, seconds_of):
    """Traffic, and the clock jumps back and forth."""
    number = 0
    for jump in (HOUR, -HOUR, 30, -30, 0):
        house.add(*[notification(number + i) for i in range(200)])
        number += 200
        clock.move(jump)
        moved = seconds_of()
        expect(abs(moved - time.time() - jump) < 5, "the clock is moved: %d s" % (moved - time.time()))
        time.sleep(0.7)
    house.wait_for_outcomes(number, 30)
    for sender in senders:
        house.stop(sender)
    for words in ("worker_died", "worker_fenced"):
        expect(words not in house.log(), "nobody's lease ended: %s" % house.log()[-3000:])
    expect({outcome["type"] for outcome in house.outcomes()} == {"accepted"}, "all accepted")
    expect(house.tally()["accepted"] == number and house.tally()["duplicates"] == 0, "each once")
    expect(not any(house.pending().values()), "nothing held: %s" % house.pending())


def two_senders(house, launcher=()):
    options = ["--workers", "1", "--lease", LEASE]
    senders = [house.sender(*options, launcher=launcher) for _ in range(2)]
    for sender in senders:
        house.wait_for_log("event=redis_ready", sender)
    return senders


def the_clock_of_redis_jumps():
    with House(emulator=["--latency", "5ms-20ms"]) as house:
        clock = Clock(house.folder)
        house.redis.stop()
        house.redis.binary = house.file("redis-with-a-clock", "#!/bin/sh\nexec %s %s \"$@\"\n" % (
            " ".join(clock.launcher()), shutil.which("redis-server")))
        os.chmod(house.redis.binary, 0o700)
        house.redis.start()
        senders = two_senders(house)
        work_while(house, senders, clock, lambda: house.redis.client().time()[0])
        print("Redis' clock went an hour ahead and back: nobody's lease ended")


def the_clock_of_the_senders_jumps():
    with House(emulator=["--latency", "5ms-20ms"]) as house:
        clock = Clock(house.folder)
        senders = two_senders(house, clock.launcher())
        asked = clock.launcher() + ["date", "+%s"]
        work_while(house, senders, clock,
                   lambda: int(subprocess.check_output(asked, text=True)))
        print("the senders' wall clock went an hour ahead and back: nobody's lease ended")


def main():
    a_sender_wakes_with_requests_ready()
    the_clock_of_redis_jumps()
    the_clock_of_the_senders_jumps()


if __name__ == "__main__":
    main()
