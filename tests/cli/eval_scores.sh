#!/usr/bin/env bash
# normalcy eval --scores: figures of scores that another program gave.
# usage: eval_scores.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
scene

expect 0 '' eval persistence data
frames=$(sed -n 's/^data .* test clips, \([0-9]*\) frames$/\1/p' out)
clips=$(sed -n 's/^data .*: \([0-9]*\) test clips.*/\1/p' out)
npy given '<f4' 4 $frames
expect 0 '' eval --scores given data --protocols all -o given-results
rows 14 'eval --scores'
grep -q ' 50.00 ' out || fail "scores that are all the same have another AUROC than 50"
for f in report.html results.json scores.csv; do [ -s given-results/$f ] || fail "eval --scores -o made no $f"; done
grep -q '"scores"' given-results/results.json || fail "results.json does not name the scores"
npy given "<i8" 8 $((frames - 4 * clips))
expect 1 "expected $frames.*here it is 4 a clip" eval --scores given data
expect 0 '' eval --scores given data --first 4 --regularity
npy labels.npy '|u1' 1 30
npy given '<f8' 8 30
expect 0 'all of one class' eval --scores given --labels labels.npy --clips 10,20
expect 1 '30 labels' eval --scores given --labels labels.npy --clips 10,21
expect 2 'expected numbers of frames' eval --scores given --labels labels.npy --clips 10,x
expect 2 'needs DATA or --clips' eval --scores given --labels labels.npy
expect 2 'needs --labels' eval --scores given --clips 10,20
expect 2 'give one of them' eval --scores given data --clips 10,20
expect 2 '--variants needs a MODEL' eval --scores given data --variants all
expect 2 'expected no more than DATA' eval --scores given run data
head -c -1 given >short && expect 1 'short' eval --scores short data
head -c -8 given >nan && printf '\377\377\377\377\377\377\377\377' >>nan
expect 1 'nan: score 29 is' eval --scores nan data
expect 2 'needs a MODEL' eval --scores x.npy data --localise
mkdir scoreless
expect 1 "no .npy file" eval --scores scoreless data

# Whole or not there, as with a model.
cp -r given-results before
expect 1 '' eval --scores short data -o given-results
diff -r given-results before >&2 || fail "eval --scores short changed the files of an earlier one"

finish
