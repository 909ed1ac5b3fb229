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
# The analyzer takes nearly all of the time. It gives up on a function after a third of the states
# that it would go through by default.
analyzer='--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=75000'
# shellcheck disable=SC2086
find src -name '*.c' ! -name 'isa_*' -print0 |
    xargs -0 -n 8 -P "$(nproc)" "$tidy" -p "$build" --quiet $analyzer 2>/dev/null
