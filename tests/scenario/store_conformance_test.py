"""The simulation's Redis against a real one: the queue's own scenarios, each command asked of both.

Whatever the function library is told to do, wherever it refuses, and whatever it leaves behind:
both servers must say the same. Then the random walk once more on the simulation's alone, with orders
shuffled by a seed, because the library may not rely on the order of a hash.

    python3 tests/scenario/store_conformance_test.py [seed [word in a file's name]]
"""
import glob
import importlib
import inspect
import os
import random
import re
import sys

from store_server import StoreServer
from store_twins import Twins
import queue_calls
import queue_property_test

TWIN_STEPS = 150
ALONE_STEPS = 200
FILES_MIN = 6
TIMED = {"test_stats_rate"}  # gives 2,000 commands 0.3 s: two servers need more


def is_library_test(path):
    """It speaks to the function library, and starts nothing of its own."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return "queue_calls import" in text and not re.search(r"\b(house|subprocess)\b", text)


def library_tests(word):
    """File → its tests that need one Redis with the library and nothing else: test(queue)."""
    found = {}
    for path in sorted(glob.glob(os.path.join(os.path.dirname(__file__), "*_test.py"))):
        name = os.path.basename(path)[:-3]
        if word not in name or not is_library_test(path):
            continue
        module = importlib.import_module(name)
        names = module.tests() if hasattr(module, "tests") else getattr(module, "TESTS", vars(module))
        tests = {name: test for name, test in names.items() if name.startswith("test_")
                 and name not in TIMED and list(inspect.signature(test).parameters)[:1] == ["queue"]}
        if tests:
            found[name] = tests
    return found


def run_tests(files, queue):
    """How many."""
    for file, tests in files.items():
        for name, test in tests.items():
            queue.client.flushall()
            try:
                test(queue)
            except BaseException:
                print("%s: %s" % (file, name), file=sys.stderr)
                raise
    return sum(len(tests) for tests in files.values())


def walk(client, seed, steps):
    run = queue_property_test.Run(queue_calls.Queue(client), seed)
    for _ in range(steps):
        run.step()
        run.check()
    run.drain()
    run.finish()


def compare(seed, files):
    with Twins() as twins:
        twins.load_library()
        client = twins.client()
        count = run_tests(files, queue_calls.Queue(client))
        client.flushall()
        walk(client, seed, TWIN_STEPS)
        print("%d tests of %d files and %d steps: %d commands, the same replies" % (
            count, len(files), TWIN_STEPS, client.count), flush=True)


def shuffle(seed):
    with StoreServer(seed=seed) as server:
        server.load_library()
        walk(server.client(), seed, ALONE_STEPS)
        print("%d steps with shuffled orders" % ALONE_STEPS)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1, 1 << 30)
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    files = library_tests(word)
    assert word or len(files) >= FILES_MIN, "only %s were found" % sorted(files)
    print("seed %d" % seed, flush=True)
    compare(seed, files)
    shuffle(seed)


if __name__ == "__main__":
    main()
