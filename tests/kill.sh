#!/usr/bin/env bash
# kill -9 at random points of training (checkpoints are written all the time) and of an evaluation:
# whatever is there loads, and the resumed run gives the losses of one that was left alone.
# usage: kill.sh NORMALCY MAKE_SCENE
set -u
export LC_ALL=C.UTF-8 # sort and awk read numbers as a language writes them
normalcy=$1 make_scene=$2
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
cd "$here" || exit 1
RANDOM=7
kills=20

"$make_scene" data || exit 1
settings=(--preset ped2 --image 64 --patch 8 --mask-cell 16 --width 64 --depth 2 --heads 2 --batch 2 --epochs 8
    --warmup-epochs 1 --lr 1e-3 --threads 1)

# Step and losses of a log, without the clock's figures.
losses() {
    grep -o '"step":[0-9]*,"epoch":[0-9]*,"loss":.*"lr":[^,]*' "$1/log.jsonl"
}

"$normalcy" train data -o whole "${settings[@]}" --checkpoint-every 10 2>err || { cat err; exit 1; }
steps=$(losses whole | wc -l)
killed=0 i=0
while [ $i -lt $kills ]; do
    i=$((i + 1))
    # Begins anew where it had come to the end, so that every kill hits a running training.
    [ "$(losses run 2>/dev/null | wc -l)" -lt "$steps" ] || rm -rf run
    resume=()
    [ ! -e run/checkpoint.safetensors ] || resume=(--resume)
    "$normalcy" train data -o run "${resume[@]}" "${settings[@]}" --checkpoint-every 1 2>err &
    pid=$!
    # Not before it trains: this run's first line is in the log once the file has grown.
    before=$(stat -c %s run/log.jsonl 2>/dev/null || echo 0)
    while kill -0 $pid && [ "$(stat -c %s run/log.jsonl 2>/dev/null || echo 0)" -le "$before" ]; do
        sleep 0.01
    done 2>/dev/null
    sleep "$(printf '0.%03d' $((RANDOM % 150)))"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ $? = 137 ] && [ -e run/checkpoint.safetensors ] && killed=$((killed + 1))
    if [ -e run/checkpoint.safetensors ]; then
        "$normalcy" info run >/dev/null 2>err || { echo "FAILED: kill $i: $(cat err)"; exit 1; }
    fi
done
[ $killed -ge $((kills / 2)) ] || { echo "FAILED: only $killed kills hit a training"; exit 1; }
resume=()
[ ! -e run/checkpoint.safetensors ] || resume=(--resume)
"$normalcy" train data -o run "${resume[@]}" "${settings[@]}" --checkpoint-every 1 2>err ||
    { cat err; exit 1; }
losses whole >a
losses run >b
cmp a b || { echo "FAILED: the losses after $killed kills differ"; exit 1; }
cmp whole/checkpoint.safetensors run/checkpoint.safetensors ||
    { echo "FAILED: the checkpoints differ"; exit 1; }
ls run | grep -v '^checkpoint.safetensors$\|^log.jsonl$\|^settings.yaml$' &&
    { echo "FAILED: an unknown file in the run"; exit 1; }

# An evaluation that is killed leaves whole files or none.
i=0 cut=0
while [ $i -lt $kills ]; do
    i=$((i + 1))
    "$normalcy" eval whole data -o results >/dev/null 2>&1 &
    pid=$!
    sleep "$(printf '0.%03d' $((RANDOM % 400 + 5)))"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ $? = 137 ] && cut=$((cut + 1))
    [ ! -e results/results.json ] || tail -1 results/results.json | grep -q '^}$' ||
        { echo "FAILED: results.json is torn"; exit 1; }
    [ ! -e results/report.html ] || tail -1 results/report.html | grep -q '</html>' ||
        { echo "FAILED: report.html is torn"; exit 1; }
    rm -rf results
done
[ $cut -gt 0 ] || { echo "FAILED: no kill hit an evaluation"; exit 1; }
echo "$cut of $kills kills hit an evaluation"
echo "$killed of $kills kills hit a running training; $steps steps agree"
