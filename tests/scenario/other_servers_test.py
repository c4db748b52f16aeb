"""The sender against servers that are not ours: nghttpd, nginx and node's http2, over TLS.

None of them is Meta. What they say is no answer of Meta's unless it is a whole body with
messages[].id (accepted) or error.code (Meta's own no): anything else may have been accepted, so it
is uncertain and parked, with the reason in words. Nothing is lost, and nothing is sent again.
"""
import time

from certificates import Authority
from house import House, expect, notification
from servers import Nginx, nghttpd, node

EACH = 20


class Case:
    def __init__(self, house, authority):
        self.house, self.authority = house, authority
        self.count = 0

    def send(self, count, url, outcomes=None):
        """Sends `count` more to this URL and returns their outcomes."""
        first, self.count = self.count, self.count + count
        self.house.add(*[notification(number) for number in range(first, self.count)])
        sender = self.house.sender(graph=url, ca_file=self.authority.path)
        self.house.wait_for_outcomes(self.count, 30)
        self.house.stop(sender)
        outcomes = self.house.outcomes()[first:]
        ids = sorted(outcome["id"] for outcome in outcomes)
        expect(ids == sorted("id-%d" % number for number in range(first, self.count)),
               "one outcome for each, no more: %s" % ids)
        return outcomes

    def expect_uncertain(self, url, reason, count=EACH):
        before = self.house.stats()["uncertain"]
        for outcome in self.send(count, url):
            expect(outcome["type"] == "uncertain", "uncertain, not %s" % outcome)
            expect(reason in outcome["reason"], "\"%s\" in %s" % (reason, outcome["reason"]))
        expect(self.house.stats()["uncertain"] == before + count, "all of them parked")

    def expect_accepted(self, url, count=EACH):
        for outcome in self.send(count, url):
            expect(outcome["type"] == "accepted" and outcome["wamid"].startswith("wamid."),
                   "accepted, not %s" % outcome)
            expect(outcome["attempt"] == 1, "at the first attempt: %s" % outcome)


def speaks_http1_only(case, server, words):
    """A server of before HTTP/2: said in the log, and the queue stays as it is."""
    house = case.house
    before = len(house.outcomes())
    house.add(*[notification(case.count + number) for number in range(EACH)])
    sender = house.sender(graph=server + "/graph", ca_file=case.authority.path)
    house.wait_for_log("graph_unreachable", sender)
    time.sleep(1)
    log = house.log(sender)
    expect("ALPN" in log and words in log, "a log line that names ALPN: %s" % log)
    house.stop(sender)
    stats = house.stats()
    expect(stats["waiting"] + stats["later"] == EACH, "all of them kept: %s" % stats)
    expect(not any(house.pending()[name] for name in ("workers", "claims", "grants")),
           "nothing held: %s" % house.pending())
    expect(len(house.outcomes()) == before, "no outcome")
    # The server is mended: they go out, and the vain hours cost them no attempt.
    good = case.good_url + "/graph"
    sender = house.sender(graph=good, ca_file=case.authority.path)
    house.wait_for_outcomes(before + EACH)
    house.stop(sender)
    for outcome in house.outcomes()[before:]:
        expect(outcome["type"] == "accepted" and outcome["attempt"] == 1,
               "accepted at the first attempt: %s" % outcome)
    case.count += EACH


def main():
    with House(emulator=None) as house:
        authority = Authority(house.folder)
        certificate = authority.sign("server")
        case = Case(house, authority)

        url = nghttpd(house, certificate)
        case.expect_uncertain(url + "/ok", "HTTP 200")
        case.expect_uncertain(url + "/missing", "HTTP 404")

        nginx = Nginx(house, certificate)
        case.expect_uncertain(nginx.url + "/ok", "HTTP 200")
        case.expect_uncertain(nginx.url + "/missing", "HTTP 404")
        case.expect_accepted(nginx.url + "/graph")
        case.good_url = nginx.url

        # GOAWAY after every fifty requests: what is above its last id was not processed, so it is
        # sent again, on another connection, and costs neither an attempt nor a doubt.
        short = Nginx(house, certificate, keepalive_requests=50)
        case.expect_uncertain(short.url + "/ok", "HTTP 200", 500)
        expect(len(short.requests()) == 500, "500 requests, not %d" % len(short.requests()))
        case.expect_accepted(short.url + "/graph", 500)
        expect(len(short.requests()) == 1000, "each once, not %d" % len(short.requests()))

        url = node(house, certificate)
        for name, reason in (("ok", "HTTP 200 with a body that is not complete JSON"),
                             ("missing", "HTTP 404"),
                             ("empty", "HTTP 204 with an empty body"),
                             ("page", "HTTP 200 with a page of HTML"),
                             ("other", "HTTP 200 with JSON that is not Graph's"),
                             ("failed", "HTTP 500 with a message's id under a status of failure")):
            case.expect_uncertain(url + "/" + name, reason, 5)
        case.expect_accepted(url + "/graph")
        for outcome in case.send(EACH, url + "/refused"):
            expect(outcome["type"] == "failed" and "131026" in outcome["reason"],
                   "failed in Meta's words: %s" % outcome)

        speaks_http1_only(case, Nginx(house, certificate, http2=False).url, "HTTP/1.1")
        speaks_http1_only(case, node(house, certificate, "http1"), "HTTP/1.1")
        expect(len(house.outcomes()) == case.count, "no outcome was told twice")


if __name__ == "__main__":
    main()
