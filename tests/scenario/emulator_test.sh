#!/bin/sh
# The emulator through a real HTTP/2 client: answers, errors, bill, faults, and its end.
# Needs curl (with HTTP/2) and h2load; FACTEUR_BUILD names the build folder.
set -eu

build=${FACTEUR_BUILD:?name the build folder, as in FACTEUR_BUILD=build sh $0}
source=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
pid=
finish() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || :
    rm -rf "$folder"
}
trap finish EXIT INT TERM

fail() {
    echo "FAILED: $*" >&2
    [ ! -f "$folder/answer" ] || sed 's/^/  answer: /' "$folder/answer" >&2
    [ ! -f "$folder/errors" ] || sed 's/^/  errors: /' "$folder/errors" >&2
    exit 1
}

start() {
    : >"$folder/out"
    "$build/loadtest/facteur-emulator" --listen 127.0.0.1:0 --make-certificate "$folder/certificate" \
        --token secret --phone-id 1001:33 --templates "$source/templates/catalogue" \
        --prefixes "$source/sender/cost/data/prefixes.csv" \
        --markets "$source/sender/cost/data/markets.csv" \
        --rates "$source/sender/cost/data/rates.csv" --date 2026-11-23 \
        --tally "$folder/tally" --quiet "$@" >"$folder/out" 2>"$folder/errors" &
    pid=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        url=$(sed -n 's/^listening on //p' "$folder/out")
        [ -z "$url" ] || return 0
        sleep 0.1
    done
    fail "it does not listen"
}

stop() {
    kill -TERM "$pid"
    wait "$pid" || fail "SIGTERM: exit code $?"
    pid=
}

client() {
    curl -sS --http2 --max-time 20 --cacert "$folder/certificate/emulator.crt" -o "$folder/answer" "$@"
}

# send STATUS WORDS TOKEN BODY: posts a message and expects this HTTP status and these words.
send() {
    status=$(client -w '%{http_code}/%{http_version}' -H "Authorization: Bearer $3" \
        -H 'Content-Type: application/json' -d "$4" "$url/v24.0/1001/messages") || fail "curl: $?"
    [ "$status" = "$1/2" ] || fail "HTTP $status, expected $1/2"
    grep -qF "$2" "$folder/answer" || fail "no $2"
}

# tally NAME NUMBER
tally() {
    client "$url/emulator/tally" || fail "no tally"
    grep -qF "\"$1\":$2" "$folder/answer" || fail "tally: $1 is not $2"
}

body() {
    printf '{"messaging_product":"whatsapp","to":"%s","type":"template","biz_opaque_callback_data":"%s","template":{"name":"%s","language":{"code":"en"},"components":[{"type":"body","parameters":[%s]}]}}' \
        "$1" "$2" "$3" "$4"
}
parameter() {
    printf '{"type":"text","parameter_name":"%s","text":"%s"}' "$1" "$2"
}
first=$(parameter first_name Claire)
all="$first,$(parameter event Flute),$(parameter date Friday),$(parameter venue Opera),$(parameter ticket FR-1)"

echo "- it accepts, refuses in Graph's words, and bills"
start
send 200 '"message_status":"accepted"' secret "$(body +33612345678 'f1;acme/fr;1-0;1;g;0;30000;USD' event_ticket "$all")"
send 401 '"code":190' wrong "$(body +33612345678 c event_ticket "$all")"
send 404 '"code":132001' secret "$(body +33612345678 c event_tickets "$all")"
send 400 '"code":132000' secret "$(body +33612345678 c event_ticket "$first")"
send 400 '"code":100' secret '{"messaging_product":"whatsapp"'
tally requests 5
tally accepted 1
tally millionths 30000
client "$url/emulator/accepted?from=0&limit=10"
grep -qF '"callback":"f1;acme/fr;1-0;1;g;0;30000;USD"' "$folder/answer" || fail "not kept"
grep -qF '"country":"FR","price":30000' "$folder/answer" || fail "not billed"
client -X POST "$url/emulator/reset"
tally requests 0

echo "- 20,000 requests of h2load are 20,000 accepted messages and their exact bill"
body +4915112345678 same event_ticket "$all" >"$folder/body"
h2load -n 20000 -c 4 -m 100 -d "$folder/body" -H 'Authorization: Bearer secret' \
    -H 'Content-Type: application/json' "$url/v24.0/1001/messages" >"$folder/answer"
grep -q '20000 succeeded, 0 failed' "$folder/answer" || fail "h2load"
tally accepted 20000
tally duplicates 19999
tally billed '{"currency":"USD","millionths":1100000000}'
stop
grep -qF '"accepted":20000' "$folder/tally" || fail "the tally was not written"

# fault NAME CODE: every request has it; curl must end with this exit code.
fault() {
    client -d "{\"$1\":1}" "$url/emulator/faults" || fail "faults"
    code=0
    client -m 2 -H 'Authorization: Bearer secret' -d "@$folder/body" \
        "$url/v24.0/1001/messages" 2>"$folder/curl" || code=$?
    case " $2 " in
    *" $code "*) ;;
    *) fail "$1: curl ends with $code, expected one of $2: $(cat "$folder/curl")" ;;
    esac
    client -d "{\"$1\":0}" "$url/emulator/faults" || fail "faults"
}

echo "- each fault does to the client what it says, and the books are right"
start --latency 1ms-5ms --seed 7
fault reset_after 92
fault connection_reset "56 35 55 16"
fault black_hole 28
fault cut "92 18 56 16"
tally accepted 4
fault dribble 0
fault goaway 0
fault 5xx_html 0
fault throttle 0
grep -qF '"success":true' "$folder/answer" || fail "faults"
tally accepted 6
tally unanswered_refusals 1
tally 130429 1
stop

echo "- a delayed answer comes late, and 300 at once all come"
start --latency 100ms
h2load -n 300 -c 3 -m 100 -d "$folder/body" -H 'Authorization: Bearer secret' \
    "$url/v24.0/1001/messages" >"$folder/answer"
grep -q '300 succeeded, 0 failed' "$folder/answer" || fail "h2load"
grep 'time for request' "$folder/answer" | grep -q ' 1[0-9][0-9]\.[0-9]*ms' || fail "not after 100 ms"
stop

echo "- it says what is wrong with its options"
if "$build/loadtest/facteur-emulator" --phone-id 1 2>"$folder/errors"; then fail "no certificate"; fi
grep -q -- --make-certificate "$folder/errors" || fail "no remedy"
code=0
"$build/loadtest/facteur-emulator" --fault nonsense=1 2>/dev/null || code=$?
[ "$code" = 64 ] || fail "exit code $code"
"$build/loadtest/facteur-emulator" --help | grep -q black_hole || fail "no help"
echo good
