"""Redis in trouble, for scenarios: a master and its replica, a library that works long, an audit.

    with Pair(house) as pair:
        sender = house.sender(redis=pair.address)
        pair.fail_over()
"""
import time

from house import expect
from redis_server import RedisServer

# A library of somebody else's, whose only function holds Redis up for so many milliseconds.
LONG_SCRIPT = """#!lua name=long
redis.register_function{function_name='work_long', flags={'no-writes'}, callback=function(_, args)
  local until_ms = nil
  local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end
  until_ms = now() + tonumber(args[1])
  while now() < until_ms do end
  return 'done'
end}
"""


class Pair:
    """The house's Redis as the master, and a replica of it."""

    def __init__(self, house, append=None):
        self.house = house
        self.master = house.redis
        self.replica = RedisServer(append=append, settings=[
            "--replicaof", "127.0.0.1", str(house.redis_port), "--repl-diskless-sync-delay", "0",
            "--replica-read-only", "yes"])
        self.address = "unix:%s,unix:%s" % (self.master.socket, self.replica.socket)
        house.wait_until("the replica's first copy", self.is_in_step, 20)

    def is_in_step(self):
        info = self.replica.client().info("replication")
        return info["role"] == "slave" and info["master_link_status"] == "up"

    def cut(self):
        """The replica hears nothing more of its master: from now on it falls behind."""
        self.replica.client().execute_command("REPLICAOF", "127.0.0.1", "1")

    def fail_over(self, kill=True):
        """The master dies (kill -9), and the replica is promoted."""
        if kill:
            self.master.kill()
        self.replica.client().execute_command("REPLICAOF", "NO", "ONE")
        self.house.redis = self.replica  # whom the audit asks from now on

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.house.redis = self.master  # the house closes it
        self.replica.close()


def closed(house, what, sender=None, **allowed):
    """The audit, printed; everything 0 but what is allowed (name: most)."""
    if sender is not None:
        house.stop(sender)
    report = house.audit(check=False)
    print(what, {name: report[name] for name in ("accepted", "refused", "parked", "lost",
                                                 "duplicates", "possible_duplicates", "exposure",
                                                 "ledger_difference")})
    for name in ("lost", "duplicates", "possible_duplicates", "ledger_difference", "parked"):
        most = allowed.get(name, 0)
        expect(abs(report[name]) <= most, "%s: %s at most %d, not %s\n%s"
               % (what, name, most, report[name], house.log()[-3000:]))
    return report


def said_once(house, words, sender=None, most=1):
    """How often the log says so: at least once, and not again and again. A sender with two workers
    says it once each."""
    count = house.log(sender).count(words)
    expect(1 <= count <= most, "\"%s\" said once, not %d times:\n%s"
           % (words, count, house.log(sender)[-4000:]))


def busy_for(server, milliseconds):
    """Starts a script that holds Redis up, and returns at once."""
    client = server.client()
    client.execute_command("FUNCTION", "LOAD", "REPLACE", LONG_SCRIPT)
    connection = client.connection_pool.get_connection("FCALL")
    connection.send_command("FCALL_RO", "work_long", 0, milliseconds)
    time.sleep(0.05)
    return connection
