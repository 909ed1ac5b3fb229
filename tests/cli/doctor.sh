#!/usr/bin/env bash
# normalcy doctor.
# usage: doctor.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"

expect 2 "needs a model ('normalcy quantize')" doctor --precision int8
expect 0 '' doctor
full doctor
grep -q '^  ped2-scratch .* frames/s' out || fail "doctor does not time train's own network"

finish
