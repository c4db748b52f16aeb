"""A newcomer's walk, from README alone: first own template, first own message, first report.

The commands are README's own: this test reads them there, and `quickstart.sh --stay` gives what they
need.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from house import ROOT, expect

HEADING = "## Your first own template, message and report"


def block_of_readme():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        section = file.read().split(HEADING)[1]
    return re.search(r"```sh\n(.*?)```", section, re.S).group(1)


def exports_of(stay, log):
    """Waits for the lines that quickstart prints for another terminal."""
    end = time.monotonic() + 240
    while time.monotonic() < end:
        with open(log, errors="replace") as file:
            text = file.read()
        if "  export SOCKET=" in text:
            return "\n".join(line for line in text.splitlines() if line.startswith("  export "))
        if stay.poll() is not None:
            sys.exit("quickstart ended:\n" + text[-3000:])
        time.sleep(0.2)
    sys.exit("quickstart did not come to its end:\n" + text[-3000:])


def walk(exports, folder):
    # README's paths begin at the clone; what it writes belongs into a scratch folder.
    script = exports + "\ncd " + folder + "\n" + block_of_readme().replace(
        "build/", os.path.join(ROOT, "build") + "/")
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)


def main():
    folder = tempfile.mkdtemp(prefix="facteur-newcomer-")
    log = os.path.join(folder, "quickstart.log")
    with open(log, "wb") as out:
        stay = subprocess.Popen(["sh", os.path.join(ROOT, "sender/quickstart.sh"), "--stay",
                                 "--messages", "300"], stdout=out, stderr=out,
                                start_new_session=True)
    try:
        result = walk(exports_of(stay, log), folder)
        said = result.stdout
        expect(result.returncode == 0, "every command of README works:\n" + said + result.stderr)
        lines = sorted((line for line in said.splitlines() if '"id":"first-' in line),
                       key=lambda line: line.split('"id":"')[1])  # the refusal may come first
        expect(len(lines) == 2, "two outcomes:\n" + said + result.stderr)
        expect('"type":"accepted"' in lines[0] and '"template":"parcel_ready"' in lines[0],
               "the first is sent: " + lines[0])
        expect('"type":"refused"' in lines[1] and "FLASH SALE" in lines[1],
               "the second is refused, with its words: " + lines[1])
        expect("12 Mill Lane" in said.split('"type"')[0], "the preview shows the message")
        expect("parcel_ready" in said.split('"type"')[-1], "the report has the template")
    finally:
        stay.send_signal(signal.SIGTERM)
        stay.send_signal(signal.SIGTERM)  # an impatient one
        stay.wait(timeout=60)
    left = os.path.exists(os.path.dirname(re.search(r"SOCKET=(\S+)", open(log).read()).group(1)))
    expect(not left, "nothing is left behind")
    subprocess.call(["rm", "-rf", folder])
    print("template, message, refusal, report: as README says")


if __name__ == "__main__":
    main()
