#!/usr/bin/env bash
# normalcy weights: list and import.
# usage: weights.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run
film

for family in simmim beit mae; do
    expect 0 '' weights list "$reference/$family.pth"
    grep -q '^F32   16,3,4,4 .*patch_embed.proj.weight$' out || fail "weights list $family.pth: $(head -1 out)"
    expect 0 '' weights import "$reference/$family.pth" -o $family.safetensors
    grep -q '^matched  *[1-9]' out || fail "weights import $family.pth: no report"
    expect 0 '' weights list $family.safetensors
done
expect 0 '' weights import "$reference/mae.pth" -o mae.safetensors
grep -q 'number of heads is a guess' out || fail "weights import mae.pth: does not say that it guesses"
expect 0 '' weights import run -o run.safetensors
grep -q '^missing  *0$' out || fail "weights import of a run: $(grep missing out)"
expect 1 'neither safetensors nor' weights list a.mp4
expect 1 'cannot read nowhere' weights import nowhere -o none.safetensors
expect 1 'data: expected weights, this is a folder without checkpoint' weights import data -o none.safetensors
expect 1 'cannot write nofolder/w.safetensors' weights import "$reference/mae.pth" -o nofolder/w.safetensors
expect 1 'no vision transformer' weights import "$reference/odd.pth" -o none.safetensors
head -c 20000 "$reference/mae.pth" >cut.pth
expect 1 'cut.pth: a damaged or truncated' weights import cut.pth -o none.safetensors
expect 1 '/dev/null/x' weights import "$reference/mae.pth" -o /dev/null/x
[ ! -e none.safetensors ] || fail "a failed import wrote a file"
expect 2 'give -o FILE' weights import "$reference/mae.pth"
expect 2 'written over itself' weights import cut.pth -o cut.pth
cp -r run whole
expect 2 'written over itself' weights import whole -o whole/checkpoint.safetensors
full weights list run.safetensors
expect 2 'leave out -o' weights list cut.pth -o none.safetensors
expect 2 'weights import FILE' weights
expect 2 'weights import FILE' weights export cut.pth

finish
