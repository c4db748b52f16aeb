#!/bin/sh
# Line coverage of unit tests and scenarios, by folder. Exits 1 if one of the folders that must have
# 85 % has less. The Lua of queue/ is not counted: gcovr cannot see it, the scenarios run it.
#
#   sh tests/coverage.sh            builds and runs in a folder of its own, which is removed
#   sh tests/coverage.sh FOLDER     the same in FOLDER, which stays: FOLDER/coverage.html shows lines
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
cd "$source"
. tests/packages.sh
need_packages $BUILD_PACKAGES $TEST_PACKAGES $COVERAGE_PACKAGES

least=85
must="templates queue sender/rules sender/cost sender/h2"

build=${1:-}
if [ -z "$build" ]; then
    build=$(mktemp -d "${TMPDIR:-/tmp}/facteur-coverage.XXXXXX")
    trap 'rm -rf "$build"' EXIT
    trap 'exit 130' INT TERM
fi
cmake -S . -B "$build" -G Ninja -DPRESET=coverage >/dev/null
cmake --build "$build" >"$build/build.log" || { tail -n 50 "$build/build.log" >&2; exit 1; }
build=$(cd "$build" && pwd)
find "$build" -name '*.gcda' -delete

export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0="$source"
code=0
(cd "$build" && ctest --output-on-failure -j 2 -E '^tidy/' >"$build/tests.log" 2>&1) || code=$?
sed -n '/tests passed/,$p' "$build/tests.log"
[ $code = 0 ] || echo "tests failed ($build/tests.log): what they did counts all the same"

# generate/: programs that make a table at build time.
gcovr --root "$source" --exclude 'tests/' --exclude '.*/generate/' --csv "$build/coverage.csv" \
    --html-details "$build/coverage.html" "$build" 2>"$build/gcovr.log" ||
    { tail -n 20 "$build/gcovr.log" >&2; exit 1; }

# filename,line_total,line_covered,… : summed up by the folder of the house it lies in.
must=$must least=$least awk -F, '
    BEGIN {
        for (count = split(ENVIRON["must"], names, " "); count > 0; count--)
            needed[names[count]] = 1
    }
    NR > 1 {
        split($1, part, "/")
        folder = part[1]
        if (folder == "sender" && part[3] != "")
            folder = folder "/" part[2]
        lines[folder] += $2
        covered[folder] += $3
    }
    END {
        order = "templates queue sender/base sender/io sender/h2 sender/rules sender/cost sender/graph sender sender/cli loadtest"
        count = split(order, names, " ")
        printf "%-14s %8s %8s\n", "folder", "lines", "covered"
        for (i = 1; i <= count; i++) {
            folder = names[i]
            share = lines[folder] > 0 ? 100 * covered[folder] / lines[folder] : 0
            low = folder in needed && share < ENVIRON["least"]
            printf "%-14s %8d %6.1f %%%s\n", folder, lines[folder], share,
                low ? "  less than the " ENVIRON["least"] " % it must have" : ""
            bad = bad || low
        }
        exit bad
    }' "$build/coverage.csv"
