"""The simulation's Redis (tests/simulation/store_server) in the place of a real one.

    with StoreServer() as server:
        server.client().ping()

As RedisServer, but all is in memory: kill() and start() are its death and its return on its log.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from redis_server import RedisServer, START_SECONDS_MAX
import redis

BUILD = os.environ.get("FACTEUR_BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
PROGRAM = os.path.join(BUILD, "tests/simulation/store_server")


class StoreServer(RedisServer):
    """`append` and `settings` are heeded by a real Redis only. `seed`: of orders; None: in order."""

    def __init__(self, append=None, settings=(), seed=None, environment=None):
        if not os.path.exists(PROGRAM):
            sys.exit("%s is missing: build it (it needs liblua5.1-0-dev)" % PROGRAM)
        self.folder = tempfile.mkdtemp(prefix="facteur-store-")
        self.socket = os.path.join(self.folder, "redis.sock")
        self.seed, self.environment, self.process = seed, environment, None
        self.start()

    def start(self):
        if self.process is None:
            seed = [] if self.seed is None else [str(self.seed)]
            self.process = subprocess.Popen([PROGRAM, self.socket] + seed, env=self.environment)
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                self.client().ping()
                return
            except redis.exceptions.RedisError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        self.close()
        sys.exit("store_server did not start")

    def kill(self):
        """It dies and comes back: with a log that is written always, nothing is lost."""
        self.process.send_signal(signal.SIGUSR1)
        time.sleep(0.05)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.process.returncode != 0:
            sys.exit("store_server ended with %r" % self.process.returncode)
