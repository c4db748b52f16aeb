#!/bin/sh
# Numbers a second, on one core: the lookup alone, and `facteur phone` through a file.
#
#   sh loadtest/phone_bench.sh [NUMBERS]        default: 5000000
#
# The numbers are mobiles of the test vectors (of every country alike, not as the world calls) with
# four new digits at their end, so nearly all are distinct and nearly all valid.
set -eu

cd "$(dirname "$0")/.."
. tests/packages.sh
need_packages $BUILD_PACKAGES
count=${1:-5000000}
build=${FACTEUR_BUILD:-build}
cmake -S . -B "$build" -G Ninja -DPRESET=release >/dev/null
cmake --build "$build" --target facteur cost_phone_bench >/dev/null

folder=$(mktemp -d "${TMPDIR:-/tmp}/facteur.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

python3 - "$count" >"$folder/numbers" <<'END'
import random, sys
with open("tests/data/phone_vectors.tsv", encoding="utf-8") as file:
    rows = [line.split("\t") for line in file if not line.startswith("# ")]
mobiles = [row[0] if row[0].startswith("+") else "+" + row[0] for row in rows if row[2] == "mobile"]
chance = random.Random(1)
left = int(sys.argv[1])
while left > 0:
    part = min(left, 100000)
    sys.stdout.write("".join("%s%04d\n" % (number[:-4], chance.randrange(10000))
                             for number in chance.choices(mobiles, k=part)))
    left -= part
END

echo "the lookup, in memory:"
"$build/tests/cost_phone_bench" "$folder/numbers" | sed 's/^/  /'

# The best of five: CPU and wall clock of the whole process, reading and writing included.
measure() {
    python3 - "$count" "$folder/numbers" "$1" "$build/facteur" phone $2 <<'END'
import os, sys, time
count, numbers, target, *command = sys.argv[1:]
best_cpu = best_wall = None
for _ in range(5):
    source = os.open(numbers, os.O_RDONLY)
    sink = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    start = time.monotonic()
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, sink, 1)])
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - start
    cpu = usage.ru_utime + usage.ru_stime
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit("facteur phone failed")
    best_cpu = cpu if best_cpu is None else min(cpu, best_cpu)
    best_wall = wall if best_wall is None else min(wall, best_wall)
    os.close(source)
    os.close(sink)
n = int(count) / 1e6
print("  %-28s %5.1f M/s of CPU, %5.1f M/s by the clock"
      % (" ".join(command[1:]) + (" > file" if target != "/dev/null" else ""), n / best_cpu, n / best_wall))
END
}
echo "facteur phone < file of $count numbers:"
measure /dev/null ""
measure /dev/null --json
measure "$folder/answers" ""
