"""Where the kernel or a container's seccomp profile forbids io_uring, facteur says so, says what to do,
and ends with 69; what is in the queue stays there."""
import errno
import os
import subprocess
import sys

from house import BUILD, House, expect, notification

LAUNCHER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "forbid_io_uring.py")


# What a person must read: the cause, and what to do.
WORDS = {errno.EPERM: ("io_uring is not allowed here", "kernel.io_uring_disabled", "seccomp",
                       "io_uring_setup"),
         errno.ENOSYS: ("no io_uring", "Linux", "seccomp", "io_uring_setup")}


def is_said_well(code, said, error):
    print(said.strip())
    expect(code == 69, "exit 69, not %d" % code)
    for words in WORDS[error]:
        expect(words in said, "\"%s\" in %s" % (words, said))
    expect(said.count("\n") == 1, "one line, and no crash: %s" % said)


def main():
    with House() as house:
        house.add(notification(1))
        for error in (errno.EPERM, errno.ENOSYS):
            sender = house.sender(launcher=[sys.executable, LAUNCHER, str(error)])
            sender.wait(timeout=30)
            is_said_well(sender.returncode, house.log(sender), error)
            stats = subprocess.run(
                [sys.executable, LAUNCHER, str(error), os.path.join(BUILD, "facteur"), "queue",
                 "stats", "--redis", "unix:" + house.redis.socket, "--account", "acme/fr"],
                capture_output=True, text=True, timeout=30)
            is_said_well(stats.returncode, stats.stderr, error)
        expect(house.stats()["waiting"] == 1, "the queue is as it was")
        # Without the filter all is well: the filter was the cause.
        sender = house.sender()
        house.wait_for_outcomes(1)
        house.stop(sender)


if __name__ == "__main__":
    main()
