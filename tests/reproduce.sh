#!/usr/bin/env bash
# normalcy reproduce, killed, stopped and resumed, gives the report of one that was left alone.
# usage: reproduce.sh NORMALCY MAKE_SCENE
set -u
normalcy=$1 make_scene=$2
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
cd "$here" || exit 1
fail() {
    echo "FAILED: $*"
    exit 1
}

"$make_scene" data || exit 1
options=(--size tiny --rows ours,ablation/ae,ablation/mask,lnra/patch,lnra/skip --seeds 3,4
    --time-steps 6 --settings "epochs=2 image=32 patch=8 mask-cell=8 width=24 depth=1 heads=3 batch=2
    warmup-epochs=0.5 lr=1e-3 threads=1 checkpoint-every=5")

"$normalcy" reproduce ped2 data -o whole "${options[@]}" >whole.out 2>&1 ||
    { tail -3 whole.out; fail "left alone"; }

# What the clock did not decide.
results() {
    grep -v '_seconds"' "$1/results.json"
}

for signal in KILL TERM KILL; do
    before=$(find cut -name log.jsonl -exec cat {} + 2>/dev/null | wc -l)
    "$normalcy" reproduce ped2 data -o cut "${options[@]}" >cut.out 2>&1 &
    pid=$!
    while kill -0 $pid 2>/dev/null &&
        [ "$(find cut -name log.jsonl -exec cat {} + 2>/dev/null | wc -l)" -le $((before + 70)) ]; do
        sleep 0.02
    done
    kill -$signal $pid 2>/dev/null
    wait $pid
    code=$?
    [ $signal = KILL ] || [ $code = 130 ] || fail "exit code $code after SIGTERM, expected 130"
    [ $signal = KILL ] || grep -q "the same command goes on" cut.out || fail "does not say how to go on"
done
"$normalcy" reproduce ped2 data -o cut "${options[@]}" >cut.out 2>&1 ||
    { tail -3 cut.out; fail "resumed"; }
diff <(results whole) <(results cut) || fail "the results differ from those of a run left alone"

rows=$(grep -c '"recipe"' cut/results.json) runs=$(grep -c '"seed"' cut/results.json)
[ "$rows" = 5 ] && [ "$runs" = 10 ] || fail "$rows rows and $runs runs, expected 5 and 10"
for word in ours ablation/ae ablation/mask lnra/patch lnra/skip 95.50 persistence "Fig. 2" \
    "prediction, AE only" "Published figures" "Time of training"; do
    grep -q "$word" cut/report.html || fail "report.html lacks $word"
done
grep -q "^| lnra/skip " cut/report.md || fail "report.md lacks lnra/skip"
[ ! -e cut/time/ours-0/checkpoint.safetensors ] || fail "a measurement of time left a checkpoint"

# All is there: nothing is trained again.
"$normalcy" reproduce ped2 data -o cut "${options[@]}" 2>&1 | grep -q '^\$ normalcy train' &&
    fail "trains again what is there"

# Every row starts from the same weights, also those of more frames.
"$normalcy" pretrain data -o start --image 32 --patch 8 --mask-cell 8 --width 24 --depth 1 --heads 3 \
    --batch 2 --epochs 1 --warmup-epochs 0 2>err || { tail -1 err; fail "pretrain"; }
"$normalcy" reproduce ped2 data -o from --init start --time-steps 0 \
    --settings "epochs=1 batch=2 mask-cell=8 steps=2" >from.out 2>&1 ||
    { tail -3 from.out; fail "all rows from one start"; }
runs=$(grep -c '"seed"' from/results.json)
[ "$runs" = 10 ] || fail "all rows from one start: $runs runs, expected 10"
"$normalcy" reproduce ped2 data -o from --init start --time-steps 0 --settings "epochs=2" >out 2>err
[ $? = 2 ] && grep -q 'begun with settings "epochs=1' err || fail "other settings in one folder: $(cat err)"

refuse() {
    local words=$1
    shift
    "$normalcy" reproduce "$@" >out 2>err
    [ $? = 2 ] || fail "$*: exit code is not 2"
    grep -q -- "$words" err || fail "$*: says \"$(cat err)\", expected \"$words\""
}
refuse 'expected ped2, avenue or shanghaitech' ped3 data -o x
refuse 'give -o FOLDER' ped2 data
refuse '"ourz" is no recipe' ped2 data -o x --rows ourz
refuse 'ours is given twice' ped2 data -o x --rows ours,ours
refuse 'expected numbers' ped2 data -o x --seeds one
refuse 'found 1 argument' ped2 -o x
echo "10 trainings, killed twice and stopped once: the same results"
