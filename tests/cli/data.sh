#!/usr/bin/env bash
# normalcy data: check and plant.
# usage: data.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run
film

echo "-- check"
expect 0 '' data check data
mkdir films && cp a.mp4 films/1.mp4 # what a decoder conceals, training and evaluation refuse
expect 0 '' data check films --decode
printf xxxxxxxx | dd of=films/1.mp4 bs=1 seek=$(($(stat -c %s a.mp4) * 6 / 10)) conv=notrunc 2>dd.err
expect 1 '' data check films --decode
grep -q 'problem: clips/1: .*damaged' out || fail "data check --decode: $(cat out)"
mkdir -p latin/training/frames/$'\xdcber' && cp data/training/frames/01/*.png latin/training/frames/*/
expect 0 '' data check latin
grep -q '?ber .*frames' out || fail "data check of a name that is not UTF-8: $(cat out)"
full data check data
full data check films --decode # its exit code is 1 in any case
full data check data --json

echo "-- plant"
expect 0 '2 clips to train on, 1 x 2 to test on: ' data plant data -o planted/ --hold-out 3 --copies 2
expect 0 '' data check planted
expect 0 '' eval run planted --localise
grep -q 'tracks, made here from the masks' out || fail 'eval --localise of planted clips found no truth'
mkdir -p still/01 && for i in 00 01 02 03 04 05 06 07 08 09; do
    cp data/training/frames/01/000.png still/01/$i.png
done && cp -r still/01 still/02
expect 1 'nothing abnormal could be planted' data plant still -o x --hold-out 2
expect 1 'planted is there already' data plant data -o planted
expect 1 '1 training clips: --hold-out 4 leaves none' data plant data/testing/frames/01_runner -o x
expect 2 'are options of check' data plant data -o x --json
expect 2 'writes no data set' data check data -o x
[ -s still/01/00.png ] && [ -s still/02/09.png ] || fail 'data plant removed footage through its links'
[ ! -e x ] && [ ! -e x.part ] || fail 'something is left of a data set that cannot be planted'

finish
