"""A real Redis and the simulation's, side by side, with one clock that only the test moves.

Twins     both servers and the clock
Wire      one raw connection: what is sent, and the exact bytes of each reply
Twin      a redis.Redis that asks both and raises Different when they do not say the same
"""
import mmap
import os
import socket
import struct
import tempfile
import time

from redis_server import RedisServer
from store_server import BUILD, StoreServer
import redis

REPLY_SECONDS_MAX = 20
# Told in the order in which it came, as the simulation's does without a seed. Sets have no order.
IN_ORDER = ["--hash-max-listpack-entries", "1000000", "--hash-max-listpack-value", "1000000",
            "--busy-reply-threshold", "5000"]


class Different(AssertionError):
    pass


class Clock:
    """Unix microseconds in a file that both servers look at."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="facteur-clock-")
        self.file.write(struct.pack("=Q", 1))
        self.file.flush()
        self.map = mmap.mmap(self.file.fileno(), 8)
        self.now_us = 0
        self.set(int(time.time() * 1e6))

    def set(self, now_us):
        self.now_us = now_us
        self.map[:] = struct.pack("=Q", now_us)

    def move(self, more_us):
        self.set(self.now_us + more_us)

    def close(self):
        self.map.close()
        self.file.close()


class MovedRedis(RedisServer):
    """A real one whose wall clock is a file."""

    def __init__(self, clock, settings=()):
        self.clock = clock
        super().__init__(settings=IN_ORDER + list(settings))

    def start(self):
        before = dict(os.environ)
        os.environ["LD_PRELOAD"] = os.path.join(BUILD, "tests/simulation/moved_clock.so")
        os.environ["FACTEUR_CLOCK"] = self.clock.file.name
        try:
            super().start()
        finally:
            os.environ.clear()
            os.environ.update(before)


class Twins:
    def __init__(self, settings=()):
        self.clock = Clock()
        self.real = MovedRedis(self.clock, settings)
        self.store = StoreServer(environment=dict(os.environ, FACTEUR_CLOCK=self.clock.file.name))

    def load_library(self):
        self.real.load_library()
        self.store.load_library()

    def client(self):
        return Twin(self)

    def close(self):
        self.real.close()
        self.store.close()
        self.clock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Wire:
    """One connection, byte by byte."""

    def __init__(self, server):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(REPLY_SECONDS_MAX)
        self.socket.connect(server.socket)
        self.read, self.at = b"", 0

    @staticmethod
    def request(words):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part)
                                                  for part in parts)

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError("the connection was closed")
        self.read += data

    def _line(self):
        while self.read.find(b"\r\n", self.at) < 0:
            self._more()
        end = self.read.index(b"\r\n", self.at)
        line, self.at = self.read[self.at:end], end + 2
        return line

    def _skip(self):
        line = self._line()
        size = int(line[1:]) if line[:1] in b"$*" else 0
        if line[:1] == b"$" and size >= 0:
            while len(self.read) < self.at + size + 2:
                self._more()
            self.at += size + 2
        for _ in range(size if line[:1] == b"*" else 0):
            self._skip()

    def reply(self):
        """The next reply, as its bytes."""
        self._skip()
        found, self.read, self.at = self.read[:self.at], self.read[self.at:], 0
        return found

    def ask(self, *words):
        self.send(self.request(words))
        return self.reply()

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def is_silent(self, seconds=0.05):
        """Nothing comes for a while: a command is blocked."""
        self.socket.settimeout(seconds)
        try:
            self.read += self.socket.recv(1)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(REPLY_SECONDS_MAX)

    def close(self):
        self.socket.close()


def difference(real, other):
    """Both as texts, cut to where they part."""
    real, other = repr(real), repr(other)
    same = next((i for i, pair in enumerate(zip(real, other)) if pair[0] != pair[1]), 0)
    begin = max(0, same - 200)
    return "\n  Redis:      %s%s\n  simulation: %s%s" % (
        "..." if begin else "", real[begin:same + 300], "..." if begin else "",
        other[begin:same + 300])


class Batch:
    """A pipeline that asks at once, one by one: each reply is to be compared."""

    def __init__(self, twin):
        self.twin, self.replies = twin, []

    def __getattr__(self, name):
        def ask(*words, **options):
            self.replies.append(getattr(self.twin, name)(*words, **options))
            return self
        return ask

    def execute(self):
        return self.replies


class Twin(redis.Redis):
    """Asks both, and answers what the real one says. Time follows the machine's between commands
    and stands still within each."""

    def __init__(self, twins):
        super().__init__(unix_socket_path=twins.real.socket, socket_timeout=60)
        self.twins, self.other, self.count = twins, twins.store.client(), 0
        self.dumps = {}  # what the real one dumped → what the other did: their formats differ

    @staticmethod
    def _ask(client, words, options):
        try:
            return redis.Redis.execute_command(client, *words, **options)
        except redis.exceptions.ResponseError as error:
            return error

    @staticmethod
    def _shown(reply):
        if isinstance(reply, Exception):
            return "%s: %s" % (type(reply).__name__, reply)
        return reply

    def pipeline(self, *_, **__):
        return Batch(self)

    def execute_command(self, *words, **options):
        self.count += 1
        self.twins.clock.set(max(self.twins.clock.now_us, int(time.time() * 1e6)))
        theirs = [self.dumps.get(word, word) if words[0] == "RESTORE" and isinstance(word, bytes)
                  else word for word in words]
        real, other = self._ask(self, words, options), self._ask(self.other, theirs, options)
        name = words[0].upper()
        if name == "DUMP" and real is not None and other is not None:
            self.dumps[real] = other
        elif name == "KEYS":
            real, other = sorted(real), sorted(other)
        if name != "DUMP" and self._shown(real) != self._shown(other):
            raise Different("%.500r%s" % (words, difference(self._shown(real), self._shown(other))))
        if isinstance(real, Exception):
            raise real
        return real
