#!/bin/sh
# The layout in docs/ARCHITECTURE.md names every file of src/ and none that is not there; the paths
# and links of all documents lead somewhere; the README is short, and the lines of what is read as
# text are; the sections of docs/method.md that comments cite are there; tables of the bench are what
# their JSON says.
# usage: tests/docs.sh    exit 1 after listing what is wrong, 77 where python3 is not here
set -eu
export LC_ALL=C.UTF-8 # columns are characters
cd "$(dirname "$0")/.."
readme_lines=90
columns=100
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

documents=$(find docs tests bench .github -name '*.md'; ls ./*.md)
for document in $documents; do
    folder=$(dirname "$document")
    for path in $(grep -oE '`(\.ci|src|tests|tools|docs|bench)/[A-Za-z0-9_./-]+`' "$document" | tr -d '`' |
        grep -v NAME); do
        [ -e "$path" ] || complain "$document: names $path, which is not there"
    done
    for link in $(grep -oE '\]\([^)#]+' "$document" | sed 's/^](//' | grep -v '^https\?:'); do
        [ -e "$folder/$link" ] || complain "$document: links to $link, which is not there"
    done
done

[ "$(wc -l <README.md)" -le $readme_lines ] ||
    complain "README.md: $(wc -l <README.md) lines, at most $readme_lines: the rest has a page in docs/"

# Not the figures, what the program prints, tables and blocks of code.
for document in $(printf '%s\n' "$documents" | grep -E '^(\./|docs/)' |
    grep -vE '^docs/(results|options\.md)'); do
    wide=$(awk '/^```/ { code = !code } !code && !/^(\||    )/ { print FNR ": " $0 }' "$document" |
        grep -E "^[0-9]+: .{$((columns + 1))}" | cut -d : -f 1 | tr '\n' ' ')
    [ -z "$wide" ] || complain "$document: more than $columns columns in line ${wide% }"
done

# "method B.1", "method A.1 to A.3" or "docs/method.md, C.2" in a comment, which may be wrapped.
sections=$(sed -nE 's/^##+ ([A-Z])\. .*/\1/p; s/^##+ ([A-Z]\.[0-9]+) .*/\1/p' docs/method.md)
section='[A-Z](\.[0-9]+)?'
for file in $(grep -rli method src tests bench tools --include='*.[ch]' --include='*.def' \
    --include='*.sh' --include='*.py' --include='*.txt'); do
    for cited in $(sed -E 's/^ *(\*|#|\/\/) ?//' "$file" | tr '\n' ' ' |
        grep -oE "[Mm]ethod(\.md)?,? +$section((,| and| to|, and) $section)*([^A-Za-z0-9]|\$)" |
        sed -E 's/^[Mm]ethod(\.md)?//' | grep -oE "(^|[^A-Za-z])$section" | tr -dc 'A-Z0-9.\n' |
        sed 's/^\.//' | sort -u); do
        printf '%s\n' "$sections" | grep -qx "$cited" ||
            complain "$file: cites method $cited, which docs/method.md does not have"
    done
done

# Results: a line has 100 columns, a row of a table 200; commands may be longer.
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
