#!/usr/bin/env bash
# normalcy reproduce: what it refuses.
# usage: reproduce.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
scene

expect 2 'seed is not the same in all runs' reproduce ped2 data -o x --settings "epochs=4 seed=7"
ln -s data $'caf\xe9'
expect 2 'data is not UTF-8' reproduce ped2 $'caf\xe9' -o x
rm -rf x

finish
