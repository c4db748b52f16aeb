# What the build and the tests need from Debian, and how it is installed. Sourced, not run.
#
#   need_packages PACKAGE…   installs those that are missing; says what and why first

need_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "not a Debian: what this needs must be there already, under other names: $*" >&2
        return 0
    fi
    missing=""
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    echo "installing:$missing"
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null 2>&1; then
            as_root=sudo
        else
            echo "these packages are missing, and installing them needs root: apt-get install$missing" >&2
            return 1
        fi
    else
        as_root=""
    fi
    # Services of packages are not wanted: everything here starts its own, on sockets of its own.
    $as_root sh -c "
        export DEBIAN_FRONTEND=noninteractive
        policy=/usr/sbin/policy-rc.d
        [ -e \$policy ] || { printf '#!/bin/sh\nexit 101\n' > \$policy; chmod 755 \$policy; made=1; }
        apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null
        code=\$?
        [ -n \"\$made\" ] && rm -f \$policy
        exit \$code"
}

BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config python3 liburing-dev libssl-dev libhiredis-dev
    libjansson-dev libnghttp2-dev libicu-dev libcyaml-dev libyaml-dev redis-server ca-certificates tzdata"
TEST_PACKAGES="git openssl curl python3-redis nghttp2-client nghttp2-server nginx-light clang-format
    universal-ctags liblua5.1-0-dev lua-cjson lua-bitop"
command -v node >/dev/null 2>&1 || TEST_PACKAGES="$TEST_PACKAGES nodejs"
command -v npm >/dev/null 2>&1 || TEST_PACKAGES="$TEST_PACKAGES npm"
# Not for sh tests/run.sh: tests/coverage.sh, and what tests/README.md does with clang.
COVERAGE_PACKAGES="gcovr"
CLANG_PACKAGES="clang clang-tidy"
