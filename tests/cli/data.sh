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
# A fifth of the file: several packets with their lengths. A few bytes inside one may decode to
# other pixels unnoticed, and where they fall depends on the processor's encoder.
size=$(stat -c %s a.mp4)
head -c $((size / 5)) /dev/zero | tr '\0' x |
    dd of=films/1.mp4 bs=1 seek=$((size / 2)) conv=notrunc 2>dd.err
expect 1 '' data check films --decode
grep -q 'problem: clips/1: .*damaged' out || fail "data check --decode: $(cat out)"
mkdir -p latin/training/frames/$'\xdcber' && cp data/training/frames/01/*.png latin/training/frames/*/
expect 0 '' data check latin
grep -q '?ber .*frames' out || fail "data check of a name that is not UTF-8: $(cat out)"
full data check data
full data check films --decode # its exit code is 1 in any case
full data check data --json

echo "-- check and train agree"
tiny=(--image 32 --patch 8 --mask-cell 16 --width 16 --depth 1 --heads 2 --steps 1)
# agree CODE FOLDER FRAGMENT: both end with this code; where it is 1, for this reason
agree() {
    expect $1 '' data check $2 --decode
    { grep -q "everything fits for train" out && echo 0 || echo 1; } >fits
    [ "$(cat fits)" = $1 ] && grep -q -- "$3" out || fail "data check $2: $(cat out)"
    expect $1 "$3" train $2 -o agree-$2 "${tiny[@]}"
}
frames=data/training/frames/01
mkdir -p epochs/01 short/01 short/02 few/01 damaged/01 odd/@eaDir odd/run
i=0
for f in $frames/*.png; do
    cp $f epochs/01/$((1709633758 + i / 10)).$((i % 10))00000.png
    cp $f short/01/ && cp $f damaged/01/
    [ $i -ge 4 ] || cp $f short/02/
    [ $i -ge 6 ] || cp $f few/01/
    i=$((i + 1))
done
agree 0 epochs ''
agree 1 short 'clip.*02.* 4 frames; a pair needs 5'
agree 1 few ' 2 pairs.*, fewer than one batch of 4'
truncate -s 300 damaged/01/005.png
agree 1 damaged '005.png'
cp a.mp4 odd/video && cp a.mp4 odd/00001.MTS && cp data/training/frames/01/000.png odd/@eaDir/
echo 'normal days' >odd/notes.txt && echo >odd/Thumbs.db && echo 'no video' >odd/run/log
agree 0 odd ''
[ "$(grep -c "passed over" err)" = 1 ] || fail "train names what it passes over in more than a line: $(cat err)"
grep -q 'warning: passed over in odd, .*: notes.txt, run$' err || fail "train: $(cat err)"
cp $frames/000.png epochs/01/cover.png
expect 1 '' data check epochs
grep -q 'problem: clips/01: cover.png is read as frame .*, after 17' out || fail "a stray: $(cat out)"
expect 0 'warning: 01: cover.png is read as frame ' train epochs -o stray "${tiny[@]}"

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
long=$(printf './%.0s' {1..2036})d # its folder of clips fits, their names do not
expect 1 'its clips would have names of over 4095 bytes' data plant data -o $long --hold-out 3
[ ! -e d.part ] || fail 'data plant left a folder of too long a name'
expect 1 '1 training clips: --hold-out 4 leaves none' data plant data/testing/frames/01_runner -o x
expect 2 'are options of check' data plant data -o x --json
expect 2 'writes no data set' data check data -o x
[ -s still/01/00.png ] && [ -s still/02/09.png ] || fail 'data plant removed footage through its links'
[ ! -e x ] && [ ! -e x.part ] || fail 'something is left of a data set that cannot be planted'

finish
