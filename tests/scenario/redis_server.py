"""A private redis-server on a unix socket in a temporary folder, for scenarios.

    with RedisServer(append="always") as server:
        server.client().ping()

It is stopped by its own pid, and its folder is removed. Nothing listens on a port.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

try:
    import redis
except ImportError:
    # Another python3 may stand in front of the system's, which has the package python3-redis.
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3"] + sys.argv)
    sys.exit("python3-redis is missing: apt-get install python3-redis")

LIBRARY = os.path.join(os.path.dirname(__file__), "../../queue/library.lua")
START_SECONDS_MAX = 20


class RedisServer:
    """`append`: None (no append-only file), "always", "everysec" or "no"."""

    def __init__(self, append=None, settings=()):
        self.binary = shutil.which("redis-server")
        if self.binary is None:
            sys.exit("redis-server is missing: apt-get install redis-server")
        self.folder = tempfile.mkdtemp(prefix="facteur-redis-")
        self.socket = os.path.join(self.folder, "redis.sock")
        self.append = append
        self.settings = list(settings)
        self.process = None
        self.start()

    def start(self):
        """Starts the server, on the data that an earlier start left."""
        command = [self.binary, "--port", "0", "--unixsocket", self.socket, "--dir", self.folder,
                   "--save", "", "--daemonize", "no", "--logfile", "redis.log",
                   "--appendonly", "yes" if self.append else "no"]
        if self.append:
            command += ["--appendfsync", self.append]
        self.process = subprocess.Popen(command + self.settings, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                self.client().ping()
                return
            except redis.exceptions.RedisError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        log = os.path.join(self.folder, "redis.log")
        text = open(log).read() if os.path.exists(log) else ""
        self.close()
        sys.exit("redis-server did not start:\n" + text)

    def client(self):
        """A new connection. Replies are bytes."""
        return redis.Redis(unix_socket_path=self.socket, socket_timeout=60)

    def load_library(self):
        with open(LIBRARY, encoding="utf-8") as file:
            self.client().execute_command("FUNCTION", "LOAD", "REPLACE", file.read())

    def kill(self):
        """kill -9: what is not in the append-only file is lost."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
