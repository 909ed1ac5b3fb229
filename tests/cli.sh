#!/usr/bin/env bash
# The program itself on bad input: the documented exit code, a message that names the thing, and
# nothing half-written. usage: cli.sh NORMALCY MAKE_SCENE
set -u
export LC_ALL=C.UTF-8 # sort and awk read numbers as a language writes them
normalcy=$1 make_scene=$2
reference=$(cd "$(dirname "$0")/reference" && pwd) || exit 1
here=$(mktemp -d) || exit 1
mounted=
cleanup() {
    [ -z "$mounted" ] || umount "$mounted"
    rm -rf "$here"
}
trap cleanup EXIT
cd "$here" || exit 1
failures=0 checks=0

fail() {
    echo "FAILED: $*" >&2
    failures=$((failures + 1))
}

# expect CODE FRAGMENT ARGUMENTS...: runs normalcy; stderr must hold the fragment (a basic regex) and
# no sanitizer's report.
expect() {
    local wanted=$1 fragment=$2
    shift 2
    "$normalcy" "$@" >out 2>err </dev/null
    local code=$?
    checks=$((checks + 1))
    [ "$code" = "$wanted" ] || fail "normalcy $*: exit code $code, expected $wanted: $(tail -1 err)"
    [ -z "$fragment" ] || grep -q -- "$fragment" err || fail "normalcy $*: no \"$fragment\" in: $(tail -1 err)"
    if grep -qE 'Sanitizer|runtime error' err; then
        fail "normalcy $*: $(grep -E 'Sanitizer|runtime error' err | head -1)"
    fi
}

# A network small enough for many runs.
small=(--preset ped2 --image 32 --patch 8 --mask-cell 16 --width 16 --depth 1 --heads 2 --batch 2)
"$make_scene" data || exit 1
expect 0 'done ' train data -o run "${small[@]}" --steps 4
good=run/checkpoint.safetensors

echo "-- it works"
expect 0 '' eval run data --json
grep -q '"rows"' out || fail "eval --json printed no rows"
expect 0 '' eval run data -o results
for f in report.html results.json scores.csv; do [ -s results/$f ] || fail "eval -o made no $f"; done
expect 0 '' score run data/testing/frames/01_runner
[ "$(wc -l <out)" = 19 ] || fail "score: $(wc -l <out) lines of 20 frames, expected 19"
expect 0 '' score run data/testing/frames/01_runner --format csv -o scores.csv --video a.mp4 --maps maps
[ "$(wc -l <scores.csv)" = 20 ] || fail "score --format csv: expected a header and 19 lines"
[ "$(ls maps | wc -l)" = 19 ] || fail "score --maps: expected 19 pictures"
expect 0 '' score run a.mp4 --format npy -o scores.npy
expect 3 'anomaly' score run data/testing/frames/01_runner --fail-on 99
expect 0 '' data check data
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
expect 2 'are of check' data plant data -o x --json
expect 2 'writes no data set' data check data -o x
[ -s still/01/00.png ] && [ -s still/02/09.png ] || fail 'data plant removed footage through its links'
[ ! -e x ] && [ ! -e x.part ] || fail 'something is left of a data set that cannot be planted'
expect 0 '' info run
expect 0 '' info run --json
expect 0 '' --help
expect 0 '' --version
expect 0 'resumed' train --resume -o run --steps 6
expect 0 'done ' train data -o again --config run/settings.yaml --steps 6
cmp -s again/settings.yaml run/settings.yaml || fail "--config settings.yaml gives other settings"
expect 0 'done ' train data -o stacked "${small[@]}" --frames 3 --steps 2
expect 0 '' score stacked data/testing/frames/01_runner
[ "$(wc -l <out)" = 17 ] || fail "score of 3 input frames: $(wc -l <out) lines, expected 17"

echo "-- other starts, other recipes"
recipes=$("$normalcy" train --help | sed -n '/^Recipes:/,/^$/s/^  \([^ ]*\) .*/\1/p')
[ "$(echo "$recipes" | wc -l)" = 10 ] || fail "train --help lists the recipes $recipes"
for recipe in $recipes; do
    expect 0 'done ' train data -o "recipe/$recipe" "${small[@]}" --recipe $recipe --steps 2
    expect 0 'resumed' train --resume -o "recipe/$recipe" --steps 3
    expect 1 'nowhere' reproduce ped2 nowhere -o x --rows $recipe # a row of its tables
done
grep -q '"consistency"' recipe/ours/log.jsonl || fail "ours logs no consistency"
grep -q '"consistency"' recipe/ablation/no-consistency/log.jsonl && fail "a part of no weight is logged"
# Which pairs get frames from further back is drawn alike wherever a run begins.
skip=("${small[@]}" --recipe lnra/skip --pseudo-p 0.5)
expect 0 'done ' train data -o straight "${skip[@]}" --steps 40
expect 0 'done ' train data -o halves "${skip[@]}" --steps 17
expect 0 'resumed' train --resume -o halves --steps 40
cmp -s straight/checkpoint.safetensors halves/checkpoint.safetensors || fail "lnra/skip resumes as another run"
expect 2 '"nope" is none; --help' train data -o x "${small[@]}" --recipe nope
expect 2 'needs pseudo anomalies and passes=both' train data -o x "${small[@]}" --pseudo none
expect 2 'negative needs passes=either' train data -o x "${small[@]}" --pseudo-loss negative
expect 2 'needs colours bgr' train data -o x "${small[@]}" --residual --colours imagenet
expect 1 'cannot read none' train data -o x "${small[@]}" --recipe lnra/patch --intruders none
expect 1 "not CIFAR-100's" train data -o x "${small[@]}" --recipe lnra/patch --intruders run/log.jsonl
expect 0 'done ' train data -o colours "${small[@]}" --colours imagenet --steps 2
expect 0 '' score colours data/testing/frames/01_runner
expect 0 'done ' pretrain data -o start "${small[@]}" --epochs 2 --warmup-epochs 0
# has FOLDER KEY VALUE: a run's setting
has() {
    grep -qx "$2: \"\\?$3\"\\?" $1/settings.yaml || fail "$1 has $(grep "^$2:" $1/settings.yaml), expected $3"
}
expect 0 'done ' train data -o bare --steps 1
expect 0 'done ' train data -o named --preset footage --steps 1
cmp -s bare/settings.yaml named/settings.yaml || fail "train begins at random with other settings than footage's"
expect 0 'done ' train data -o longer --preset ped2-scratch --steps 1
sed 's/^epochs: 24$/epochs: 8/' longer/settings.yaml | cmp -s - bare/settings.yaml || fail "ped2-scratch is more than footage for 24 epochs"
has bare frames 4
for part in frames masks; do # one clip: this network is no small one
    mkdir -p single/testing/$part && cp -r data/testing/$part/01_runner single/testing/$part
done
expect 0 '' eval bare single --localise
expect 0 'done ' train data -o tuned --init bare --steps 1
has tuned lr 0.001
expect 0 'done ' train data -o paper --recipe ablation/ae --image 32 --patch 8 --width 16 --depth 1 --heads 2 --batch 2 --steps 1
has paper lambda-gd 1
expect 0 'done ' pretrain data -o hidden --preset ped2-scratch --steps 1
expect 0 'resumed' pretrain --resume -o hidden --preset ped2-scratch --steps 2
has hidden epochs 100
expect 0 'init .* 0 drawn' train data -o shown --preset ped2-scratch --init hidden --steps 1
has shown residual yes
grep -q '"normal_int"' start/log.jsonl && fail "pretrain logs losses that it does not have"
expect 0 'init .*normalcy.*, 0 drawn' train data -o from --init start --mask-cell 16 --batch 2 --steps 2
has from lr 0.0001
expect 0 'blocks.1.*table: a copy of the shared table, interpolated from 4 x 4 to 8 x 8 patches' \
    train data -o resized --init "$reference/simmim.pth" --image 32 --relpos block --mask-cell 8 --batch 2 --steps 1
expect 1 'needs --patch=4; this network has --patch=8' \
    train data -o patch --init "$reference/simmim.pth" --image 32 --patch 8 --mask-cell 16 --batch 2 --steps 1
expect 0 'nothing in .*mae.pth tells how many heads' \
    train data -o guessed --init "$reference/mae.pth" --image 32 --mask-cell 8 --batch 2 --steps 1
expect 0 'heads 2, ' train data -o told --init "$reference/mae.pth" --heads 2 --image 32 --mask-cell 8 --batch 2 --steps 1
grep -q 'tells how many heads' err && fail "--heads is told of a guess"
expect 1 'cannot read nothing' train data -o x --init nothing
expect 1 'neither safetensors' train data -o x --init run/log.jsonl
[ ! -e patch ] && [ ! -e x ] || fail "train --init with what does not fit leaves a folder"
expect 0 'done ' train data -o kept "${small[@]}" --epochs 3 --keep 2
[ "$(cd kept && echo epoch-*)" = epoch-002.safetensors ] || fail "--keep 2 of 3 epochs: $(ls kept)"
cp kept/epoch-002.safetensors kept/checkpoint.safetensors
expect 1 "without the optimizer's state" train --resume -o kept
expect 0 '' score kept/epoch-002.safetensors data/testing/frames/01_runner

"$normalcy" train data -o long "${small[@]}" --epochs 100000 2>err &
while kill -0 $! && [ ! -s long/log.jsonl ]; do sleep 0.05; done
kill -INT $!
wait $!
[ $? = 130 ] && grep -q 'continue with: normalcy train --resume' err || fail "SIGINT: $(tail -1 err)"
expect 0 '' info long
# The command it tells is the run's, whatever the shell makes of its name.
"$normalcy" train data -o "Bob's \$run" "${small[@]}" --epochs 100000 --keep 100000 2>err &
while kill -0 $! && [ ! -s "Bob's \$run/log.jsonl" ]; do sleep 0.05; done
kill -INT $!
wait $!
again=$(sed -n 's/.*continue with: normalcy //p' err)
eval "set -- $again"
[ "$*" = "train --resume -o Bob's \$run --keep 100000" ] || fail "after SIGINT: $again"
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
for command in train eval score quantize demo data weights info doctor; do
    expect 0 '' $command --help
    grep -q "^usage: normalcy $command" out || fail "$command --help says no usage"
done

echo "-- protocols"
# rows WANTED WHAT: the rows of a table in out, which begin with the model or persistence
rows() {
    [ "$(grep -cE '^(run|persistence|given) ' out)" = "$1" ] ||
        fail "$2: $(grep -cE '^(run|persistence|given) ' out) rows, expected $1"
}
expect 0 '' eval run data
rows 4 eval
grep -q 'micro   *95 %' out || fail "eval prints no interval"
awk 'length > 100 {exit 1}' out || fail "eval prints more than 100 columns"
expect 0 '' eval run data --protocols all -o all
rows 28 'eval --protocols all'
grep -q '^jig-sht ' out || fail "eval --protocols all does not say what jig-sht is"
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
expect 2 '--tracks is of --localise' eval run data --tracks x
expect 2 'needs a MODEL' eval --scores x.npy data --localise
expect 1 'x: expected a folder of track files' eval run data --localise --tracks x
expect 2 '--protocols: expected all, or some of sma, per-clip' eval run data --protocols none
expect 2 '--protocols: expected' eval run data --protocols 'hf2,,fp'
expect 2 '--variants: expected all, or some of frame' eval run data --variants patch
expect 2 'needs a run folder' eval persistence data --checkpoints
expect 1 "no checkpoints of epochs.*'train --keep'" eval run data --checkpoints
cp -r run kept
cp $good kept/epoch-002.safetensors && cp again/checkpoint.safetensors kept/epoch-010.safetensors
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

echo "-- scores from elsewhere"
# npy FILE TYPE ITEM COUNT: an array of zeros
npy() {
    printf '\223NUMPY\001\000v\000%-117s\n' "{'descr': '$2', 'fortran_order': False, 'shape': ($4,), }" >$1
    head -c $(($3 * $4)) /dev/zero >>$1
}
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
expect 2 'say what --scores is' eval run data --first 4
expect 2 "are a model's" eval --scores given data --variants all
expect 2 'expected DATA at most' eval --scores given run data
head -c -1 given >short && expect 1 'short' eval --scores short data
head -c -8 given >nan && printf '\377\377\377\377\377\377\377\377' >>nan
expect 1 'nan: score 29 is' eval --scores nan data
mkdir scoreless
expect 1 "no .npy file" eval --scores scoreless data

echo "-- precision"
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
export NORMALCY_ISA=nonsense
for command in "score run data/testing/frames/01_runner" "train data -o x" "quantize run -o x" "eval run data" doctor; do
    # shellcheck disable=SC2086
    expect 2 'NORMALCY_ISA: expected plain, .*found "nonsense"' $command
done
unset NORMALCY_ISA
expect 1 "no ranges for int8; 'normalcy quantize' makes" score run data/testing/frames/01_runner --precision int8
expect 1 "no ranges for int8; 'normalcy quantize' makes" eval run data --precision int8
expect 2 'train in bf16 or f32' train data -o x --precision int8
expect 2 'train in bf16 or f32' train data --resume -o run --precision int8
expect 2 "needs a model ('normalcy quantize')" doctor --precision int8
expect 0 '' doctor
grep -q '^  ped2-scratch .* frames/s' out || fail "doctor does not time train's own network"
expect 2 'expected one of auto, f32, bf16, int8' score run data/testing/frames/01_runner --precision fp16
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
expect 1 'no/such' quantize run no/such -o x
expect 1 'testing' quantize run data/testing -o x
head -c 3000 $good >short.model
expect 1 'short.model' quantize short.model data -o x
expect 1 '/dev/null/x' quantize run data -o /dev/null/x
mkdir folder
expect 1 'folder' quantize run data -o folder
mkdir unresumable && cp q.model unresumable/checkpoint.safetensors
expect 1 "without the optimizer's state" train data --resume -o unresumable
cmp -s q.model unresumable/checkpoint.safetensors || fail "a run that cannot resume changed its model"
[ ! -e x ] || fail "a command that failed left x"
# Ranges are at the end of the file: all bits set are NaN.
head -c -4 q.model >nan.model && printf '\377\377\377\377' >>nan.model
expect 1 'nan.model: the int8 range 3' score nan.model data/testing/frames/01_runner --precision int8

echo "-- usage"
expect 2 'unknown command' trian data
expect 2 'did you mean --epochs' train data -o x --epocks 3
expect 2 'out of range, expected 1 to' train data -o x --epochs 0
expect 2 'whole number' train data -o x --epochs 1.5
expect 2 'expected one of cosine, constant' train data -o x --schedule linear
expect 2 'expected a value' train data -o x --epochs
expect 2 'give -o' train data
expect 2 'no data' train -o x
expect 2 'expected one of ped2, avenue, shanghaitech, ped2-scratch, footage; found "ped3"' train data -o x --preset ped3
expect 2 'resume continues that run' train data -o run
expect 2 'does not fit' train data -o x --image 40 --patch 8 --pseudo mask
expect 2 'not a multiple of heads' train data -o x --width 24 --heads 5
expect 2 'expected a MODEL and DATA' eval run
expect 2 'needs a file' score run data/testing/frames/01_runner --format npy
cp a.mp4 mine.mp4
expect 2 'is the input' score run mine.mp4 -o mine.mp4
expect 2 'is the input' score run mine.mp4 --video ./mine.mp4
cmp -s a.mp4 mine.mp4 || fail "score overwrote its input"
cp -r data/testing/frames/01_runner mine
expect 2 'is the input' score run mine --maps mine/
diff -rq data/testing/frames/01_runner mine >&2 || fail "score --maps overwrote its input"
mkdir persistence
expect 2 'needs a run folder' eval persistence data --checkpoints
rm -r persistence
ln -s data $'caf\xe9'
expect 2 'the path of DATA is not UTF-8' train $'caf\xe9' -o x
expect 2 'seed is not the same in all runs' reproduce ped2 data -o x --settings "epochs=4 seed=7"
expect 2 'data is not UTF-8' reproduce ped2 $'caf\xe9' -o x
rm -rf x
printf 'epochs: 3\nepocs: 4\n' >bad.yaml
expect 2 'bad.yaml, line 2: epocs: unknown option' train data -o x --config bad.yaml
echo 'size: tiny' >bad.yaml
expect 2 'bad.yaml, line 1: size: unknown option' train data -o x --config bad.yaml
expect 1 'the network needs .* this machine has' train data -o x --image 4096 --patch 2 --mask-cell 2 \
    --width 8 --depth 1 --heads 1
rm -rf x
printf 'epochs: [1, 2\n' >bad.yaml
expect 2 'not valid YAML' train data -o x --config bad.yaml
[ -e x ] && fail "a usage error made the run's folder"

echo "-- footage"
expect 1 'no/such/place' train no/such/place -o x
expect 1 'no/such' score run no/such.mp4
mkdir empty
expect 1 'empty' train empty -o x
expect 1 'empty' score run empty
mkdir -p one/training/frames/01 one/testing/frames/01_runner
cp data/training/frames/01/000.png one/training/frames/01/
cp data/training/frames/01/000.png one/testing/frames/01_runner/
expect 1 'has 1 frame' train one -o x "${small[@]}"
expect 1 'needed for one score' score run one/testing/frames/01_runner
echo "this is not a film" >text.mp4
expect 1 'text.mp4' score run text.mp4
mkdir -p cut
for i in 000 001 002 003; do cp data/testing/frames/01_runner/$i.png cut/; done
head -c 900 cut/002.png >cut/half && mv cut/half cut/002.png
expect 1 '002.png' score run cut
head -c $(($(stat -c %s a.mp4) / 2)) a.mp4 >half.mp4
expect 1 'half.mp4' score run half.mp4
mkdir films && cp a.mp4 films/1.mp4 # what a decoder conceals, training and evaluation refuse
expect 0 '' data check films --decode
printf xxxxxxxx | dd of=films/1.mp4 bs=1 seek=$(($(stat -c %s a.mp4) * 6 / 10)) conv=notrunc 2>dd.err
expect 1 '' data check films --decode
grep -q 'problem: clips/1: .*damaged' out || fail "data check --decode: $(cat out)"
mkdir -p latin/training/frames/$'\xdcber' && cp data/training/frames/01/*.png latin/training/frames/*/
expect 0 '' data check latin
grep -q '?ber .*frames' out || fail "data check of a name that is not UTF-8: $(cat out)"
"$make_scene" mixed && cp -r data/testing/frames/02_cyclist clip
"$normalcy" score run data/testing/frames/01_runner --maps other >/dev/null 2>&1
cp other/000003.png clip/010.png
expect 1 'clip' score run clip
cp other/000003.png mixed/training/frames/01/003.png
expect 1 '01' train mixed -o x "${small[@]}"
[ ! -e x/checkpoint.safetensors ] || expect 0 '' info x # the steps before are kept
rm -rf x

echo "-- labels"
# What no score can come of is told before what only scoring would find.
cp -r data brief && rm brief/*.npy brief/testing/*/05_intruder/*[1-9].png brief/testing/*/05_intruder/*10.png
head -c 900 data/testing/frames/01_runner/002.png >brief/testing/frames/01_runner/002.png
expect 1 'clip 05_intruder has 1 frames; 2 are needed' eval run brief
cp -r data wrong && rm wrong/testing/frames/01_runner/019.png && rm -r wrong/testing/masks
expect 1 'label' eval run wrong
expect 1 'no/such.npy' eval run data --labels no/such.npy
printf '\223NUMPY\001\000v\000%-117s\n' "{'descr': '<f8', 'fortran_order': False, 'shape': (100,), }" >f.npy
head -c 800 /dev/zero >>f.npy
expect 1 'f.npy' eval run data --labels f.npy
printf '\223NUMPY\001\000v\000%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (999999,), }" >lie.npy
expect 1 'lie.npy' eval run data --labels lie.npy
expect 1 'testing/frames/01_runner' eval run data/testing/frames/01_runner

echo "-- models"
expect 1 'the model no/such, expected the folder of a run' eval no/such data
expect 1 "data: there is no checkpoint.safetensors in it" eval data data
expect 1 "data: there is no checkpoint.safetensors in it" score data data/testing/frames/01_runner
expect 2 'argument 1 is empty; expected the path of a MODEL' eval '' data
expect 2 'argument 2 is empty; expected the path of DATA' eval run ''
expect 1 'text.mp4' eval text.mp4 data
head -c 3000 $good >short.safetensors
expect 1 'short.safetensors' info short.safetensors
# A header of our own in front of 32 bytes of data.
model() {
    printf "\\x$(printf %02x ${#1})\\0\\0\\0\\0\\0\\0\\0%s" "$1" >$2
    head -c 32 /dev/zero >>$2
}
t='"dtype":"F32","shape":[4],"data_offsets"'
model "{\"a\":{$t:[0,16]},\"b\":{$t:[8,24]}}" overlap.safetensors
expect 1 'overlap' info overlap.safetensors
model "{\"a\":{$t:[0,16]},\"b\":{$t:[64,80]}}" range.safetensors
expect 1 'out of range' info range.safetensors
model "{\"a\":{$t:[0,16]},\"b\":{$t:[16,32]}}" other.safetensors
expect 1 'no normalcy model' info other.safetensors
# Digits of the settings in the header: the width 16 becomes 24, whose weights would have other shapes.
sed 's/\\"width\\":\\"16\\"/\\"width\\":\\"24\\"/' $good >size.safetensors
expect 1 'has shape' eval size.safetensors data
# All bytes of the last tensor's values set: NaN.
{ head -c -64 $good; head -c 64 /dev/zero | tr '\0' '\377'; } >nan.safetensors
expect 1 'not a safetensors' info /dev/null
# The first weight behind the header becomes NaN, or 3e38: finite, but the forward pass overflows.
poison() {
    mkdir -p $2 && cp $good $2/
    head -c 64 /dev/zero | tr '\0' "\\$1" | dd of=$2/checkpoint.safetensors bs=1 \
        seek=$((8 + $(od -An -tu8 -N8 $good))) conv=notrunc 2>/dev/null
}
poison 377 nanweights
expect 1 'cls_token holds a value that is not finite' eval nanweights data
expect 1 'not finite' score nanweights data/testing/frames/01_runner
expect 1 'not finite' info nanweights
# Settings that would ask for tens of gigabytes, in a file that has no such weights.
sed 's/\\"image\\":\\"32\\"/\\"image\\":\\"80\\"/' $good >large.safetensors
expect 1 'has shape' score large.safetensors data/testing/frames/01_runner
mkdir nanrun && cp nan.safetensors nanrun/checkpoint.safetensors
expect 1 'not finite' train data --resume -o nanrun
cp -r data fewer && rm -r fewer/training/frames/03
expect 1 'steps an epoch' train fewer --resume -o run
cp -r run changed
expect 0 'warning: lr was 0.0001 until here, from here on it is 0.001' train --resume -o changed --lr 1e-3 --steps 7
mkdir elsewhere && cd elsewhere || exit 1
expect 1 "the run's data, named when it began" train --resume -o ../run
cd ..
expect 1 'cannot resume' train data --resume -o nowhere

echo "-- weights"
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
expect 0 'heads 2, ' train data -o later --init mae.safetensors --heads 2 --image 32 --mask-cell 8 --batch 2 --steps 1
expect 1 'needs --heads=2' train data -o x --init run --image 32 --mask-cell 8 --heads 4
expect 2 'leave out -o' weights list cut.pth -o none.safetensors
expect 2 'weights import FILE' weights
expect 2 'weights import FILE' weights export cut.pth

echo "-- output"
expect 1 '/dev/null/x' train data -o /dev/null/x "${small[@]}" --steps 1
exec 9<run && flock 9
expect 1 'another process is writing to run' train data --resume -o run --steps 8
exec 9<&-
cp -r run bare-hands
"$normalcy" train data --resume -o bare-hands --steps 8 <&- 2>err >out || fail "resume without stdin: $(tail -1 err)"
mkdir linked && ln -s ../not-there linked/checkpoint.safetensors
expect 1 'checkpoint.safetensors: it is a link' train data -o linked "${small[@]}" --steps 1
mkdir -p own && cp -r run own/run
expect 1 "trained on data, so it is no demo's" demo -o own
cmp -s run/checkpoint.safetensors own/run/checkpoint.safetensors || fail "demo took a run that is not its own"
[ ! -e own/data ] || fail "demo began before it looked"
mkfifo pipe && ln -s a.mp4 link.mp4
for o in pipe link.mp4 data; do
    for f in jsonl npy; do
        expect 1 "cannot write $o: it is " score run data/testing/frames/01_runner -o $o --format $f --video late.mp4
    done
    expect 1 "cannot write $o: it is " quantize run data -o $o
done
expect 1 'cannot write no/x.npy' score run data/testing/frames/01_runner -o no/x.npy --format npy --video late.mp4
expect 1 'cannot write link.mp4: it is ' score run data/testing/frames/01_runner --video link.mp4
[ ! -e late.mp4 ] || fail "score finds at the end only that it cannot write"
[ -p pipe ] && [ -L link.mp4 ] || fail "a pipe or a link was replaced by a file"
expect 1 '/dev/null/x' eval run data -o /dev/null/x
expect 1 '/dev/null/x' score run data/testing/frames/01_runner -o /dev/null/x
expect 1 '/dev/null/x' demo -o /dev/null/x
"$normalcy" score run data/testing/frames/01_runner >/dev/full 2>err
[ $? = 1 ] && grep -q 'stdout: No space left' err || fail "score >/dev/full: $(tail -1 err)"
"$normalcy" eval run data >/dev/full 2>err
[ $? = 1 ] && grep -q 'stdout' err || fail "eval >/dev/full: $(tail -1 err)"
for what in "info run" "info run --json" "data check data" "weights list run.safetensors"; do
    # shellcheck disable=SC2086
    "$normalcy" $what >/dev/full 2>err
    [ $? = 1 ] && grep -q 'stdout' err || fail "$what >/dev/full: $(tail -1 err)"
done
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
for wrong in "nope data" "run data --labels f.npy" "run data --labels no/such" "run data --localise --tracks no/such" "--scores short data"; do
    # shellcheck disable=SC2086
    expect 1 '' eval $wrong -o earlier
    diff -r earlier before.results >&2 || fail "eval $wrong changed the files of an earlier one"
done
if mount -t tmpfs -o size=64k tmpfs disk 2>/dev/null; then
    mounted=$here/disk
    expect 1 'No space left' train data -o disk/run --width 64 "${small[@]}" --width 64 --steps 1
    ls disk/run | grep -v '^log.jsonl$\|^settings.yaml$' && fail "a full disk left a torn file"
    expect 1 'No space left' eval run data -o disk/results
    ls disk/results 2>/dev/null | grep tmp && fail "a full disk left a temporary file"
    [ ! -e disk/results/report.html ] || fail "a full disk left a page"
    [ ! -e disk/results/results.json ] || [ "$(tail -1 disk/results/results.json)" = '}' ] ||
        fail "a full disk left half of results.json"
    umount disk && mount -t tmpfs -o size=4k tmpfs disk && echo >disk/full
    expect 1 'No space left' score run data/testing/frames/01_runner --video disk/a.mp4
    [ "$(ls disk)" = full ] || fail "a full disk left half a video: $(ls disk)"
else
    echo "no tmpfs here: the full disk is not tried"
fi

echo "-- numbers"
poison 177 huge
cp huge/checkpoint.safetensors before
expect 1 'step 6: the .* is not finite.*Lower --lr' train data --resume -o huge
cmp -s before huge/checkpoint.safetensors || fail "a step that is not finite changed the checkpoint"

echo "$checks runs, $failures failures"
[ $failures = 0 ]
