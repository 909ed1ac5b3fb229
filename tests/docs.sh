#!/bin/sh
# The layout in docs/ARCHITECTURE.md names every file of src/ and none that is not there; the paths
# and links of all documents lead somewhere; results have readable lines, and tables of the bench are
# what their JSON says.
# usage: tests/docs.sh    exit 1 after listing what is wrong, 77 where python3 is not here
set -eu
cd "$(dirname "$0")/.."
status=0
complain() {
    echo "$1" >&2
    status=1
}

# Rows of the layout: "folder/" at the left margin, then "  noun" for each of its .c, .h or .def.
named=$(sed -n '/^## Layout/,/^## [^L]/p' docs/ARCHITECTURE.md |
    awk '/^[a-z]+\/[a-z\/]*/ { folder = $1 } /^  [a-z]/ && folder { print folder $1 } /^```/ { folder = "" }')
[ -n "$named" ] || complain "docs/ARCHITECTURE.md: no layout found"
there=$(find src -name '*.[ch]' -o -name '*.def' | sed -E 's|^src/||; s|\.[^.]*$||' | sort -u)

for noun in $named; do
    printf '%s\n' "$there" | grep -qx "$noun" ||
        complain "docs/ARCHITECTURE.md: names src/$noun, which is not there"
done
for noun in $there; do
    printf '%s\n' "$named" | grep -qx "$noun" ||
        complain "docs/ARCHITECTURE.md: the layout does not name src/$noun"
done

for document in README.md CONTRIBUTING.md docs/*.md docs/results/*.md bench/README.md \
    tests/reference/README.md; do
    folder=$(dirname "$document")
    for path in $(grep -oE '`(\.ci|src|tests|tools|docs|bench)/[A-Za-z0-9_./-]+`' "$document" | tr -d '`' |
        grep -v NAME); do
        [ -e "$path" ] || complain "$document: names $path, which is not there"
    done
    for link in $(grep -oE '\]\([^)#]+' "$document" | sed 's/^](//' | grep -v '^https\?:'); do
        [ -e "$folder/$link" ] || complain "$document: links to $link, which is not there"
    done
done

# A line has 100 columns, a row of a table 200; blocks of code are as long as their commands.
long=$(awk 'FNR == 1 { code = 0 } /^```/ { code = !code }
    !code && length > (/^\|/ ? 200 : 100) { print FILENAME ":" FNR ": a line of " length }' \
    docs/results.md docs/results/*.md)
[ -z "$long" ] || complain "$long"

if command -v python3 >/dev/null; then
    tools/bench_tables.py --check || status=1
else
    echo "python3 is not here: tables of the bench are not checked" >&2
    [ $status -ne 0 ] || status=77
fi
exit $status
