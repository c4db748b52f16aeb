#!/bin/sh
# What one account does to ten others: it has a million waiting, and Meta throttles it. The others get
# a steady trickle. Latency of the others, from XADD to outcome, without it, with it, and with it when
# nothing throttles it (it then takes whatever is left over).
#
#   sh loadtest/fairness.sh [--waiting N] [--seconds N] [--rate N] [--latency TIME] [--bulk N]
set -eu

cd "$(dirname "$0")/.."
waiting=1000000 # of the large account
seconds=30      # of traffic, each of the three times
rate=20         # messages a second of each of the ten
latency=25ms-75ms
bulk=50
while [ $# -gt 1 ]; do
    case $1 in
    --waiting) waiting=$2 ;;
    --seconds) seconds=$2 ;;
    --rate) rate=$2 ;;
    --latency) latency=$2 ;;
    --bulk) bulk=$2 ;;
    *) echo "usage: sh loadtest/fairness.sh [--waiting N] [--seconds N] [--rate N] [--latency TIME] [--bulk N]" >&2; exit 64 ;;
    esac
    shift 2
done
. tests/packages.sh
need_packages $BUILD_PACKAGES
build=${FACTEUR_BUILD:-build}
if [ -z "${FACTEUR_BUILD:-}" ]; then
    cmake -S . -B "$build" -G Ninja -DPRESET=release >/dev/null
    cmake --build "$build" --target facteur facteur-emulator facteur-load >/dev/null
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/facteur.XXXXXX")
processes=""
stop() {
    code=$?
    trap - EXIT INT TERM
    for process in $processes; do kill "$process" 2>/dev/null || true; done
    for process in $processes; do wait "$process" 2>/dev/null || true; done
    rm -rf "$folder"
    exit $code
}
trap stop EXIT
trap 'exit 130' INT TERM

printf '%s' fairness >"$folder/token"
phones="--phone-id 1000"
accounts="--account acme/large=1000"
for number in 1 2 3 4 5 6 7 8 9 10; do
    phones="$phones --phone-id $((1000 + number))"
    accounts="$accounts --account acme/small$number=$((1000 + number))"
done

# The large one may be over Meta's limit, the small ones never are.
one_run() { # NAME WAITING LIMIT
    "$build/loadtest/facteur-emulator" --listen 127.0.0.1:0 --make-certificate "$folder" \
        --token-file "$folder/token" $phones --templates templates/catalogue \
        --prefixes sender/cost/data/prefixes.csv --markets sender/cost/data/markets.csv \
        --rates sender/cost/data/rates.csv --latency "$latency" $3 --quiet >"$folder/emulator.out" &
    emulator=$!
    redis-server --port 0 --unixsocket "$folder/redis.sock" --dir "$folder" --appendonly yes \
        --appendfsync everysec --save '' --stream-node-max-bytes 1024 >/dev/null &
    redis=$!
    processes="$emulator $redis"
    until grep -q 'listening on' "$folder/emulator.out" && [ -S "$folder/redis.sock" ]; do sleep 0.05; done
    graph=$(sed -n 's/^listening on //p' "$folder/emulator.out")
    if [ "$2" -gt 0 ]; then
        "$build/loadtest/facteur-load" fill --redis "unix:$folder/redis.sock" --account acme/large \
            --messages "$2" --seed 1 --bulk "$bulk" --urgent 0 --promotional 0 --bad 0 --quiet >/dev/null
    fi
    "$build/facteur" run --redis "unix:$folder/redis.sock" $accounts --workers 1 --connections 4 \
        --graph "$graph/v26.0" --ca-file "$folder/emulator.crt" --token-file "$folder/token" \
        >/dev/null 2>"$folder/sender.log" &
    sender=$!
    processes="$emulator $redis $sender"
    until grep -q 'event=redis_ready' "$folder/sender.log"; do sleep 0.05; done
    sleep 2 # the large one is at it
    python3 - "$folder/redis.sock" "$seconds" "$rate" "$1" <<'PYTHON'
import json, socket, sys, time
path, seconds, rate, name = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


class Redis:
    """As much of a client as this needs: commands in, replies out."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def send(self, commands):
        self.socket.sendall(b"".join(
            b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word)
                                             for word in (str(word).encode() for word in words))
            for words in commands))
        return [self.reply() for _ in commands]

    def reply(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            sys.exit("Redis: " + rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return rest

    def ask(self, *words):
        return self.send([words])[0]


client = Redis(path)
accounts = ["facteur:{acme}:small%d" % number for number in range(1, 11)]
total = seconds * rate * len(accounts)
start, sent = time.monotonic(), 0
while sent < total:
    due = min(int((time.monotonic() - start) * rate * len(accounts)), total)
    client.send([("XADD", accounts[number % len(accounts)] + ":queue", "*",
                  "to", "+336%08d" % (12000000 + number), "template", "delivery_confirmation",
                  "lang", "fr", "1", "Claire", "2", "CMD-%d" % number, "3", "mardi")
                 for number in range(sent, due)])
    sent = max(sent, due)
    time.sleep(0.002)
end, found = time.monotonic() + 60, []
while len(found) < sent and time.monotonic() < end:
    time.sleep(0.2)
    found = [json.loads(line) for account in accounts
             for _, fields in client.ask("XRANGE", account + ":events", "-", "+")
             for line in dict(zip(fields[0::2], fields[1::2]))[b"outcomes"].split(b"\n")]
waits = sorted(one["at"] - int(one["entry"].split("-")[0]) for one in found
               if one["type"] == "accepted")
flat = client.ask("FCALL_RO", "facteur_stats", 2, "facteur:{acme}:large", "facteur:{acme}")
large = dict(zip(flat[0::2], flat[1::2]))
last = client.ask("XREVRANGE", "facteur:{acme}:large:events", "+", "-", "COUNT", 1)
print("%-32s %6d of %6d accepted, ms: p50 %4d  p95 %4d  p99 %4d  max %4d"
      % (name, len(waits), sent, *(waits[min(len(waits) - 1, int(len(waits) * share))]
                                   for share in (0.5, 0.95, 0.99, 1))))
print("    the large one: %d outcomes, %d entries waiting, %d members later"
      % (int(last[0][1][3]) if last else 0, int(large[b"waiting"]), int(large[b"later"])))
sys.exit(0 if len(waits) == sent == len(found) else 1)
PYTHON
    echo "    throttles: $(grep -c 'event=account_throttled account=acme/large' "$folder/sender.log" || true) of the large one, $(grep -c 'event=account_throttled account=acme/small' "$folder/sender.log" || true) of the others"
    kill $sender; wait $sender || true
    kill $redis $emulator; wait $redis $emulator || true
    processes=""
    rm -rf "$folder"/appendonlydir "$folder/redis.sock"
}

echo "ten accounts of $rate messages/s, Meta answers in $latency, $seconds s each"
one_run "alone" 0 "--limit-rate 200"
one_run "beside $waiting, throttled" "$waiting" "--limit-rate 200"
one_run "beside $waiting, not throttled" "$waiting" ""
