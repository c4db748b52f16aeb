"""A server that answers like a Redis in a state no Redis of ours can be brought to: old, a replica, its
clock behind, its disk full.

    FakeRedis(path, role="slave").start()
"""
import os
import socket
import threading
import time


class FakeRedis:
    """`refused`: commands it says NOPERM to; the rest are the values that INFO, TIME … give."""

    def __init__(self, path, version="7.0.15", role="master", aof=1, fsync="always", written="ok",
                 policy="noeviction", used=1 << 20, most=0, library="1.2.0", behind_ms=0,
                 refused=()):
        self.path, self.library, self.behind_ms, self.refused = path, library, behind_ms, refused
        self.fsync = fsync
        self.info = {
            "server": {"redis_version": version},
            "replication": {"role": role, "master_host": "10.0.0.7"},
            "persistence": {"aof_enabled": aof, "aof_last_write_status": written},
            "memory": {"maxmemory_policy": policy, "used_memory": used, "maxmemory": most}}

    def start(self):
        if os.path.exists(self.path):
            os.remove(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                words = []
                for _ in range(int(line[1:])):
                    size = int(lines.readline()[1:])
                    words.append(lines.read(size + 2)[:-2].decode())
                connection.sendall(self._answer([word.upper() for word in words[:1]] + words[1:]))

    def _answer(self, words):
        def bulk(text):
            data = str(text).encode()
            return b"$%d\r\n%s\r\n" % (len(data), data)

        def array(*texts):
            return b"*%d\r\n" % len(texts) + b"".join(bulk(text) for text in texts)
        if words[0] in self.refused:
            return b"-NOPERM this user has no permissions to run the '%s' command\r\n" \
                % words[0].lower().encode()
        if words[0] == "INFO":
            return bulk("".join("%s:%s\r\n" % pair for pair in self.info[words[1]].items()))
        if words[0] == "TIME":
            now = time.time() * 1000 - self.behind_ms
            return array(int(now // 1000), int(now % 1000) * 1000)
        if words[0] == "CONFIG":
            return array(words[2], self.fsync)
        if words[0] == "FCALL_RO":
            return bulk(self.library) if self.library else b"-ERR Function not found\r\n"
        return b"+PONG\r\n" if words[0] == "PING" else b"-ERR unknown command\r\n"
