#!/bin/sh
# The checks of .clang-tidy on every file of src/, at the one version they were chosen for; 77 where
# that is absent. The vector code is left out: it is compiled once for each level, with its flags.
# usage: tests/tidy.sh BUILD    the folder of compile_commands.json
set -eu
build=$1
cd "$(dirname "$0")/.."

version=14
for tidy in clang-tidy-$version clang-tidy none; do
    case $("$tidy" --version 2>/dev/null) in *"version $version."*) break ;; esac
done
if [ $tidy = none ]; then
    echo "clang-tidy $version is not here" >&2
    exit 77
fi
find src -name '*.c' ! -name 'isa_*' -print0 |
    xargs -0 -n 8 -P "$(nproc)" "$tidy" -p "$build" --quiet 2>/dev/null
