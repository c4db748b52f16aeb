#!/bin/sh
# An include may not go up a floor: the table below is the house (README, "The house").
# Each folder may include itself, the C library, and what stands beside it here.
set -eu
cd "$(dirname "$0")/../.."

table='
sender/base:
sender/io: sender/base
sender/h2: sender/base
templates: sender/base
queue: sender/base
sender/rules: sender/base templates
sender/cost: sender/base sender/rules templates
sender/graph: sender/base sender/io sender/h2 sender/rules templates queue
sender: sender/base sender/io sender/h2 sender/rules sender/cost sender/graph templates queue
loadtest: sender/base sender/io sender/h2 queue
'
# Outside libraries: the only files (or folders) that may include them.
libraries='
liburing.h sender/io/ring.c
openssl/ sender/io/
hiredis/ queue/
nghttp2/ sender/h2/
cyaml/ sender/config.c
jansson.h templates/ sender/graph/ loadtest/
'

bad=0
# The folder of the table that a file belongs to: the longest that is a prefix of its path.
folder_of() {
    case $1 in
    sender/base/* | sender/io/* | sender/h2/* | sender/rules/* | sender/cost/* | sender/graph/*)
        echo "$1" | cut -d/ -f1-2 ;;
    *) echo "$1" | cut -d/ -f1 ;;
    esac
}

for file in $(git ls-files '*.c' '*.h' '*.inc' | grep -v '^tests/'); do
    from=$(folder_of "$file")
    allowed=$(printf '%s' "$table" | sed -n "s|^$from: *||p")
    for include in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file"); do
        case $include in */*) ;; *) echo "$file: include \"$include\" by its path from the root"; bad=1; continue ;; esac
        case $include in queue/library_text*) continue ;; esac
        to=$(folder_of "$include")
        [ "$to" = "$from" ] && continue
        case " $allowed " in *" $to "*) ;; *) echo "$file: $from may not include $to ($include)"; bad=1 ;; esac
    done
    for include in $(sed -n 's/^#include <\([^>]*\)>.*/\1/p' "$file"); do
        places=$(printf '%s' "$libraries" | while read -r prefix rest; do
            case $include in "$prefix"*) [ -n "$prefix" ] && echo "$rest" ;; esac; done)
        [ -z "$places" ] && continue
        fine=0
        for place in $places; do case $file in "$place"*) fine=1 ;; esac; done
        [ $fine = 1 ] || { echo "$file: <$include> belongs to $places only"; bad=1; }
    done
done
[ $bad = 0 ] && echo "every include stays on its floor"
exit $bad
