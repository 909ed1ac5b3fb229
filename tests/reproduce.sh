#!/usr/bin/env bash
# normalcy reproduce, killed, stopped and resumed, gives the report of one that was left alone.
# usage: reproduce.sh NORMALCY MAKE_SCENE
set -u
export LC_ALL=C.UTF-8 # sort and awk read numbers as a language writes them
normalcy=$1 make_scene=$2
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
cd "$here" || exit 1
fail() {
    echo "FAILED: $*"
    exit 1
}

"$make_scene" data || exit 1
small="image=32 patch=8 mask-cell=8 width=24 depth=1 heads=3 batch=2 lr=1e-3 threads=1"
options=(--size tiny --rows ours,ours/constant,ablation/ae,ablation/mask/p0.5,frame-pred --seeds 3,4
    --time-steps 6 --settings "$small epochs=2 warmup-epochs=0.5 checkpoint-every=5 keep=1
    schedule=cosine pseudo-p=0.3")

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
for word in ours ours/ ablation/ mask/ p0.5 frame-pred 95.50 persistence "Fig. 2" \
    "prediction, AE only" "Published figures" "Time of training" "3, 4<br>" "best on<br>the test" \
    "bootstrap over the test clips" "AUROC" "This machine" "Trained by" "frame_labels_demo.npy, hash"; do
    grep -q "$word" cut/report.html || fail "report.html lacks $word"
done
grep -q "^| ablation/mask/p0.5 " cut/report.md || fail "report.md lacks ablation/mask/p0.5"

# The options of a row and of its recipe win over --settings: they are what it is.
setting() { # FOLDER NAME VALUE
    grep -q "^$2: $3\$" "$1/settings.yaml" || fail "$1: $(grep "^$2:" "$1/settings.yaml"), expected $2: $3"
}
setting cut/ours-seed3 schedule cosine
setting cut/ours/constant-seed3 schedule constant
setting cut/ours/constant-seed3 passes both
setting cut/ablation/mask/p0.5-seed3 pseudo-p 0.5
setting cut/ablation/mask/p0.5-seed3 passes either
setting cut/ablation/ae-seed3 pseudo-p 0.3

# The numbers are those of the evaluations.
number() { # FILE KEY: of its first line with that key
    grep -m 1 "\"$2\"" "$1" | tr -dc '0-9.'
}
[ "$(number cut/ours-seed3/eval/results.json auroc_micro)" = "$(number <(sed -n '/"rows"/,$p' cut/results.json) auroc)" ] ||
    fail "ours: another figure than its evaluation's"
awk -F'[:,]' '/"rows"/ { rows = 1 } rows && /"auroc"/ { last = $2 } rows && /"oracle"/ { n++; bad += !($2 + 0 >= last) }
    END { exit !(n == 10 && bad == 0) }' cut/results.json || fail "an oracle is missing, or below the last epoch"
precision=$(sed -n 's/.*backend   .*, \(f32\|bf16\),.*/\1/p' cut.out | head -1)
[ "$(grep -c "\"made_by\": \"normalcy [0-9.]* on cpu, .*$precision\"" cut/results.json)" = 10 ] ||
    fail "results.json does not say that the runs were in $precision"

# Four frames in: three frames a clip less are scored, 80 of 95, and that shows.
[ "$(sed -n '/"rows"/,$p' cut/results.json | grep -c '"frames": 95')" = 8 ] &&
    [ "$(sed -n '/"rows"/,$p' cut/results.json | grep -c '"frames": 80')" = 2 ] || fail "frames scored"
[ "$(grep -o '<td class="bad">[0-9]*' cut/report.html)" = '<td class="bad">80' ] ||
    fail "report.html does not show that frame-pred scores fewer frames"
[ ! -e cut/time/ours-0/checkpoint.safetensors ] || fail "a measurement of time left a checkpoint"

# The settings, on two lines here, are one in the text; the commands are those that ran.
grep -q '^- Changed from the paper: no pre-trained weights; size tiny; image=32 .* keep=1 schedule=cosine pseudo-p=0.3$' \
    cut/report.md || fail "report.md: $(grep -A1 'Changed from' cut/report.md)"
grep -q '; normalcy eval RUN data --output=RUN/eval --checkpoints --threads=1$' cut/report.md ||
    fail "report.md: $(grep '^- Each row:' cut/report.md)"
grep -q '^\$ normalcy eval whole/ours-seed3 data --output=whole/ours-seed3/eval --checkpoints --threads=1$' whole.out ||
    fail "another eval was run than the report says"
grep -q 'ablation/mask/p0.5: ablation/mask, --pseudo=mask --passes=either --pseudo-p=0.2 --lambda-cst=0 --pseudo-p=0.5;' \
    cut/report.md || fail "report.md does not say what ablation/mask/p0.5 is"
late=$(for file in cut/*/eval/results.json; do find "${file%/*}" -type f -newer "$file"; done)
[ -z "$late" ] || fail "written behind results.json: $late"

# All is there: nothing is trained again. Nor are figures lost where Fig. 2 cannot be drawn.
mv cut/ablation/ae-seed3/checkpoint.safetensors kept.safetensors
"$normalcy" reproduce ped2 data -o cut "${options[@]}" >out 2>err || fail "without a checkpoint: $(tail -1 err)"
grep -q '^\$ normalcy' err && fail "does again what is there: $(grep '^\$' err)"
grep -q 'warning: the report is without Fig. 2: .*ablation/ae-seed3' err || fail "no warning of Fig. 2: $(cat err)"
grep -q 'Fig. 2 is not here: .*ablation/ae-seed3' cut/report.html || fail "report.html does not say why it has no Fig. 2"
grep -q 'Published figures' cut/report.html || fail "report.html ends at Fig. 2"
mv kept.safetensors cut/ablation/ae-seed3/checkpoint.safetensors

# What an evaluation or a measurement left that was cut off is done again.
rm cut/ours-seed3/eval/scores.csv
sed -i '5,$d' cut/time/ours-1/log.jsonl
"$normalcy" reproduce ped2 data -o cut "${options[@]}" >out 2>err || fail "without scores.csv: $(tail -1 err)"
[ "$(grep '^\$ normalcy' err | sed 's/ data .*//')" = '$ normalcy train
$ normalcy train
$ normalcy eval cut/ours-seed3' ] && [ "$(grep -c '"seconds"' cut/time/ours-1/log.jsonl)" -ge 6 ] ||
    fail "cut off: $(grep '^\$' err)"
diff <(results whole) <(results cut) || fail "other results after an evaluation that was cut off"

# Every row starts from the same weights, also those of more frames.
"$normalcy" pretrain data -o start --image 32 --patch 8 --mask-cell 8 --width 24 --depth 1 --heads 3 \
    --batch 2 --epochs 1 --warmup-epochs 0 2>err || { tail -1 err; fail "pretrain"; }
"$normalcy" reproduce ped2 data -o from --init start --time-steps 0 \
    --settings "epochs=1 batch=2 mask-cell=8 steps=2 pseudo-p=0.3 lambda-cst=0.5" >from.out 2>&1 ||
    { tail -3 from.out; fail "all rows from one start"; }
runs=$(grep -c '"seed"' from/results.json) rows=$("$normalcy" reproduce --help | sed '1,/^Rows:/d; /^$/,$d' | wc -l)
[ "$runs" = "$rows" ] && [ "$rows" -gt 10 ] || fail "all rows from one start: $runs runs of $rows rows"
setting from/ours-seed2022 lambda-cst 0.3
setting from/ours-seed2022 pseudo-p 0.3
setting from/ablation/mask-seed2022 pseudo-p 0.2
setting from/ablation/mask/p0.1-seed2022 pseudo-p 0.1
setting from/ablation/no-consistency-seed2022 lambda-cst 0
setting from/steal-seed2022 pseudo-p 0.01
"$normalcy" reproduce ped2 data -o from --init start --time-steps 0 --settings "epochs=2" >out 2>err
[ $? = 2 ] && grep -q 'begun with settings "epochs=1' err || fail "other settings in one folder: $(cat err)"

# A ground truth that comes later, and counts for more: what was evaluated without it is again.
cp -r data both
both=(--size tiny --rows ours,ablation/ae --time-steps 0 --settings "$small epochs=1 steps=2")
"$normalcy" reproduce avenue both -o both.out "${both[@]}" --seeds 2022 >both.log 2>&1 ||
    { tail -3 both.log; fail "one ground truth"; }
grep -q '"labels": "frame_labels_demo.npy"' both.out/results.json || fail "one ground truth: another one"

# Fig. 2's frames are normal or abnormal by that of the figures, here a JSON which says the opposite of
# the first one; and it is not the paper's.
tail -c 100 data/frame_labels_demo.npy | od -An -v -w1 -tu1 | awk -v names="$(ls data/testing/frames)" '
    BEGIN { split(names, name, "\n"); printf "{" }
    NR % 20 == 1 { printf "%s\"%s\": {\"length\": 20, \"anomalies\": [{\"x\": [", (NR > 1) ? "," : "", name[++clip]; n = 0 }
    $1 == 0 { t = (NR - 1) % 20 + 1; printf "%s[%d, %d]", n++ ? "," : "", t, t }
    NR % 20 == 0 { printf "]}]}" }
    END { print "}" }' >both/opposite.json
"$normalcy" reproduce avenue both -o both.out "${both[@]}" --seeds 2022,5 >both.log 2>&1 ||
    { tail -3 both.log; fail "two ground truths"; }
grep -q '^\$ normalcy train.*-seed2022' both.log && fail "trains again what has another ground truth"
of_json() {
    awk -F'[":, ]+' '$2 == "model" { model = $3 } $2 == "protocol" { protocol = $3 } $2 == "labels" { labels = $3 }
        $2 == "auroc_micro" && model != "persistence" && protocol == "global" && labels == "opposite.json" { print $3 }' "$@"
}
expected=$(of_json both.out/ours-seed{2022,5}/eval/results.json both.out/ablation/ae-seed{2022,5}/eval/results.json)
found=$(sed -n '/"rows"/,$s/ *"auroc": \(.*\),/\1/p' both.out/results.json)
[ "$(echo "$found" | wc -l)" = 4 ] && [ "$found" = "$expected" ] || fail "by opposite.json:
$found
expected
$expected"
expected=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) { if ($i ~ /^label_/) truth = i; if ($i == "psnr_model") psnr = i } next }
    !($1 in least) || $psnr < least[$1] { least[$1] = $psnr; label[$1] = $truth }
    END { for (clip in label) print clip, label[clip] ? "abnormal" : "normal" }' both.out/ours-seed2022/eval/scores.csv | sort)
found=$(sed -n '/<h2>Fig. 2/,$p' both.out/report.html | tr -d '\n' |
    grep -oE '<b>[^<]*</b> <span class="soft">frame [0-9]*</span></span><span class="chip [a-z]*">[a-z]*' |
    sed -E 's|<b>([^<]*)</b>.*>|\1 |' | sort)
[ -n "$found" ] && [ "$found" = "$expected" ] || fail "Fig. 2 has
$found
expected by opposite.json
$expected"
for file in both.out/report.html both.out/report.md; do
    grep -q 'Not like with like: the ground truth here, opposite.json (hash [0-9a-f]*), is not' $file ||
        fail "$file does not say whose ground truth it is"
done
grep -q "labels_known_as\": \"not the paper's" both.out/results.json || fail "results.json: labels_known_as"

# Without the column of that ground truth there is no Fig. 2, rather than one by another.
sed -i '1s/label_/other_/' both.out/ours-seed2022/eval/scores.csv
"$normalcy" reproduce avenue both -o both.out "${both[@]}" --seeds 2022,5 >out 2>err || fail "no column: $(cat err)"
grep -q 'without Fig. 2: .*scores.csv has no column "label_' err || fail "no column: $(cat err)"

# A clip's name may have what CSV has for itself. Without an abnormal frame there is no AUROC.
cp -r data odd
mv odd/testing/frames/01_runner 'odd/testing/frames/01,"run"ner'
rm -rf odd/testing/masks
head -c -100 data/frame_labels_demo.npy >odd/frame_labels_demo.npy
head -c 100 /dev/zero >>odd/frame_labels_demo.npy
"$normalcy" reproduce ped2 odd -o odd.out --size tiny --rows ours,ablation/ae --seeds 1,2 --time-steps 0 \
    --settings "$small epochs=1 steps=2" >odd.log 2>&1 || { tail -3 odd.log; fail "odd names"; }
grep -q '^"01,""run""ner",1,0,' odd.out/ours-seed1/eval/scores.csv || fail "scores.csv does not quote a clip's name"
sed -n '/<h2>Fig. 2/,$p' odd.out/report.html | grep -q '<b>01,&quot;run&quot;ner</b>' || fail "Fig. 2 has not that clip"
grep -q '1, 2</td>' odd.out/report.html || fail "no AUROC: report.html lacks the seeds, or has a spread of nothing"
grep -qw inf odd.out/report.html odd.out/report.md && fail "a figure that is infinite"

refuse() {
    local words=$1
    shift
    "$normalcy" reproduce "$@" >out 2>err
    [ $? = 2 ] || fail "$*: exit code is not 2"
    grep -q -- "$words" err || fail "$*: says \"$(cat err)\", expected \"$words\""
}
refuse 'expected ped2, avenue or shanghaitech' ped3 data -o x
refuse 'give -o FOLDER' ped2 data
refuse 'there is no row "ourz"' ped2 data -o x --rows ourz
refuse 'ours is given twice' ped2 data -o x --rows ours,ours
refuse 'expected numbers' ped2 data -o x --seeds one
refuse 'found 1 argument' ped2 -o x
refuse 'there is no row "ablation/mask/p0.2"' ped2 data -o x --rows ablation/mask/p0.2
echo "10 trainings, killed twice and stopped once: the same results"
