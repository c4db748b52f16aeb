"""Runs a file's test functions against one Redis with the library, each on an empty data set.

    if __name__ == "__main__":
        queue_tests.run(globals())

A word behind the file's name runs only the tests that have it in theirs.
"""
import sys
import traceback

from redis_server import RedisServer
from queue_calls import Queue


def run(names):
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    failures, count = [], 0
    with RedisServer() as server:
        server.load_library()
        queue = Queue(server.client())
        for name, test in list(names.items()):
            if not name.startswith("test_") or word not in name:
                continue
            queue.client.flushall()
            count += 1
            try:
                test(queue)
            except Exception:  # a failure of one test must not hide the others
                failures.append(name)
                print("FAIL %s\n%s" % (name, traceback.format_exc()), file=sys.stderr)
    print("%d tests, %d failed %s" % (count, len(failures), " ".join(failures)))
    sys.exit(1 if failures or count == 0 else 0)
