#!/usr/bin/env python3
"""facteur enqueue holds back: while too many entries wait, while Redis is full or takes nothing; says
so, goes on by itself, loses nothing, writes nothing twice. Or ends with 75 when told not to wait."""
import json
import os
import pty
import subprocess
import time

from house import ACCOUNT, BASE, BUILD, House, expect, notification


def lines(first, count):
    return "".join(json.dumps(notification(i)) + "\n" for i in range(first, first + count))


def start(house, text, *words, redis=None, stderr=None):
    """facteur enqueue of a file with this text, in the background."""
    path = house.file("lines-%d" % time.monotonic_ns(), text)
    environment = dict(os.environ, FACTEUR_REDIS=redis or "unix:" + house.redis.socket,
                       FACTEUR_ACCOUNT=ACCOUNT)
    return house.start([BUILD + "/facteur", "enqueue", *words, path], env=environment,
                       stderr=stderr or subprocess.PIPE, text=stderr is None)


def ended(process, code):
    _, words = process.communicate(timeout=60)
    expect(process.returncode == code, (code, process.returncode, words))
    return words or ""


def length(house):
    return house.redis.client().xlen(BASE + ":queue")


def ids(house):
    """The producers' ids in the stream, in its order."""
    found = []
    for _, fields in house.redis.client().xrange(BASE + ":queue"):
        texts = fields[b"bulk"].split(b"\n") if b"bulk" in fields else None
        found += [json.loads(text)["id"] for text in texts] if texts else [fields[b"id"].decode()]
    return found


def names(first, count):
    return ["id-%d" % i for i in range(first, first + count)]


def take(house, count):
    """What a sender does to the stream, for somebody who only sees its length."""
    client = house.redis.client()
    for entry, _ in client.xrange(BASE + ":queue", count=count):
        client.xdel(BASE + ":queue", entry)


def a_backlog_is_waited_for(house):
    told = ended(start(house, lines(0, 100), "--single", "--max-backlog", "10", "--no-wait"), 75)
    expect("10 entries stand in queue, and --max-backlog is 10" in told, told)
    expect("10 are in the queue" in told and "same ids" in told, told)
    expect(ids(house) == names(0, 10), "ten are there")
    process = start(house, lines(10, 90), "--single", "--max-backlog", "10")
    time.sleep(0.3)
    expect(process.poll() is None and length(house) == 10, "it waits")
    seen = names(0, 10)
    while process.poll() is None:
        take(house, 10)
        time.sleep(0.05)
        expect(length(house) <= 10, "never more than ten")
        seen += [one for one in ids(house) if one not in seen]
    told = ended(process, 0)
    expect(told.count("waiting: 10 entries stand in queue") == 1, "once: " + told)
    expect("90 enqueued, 0 bad" in told, told)
    expect(seen == names(0, 100), "each once, in order")
    take(house, 100)


def a_bulk_is_one_entry(house):
    told = ended(start(house, lines(0, 300), "--bulk", "50", "--max-backlog", "4", "--no-wait"), 75)
    expect("200 are in the queue" in told and length(house) == 4, told)
    expect(ids(house) == names(0, 200), "in four entries")
    take(house, 4)


def with_a_sender_all_is_sent(house):
    process = start(house, lines(1000, 3000), "--bulk", "10", "--max-backlog", "20")
    sender = house.sender("--workers", "1")
    ended(process, 0)
    house.wait_for_outcomes(3000)
    house.stop(sender)
    accepted = [one["id"] for one in house.outcomes_of("accepted")]
    expect(sorted(accepted) == sorted(names(1000, 3000)), "each was accepted once")


def set_memory(house, text):
    house.redis.client().execute_command("CONFIG", "SET", "maxmemory", text)


def nearly_full_is_waited_for(house):
    used = int(house.redis.client().info("memory")["used_memory"])
    set_memory(house, str(used * 100 // 90))
    told = ended(start(house, lines(0, 10), "--no-wait"), 75)
    expect("% of its memory in use" in told and "0 are in the queue" in told, told)
    process = start(house, lines(0, 10))
    time.sleep(0.3)
    expect(process.poll() is None and length(house) == 0, "it waits")
    set_memory(house, "0")
    told = ended(process, 0)
    expect("waiting: Redis has 9" in told, told)
    expect(ids(house) == names(0, 10), "and goes on")
    take(house, 10)


def out_of_memory_is_waited_for(house):
    """A producer who may not ask how full Redis is hears it from its refusals, with many under way."""
    client = house.redis.client()
    client.execute_command("ACL", "SETUSER", "shop", "on", "nopass", "~" + BASE + ":queue", "+xadd",
                           "+ping", "+client|setname", "+hello")
    words = ["--redis-user", "shop", "--redis-password-file", house.file("nothing", "x\n"),
             "--single"]
    used = int(client.info("memory")["used_memory"])
    set_memory(house, str(used + 300 * 1024))
    told = ended(start(house, lines(0, 5000), *words, "--no-wait"), 75)
    expect("memory" in told, told)
    first = length(house)
    expect(0 < first < 5000 and "%d are in the queue" % first in told, (first, told))
    take(house, first)
    process = start(house, lines(0, 5000), *words)
    house.wait_until("memory is full", lambda: length(house) > 100)
    time.sleep(0.5)
    expect(process.poll() is None, "it waits")
    set_memory(house, "0")
    told = ended(process, 0)
    expect("waiting: " in told and "5000 enqueued" in told, told)
    expect(sorted(ids(house)) == sorted(names(0, 5000)), "each once, whatever was refused between")
    take(house, 5000)


def a_lost_connection_is_told(house):
    process = start(house, lines(0, 100), "--single", "--max-backlog", "10")
    house.wait_until("it waits", lambda: length(house) == 10)
    house.redis.client().execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    told = ended(process, 75)
    expect("10 are in the queue" in told and "same ids" in told, told)
    take(house, 10)


def a_terminal_sees_a_bar(house):
    leader, follower = pty.openpty()
    process = start(house, lines(0, 2000), "--max-backlog", "10", stderr=follower)
    time.sleep(0.4)
    take(house, 10)
    time.sleep(0.4)
    while process.poll() is None:
        take(house, 10)
        time.sleep(0.02)
    os.close(follower)
    shown = ""
    try:
        while True:
            shown += os.read(leader, 65536).decode()
    except OSError:
        pass
    bars = [part for part in shown.split("\r") if part.startswith("[")]
    expect(any(0 < bar.count("#") < 30 for bar in bars), "half a bar: " + shown)
    expect(any("(waiting)" in bar for bar in bars), "that it waits: " + shown)
    expect(bars[-1].startswith("[" + "#" * 30 + "] 2000 enqueued, 0 bad"), "the end: " + shown)
    expect("waiting: 10 entries stand in queue" in shown, shown)
    take(house, 1000)


def main():
    with House() as house:
        a_backlog_is_waited_for(house)
        a_bulk_is_one_entry(house)
        nearly_full_is_waited_for(house)
        out_of_memory_is_waited_for(house)
        a_lost_connection_is_told(house)
        a_terminal_sees_a_bar(house)
        with_a_sender_all_is_sent(house)
    print("held back, said so, and all there once")


if __name__ == "__main__":
    main()
