#!/bin/sh
# facteur in one command: installs what is missing, builds, and sends 20,000 real notifications
# through a private Redis to an emulator of the Graph API on this machine. Nothing leaves it.
#
#   sh sender/quickstart.sh [--messages N] [--stay]
#
# --stay: Redis, emulator and sender stay until ^C, to be used from another terminal.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
messages=20000
stay=0
while [ $# -gt 0 ]; do
    case $1 in
    --messages) messages=$2; shift 2 ;;
    --stay) stay=1; shift ;;
    *) echo "usage: sh sender/quickstart.sh [--messages N] [--stay]" >&2; exit 64 ;;
    esac
done

. tests/packages.sh
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# ---- what it needs --------------------------------------------------------------------------------
say "1. What is needed"
echo "Debian packages:" $BUILD_PACKAGES
need_packages $BUILD_PACKAGES

# ---- build ----------------------------------------------------------------------------------------
say "2. Build"
build=$here/build
cmake -S . -B "$build" -G Ninja -DPRESET=release >"$here/.quickstart.log" 2>&1 &&
    cmake --build "$build" --target facteur facteur-emulator facteur-load >>"$here/.quickstart.log" 2>&1 || {
    cat "$here/.quickstart.log" >&2
    echo "the build failed, see above" >&2
    exit 1
}
rm -f "$here/.quickstart.log"
echo "built: build/facteur build/loadtest/facteur-emulator build/loadtest/facteur-load"

# ---- start: a Redis, an emulator, a sender, all of them ours ---------------------------------------
folder=$(mktemp -d "${TMPDIR:-/tmp}/facteur.XXXXXX")
chmod 700 "$folder"
: >"$folder/emulator.out" >"$folder/sender.log" # awaited below, perhaps before they are begun
emulator=""
sender=""
redis=""
# One after the other: the sender drains what it holds, and for that it needs the other two. A second
# ^C meanwhile must not stop the stopping.
stop() {
    code=$?
    trap - EXIT
    trap '' INT TERM
    for process in $sender $emulator $redis; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$folder"
    exit $code
}
trap stop EXIT
trap 'exit 130' INT TERM

say "3. Start a private Redis (AOF always), the emulator, and the sender"
redis-server --port 0 --unixsocket "$folder/redis.sock" --unixsocketperm 700 --dir "$folder" \
    --appendonly yes --appendfsync always --save '' --stream-node-max-bytes 1024 >"$folder/redis.log" 2>&1 &
redis=$!
od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$folder/token"
"$build/loadtest/facteur-emulator" --listen 127.0.0.1:0 --make-certificate "$folder" \
    --token-file "$folder/token" --phone-id 106540352242922 --templates templates/catalogue \
    --prefixes sender/cost/data/prefixes.csv --markets sender/cost/data/markets.csv \
    --rates sender/cost/data/rates.csv --quiet >"$folder/emulator.out" 2>"$folder/emulator.log" &
emulator=$!

# Waits until "$1" succeeds; "$2" is the log to show if it never does.
await() {
    tries=0
    until eval "$1"; do
        tries=$((tries + 1))
        [ $tries -le 200 ] || { cat "$2" >&2; echo "did not start, see above" >&2; exit 69; }
        sleep 0.05
    done
}
await '[ -S "$folder/redis.sock" ]' "$folder/redis.log"
await 'grep -q "listening on" "$folder/emulator.out"' "$folder/emulator.log"
graph=$(sed -n 's/^listening on //p' "$folder/emulator.out")

"$build/facteur" run --redis "unix:$folder/redis.sock" --account acme/fr=106540352242922 \
    --graph "$graph/v26.0" --ca-file "$folder/emulator.crt" --token-file "$folder/token" \
    --lease 5s >"$folder/sender.out" 2>"$folder/sender.log" &
sender=$!
await 'grep -q "event=redis_ready" "$folder/sender.log" || ! kill -0 $sender' "$folder/sender.log"
echo "Redis: unix:$folder/redis.sock   Graph API: $graph (emulator)"

# ---- send -------------------------------------------------------------------------------------------
say "4. Enqueue and send $messages notifications to 60 countries (2 % promotional, 1 % bad)"
code=0
"$build/loadtest/facteur-load" run --redis "unix:$folder/redis.sock" --account acme/fr \
    --messages "$messages" --seed 1 --countries 60 --promotional 0.02 --bad 0.01 \
    --emulator "$graph" --ca-file "$folder/emulator.crt" --show-refused 3 --live \
    --sender-pid $sender --redis-pid $redis --emulator-pid $emulator || code=$?

say "5. What it cost"
"$build/facteur" cost report --redis "unix:$folder/redis.sock" --account acme/fr --top 10

if [ $code -ne 0 ]; then
    tail -5 "$folder/sender.log" >&2
    echo "the audit did not close: this is a mistake of ours" >&2
    exit 1
fi
say "The audit closes to the last millionth. What to try next"
cat <<END
  build/facteur policy check --lang en 'Your parcel has arrived' 'FLASH SALE: -50 % today only'
  build/facteur run --help          the sender, with your own Redis and Meta's Graph API
  build/facteur enqueue --help      your own notifications
  sh sender/quickstart.sh --stay    keeps all this running, for your own first message (README.md)
  sh tests/run.sh                   every test
  README.md                         the contract for producers, and why it is built this way
END
[ $stay = 1 ] || exit 0
say "It stays until ^C. In another terminal:"
cat <<END
  cd $here
  export FACTEUR_REDIS=unix:$folder/redis.sock FACTEUR_ACCOUNT=acme/fr
  export SOCKET=$folder/redis.sock GRAPH=$graph CA=$folder/emulator.crt
END
wait $sender
