"""kill -9 of the sender in mid-flight, twenty times at random: nothing lost, nothing sent twice."""
import random
import time

from house import House, expect

KILLS = 20
MESSAGES = 20000
SEED = 20261123


def in_limbo(stats):
    """Granted to the living or the dead, or given up as uncertain: what a kill may have parked."""
    return stats["granted"] + stats["uncertain"]


def has_work(stats):
    return stats["waiting"] + stats["urgent"] + stats["claimed"] + stats["later"] > 0


def main():
    chance = random.Random(SEED)
    options = ["--lease", "1s", "--workers", "1", "--streams", "20", "--connections", "2"]
    with House(emulator=["--latency", "5ms-40ms"]) as house:
        house.load("fill", "--messages", str(MESSAGES), "--seed", "7")
        granted_at_kills = []
        for number in range(KILLS):
            before = in_limbo(house.stats())
            expect(has_work(house.stats()), "work left at kill %d" % number)
            sender = house.sender(*options)
            # In mid-flight: this sender has granted something of its own.
            house.wait_until("a sender with something granted",
                             lambda: in_limbo(house.stats()) > before, 30)
            time.sleep(chance.uniform(0.0, 0.15))
            sender.kill()
            sender.wait()
            granted_at_kills.append(in_limbo(house.stats()) - before)
        last = house.sender("--lease", "1s")
        house.wait_until_quiet()
        report = house.audit()
        house.stop(last)
        print("granted at each kill:", granted_at_kills)
        print(report)
        expect(report["lost"] == 0, "lost 0")
        expect(report["duplicates"] == 0, "duplicates 0")
        expect(report["ledger_difference"] == 0, "ledger_difference 0")
        expect(report["parked"] <= sum(granted_at_kills),
               "parked at most what was granted at the kills")
        expect(report["parked"] > 0, "kills that hit something: else this test shows nothing")


if __name__ == "__main__":
    main()
