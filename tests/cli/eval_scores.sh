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
all=$("$normalcy" eval --help | sed -n '/^Protocols:/,/^$/p' | grep -c '^  [^ ]')
rows "$all" 'eval --scores'
expect 0 '' eval --scores given data --protocols hf2,all,all,all,hf2
rows "$all" 'eval --scores, protocols named twice'
expect 0 '' eval --scores given data --protocols hf2,per-clip,hf2
rows 2 'eval --scores, a protocol named twice'
expect 0 '' eval --scores given data
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
# The most clips.
ones=$(printf '1,%.0s' {1..65535})1
npy single '<f4' 4 65536
npy singles.npy '|u1' 1 65536
expect 0 'all of one class' eval --scores single --labels singles.npy --clips $ones
head -c -1 given >short && expect 1 'short' eval --scores short data
head -c -8 given >nan && printf '\377\377\377\377\377\377\377\377' >>nan
expect 0 '' eval --scores nan --labels labels.npy --clips 10,20
grep -q 'first 0 and last 0 frames of each clip have none, nor have 1 others' out || fail "NaN: $(grep scores out)"
expect 2 'needs a MODEL' eval --scores x.npy data --localise

# What `score` wrote gives what `eval` gives.
figures() {
    tr -d ' ' <out | grep -E '^"(auroc_m|ap"|abnormal"|eer")'
}
mkdir own
for folder in data/testing/frames/*/; do
    expect 0 '' score persistence "$folder" --format npy -o "own/$(basename "$folder").npy"
done
expect 0 '' eval --scores own data --regularity --protocols per-clip,aedmae --json
figures >of.own
expect 0 '' eval persistence data --protocols per-clip,aedmae --json
figures >of.model
cmp of.model of.own >&2 || fail "eval --scores of own arrays differs from eval"
[ -s of.model ] || fail "eval --json lacks its figures"

# One clip of an array has the file's name.
clip=01_runner
printf '%s 2 5\n' $clip >named.txt
expect 0 '' eval --scores own/$clip.npy --regularity --clips "$(ls data/testing/frames/$clip | wc -l)" --labels named.txt

# Lines name the clip and its frames, so that neither DATA nor --clips is needed.
for format in jsonl csv; do
    expect 0 '' score persistence data/testing/frames/$clip --format $format -o $clip.$format
    expect 0 '' eval --scores $clip.$format --labels named.txt --json
    figures >of.$format
done
cmp of.jsonl of.csv >&2 || fail "eval --scores of CSV differs from that of JSON"
expect 0 '' eval --scores $clip.csv --labels named.txt
grep -q '^scores .* first 1 and last 0 frames' out || fail "own lines: $(grep scores out)"
expect 2 'lines name their frames' eval --scores $clip.csv --labels named.txt --first 1
expect 1 'neither a .npy array nor lines' eval --scores named.txt --labels named.txt

mkdir scoreless
expect 1 "no .npy file" eval --scores scoreless data

# A ninth ground truth that differs from the others.
mkdir several && ln -s ../data/testing several/testing
for i in 1 2 3 4 5 6 7 8 9; do
    npy several/label$i.npy '|u1' 1 $frames
    printf '\001' | dd of=several/label$i.npy bs=1 seek=$((128 + i)) conv=notrunc 2>dd.err
done
npy given '<f4' 4 $frames
expect 0 'ignored the ground truth several/label9.npy: 8 others differ' eval --scores given several
rows 16 'eval --scores with nine ground truths'

# Whole or not there, as with a model.
cp -r given-results before
expect 1 '' eval --scores short data -o given-results
diff -r given-results before >&2 || fail "eval --scores short changed the files of an earlier one"

finish
