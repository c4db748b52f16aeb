"""The connection to Redis is cut after so many bytes, whatever that number is: in the middle of a
greeting, of a call, of an answer. What has no answer is asked again, and counts once."""
import random

from cutting_proxy import CuttingProxy
from house import House, expect
from redis_pair import closed

MESSAGES = 3000
CONNECTIONS = 40


def sizes_of(seed):
    """From one byte to what a batch of settles takes; as many small as large ones."""
    chance = random.Random(seed)
    return [int(2 ** chance.uniform(0, 16)) for _ in range(CONNECTIONS)]


def cut_at_any_byte(seed, bulk):
    with House(emulator=["--latency", "10ms-40ms"]) as house:
        house.load("fill", "--messages", str(MESSAGES), "--seed", str(seed), "--bulk", str(bulk))
        proxy = CuttingProxy(house.redis.socket)
        sender = house.sender("--workers", "1", "--connections", "2", "--streams", "50",
                              redis="tcp://127.0.0.1:%d" % proxy.port)
        house.wait_until("work under way", lambda: len(house.outcomes()) > 50)
        sizes = sizes_of(seed)
        proxy.cut_all(sizes)
        house.wait_until("the last cut", lambda: not proxy.sizes, 60)
        house.wait_until_quiet(60)
        closed(house, "cut after %s … bytes:" % sizes[:6], sender)
        expect(not any(house.pending().values()), "nothing held: %s" % house.pending())
        expect(house.tally()["duplicates"] == 0, "Meta saw each of them once")
        proxy.close()


def main():
    cut_at_any_byte(31, bulk=1)
    cut_at_any_byte(32, bulk=20)


if __name__ == "__main__":
    main()
