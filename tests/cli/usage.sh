#!/usr/bin/env bash
# The program before any command: help, version, names, the processor's instructions.
# usage: usage.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run

expect 0 '' --help
cp out usage.txt
expect 0 '' --version
cp out version.txt
grep -q '^normalcy [0-9.]*$' version.txt || fail "--version prints $(cat version.txt)"
expect 0 '' version
cmp -s out version.txt || fail "version prints other than --version: $(cat out)"
for words in -h help 'help version' 'help help'; do
    # shellcheck disable=SC2086
    expect 0 '' $words
    cmp -s out usage.txt || fail "$words prints other than --help"
done
for command in train pretrain eval reproduce score quantize demo data weights info doctor; do
    expect 0 '' $command --help
    grep -q "^usage: normalcy $command" out || fail "$command --help says no usage"
    full $command --help
    cp out help.txt
    expect 0 '' help $command
    cmp -s out help.txt || fail "help $command prints other than $command --help"
done
for words in --help help --version version "help data"; do
    # shellcheck disable=SC2086
    full $words
done
expect 2 'unknown command "trian"; did you mean train?' trian data
expect 2 'did you mean version?' verison
expect 2 'did you mean score?' help scor
expect 2 'unknown command "xyz"; normalcy --help lists all' xyz

export NORMALCY_ISA=nonsense
for command in "score run data/testing/frames/01_runner" "train data -o x" "quantize run -o x" "eval run data" doctor; do
    # shellcheck disable=SC2086
    expect 2 'NORMALCY_ISA: expected plain, .*found "nonsense"' $command
done
unset NORMALCY_ISA

finish
