#!/bin/sh
# Which death, at which instant, costs what: every kind of fault alone, single entries and bulk, as
# the rows of a Markdown table (queue/README.md has them). Everything is private.
#
#   sh loadtest/chaos_table.sh [--messages N] [--kills N] [--seed N] [KIND…]
set -eu

cd "$(dirname "$0")/.."
messages=4000
kills=20
seed=1
while [ $# -gt 1 ]; do
    case $1 in
    --messages) messages=$2 ;;
    --kills) kills=$2 ;;
    --seed) seed=$2 ;;
    --*) echo "usage: sh loadtest/chaos_table.sh [--messages N] [--kills N] [--seed N] [KIND...]" >&2; exit 64 ;;
    *) break ;;
    esac
    shift 2
done
load=${FACTEUR_BUILD:-build}/loadtest/facteur-load
[ $# -gt 0 ] || set -- kill-sender kill-claimed kill-sent kill-unread kill-settling stop-sender doze-sender \
    restart-redis stop-redis kill-all cut black-hole errors dribble \
    'restart-redis --aof everysec' 'kill-all --aof everysec' 'failover --failover'

# One run's last line, as cells of a row.
cells() {
    python3 - "$1" "$2" <<'PYTHON'
import json, sys
report = json.loads(sys.argv[1])
found = {place: n for place, n in report["receipts"].items() if place not in ("told", "early", "known")}
print("| %s | %d | %d | %d | %d | %d | %d | %d | %s |" % (
    sys.argv[2], sum(report["faults"].values()), report["granted_at_faults"], sum(found.values()),
    report["parked"], report["lost"], report["duplicates"], report["possible_duplicates"],
    "%.4f" % (report["ledger_difference"] / 1e6) if report["ledger_difference"] else "0"))
PYTHON
}

echo "| \`facteur-load chaos --only\` … | entries | faults | granted then | found by receipts, charged | parked | lost | duplicates | flagged ones | difference |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
for kind in "$@"; do
    for bulk in 1 50; do
        entries=single
        [ $bulk = 1 ] || entries="bulk of $bulk"
        # The words of a kind are options too: unquoted.
        line=$("$load" chaos --only $kind --messages "$messages" --kills "$kills" --seed "$seed" --bulk $bulk \
            --early-receipts 0 --promotional 0 --bad 0 --quiet --json | tail -1) || true
        printf '| `%s` ' "$kind"
        cells "$line" "$entries"
    done
done
