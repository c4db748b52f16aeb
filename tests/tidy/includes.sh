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

git ls-files '*.c' '*.h' '*.inc' | grep -v '^tests/' |
    xargs grep -n '^#include' /dev/null |
    table=$table libraries=$libraries awk '
        # The folder of the table that a file belongs to: the longest that its path begins with.
        function folder_of(path, found, folder) {
            found = ""
            for (folder in allowed)
                if (index(path, folder "/") == 1 && length(folder) > length(found))
                    found = folder
            return found
        }
        function say(what) { print path ":" line ": " what; bad = 1 }
        BEGIN {
            count = split(ENVIRON["table"], lines, "\n")
            for (i = 1; i <= count; i++)
                if (split(lines[i], word, ": *") == 2)
                    allowed[word[1]] = " " word[2] " "
            count = split(ENVIRON["libraries"], lines, "\n")
            for (i = 1; i <= count; i++)
                if ((at = index(lines[i], " ")) > 0)
                    places[substr(lines[i], 1, at - 1)] = substr(lines[i], at + 1)
        }
        {
            seen++
            split($0, part, ":")
            path = part[1]
            line = part[2]
            include = $2
            from = folder_of(path)
            if (from == "") {
                say("is in no folder of the table in tests/tidy/includes.sh")
                next
            }
        }
        include ~ /^"/ {
            gsub(/"/, "", include)
            if (index(include, "queue/library_text") == 1)
                next
            if (index(include, "/") == 0) {
                say("include \"" include "\" by its path from the root")
                next
            }
            to = folder_of(include)
            if (to != from && index(allowed[from], " " to " ") == 0)
                say(from " may not include " (to == "" ? "that" : to) " (" include ")")
        }
        include ~ /^</ {
            gsub(/[<>]/, "", include)
            for (prefix in places) {
                if (index(include, prefix) != 1)
                    continue
                fine = 0
                count = split(places[prefix], word, " ")
                for (i = 1; i <= count; i++)
                    if (index(path, word[i]) == 1)
                        fine = 1
                if (!fine)
                    say("<" include "> belongs to " places[prefix] " only")
            }
        }
        END {
            if (seen < 100) {
                print "hardly an include was found: has the pattern changed?"
                exit 1
            }
            if (!bad)
                print "every include stays on its floor"
            exit bad
        }'
