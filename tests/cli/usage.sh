#!/usr/bin/env bash
# The program before any command: help, version, names, the processor's instructions.
# usage: usage.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run

expect 0 '' --help
expect 0 '' --version
for command in train eval score quantize demo data weights info doctor; do
    expect 0 '' $command --help
    grep -q "^usage: normalcy $command" out || fail "$command --help says no usage"
done
expect 2 'unknown command' trian data

export NORMALCY_ISA=nonsense
for command in "score run data/testing/frames/01_runner" "train data -o x" "quantize run -o x" "eval run data" doctor; do
    # shellcheck disable=SC2086
    expect 2 'NORMALCY_ISA: expected plain, .*found "nonsense"' $command
done
unset NORMALCY_ISA

finish
