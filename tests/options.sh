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

tools/gen_docs.sh "$normalcy" man "$folder/man"
for command in $("$normalcy" --help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
    page=$folder/man/normalcy-$command.1
    for section in NAME SYNOPSIS DESCRIPTION; do
        grep -q "^\\.SH $section\$" "$page" || {
            echo "normalcy-$command.1 has no $section; does its --help begin with usage:?" >&2
            exit 1
        }
    done
    rows=$("$normalcy" "$command" --help | grep -c '^  --' || true)
    [ "$rows" = "$(grep -c '^\.TP$' "$page" || true)" ] || {
        echo "normalcy-$command.1 does not list all options" >&2
        exit 1
    }
done
complaints=$(cat "$folder"/man/*.1 | groff -man -Tascii -ww -z 2>&1)
[ -z "$complaints" ] || { echo "$complaints" >&2 && exit 1; }
