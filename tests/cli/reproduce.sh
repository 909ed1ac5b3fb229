#!/usr/bin/env bash
# normalcy reproduce: what it refuses.
# usage: reproduce.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
scene

expect 2 'seed is not the same in all runs' reproduce ped2 data -o x --settings "epochs=4 seed=7"
# A command line that is shown can be typed as it is.
expect 2 "^\\$ normalcy train data .*'--output=a b/[^']*'.*--mask-ratio=7" \
    reproduce ped2 data -o 'a b' --settings mask-ratio=7
line=$(sed -n 's/^\$ normalcy //p' err)
eval "set -- $line"
[ "$2" = data ] && printf '%s\n' "$@" | grep -q '^--output=a b/' || fail "not a command line: $line"
ln -s data $'caf\xe9'
expect 2 'data is not UTF-8' reproduce ped2 $'caf\xe9' -o x
rm -rf x

finish
