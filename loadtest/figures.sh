#!/bin/sh
# First figures: messages a second and CPU a message of sender, Redis and emulator, beside h2load
# against the same emulator in the same run. Everything is private, on a socket or loopback.
#
#   sh loadtest/figures.sh [--messages N] [--runs N] [--fsync everysec|always] [--bulk N]
set -eu

cd "$(dirname "$0")/.."
messages=100000
runs=3
fsync=everysec
bulk=1
while [ $# -gt 1 ]; do
    case $1 in
    --messages) messages=$2 ;;
    --runs) runs=$2 ;;
    --fsync) fsync=$2 ;;
    --bulk) bulk=$2 ;;
    *) echo "usage: sh loadtest/figures.sh [--messages N] [--runs N] [--fsync everysec|always] [--bulk N]" >&2; exit 64 ;;
    esac
    shift 2
done
. tests/packages.sh
need_packages $BUILD_PACKAGES nghttp2-client curl
build=${FACTEUR_BUILD:-build}
cmake -S . -B "$build" -G Ninja -DPRESET=release >/dev/null
cmake --build "$build" --target facteur facteur-emulator facteur-load >/dev/null

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

# CPU of a process so far, in microseconds.
cpu_us() { awk '{ print ($14 + $15) * 10000 }' "/proc/$1/stat"; }

printf '%s' figures >"$folder/token"
"$build/loadtest/facteur-emulator" --listen 127.0.0.1:0 --make-certificate "$folder" \
    --token-file "$folder/token" --phone-id 1001 --templates templates/catalogue \
    --prefixes sender/cost/data/prefixes.csv --markets sender/cost/data/markets.csv \
    --rates sender/cost/data/rates.csv --quiet >"$folder/emulator.out" &
emulator=$!
processes="$emulator"
until grep -q 'listening on' "$folder/emulator.out"; do sleep 0.05; done
graph=$(sed -n 's/^listening on //p' "$folder/emulator.out")

one_run() {
    # What the run before and h2load sent is not this run's bill.
    curl -sS --cacert "$folder/emulator.crt" --data '' "$graph/emulator/reset" >/dev/null
    redis-server --port 0 --unixsocket "$folder/redis.sock" --dir "$folder" --appendonly yes \
        --appendfsync "$fsync" --save '' --stream-node-max-bytes 1024 >/dev/null &
    redis=$!
    until [ -S "$folder/redis.sock" ]; do sleep 0.05; done
    "$build/facteur" run --redis "unix:$folder/redis.sock" --account acme/fr=1001 --workers 1 \
        --connections 4 --graph "$graph/v26.0" --ca-file "$folder/emulator.crt" \
        --token-file "$folder/token" >/dev/null 2>"$folder/sender.log" &
    sender=$!
    processes="$emulator $redis $sender"
    until grep -q 'event=redis_ready' "$folder/sender.log"; do sleep 0.05; done
    "$build/loadtest/facteur-load" run --redis "unix:$folder/redis.sock" --account acme/fr \
        --messages "$messages" --seed 1 --bulk "$bulk" --emulator "$graph" \
        --ca-file "$folder/emulator.crt" --sender-pid $sender --redis-pid $redis \
        --emulator-pid $emulator --quiet --json | tail -1 >"$folder/report.json"
    kill $sender; wait $sender || true
    kill $redis; wait $redis || true
    processes="$emulator"
    rm -rf "$folder"/appendonlydir "$folder/redis.sock"

    # h2load only sends: a body of the same size, 4 connections x 100 streams.
    callback='f1;acme/fr;1795449062812-0;1;0123456789abcdef.1;0;30000;USD;2026-11-23;fr|FR|France|utility|delivery_confirmation|2018;a5944365cced8a47;'
    printf '{"messaging_product":"whatsapp","recipient_type":"individual","to":"+33612345678","type":"template","biz_opaque_callback_data":"%s","template":{"name":"delivery_confirmation","language":{"code":"fr"},"components":[{"type":"body","parameters":[{"type":"text","text":"Claire"},{"type":"text","text":"CMD-1042"},{"type":"text","text":"Colissimo"}]}]}}' "$callback" >"$folder/body"
    before=$(cpu_us $emulator)
    /usr/bin/env bash -c "time h2load -n $messages -c 4 -m 100 -t 1 -d $folder/body \
        -H 'authorization: Bearer figures' -H 'content-type: application/json' \
        $graph/v26.0/1001/messages" >"$folder/h2load.out" 2>"$folder/h2load.time"
    after=$(cpu_us $emulator)
    python3 - "$folder" "$messages" $((after - before)) <<'PYTHON'
import json, re, sys
folder, messages, emulator_us = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
report = json.load(open(folder + "/report.json"))
times = dict(re.findall(r"^(user|sys)\s+(\S+)", open(folder + "/h2load.time").read(), re.M))
def seconds(text):
    minutes, rest = text.rstrip("s").split("m")
    return 60 * float(minutes) + float(rest)
h2load_us = sum(seconds(t) for t in times.values()) * 1e6 / messages
rate = re.search(r"([\d.]+) req/s", open(folder + "/h2load.out").read()).group(1)
good = re.search(r"(\d+) succeeded", open(folder + "/h2load.out").read()).group(1)
cpu = report["cpu_us"]
print(json.dumps({"rate": report["rate"], "sender_us": cpu["sender"], "redis_us": cpu["redis"],
                  "emulator_us": cpu["emulator"], "p50_ms": report["latency_ms"]["p50"],
                  "p99_ms": report["latency_ms"]["p99"], "ledger_difference": report["ledger_difference"],
                  "lost": report["lost"], "h2load_rate": float(rate), "h2load_us": h2load_us,
                  "h2load_succeeded": int(good), "emulator_us_h2load": emulator_us / messages}))
PYTHON
}

: >"$folder/runs.json"
run=0
while [ $run -lt "$runs" ]; do
    run=$((run + 1))
    echo "run $run of $runs" >&2
    one_run >>"$folder/runs.json"
done
python3 - "$folder/runs.json" "$messages" "$bulk" "$fsync" <<'PYTHON'
import json, statistics, sys
runs = [json.loads(line) for line in open(sys.argv[1])]
print("%s messages a run, %d runs, bulk %s, AOF %s; median (least - most)" %
      (sys.argv[2], len(runs), sys.argv[3], sys.argv[4]))
for name, text in (("rate", "facteur: messages/s"), ("sender_us", "sender: CPU us a message"),
                   ("redis_us", "redis: CPU us a message"), ("emulator_us", "emulator: CPU us a message"),
                   ("p50_ms", "latency p50, ms"), ("p99_ms", "latency p99, ms"),
                   ("h2load_rate", "h2load: requests/s"), ("h2load_us", "h2load: CPU us a request"),
                   ("emulator_us_h2load", "emulator under h2load: CPU us")):
    values = [run[name] for run in runs]
    print("  %-34s %12.2f   (%.2f - %.2f)" % (text, statistics.median(values), min(values), max(values)))
bad = [run for run in runs if run["lost"] or run["ledger_difference"]]
print("  audit: %s" % ("closes in every run" if not bad else "DOES NOT CLOSE: %s" % bad))
sys.exit(1 if bad else 0)
PYTHON
