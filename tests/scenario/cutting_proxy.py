"""A TCP proxy in front of a unix socket that cuts connections at random bytes, so many times."""
import random
import socket
import struct
import threading
import time


class CuttingProxy:
    """Cuts `cuts` connections, each after a random number of bytes in either direction, some by a
    reset and some by an end; then it only passes on. Seeded: the same cuts every time, as far as
    the same bytes come."""

    def __init__(self, target, cuts=0, seed=1, bytes_max=1):
        self.target = target
        self.left = cuts
        self.sizes = []  # of the next connections, one each: cut after just so many bytes
        self.open = set()
        self.word, self.then = None, None
        self.delay = 0  # seconds that each piece of an answer takes longer
        self.bytes_max = bytes_max
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                sized = len(self.sizes) > 0
                budget = self.sizes.pop(0) if sized else int(self.chance.uniform(1, self.bytes_max))
            Connection(self, client, budget, sized)

    def cut_all(self, sizes=()):
        """Now; and those that come next after just so many bytes, counted in both directions."""
        with self.lock:
            self.sizes = list(sizes)
            connections = list(self.open)
        for connection in connections:
            connection.end()

    def lose_answer_to(self, word, then):
        """Once: what holds this word is passed on, its answer is not; `then()`, and the cut."""
        self.word, self.then = word, then

    def take_word(self, data):
        with self.lock:
            if self.word is None or self.word not in data:
                return None
            self.word = None
            return self.then

    def take_cut(self):
        with self.lock:
            if self.left == 0:
                return False
            self.left -= 1
            return True

    def close(self):
        self.listener.close()


class Connection:
    def __init__(self, proxy, client, budget, sized=False):
        self.proxy, self.client, self.budget, self.sized = proxy, client, budget, sized
        self.lock = threading.Lock()
        self.then = None  # set: nothing more is passed to the client
        self.server = socket.socket(socket.AF_UNIX)
        try:
            self.server.connect(proxy.target)
        except OSError:
            client.close()
            return
        proxy.open.add(self)
        for source, sink in ((client, self.server), (self.server, client)):
            threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source, sink):
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            if not data:
                self.end()
                return
            if source is self.client and self.then is None:
                self.then = self.proxy.take_word(data)
                if self.then is not None:
                    sink.sendall(data)
                    time.sleep(0.1)  # for the server: it has done all of it
                    self.then()
                    self.end()
                    return
            if self.then is not None:
                continue
            with self.lock:
                allowed = self.budget
                self.budget -= len(data)
            cut = (allowed < len(data) and allowed >= 0
                   and (self.sized or self.proxy.take_cut()))
            if source is self.server and self.proxy.delay > 0:
                time.sleep(self.proxy.delay)
            try:
                sink.sendall(data[:allowed] if cut else data)
            except OSError:
                cut = True
            if cut:
                if self.budget % 2 == 0:  # no goodbye: a reset
                    self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                           struct.pack("ii", 1, 0))
                self.end()
                return

    def end(self):
        self.proxy.open.discard(self)
        for one in (self.client, self.server):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
