"""facteur_enqueue says `full` at 85 % of maxmemory, before Redis itself refuses.

    python3 tests/scenario/full_test.py
"""
import time

from redis_server import RedisServer
from queue_calls import Queue, Refused, key
from queue_library_test import claimed, equal, granted

NOTE = {"to": "+33612345678", "template": "order_shipped", "lang": "fr"}


def used(queue):
    info = queue.client.info("memory")
    return info["used_memory"] - info["mem_not_counted_for_evict"]


def look_again():
    time.sleep(1.1)  # Redis is asked once a second at most


def fill_to(queue, limit):
    number = 0
    while used(queue) < limit:
        queue.client.set("ballast%d" % number, "x" * 10000)
        number += 1


def main():
    with RedisServer() as server:
        server.load_library()
        queue = Queue(server.client())
        equal(queue.enqueue("queue", **NOTE)[0], "queued")  # without maxmemory it is never full
        first = queue.enqueue("queue", **NOTE, id="k")[1]
        most = used(queue) + 2000000
        queue.client.config_set("maxmemory", most)
        look_again()
        equal(queue.enqueue("queue", **NOTE)[0], "queued")
        fill_to(queue, most * 0.85 + 100000)
        look_again()
        before = queue.client.xlen(key("queue"))
        words, taken, limit = queue.enqueue("queue", **NOTE)
        equal(words, "full")
        assert limit == int(most * 0.85) and limit < taken < most, (taken, limit, most)
        equal(queue.enqueue("urgent", **NOTE, not_before=int(time.time() * 1000) + 60000)[0], "full")
        equal(queue.enqueue("queue", **NOTE, id="k"), ["duplicate", first])  # needs no room
        equal(queue.enqueue("queue", **NOTE, id="new")[0], "full")
        equal(queue.client.exists(key("id:new")), 0)
        equal(queue.client.xlen(key("queue")), before)
        try:
            queue.enqueue("queue", **dict(NOTE, to="0612345678"))
            raise AssertionError("not refused")
        except Refused as error:  # a bad one is told so, full or not
            assert "field to" in str(error), error

        # Above maxmemory Redis refuses it before we do; what empties the queue goes on.
        queue.client.config_set("maxmemory", used(queue) - 50000)
        try:
            queue.enqueue("queue", **NOTE)
            raise AssertionError("not refused")
        except Refused as error:
            assert "OOM" in str(error) or "maxmemory" in str(error), error
        equal(claimed(queue).members()[0][-2:], "-0")
        granted(queue, [first])

        queue.client.config_set("maxmemory", most)
        for number in range(400):
            queue.client.delete("ballast%d" % number)
        look_again()
        equal(queue.enqueue("queue", **NOTE, id="new")[0], "queued")
    print("full at 85 % of maxmemory, and no more when there is room again")


if __name__ == "__main__":
    main()
