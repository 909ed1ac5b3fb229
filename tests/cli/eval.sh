#!/usr/bin/env bash
# normalcy eval of models: protocols, the page, labels, output.
# usage: eval.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run

echo "-- it works"
expect 0 '' eval run data --json
grep -q '"rows"' out || fail "eval --json printed no rows"
expect 0 '' eval run data -o results
for f in report.html results.json scores.csv; do [ -s results/$f ] || fail "eval -o made no $f"; done

echo "-- protocols"
expect 0 '' eval run data
rows 4 eval
grep -q 'micro   *95 %' out || fail "eval prints no interval"
awk 'length > 100 {exit 1}' out || fail "eval prints more than 100 columns"
expect 0 '' eval run data --protocols all -o all
"$normalcy" eval --help | sed -n '/^Protocols:/,/^$/s/^  \([^ ]*\) .*/\1/p' >names
[ -s names ] || fail "eval --help lists no protocols"
rows $((2 * $(wc -l <names))) 'eval --protocols all'
grep -q '^jig-sht ' out || fail "eval --protocols all does not say what jig-sht is"
while read -r name; do
    grep -q " $name " out || fail "eval --protocols all has no row of $name"
    grep -q "^| \`$name\`" "$docs/method.md" || fail "docs/method.md has no protocol $name"
done <names
for word in auroc_micro_low '"ap"' '"eer"' delay_frames labels_hash; do
    grep -q -e "$word" all/results.json || fail "results.json has no $word"
done
grep -q '<dt>hf2</dt>' all/report.html || fail "report.html does not say what hf2 is"
expect 0 '' eval persistence data --protocols lnra,sma --variants all --smooth 2
rows 24 'eval --variants all --smooth'
expect 0 '' eval run data --alarms --fps 10 --budget 100
grep -q 'FA/h 0.95' out || fail "eval --alarms prints no table of alarms"
# Every row that is printed is on the page too, below the heading of its table; no other table is.
# page FOLDER HEADING...: the tables of FOLDER/report.html, which hold as many rows as out
page() {
    local folder=$1
    shift
    local headings printed shown
    headings=$(sed -n 's|^<h2>\(.*\)</h2>$|\1|p' $folder/report.html |
        grep -vE '^(Settings|ROC.*|Anomaly score.*|Frames.*|Normal frames.*|Abnormal frames.*)$')
    [ "$headings" = "$(printf '%s\n' "$@")" ] || fail "the tables of $folder/report.html are: $headings"
    printed=$(grep -cE '^(run|persistence|given|kept|epoch-[0-9]*|last) ' out)
    shown=$(grep -cE '^<tr( class="base")?><td>' $folder/report.html)
    [ "$printed" = "$shown" ] || fail "$folder/report.html has $shown rows of the $printed that were printed"
    [ "$(grep -c '<b>With a camera:</b>' $folder/report.html)" = $# ] ||
        fail "a table of $folder/report.html does not say what it means"
}
expect 0 '' eval run data -o tables
page tables Results
# Of each clip the normal frame with the highest score and the abnormal one with the lowest.
for kind in 0:Normal:-k4,4gr 1:Abnormal:-k4,4g; do
    IFS=: read -r label word order <<<$kind
    wanted=$(awk -F, -v l=$label 'NR > 1 && $3 == l {print $1, $2, $4, $5}' tables/scores.csv |
        sort -s $order | awk '!seen[$1]++ {printf "%s frame %d, PSNR %.1f dB, score %.2f\n", $1, $2, $3, $4}')
    shown=$(sed -n "/^<h2>$word frames/,/^<\/section>/s|.*<b>\(.*\)</b> <span class=\"soft\">\(frame.*\)</span></span>.*|\1 \2|p" tables/report.html)
    [ "$shown" = "$wanted" ] || fail "$word frames on the page: $shown; expected $wanted"
done
expect 0 '' eval run data -o tables --protocols all --variants all --smooth 2 --alarms --localise
page tables Results Alarms 'Where in the frame'
expect 0 '' eval persistence data -o tables --json --alarms # a row a protocol, what is printed aside
[ "$(grep -cE '^<tr class="base"><td>' tables/report.html)" = 4 ] || fail "--json takes tables off the page"
expect 0 '' eval run data --localise -o localised
grep -q 'made here from the masks' out || fail "eval --localise does not say where tracks come from"
grep -q '"tbdc"' localised/results.json || fail "results.json lacks localisation"
awk 'length > 100 {exit 1}' out || fail "eval --localise prints more than 100 columns"
expect 2 '--tracks needs --localise' eval run data --tracks x
expect 1 'x: expected a folder of track files' eval run data --localise --tracks x
expect 2 '--protocols: expected all, or some of sma, per-clip' eval run data --protocols none
expect 2 '--protocols: expected' eval run data --protocols 'hf2,,fp'
expect 2 '--variants: expected all, or some of frame' eval run data --variants patch
expect 2 'needs a run folder' eval persistence data --checkpoints
expect 1 "no checkpoints of epochs.*'train --keep'" eval run data --checkpoints
cp -r run kept
cp $good kept/epoch-002.safetensors && cp $good kept/epoch-010.safetensors
expect 0 '' eval kept data --checkpoints -o kept/results
grep -q 'oracle, chosen on the test set' out || fail "eval --checkpoints names no oracle"
[ "$(grep -cE '^(epoch-002|epoch-010|last) ' out)" = 6 ] || fail "eval --checkpoints: not 6 rows"
page kept/results Results Checkpoints
[ "$(grep -c '>oracle</span>' kept/results/report.html)" = 2 ] || fail "report.html does not mark the oracles"
grep -q '"oracle"' kept/results/results.json || fail "results.json has no oracle"
cp -r data several
# Another ground truth beside the data: the first frames of a clip are abnormal, nothing else is.
printf '01_runner 0 9\n' >several/labels.txt
expect 0 '' eval run several
rows 8 'eval with two ground truths'
expect 0 '' eval run several --labels several/labels.txt
rows 4 'eval --labels with two ground truths'

echo "-- labels"
# What no score can come of is told before what only scoring would find.
cp -r data brief && rm brief/*.npy brief/testing/*/05_intruder/*[1-9].png brief/testing/*/05_intruder/*10.png
head -c 900 data/testing/frames/01_runner/002.png >brief/testing/frames/01_runner/002.png
expect 1 'clip 05_intruder has 1 frames; 2 are needed' eval run brief
cp -r data wrong && rm wrong/testing/frames/01_runner/019.png && rm -r wrong/testing/masks
expect 1 'label' eval run wrong
expect 1 'no/such.npy' eval run data --labels no/such.npy
printf '\223NUMPY\001\000v\000%-117s\n' "{'descr': '<f8', 'fortran_order': False, 'shape': (100,), }" >f.npy
head -c 800 /dev/zero | tr "\0" U >>f.npy # numbers of 1e103
expect 1 'f.npy: element 0 .* labels are 0 and 1' eval run data --labels f.npy
printf '\223NUMPY\001\000v\000%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (999999,), }" >lie.npy
expect 1 'lie.npy' eval run data --labels lie.npy
expect 1 'testing/frames/01_runner' eval run data/testing/frames/01_runner

# One video and its labels, as a person writes them.
film
cp a.mp4 'cam 2.mp4'
printf '\357\273\277cam 2 3 6\r\n' >own.txt
expect 0 '' eval run 'cam 2.mp4' --labels own.txt
cp out of
grep -q 'own.txt, .* 4 abnormal, frames from 0$' of || fail "eval of a video: $(grep labels out)"
printf '# first frame: 1\ncam 2.mp4 4 7\n' >own.txt
expect 0 '' data check 'cam 2.mp4' --labels own.txt
grep -q 'own.txt .* 4 abnormal, frames from 1$' out || fail "data check of labels: $(cat out)"
printf 'cam 2 3 %d\n' "$(sed -n 's/^data .*, \([0-9]*\) frames$/\1/p' of)" >own.txt
expect 1 'if these count from 1, begin the file with' eval run 'cam 2.mp4' --labels own.txt

echo "-- models"
expect 1 'the model no/such, expected the folder of a run' eval no/such data
expect 1 "data: there is no checkpoint.safetensors in it" eval data data
echo "this is not a film" >text.mp4
expect 1 'text.mp4: not a safetensors file; a model is the folder of a run' eval text.mp4 data
expect 2 'run is a model and a.mp4 is none; MODEL comes first: normalcy eval run a.mp4 ' eval a.mp4 run
expect 2 'is a model and data is none; MODEL comes first' eval data $good
expect 2 'persistence is a model and data is none; MODEL comes first' eval data persistence
expect 1 'there is no checkpoint' eval data data
# Digits of the settings in the header: the width 16 becomes 24, whose weights would have other shapes.
sed 's/\\"width\\":\\"16\\"/\\"width\\":\\"24\\"/' $good >size.safetensors
expect 1 'has shape' eval size.safetensors data
poison 377 nanweights
expect 1 'cls_token holds a value that is not finite' eval nanweights data

echo "-- usage"
expect 2 'argument 1 is empty; expected the path of a MODEL' eval '' data
expect 2 'argument 2 is empty; expected the path of DATA' eval run ''
expect 2 'expected a MODEL and DATA' eval run
mkdir persistence
expect 2 'needs a run folder' eval persistence data --checkpoints
rm -r persistence
expect 2 'need --scores' eval run data --first 4
expect 1 "no ranges for int8; 'normalcy quantize' makes" eval run data --precision int8

echo "-- output"
expect 1 '/dev/null/x' eval run data -o /dev/null/x
full eval run data
full eval run data --json
# A folder that takes no files is told before the work: nothing is printed.
mkdir -p taken/report.html
expect 1 'cannot write taken/report.html: it is a folder' eval run data -o taken
[ ! -s out ] && [ "$(ls -A taken)" = report.html ] || fail "eval -o taken: $(ls -A taken)"
mkdir disk
if mount -t tmpfs -o ro tmpfs disk 2>/dev/null; then
    mounted=$here/disk
    expect 1 'cannot write disk/scores.csv: Read-only' eval run data -o disk
    [ ! -s out ] || fail "eval finds at the end only that it cannot write"
    umount disk && mounted=
fi
# Whole or not there: an evaluation that fails leaves what an earlier one wrote as it was.
expect 0 '' eval run data -o earlier
cp -r earlier before.results
for wrong in "nope data" "run data --labels f.npy" "run data --labels no/such" "run data --localise --tracks no/such"; do
    # shellcheck disable=SC2086
    expect 1 '' eval $wrong -o earlier
    diff -r earlier before.results >&2 || fail "eval $wrong changed the files of an earlier one"
done
if mount -t tmpfs -o size=64k tmpfs disk 2>/dev/null; then
    mounted=$here/disk
    expect 1 'No space left' eval run data -o disk/results
    ls disk/results 2>/dev/null | grep tmp && fail "a full disk left a temporary file"
    [ ! -e disk/results/report.html ] || fail "a full disk left a page"
    [ ! -e disk/results/results.json ] || [ "$(tail -1 disk/results/results.json)" = '}' ] ||
        fail "a full disk left half of results.json"
    umount disk && mounted=
else
    echo "no tmpfs here: the full disk is not tried"
fi

finish
