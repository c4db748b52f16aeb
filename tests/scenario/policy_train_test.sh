#!/bin/sh
# The weights that are shipped are those that the corpus gives, to the bit; a bad corpus is named by
# file and line.
set -eu
build=${FACTEUR_BUILD:?the build folder}
here=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/facteur.XXXXXX")
trap 'rm -rf "$folder"' EXIT
train="$build/templates/facteur-policy-train"

"$train" --corpus "$here/templates/policy/corpus" --out "$folder/model.txt"
cmp "$folder/model.txt" "$here/templates/policy/model.txt" || {
    echo "model.txt is not what the corpus gives: train it anew (templates/policy/README.md)" >&2
    exit 1
}

refuses() { # words of the message, then a line of a corpus
    mkdir -p "$folder/bad"
    cp "$here/templates/policy/corpus/values.tsv" "$folder/bad/"
    printf '@trans delivery\n%s\n' "$2" >"$folder/bad/en.txt"
    if "$train" --corpus "$folder/bad" 2>"$folder/said"; then
        echo "taken: $2" >&2
        exit 1
    fi
    grep -q -- "$1" "$folder/said" || { cat "$folder/said" >&2; exit 1; }
}
refuses 'no value for {nothing}' 'Your {nothing} is here.'
refuses 'a \[ without \]' 'Your parcel [is here.'
refuses 'en.txt:2: no label' '@advertising x'
echo "trained to the bit"
