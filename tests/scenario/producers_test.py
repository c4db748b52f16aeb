"""Producers that are not ours: redis-cli, python3-redis and ioredis, each as a user of its own.

Each enqueues singly, in bulk and urgently, and reads its outcomes back; each is refused
everything else. The users are those of queue/acl.txt.
"""
import json
import os
import subprocess

import redis_server  # finds the python that has the package redis
import redis

from house import BASE, ROOT, House, expect, notification

PASSWORD = "a-password-of-the-scenario"
IOREDIS = "ioredis@5.4.1"

NODE = """
const Redis = require('ioredis');
const [socket, user, password, base] = process.argv.slice(2);
(async () => {
  const client = new Redis({ path: socket, username: user, password, lazyConnect: true });
  await client.connect();
  const fields = (o) => Object.entries(o).flat();
  const one = (n) => ({ to: '+336130000' + n, template: 'delivery_confirmation', lang: 'fr',
                        1: 'Zoé', 2: 'CMD-' + n, 3: 'mardi', id: 'node-' + n });
  await client.xadd(base + ':queue', '*', ...fields(one(10)));
  await client.xadd(base + ':urgent', '*', ...fields(one(11)));
  await client.xadd(base + ':queue', '*', 'bulk', [12, 13].map(one).map(JSON.stringify).join('\\n'));
  const seen = new Set();
  let id = '0-0';
  while (seen.size < 4) {
    const reply = await client.xread('COUNT', 10, 'BLOCK', 10000, 'STREAMS', base + ':events', id);
    if (!reply) throw new Error('no outcome within 10 s');
    for (const [entry, flat] of reply[0][1]) {
      id = entry;
      for (const line of flat[flat.indexOf('outcomes') + 1].split('\\n')) {
        const outcome = JSON.parse(line);
        if (outcome.id && outcome.id.startsWith('node-')) seen.add(outcome.id + ' ' + outcome.type);
      }
    }
  }
  console.log([...seen].sort().join('\\n'));
  client.disconnect();
})().catch((error) => { console.error(String(error)); process.exit(1); });
"""


def acl_users():
    with open(os.path.join(ROOT, "queue/acl.txt")) as file:
        return [line.split() for line in file if line.strip() and not line.startswith("#")]


def make_users(client):
    for words in acl_users():
        client.execute_command("ACL", "SETUSER", words[0], *words[1:], ">" + PASSWORD)


def cli(house, *words):
    result = subprocess.run(["redis-cli", "-s", house.redis.socket, "--user", "shop", *words],
                            capture_output=True, text=True, timeout=30,
                            env=dict(os.environ, REDISCLI_AUTH=PASSWORD))
    expect(result.returncode == 0 and "ERR" not in result.stdout and "NOPERM" not in result.stdout,
           "redis-cli %s: %s%s" % (" ".join(words), result.stdout, result.stderr))
    return result.stdout.strip()


def flat(fields):
    return [word for pair in fields.items() for word in pair]


def by_redis_cli(house):
    cli(house, "XADD", BASE + ":queue", "*", *flat(notification(1, id="cli-1")))
    cli(house, "XADD", BASE + ":urgent", "*", *flat(notification(2, id="cli-2")))
    lines = "\n".join(json.dumps(notification(n, id="cli-%d" % n)) for n in (3, 4))
    cli(house, "XADD", BASE + ":queue", "*", "bulk", lines)
    wait_for(house, "cli-", 4)
    said = cli(house, "XRANGE", BASE + ":events", "-", "+")
    expect(all('"id":"cli-%d"' % n in said for n in (1, 2, 3, 4)), "redis-cli reads its outcomes")


def by_python(house):
    client = redis.Redis(unix_socket_path=house.redis.socket, username="shop", password=PASSWORD)
    client.xadd(BASE + ":queue", notification(5, id="py-5"))
    client.xadd(BASE + ":urgent", notification(6, id="py-6"))
    client.xadd(BASE + ":queue", {"bulk": "\n".join(
        json.dumps(notification(n, id="py-%d" % n)) for n in (7, 8))})
    wait_for(house, "py-", 4)
    entries = client.xread({BASE + ":events": "0-0"})[0][1]
    seen = b"".join(fields[b"outcomes"] for _, fields in entries)
    expect(all(b'"id":"py-%d"' % n in seen for n in (5, 6, 7, 8)), "python3-redis reads its outcomes")


def by_ioredis(house):
    folder = house.path("node")
    os.mkdir(folder)
    installed = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix",
                                folder, IOREDIS], capture_output=True, text=True, timeout=120)
    if installed.returncode != 0:
        print("SKIPPED ioredis: npm could not install it:\n" + installed.stderr[-500:])
        return
    script = os.path.join(folder, "producer.js")
    with open(script, "w") as file:
        file.write(NODE)
    result = subprocess.run(["node", script, house.redis.socket, "shop", PASSWORD, BASE],
                            capture_output=True, text=True, timeout=60)
    expect(result.returncode == 0, "ioredis: " + result.stderr)
    expect(result.stdout.split("\n")[:4] == ["node-%d accepted" % n for n in (10, 11, 12, 13)],
           "ioredis enqueues and reads outcomes: " + result.stdout)


def wait_for(house, prefix, count):
    house.wait_until("outcomes of " + prefix, lambda: sum(
        1 for outcome in house.outcomes()
        if outcome.get("id", "").startswith(prefix) and outcome["type"] == "accepted") == count)


def a_producer_is_refused_everything_else(house):
    client = redis.Redis(unix_socket_path=house.redis.socket, username="shop", password=PASSWORD)
    others = BASE.replace("acme", "other")
    business = BASE.rsplit(":", 1)[0]
    refused = [
        ("XADD", BASE + ":events", "*", "outcomes", "{}"),
        ("XADD", BASE + ":dead", "*", "entry", "1-0"),
        ("XADD", others + ":queue", "*", "to", "+33612345678"),
        ("XRANGE", others + ":events", "-", "+"),
        ("XRANGE", BASE + ":dead", "-", "+"),
        ("XDEL", BASE + ":queue", "1-0"),
        ("XTRIM", BASE + ":queue", "MAXLEN", "0"),
        ("DEL", BASE + ":queue"),
        ("HGETALL", BASE + ":grants"),
        ("HSET", business + ":budget", "x", "1"),
        ("HGETALL", business + ":cost:2026-11-23"),
        ("GET", business + ":secret"),
        ("SMEMBERS", business + ":optout"),
        ("FCALL", "facteur_settle", "2", BASE, business, "x"),
        ("FCALL", "facteur_stats", "2", BASE, business),
        ("EVAL", "return 1", "0"),
        ("KEYS", "*"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("FUNCTION", "LIST"),
    ]
    for words in refused:
        try:
            answer = client.execute_command(*words)
        except redis.exceptions.NoPermissionError:
            continue
        expect(False, "a producer must not %s; it got %r" % (" ".join(words), answer))


def an_admin_may_look_but_not_load(house):
    password = house.file("admin.password", PASSWORD + "\n")
    login = ["--redis-user", "admin", "--redis-password-file", password]
    for words in (["queue", "stats", "--json"], ["cost", "report", "--json"], ["events"]):
        house.verb(*words, *login)
    client = redis.Redis(unix_socket_path=house.redis.socket, username="admin", password=PASSWORD)
    for words in (("FUNCTION", "FLUSH"), ("FLUSHALL",), ("KEYS", "*"), ("CONFIG", "SET", "save", ""),
                  ("GET", "another:key"), ("ACL", "LIST")):
        try:
            client.execute_command(*words)
        except redis.exceptions.NoPermissionError:
            continue
        expect(False, "an admin must not " + " ".join(words))


def main():
    with House() as house:
        make_users(house.redis.client())
        password = house.file("sender.password", PASSWORD + "\n")
        sender = house.sender("--redis-user", "sender", "--redis-password-file", password)
        by_redis_cli(house)
        by_python(house)
        by_ioredis(house)
        a_producer_is_refused_everything_else(house)
        an_admin_may_look_but_not_load(house)
        house.stop(sender)
        expect(house.pending()["workers"] == 0, "the worker's user was allowed all it needs")
        expect("NOPERM" not in house.log(), "nothing was refused to the worker:\n" + house.log())
    print("redis-cli, python3-redis and ioredis: single, bulk, urgent, outcomes; and nothing else")


if __name__ == "__main__":
    main()
