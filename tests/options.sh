#!/bin/sh
# docs/options.md is what the program prints, and every command has a man page that groff accepts.
# usage: tests/options.sh NORMALCY
set -eu
normalcy=$1
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tools/gen_docs.sh "$normalcy" options >"$folder/options.md"
if ! diff -u docs/options.md "$folder/options.md" >&2; then
    echo "docs/options.md is behind: tools/gen_docs.sh NORMALCY options > docs/options.md" >&2
    exit 1
fi

# A program that fails makes no pages, whatever it has printed.
for word in --help --version eval; do
    printf '#!/bin/sh\n"%s" "$@"\n[ "$1" != %s ]\n' "$(realpath "$normalcy")" $word >"$folder/failing"
    chmod +x "$folder/failing"
    ! tools/gen_docs.sh "$folder/failing" man "$folder/failed" || {
        echo "gen_docs.sh goes on where normalcy $word fails" >&2
        exit 1
    }
done

tools/gen_docs.sh "$normalcy" man "$folder/man"
for command in $("$normalcy" --help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
    page=$folder/man/normalcy-$command.1
    for section in NAME SYNOPSIS DESCRIPTION; do
        grep -q "^\\.SH $section\$" "$page" || {
            echo "normalcy-$command.1 has no $section; does its --help begin with usage:?" >&2
            exit 1
        }
    done
    rows=$("$normalcy" "$command" --help | grep -c '^  [^ ]' || true)
    [ "$rows" = "$(grep -c '^\.TP$' "$page" || true)" ] || {
        echo "normalcy-$command.1 does not list all options" >&2
        exit 1
    }
    # What a row says begins in the 30th column, behind its name or below it.
    ragged=$("$normalcy" "$command" --help | awk '
        row != "" && substr($0, 1, 29) !~ /^ +$/ && (substr(row, 29, 1) != " " || substr(row, 30, 1) ~ /^ ?$/) {print row}
        {row = /^  [^ ]/ ? $0 : ""}')
    [ -z "$ragged" ] || { echo "normalcy $command --help, out of its column: $ragged" >&2 && exit 1; }
done
ragged=$("$normalcy" --help | awk 'match($0, /^  [^ ]+ +/) {print RLENGTH}' | sort -u | wc -l)
[ "$ragged" = 1 ] || { echo "normalcy --help has a command out of its column" >&2 && exit 1; }
if grep -A2 '^\.TP$' "$folder"/man/*.1 | grep -E '\.1- |: *$' >&2; then
    echo "an item of a man page begins with a blank" >&2
    exit 1
fi
[ "$(grep -c '^\.TP$' "$folder/man/normalcy.1")" = "$("$normalcy" --help | grep -c '^  [^ ]')" ] || {
    echo "normalcy.1 does not list all commands" >&2
    exit 1
}
complaints=$(cat "$folder"/man/*.1 | groff -man -Tascii -ww -z 2>&1)
[ -z "$complaints" ] || { echo "$complaints" >&2 && exit 1; }
