#!/bin/sh
# Installs what is missing, builds with sanitizers, runs every test; ends with ctest's summary.
#
#   sh tests/run.sh            everything
#   sh tests/run.sh REGEX      only tests whose name matches, as in: sh tests/run.sh unit/queue
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
. tests/packages.sh
need_packages $BUILD_PACKAGES $TEST_PACKAGES

build=${FACTEUR_TEST_BUILD:-$here/build-asan}
cmake -S . -B "$build" -G Ninja -DPRESET=asan >/dev/null
cmake --build "$build"
build=$(cd "$build" && pwd)

# LeakSanitizer is part of asan; the first error of any kind ends the program that made it.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export FACTEUR_BUILD="$build"
# The clone may belong to somebody else than who runs this (a container with a mounted folder).
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0="$here"
cd "$build"
if [ $# -gt 0 ]; then
    exec ctest --output-on-failure --no-tests=error -j 2 -R "$1"
fi
exec ctest --output-on-failure -j 2
