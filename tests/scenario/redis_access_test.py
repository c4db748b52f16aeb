"""The ways to Redis: TCP, TLS, users and passwords; and Redis, or the way to it, that goes away in
mid-flight: the sender goes on by itself, and the books close."""
import threading
import time

from certificates import Authority
from cutting_proxy import CuttingProxy
from house import House, expect, free_port, notification

PASSWORD = "correct-horse-battery-staple"
WRONG = "incorrect-horse-battery-staple"
MESSAGES = 6000


# ---- addresses and users ---------------------------------------------------------------------------

def sends_by(house, address, *options):
    """Twenty more, by this way to Redis."""
    before = len(house.outcomes())
    house.add(*[notification(before + number) for number in range(20)])
    sender = house.sender(*options, redis=address)
    house.wait_for_outcomes(before + 20, 20)
    house.stop(sender)
    expect(all(outcome["type"] == "accepted" for outcome in house.outcomes()), "all accepted")
    expect(PASSWORD not in house.log(), "the password is in no log")


def is_refused_by(house, address, *options):
    """The sender must not start: its exit code is 69, and what it says is returned."""
    sender = house.sender(*options, redis=address)
    sender.wait(timeout=20)
    said = house.log(sender)
    expect(sender.returncode == 69, "exit 69, not %d: %s" % (sender.returncode, said))
    for secret in (PASSWORD, WRONG):
        expect(secret not in said, "a password is shown: %s" % said)
    print(said.strip())
    return said


def every_way_in():
    port, tls_port = free_port(), free_port()
    with House(redis=["--port", str(port)]) as house:
        authority = Authority(house.folder)
        certificate, key = authority.sign("redis")
        client = house.redis.client()
        for name, value in (("tls-cert-file", certificate), ("tls-key-file", key),
                            ("tls-ca-cert-file", authority.path), ("tls-auth-clients", "no"),
                            ("tls-port", str(tls_port))):
            client.config_set(name, value)
        tcp, tls = "tcp://127.0.0.1:%d" % port, "rediss://127.0.0.1:%d" % tls_port
        trust = ("--redis-ca-file", authority.path)
        sends_by(house, tcp)
        sends_by(house, tls, *trust)

        stranger = Authority(house.folder, "stranger")
        said = is_refused_by(house, tls, "--redis-ca-file", stranger.path)
        expect("certificate of 127.0.0.1" in said and "--redis-ca-file" in said,
               "names the host and the remedy")
        said = is_refused_by(house, "rediss://localhost:%d" % tls_port, *trust)
        expect("localhost" in said, "names the host it was asked for")
        said = is_refused_by(house, "rediss://127.0.0.1:%d" % port, *trust)
        expect("TLS" in said, "a port without TLS: says TLS")
        said = is_refused_by(house, "tcp://127.0.0.1:%d" % free_port())
        expect("refused" in said, "nobody there: connection refused")

        users_and_passwords(house, client, tcp, tls, trust)


def users_and_passwords(house, client, tcp, tls, trust):
    right = house.file("right", PASSWORD + "\n")
    wrong = house.file("wrong", WRONG + "\n")
    client.execute_command("ACL", "SETUSER", "sender", "on", ">" + PASSWORD, "~facteur:*", "&*",
                           "+@all")
    client.execute_command("ACL", "SETUSER", "reader", "on", ">" + PASSWORD, "~*", "&*", "+@read",
                           "+ping", "+info")
    sends_by(house, tcp, "--redis-user", "sender", "--redis-password-file", right)
    sends_by(house, tls, "--redis-user", "sender", "--redis-password-file", right, *trust)
    said = is_refused_by(house, tcp, "--redis-user", "sender", "--redis-password-file", wrong)
    expect("the user name or the password" in said, "says which: %s" % said)
    said = is_refused_by(house, tcp, "--redis-user", "nobody", "--redis-password-file", right)
    expect("the user name or the password" in said, "says which: %s" % said)
    said = is_refused_by(house, tcp, "--redis-user", "reader", "--redis-password-file", right)
    expect("NOPERM" in said and "access list" in said and "FUNCTION" in said,
           "says which permission is missing: %s" % said)

    # A password for everybody, as requirepass gives it.
    client.config_set("requirepass", PASSWORD)
    said = is_refused_by(house, tcp)
    expect("--redis-password-file" in said, "says how a password is given: %s" % said)
    client.execute_command("AUTH", PASSWORD)
    client.config_set("requirepass", "")


# ---- Redis goes away -------------------------------------------------------------------------------

def audit(house, what):
    report = house.audit()
    print(what, {name: report[name] for name in
                 ("accepted", "refused", "parked", "lost", "duplicates", "ledger_difference")})
    for name in ("lost", "duplicates", "possible_duplicates", "ledger_difference", "parked"):
        expect(report[name] == 0, "%s: %s 0, not %s" % (what, name, report[name]))
    tally = house.tally()
    expect(tally["duplicates"] == 0, "Meta saw each of them once")


def fill(house):
    house.load("fill", "--messages", str(MESSAGES), "--seed", "4", "--bulk", "10")


def redis_restarts_in_mid_flight(kill):
    with House(emulator=["--latency", "10ms-50ms"]) as house:
        fill(house)
        sender = house.sender("--connections", "2", "--streams", "50")
        for turn in range(1, 4):
            house.wait_until("more outcomes",
                             lambda: house.redis.client().xlen("facteur:{acme}:fr:events") > 4 * turn)
            if kill:
                house.redis.kill()
            else:
                house.redis.stop()
            time.sleep(0.2)
            house.redis.start()
        house.wait_until_quiet(60)
        audit(house, "Redis %s three times:" % ("killed" if kill else "restarted"))
        expect("redis_lost" in house.log(sender), "the sender noticed")
        house.stop(sender)
        expect(not any(house.pending().values()), "nothing held: %s" % house.pending())


def the_way_to_redis_is_cut(cuts):
    with House(emulator=["--latency", "10ms-50ms"]) as house:
        fill(house)
        proxy = CuttingProxy(house.redis.socket, cuts, 20261123, 300000)
        sender = house.sender("--connections", "2", "--streams", "50",
                              redis="tcp://127.0.0.1:%d" % proxy.port)
        house.wait_until("the last cut", lambda: proxy.left == 0, 60)
        house.wait_until_quiet(60)
        audit(house, "the way cut %d times:" % cuts)
        house.stop(sender)
        proxy.close()
        expect(not any(house.pending().values()), "nothing held: %s" % house.pending())


def an_answer_is_lost_and_redis_cannot_repeat_it(word):
    """Redis did what it was asked, the answer was lost, and for a second Redis refuses everything
    (as while it loads its files): what it holds under our name must not be forgotten."""
    with House(emulator=["--latency", "10ms-50ms"]) as house:
        client = house.redis.client()
        proxy = CuttingProxy(house.redis.socket)
        refused = threading.Event()

        def refuse():
            client.execute_command("ACL", "SETUSER", "default", "-fcall")
            refused.set()

        sender = house.sender("--workers", "1", "--connections", "2", "--streams", "50",
                              redis="tcp://127.0.0.1:%d" % proxy.port)
        house.add(*[notification(number) for number in range(1000)])
        house.wait_for_outcomes(100)
        proxy.lose_answer_to(word, refuse)
        expect(refused.wait(20), "%s was met" % word)
        house.wait_for_log("NOPERM", sender)
        time.sleep(0.5)
        client.execute_command("ACL", "SETUSER", "default", "+fcall")
        house.wait_until_quiet(20)  # the sender lives: nothing may wait for its end
        house.stop(sender)
        proxy.close()
        outcomes = house.outcomes()
        expect(len(outcomes) == 1000 and {o["type"] for o in outcomes} == {"accepted"},
               "all accepted, each once, after %s" % word)
        expect(house.tally()["accepted"] == 1000 and house.tally()["duplicates"] == 0,
               "Meta saw each of them once")
        expect(not any(house.pending().values()), "nothing held: %s" % house.pending())


def main():
    every_way_in()
    redis_restarts_in_mid_flight(kill=False)
    redis_restarts_in_mid_flight(kill=True)
    the_way_to_redis_is_cut(30)
    for word in (b"facteur_claim", b"facteur_grant", b"facteur_settle"):
        an_answer_is_lost_and_redis_cannot_repeat_it(word)


if __name__ == "__main__":
    main()
