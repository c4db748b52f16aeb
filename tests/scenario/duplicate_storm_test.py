"""A storm of duplicate ids, end to end: eight producers write the same thousand ids, one each, in
bulks, as urgent ones and by facteur_enqueue, in orders of their own, while senders are killed -9.
Meta accepts each id exactly once."""
import collections
import random
import threading
import time

from house import BASE, BUSINESS, House, expect, notification

IDS = 1000
KILLS = 6
SEED = 20261124
PRICE = 30000  # millionths, of one to France
OPTIONS = ["--workers", "1", "--lease", "1s", "--request-timeout", "1s", "--uncertain-wait", "2500ms",
           "--streams", "8", "--connections", "1"]


# ---- producers ----------------------------------------------------------------------------------

def shuffled(seed):
    numbers = list(range(IDS))
    random.Random(seed).shuffle(numbers)
    return numbers


def in_pieces(numbers, size, write):
    """Some at a time, so that all producers and the senders are at it together."""
    for i in range(0, IDS, size):
        write(numbers[i:i + size])
        time.sleep(0.02)


def singles(house, seed, stream):
    in_pieces(shuffled(seed), 10, lambda some: house.add(*[notification(i) for i in some],
                                                         stream=stream))


def bulks(house, seed, stream):
    in_pieces(shuffled(seed), 37, lambda some: house.add_bulk(*[notification(i) for i in some],
                                                              stream=stream))


def calls(house, seed, stream):
    client = house.redis.client()

    def write(some):
        for i in some:
            flat = [word for pair in notification(i).items() for word in pair]
            client.execute_command("FCALL", "facteur_enqueue", 2, BASE, BUSINESS, stream, *flat)
    in_pieces(shuffled(seed), 10, write)


PRODUCERS = [(singles, "queue"), (singles, "urgent"), (bulks, "queue"), (bulks, "urgent"),
             (bulks, "queue"), (calls, "queue"), (calls, "urgent"), (singles, "queue")]


def start_producers(house, chance):
    threads = [threading.Thread(target=produce, args=(house, chance.random(), stream))
               for produce, stream in PRODUCERS]
    for thread in threads:
        thread.start()
    return threads


# ---- senders that die ---------------------------------------------------------------------------

def kill_some(house, chance):
    """One is killed with something on the wire, another takes its place."""
    senders = [house.sender(*OPTIONS) for _ in range(2)]
    for kill in range(KILLS):
        house.wait_until("something on the wire", lambda: house.stats()["granted"] > 0)
        time.sleep(chance.uniform(0.0, 0.3))
        victim = senders[kill % 2]
        victim.kill()
        victim.wait()
        senders[kill % 2] = house.sender(*OPTIONS)
    return senders


# ---- what Meta took -----------------------------------------------------------------------------

def accepted_numbers(house):
    """How often Meta took each id: every id has a recipient of its own."""
    found = collections.Counter(int(one["to"].lstrip("+")[3:]) - 12000000 for one in house.accepted())
    expect(set(found) <= set(range(IDS)), "only these: %s" % (set(found) - set(range(IDS))))
    return found


def main():
    chance = random.Random(SEED)
    with House(emulator=["--latency", "5ms-60ms"]) as house:
        threads = start_producers(house, chance)
        senders = kill_some(house, chance)
        for thread in threads:
            thread.join()
        house.wait_until("all is settled, and its wait is over", lambda: not any(
            house.stats()[name] for name in ("waiting", "urgent", "claimed", "granted", "later",
                                             "uncertain")), 120)
        found = accepted_numbers(house)
        expect(max(found.values()) == 1, "nobody twice, whatever died")
        # What died on the wire holds its id: a receipt tells, and what has none was never taken.
        house.play_receipts()
        parked = house.dead()
        expect(len(parked) == IDS - len(found), "parked: what Meta never took: %d, %d accepted"
               % (len(parked), len(found)))
        expect(all(one["type"] == "uncertain" for one in parked.values()), "and nothing else is dead")
        if parked:
            house.verb("dead", "requeue", "--type", "uncertain", "--reason", "no receipt came")
            house.wait_until_quiet()
        found = accepted_numbers(house)
        expect(set(found) == set(range(IDS)) and max(found.values()) == 1,
               "each id exactly once: %d of them, the most often %d times"
               % (len(found), max(found.values())))
        kinds = collections.Counter(one["type"] for one in house.outcomes())
        refused = len(PRODUCERS) * IDS - IDS
        expect(kinds["accepted"] == IDS, "told once each: %s" % kinds)
        expect(0 < kinds["duplicate"] <= refused, "the others were dropped, or refused at once")
        house.play_receipts()
        expect(house.booked() == (IDS, house.tally()["billed"]["millionths"]), "charged once each")
        expect(house.exposed() == len(parked) * PRICE, "in doubt: what died and has no receipt")
        for sender in senders:
            house.stop(sender)
        expect(not any(house.pending().values()), "nothing is left: %s" % house.pending())
        print("%d ids, %d notifications, %d kills: %d parked and sent after all, %s"
              % (IDS, len(PRODUCERS) * IDS, KILLS, len(parked), dict(kinds)))


if __name__ == "__main__":
    main()
