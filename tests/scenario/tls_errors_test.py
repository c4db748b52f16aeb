"""A Graph API whose certificate is not good, or that is not there: the log says what is wrong and what
to do, nothing is sent, the queue is kept, and all goes out when it is mended."""
import socket
import threading

from certificates import Authority
from house import House, expect, free_port, notification
from servers import Nginx

COUNT = 30


class PlainServer:
    """Accepts, and never says a word of TLS."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "https://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.sendall(b"220 mail.example ready\r\n")
            connection.close()


def is_told(house, url, ca_file, *words):
    """The sender tries in vain and says these words; it ends well, and nothing has changed."""
    sender = house.sender(graph=url + "/graph", ca_file=ca_file)
    house.wait_for_log("event=graph_unreachable", sender)
    house.stop(sender, 10)
    lines = [line for line in house.log(sender).splitlines() if "graph_unreachable" in line]
    print(lines[0].split("cause=")[1])
    for word in words:
        expect(word in lines[0], "\"%s\" in %s" % (word, lines[0]))
    stats = house.stats()
    expect(stats["waiting"] + stats["later"] == COUNT and stats["uncertain"] == 0,
           "all of them kept: %s" % stats)
    held = house.pending()
    expect(held["workers"] == held["claims"] == held["grants"] == 0, "nothing held: %s" % held)
    expect(house.outcomes() == [], "no outcome")


def main():
    with House(emulator=None) as house:
        authority = Authority(house.folder)
        stranger = Authority(house.folder, "stranger")
        good = Nginx(house, authority.sign("good"))
        house.add(*[notification(number) for number in range(COUNT)])

        expired = Nginx(house, authority.sign("old", days=-1))
        is_told(house, expired.url, authority.path, "expired", "127.0.0.1", "renew")
        other = Nginx(house, authority.sign("other", host="graph.example"))
        is_told(house, other.url, authority.path, "graph.example", "127.0.0.1", "name")
        is_told(house, good.url, stranger.path, "not trusted", "authority", "--ca-file")
        is_told(house, PlainServer().url, authority.path, "TLS")
        is_told(house, "https://127.0.0.1:%d" % free_port(), authority.path, "refused",
                "nothing listens there")

        sender = house.sender(graph=good.url + "/graph", ca_file=authority.path)
        house.wait_for_outcomes(COUNT)
        house.stop(sender)
        for outcome in house.outcomes():
            expect(outcome["type"] == "accepted" and outcome["attempt"] == 1,
                   "accepted, and the vain hours cost no attempt: %s" % outcome)
        expect(len(good.requests()) == COUNT, "each once")
        for server in (expired, other):
            expect(server.requests() == [], "nothing was ever sent there")


if __name__ == "__main__":
    main()
