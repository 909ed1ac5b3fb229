#!/usr/bin/env bash
# normalcy quantize, and what each precision gives.
# usage: quantize.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run

# scores FILE ARGUMENTS...: of the runner, in dB, a line each
scores() {
    local file=$1
    shift
    expect 0 '' score "$@" data/testing/frames/01_runner
    sed 's/.*"psnr"://; s/}//' out >$file
}
# near A B: the same number of scores, none 0.05 dB off (bytes on this model: 0.002 dB)
near() {
    [ "$(wc -l <$1)" = 19 ] && paste $1 $2 | awk '{d = $1 - $2; if (NF != 2 || d > .05 || d < -.05) bad = 1}
        END {exit bad}' || fail "the scores $1 and $2 differ"
}
expect 0 'written *q.model' quantize run data -o q.model --pairs 8
expect 0 '' info q.model
expect 0 '' quantize q.model -o again.model --pairs 8 # the data that the model names
cmp -s q.model again.model || fail "quantize of a quantized model gives another one"
expect 0 '' quantize run -o narrow.model --pairs 1
cmp -s q.model narrow.model && fail "quantize --pairs 1 gives the ranges of 8"
expect 0 '' quantize run -o narrow.model --pairs 8 --precision f32
expect 0 '' quantize run -o narrow.model --pairs 8 --backend ref
for model in run q.model; do
    scores $model.f32 $model --precision f32
    scores $model.bf16 $model --precision bf16
done
cmp -s run.f32 q.model.f32 && cmp -s run.bf16 q.model.bf16 || fail "a quantized model scores otherwise"
scores int8 q.model --precision int8
scores int8.ref q.model --precision int8 --backend ref
scores int8.one q.model --precision int8 --threads 1
near run.f32 run.bf16 && near run.f32 int8 && near run.f32 int8.ref
cmp -s int8 q.model.bf16 && fail "--precision int8 scores as bf16"
cmp -s int8 int8.one || fail "another number of threads, other scores"
for precision in f32 bf16 int8; do
    expect 0 "$precision, " eval q.model data --precision $precision --json
    grep -q '"rows"' out || fail "eval --precision $precision printed no rows"
done
for isa in plain avx2 avx512; do
    export NORMALCY_ISA=$isa
    for precision in f32 bf16 int8; do
        scores $isa.$precision q.model --precision $precision
        near run.f32 $isa.$precision
    done
    expect 0 'done ' train data -o isa-$isa "${small[@]}" --steps 2
done
expect 2 'no model' quantize
expect 2 'give -o' quantize run data
expect 2 'unexpected argument' quantize run data more -o x
expect 2 'out of range' quantize run data -o x --pairs 0
expect 2 'in bf16 or f32' quantize run data -o x --precision int8
cp $good before
expect 2 'is the model' quantize run -o $good
expect 2 'is the model' quantize $good -o ./run/../$good
cmp -s before $good || fail "quantize overwrote its model"
expect 1 'no/such' quantize no/such data -o x
expect 2 'run is a model and data is none; MODEL comes first: normalcy quantize run data' quantize data run -o x
expect 1 'no/such' quantize run no/such -o x
expect 1 'testing' quantize run data/testing -o x
head -c 3000 $good >short.model
expect 1 'short.model' quantize short.model data -o x
expect 1 '/dev/null/x' quantize run data -o /dev/null/x
mkdir folder
mkfifo pipe && ln -s q.model link.model
for o in pipe link.model folder; do
    expect 1 "cannot write $o: it is " quantize run data -o $o
done
[ -p pipe ] && [ -L link.model ] || fail "a pipe or a link was replaced by a file"
mkdir unresumable && cp q.model unresumable/checkpoint.safetensors
expect 1 "without the optimizer's state" train data --resume -o unresumable
cmp -s q.model unresumable/checkpoint.safetensors || fail "a run that cannot resume changed its model"
[ ! -e x ] || fail "a command that failed left x"
# Ranges are at the end of the file: all bits set are NaN.
head -c -4 q.model >nan.model && printf '\377\377\377\377' >>nan.model
expect 1 'nan.model: the int8 range 3' score nan.model data/testing/frames/01_runner --precision int8

finish
