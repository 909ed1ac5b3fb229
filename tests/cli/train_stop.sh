#!/usr/bin/env bash
# A signal stops a training, which saves, and tells the command that goes on with the run.
# usage: train_stop.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run
film

"$normalcy" train data -o long "${small[@]}" --epochs 100000 2>err &
while kill -0 $! && [ ! -s long/log.jsonl ]; do sleep 0.05; done
kill -INT $!
wait $!
[ $? = 130 ] && grep -q 'continue with: normalcy train --resume' err || fail "SIGINT: $(tail -1 err)"
expect 0 '' info long
# The command it tells is the run's, whatever the shell makes of its name.
"$normalcy" train data -o "Bob's \$run" "${small[@]}" --epochs 100000 --keep 100000 \
    --precision f32 --threads 1 --backend ref --cache 0 --checkpoint-every 7 2>err &
while kill -0 $! && [ ! -s "Bob's \$run/log.jsonl" ]; do sleep 0.05; done
kill -INT $!
wait $!
again=$(sed -n 's/.*continue with: normalcy //p' err)
eval "set -- $again"
rest='--checkpoint-every=7 --keep=100000 --cache=0 --backend=ref --threads=1 --precision=f32'
[ "$*" = "train --resume -o Bob's \$run $rest" ] || fail "after SIGINT: $again"
expect 0 'resumed' "$@" --steps 1 # what computes is as before
grep -q warning err && fail "the command goes on with another run: $(grep warning err)"
# Kernels large enough that a signal most likely falls into generated code. It comes twice within a
# moment, as timeout(1) sends it, to the process and to its group: that is one.
for i in 1 2 3 4 5 6; do
    "$normalcy" train data -o signal$i --preset ped2 --image 128 --width 192 --depth 4 --heads 3 --batch 4 \
        --epochs 100000 2>err &
    while kill -0 $! && [ ! -s signal$i/log.jsonl ]; do sleep 0.05; done
    sleep 0.3$i
    kill -TERM $!
    kill -TERM $! 2>/dev/null
    wait $!
    [ $? = 130 ] || fail "SIGTERM $i: $(tail -1 err)"
    checks=$((checks + 1))
    expect 0 '' info signal$i
done
# The signal finds the training waiting for a video's frames.
"$normalcy" train a.mp4 -o film "${small[@]}" --epochs 100000 --cache 0 2>err &
while kill -0 $! && [ ! -s film/log.jsonl ]; do sleep 0.05; done
kill -TERM $!
wait $!
[ $? = 130 ] && grep -q 'continue with' err || fail "SIGTERM on a video: $(tail -1 err)"
expect 0 '' info film

finish
