#!/usr/bin/env bash
# normalcy score: forms of output, footage, models, precision, what cannot be written.
# usage: score.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run

echo "-- it works"
expect 0 '' score run data/testing/frames/01_runner
[ "$(wc -l <out)" = 19 ] || fail "score: $(wc -l <out) lines of 20 frames, expected 19"
expect 0 '' score run data/testing/frames/01_runner --format csv -o scores.csv --video a.mp4 --maps maps
[ "$(wc -l <scores.csv)" = 20 ] || fail "score --format csv: expected a header and 19 lines"
[ "$(ls maps | wc -l)" = 19 ] || fail "score --maps: expected 19 pictures"
expect 0 '' score run a.mp4 --format npy -o scores.npy
head -1 scores.csv | grep -qx 'frame,seconds,psnr,surprise,by' || fail "score --format csv: $(head -1 scores.csv)"
grep -qE '^[0-9]+,[^,]*,[0-9.]+,[0-9.e-]+,(motion|error)$' scores.csv || fail "no surprise in: $(sed -n 2p scores.csv)"
expect 3 'anomaly' score run data/testing/frames/01_runner --fail-on 99
expect 0 'done ' train data -o wild "${small[@]}" --lr 10 --clip 0 --warmup-epochs 0 --steps 40
expect 0 '' score wild data/testing/frames/01_runner
grep -q '"psnr":-' out || fail "the wild model has no PSNR below 0 for --fail-on 0"
expect 0 'done ' train data -o stacked "${small[@]}" --frames 3 --steps 2
expect 0 '' score stacked data/testing/frames/01_runner
[ "$(wc -l <out)" = 17 ] || fail "score of 3 input frames: $(wc -l <out) lines, expected 17"
expect 0 'done ' train data -o colours "${small[@]}" --colours imagenet --steps 2
expect 0 '' score colours data/testing/frames/01_runner
expect 0 'done ' train data -o kept "${small[@]}" --epochs 2 --keep 2
expect 0 '' score kept/epoch-002.safetensors data/testing/frames/01_runner

echo "-- surprise"
expect 0 '' score run data/testing/frames/01_runner
grep -q '"by":"' out || fail "score tells no surprise"
cp out first
expect 0 'surprise  highest' score run data/testing/frames/01_runner -o again
cmp -s first again || fail "a file of scores differs from stdout"
expect 0 'resumed' train --resume -o run --steps 6 # is done already
expect 0 '' score run data/testing/frames/01_runner
cmp -s first out || fail "a run that is resumed at its end has other surprises"
expect 0 '' info run
grep -q 'surprise    motion from' out || fail "info tells nothing of surprise"
expect 0 '17 pairs, 10 held out' train data -o held "${small[@]}" --hold-out 0.5 --epochs 2 --keep 2
grep -q 'errors    learned from 17 frames' err || fail "train tells nothing of errors: $(cat err)"
expect 0 '' info held
grep -q 'motion from .* errors from 17' out || fail "info tells nothing of errors"
expect 0 '' score held data/testing/frames/01_runner
cp out first
expect 0 '' score held/epoch-002.safetensors data/testing/frames/01_runner
cmp -s first out && fail "weights of an epoch know as much of errors as the last ones"
grep -q '"by":"error"' out && fail "weights of an epoch know no errors"
expect 0 '' eval run data --variants motion
grep -q 'motion' out || fail "eval --variants motion has no row"
expect 0 '' eval run data --variants surprise,steady -o tables
grep -q 'surprise' tables/report.html || fail "the report has no surprise"
grep -q '"steady"' tables/results.json || fail "the results have no steady surprise"
expect 1 'motion: persistence does not know it' eval persistence data --variants motion
expect 1 'steady: persistence does not know it' eval persistence data --variants steady

expect 0 'network   none' train data -o nothing "${small[@]}" --depth 0
expect 0 'done      0 steps' train --resume -o nothing
expect 0 '' score nothing data/testing/frames/01_runner
grep -q '"by":"motion"' out || fail "a model without a network does not judge motion"
expect 0 '' eval nothing data --variants all --localise
grep -q 'nothing .* motion ' out || fail "eval --localise has no level of motion"
expect 2 'hold-out 0.2: the run' train --resume -o nothing --hold-out 0.2
expect 2 'nothing to pre-train' pretrain data -o nothing2 --depth 0
expect 0 '' train data -o onward --init held "${small[@]}" --steps 1
grep -q ignored err && fail "--init names what is no part of the network: $(grep ignored err)"
expect 1 'no network to quantize' quantize nothing data -o quantized.safetensors

echo "-- what is ignored"
# All but the roofs: the street, where all figures walk.
expect 0 'ignores .* of the picture' train data -o blind "${small[@]}" --depth 0 --ignore '0,0.2 1,1'
expect 0 '' train --resume -o blind
expect 2 'cannot change' train --resume -o blind --ignore '0,0 1,0.5'
expect 2 'expected X,Y' train data -o blind2 "${small[@]}" --ignore '0,0 1;0.5'
expect 2 'covers 100 %' train data -o blind2 "${small[@]}" --ignore '0,0 1,1'
expect 0 '' info blind
grep -q '^ignores     8[0-9]' out || fail "info does not tell what is ignored"
expect 0 '' score blind data/testing/frames/01_runner
grep -qE '"surprise":[0-9]{2}' out && fail "a runner where nobody looks is a surprise"
expect 0 '' score nothing data/testing/frames/01_runner
grep -qE '"surprise":[0-9]{2}' out || fail "the runner is no surprise where somebody looks"
expect 0 '' eval blind data --variants motion,surprise -o blind-eval
expect 0 '' train data -o shy "${small[@]}" --ignore '0,0.2 1,1' --steps 1
expect 0 '' train data -o onward2 --init shy "${small[@]}" --steps 1
grep -q 'ignored ' err && fail "--init names what is no part of the network: $(grep 'ignored ' err)"

echo "-- footage"
expect 1 'no/such' score run no/such.mp4
mkdir empty
expect 1 'empty' score run empty
mkdir -p one/testing/frames/01_runner
cp data/training/frames/01/000.png one/testing/frames/01_runner/
expect 1 'needed for one score' score run one/testing/frames/01_runner
echo "this is not a film" >text.mp4
expect 1 'text.mp4' score run text.mp4
mkdir -p cut
for i in 000 001 002 003; do cp data/testing/frames/01_runner/$i.png cut/; done
head -c 900 cut/002.png >cut/half && mv cut/half cut/002.png
expect 1 '002.png' score run cut
head -c $(($(stat -c %s a.mp4) / 2)) a.mp4 >half.mp4
expect 1 'half.mp4' score run half.mp4
cp -r data/testing/frames/02_cyclist clip
cp maps/000003.png clip/010.png
expect 1 'clip' score run clip

echo "-- other inputs"
"$normalcy" score persistence - <a.mp4 >out 2>err || fail "score - failed: $(tail -1 err)"
[ "$(wc -l <out)" = 19 ] || fail "score -: $(wc -l <out) lines of 20 frames, expected 19"
mkfifo way && (cat a.mp4 >way &)
expect 0 '' score persistence way --format csv
[ "$(wc -l <out)" = 20 ] || fail "score of a named pipe: $(wc -l <out) lines, expected 20"
mkdir "with blank"
cp a.mp4 "with blank/b.mp4"
expect 0 '' score persistence "file://$here/with%20blank/b.mp4"
expect 0 'scored .*95 frames; lowest .* of ' score persistence data/testing/frames --format csv -o clips.csv
head -1 clips.csv | grep -qx file,frame,seconds,psnr || fail "clips have no file column: $(head -1 clips.csv)"
[ "$(cut -d, -f1 clips.csv | sort -u | grep -c _)" = 5 ] || fail "not all clips are in: $(cut -d, -f1 clips.csv | sort -u)"
mkdir shorts && cp -r data/testing/frames/01_runner data/testing/frames/02_cyclist shorts/
rm shorts/01_runner/*[1-9].png
expect 0 '01_runner has 2 frames; 4 are needed' score stacked shorts -o shorts.jsonl
expect 2 'shows one clip' score persistence data/testing/frames --video clips.mp4
expect 0 '' score persistence data/testing/frames --maps clips
[ "$(ls clips/01_runner | wc -l)" = 19 ] || fail "--maps of clips: $(ls clips/01_runner | wc -l) pictures, expected 19"
expect 2 'MODEL comes first' score a.mp4 run

echo "-- intervals"
expect 0 '' score persistence a.mp4 --interval 0.08 --format csv # of 25 frames a second
cut -d, -f1 out | tail -n +2 | tr '\n' ' ' | grep -qx '2 4 6 8 10 12 14 16 18 ' ||
    fail "--interval 0.08 takes frames $(cut -d, -f1 out | tr '\n' ' ')"
expect 0 'a frame comes every 0.04 s, but every 0.02 s is wanted' score persistence a.mp4 --interval 0.02
[ "$(wc -l <out)" = 19 ] || fail "a slow source: $(wc -l <out) lines, expected 19"
expect 0 'a frame every 0.08 s' train a.mp4 -o every2 "${small[@]}" --interval 0.06 --steps 1
expect 0 '' score every2 a.mp4 --format csv
[ "$(wc -l <out)" = 10 ] || fail "a model of every second frame: $(wc -l <out) lines, expected 10"
expect 0 '' info every2
grep -q '^interval  *0.08 s' out || fail "info does not tell the interval: $(grep interval out)"
"$normalcy" score every2 a.mp4 --interval 0 2>err | wc -l | grep -qx 19 || fail "--interval 0 does not take all frames"

echo "-- models"
expect 1 "data: there is no checkpoint.safetensors in it" score data data/testing/frames/01_runner
poison 377 nanweights
expect 1 'not finite' score nanweights data/testing/frames/01_runner
# Settings that would ask for tens of gigabytes, in a file that has no such weights.
sed 's/\\"image\\":\\"32\\"/\\"image\\":\\"80\\"/' $good >large.safetensors
expect 1 'has shape' score large.safetensors data/testing/frames/01_runner
expect 1 "no ranges for int8; 'normalcy quantize' makes" score run data/testing/frames/01_runner --precision int8

echo "-- usage"
expect 2 'expected one of auto, f32, bf16, int8' score run data/testing/frames/01_runner --precision fp16
expect 2 'needs a file' score run data/testing/frames/01_runner --format npy
cp a.mp4 mine.mp4
expect 2 'is the input' score run mine.mp4 -o mine.mp4
expect 2 'is the input' score run mine.mp4 --video ./mine.mp4
cmp -s a.mp4 mine.mp4 || fail "score overwrote its input"
cp -r data/testing/frames/01_runner mine
expect 2 'is the input' score run mine --maps mine/
diff -rq data/testing/frames/01_runner mine >&2 || fail "score --maps overwrote its input"

echo "-- output"
mkfifo pipe && ln -s a.mp4 link.mp4
for o in pipe link.mp4 data; do
    for f in jsonl npy; do
        expect 1 "cannot write $o: it is " score run data/testing/frames/01_runner -o $o --format $f --video late.mp4
    done
done
expect 1 'cannot write no/x.npy' score run data/testing/frames/01_runner -o no/x.npy --format npy --video late.mp4
expect 1 'cannot write link.mp4: it is ' score run data/testing/frames/01_runner --video link.mp4
[ ! -e late.mp4 ] || fail "score finds at the end only that it cannot write"
[ -p pipe ] && [ -L link.mp4 ] || fail "a pipe or a link was replaced by a file"
expect 1 '/dev/null/x' score run data/testing/frames/01_runner -o /dev/null/x
full score run data/testing/frames/01_runner
full score run data/testing/frames/01_runner --format csv --fail-on 99
mkdir disk
if mount -t tmpfs -o size=4k tmpfs disk 2>/dev/null; then
    mounted=$here/disk && echo >disk/full
    expect 1 'No space left' score run data/testing/frames/01_runner --video disk/a.mp4
    [ "$(ls disk)" = full ] || fail "a full disk left half a video: $(ls disk)"
    umount disk && mounted=
else
    echo "no tmpfs here: the full disk is not tried"
fi

finish
