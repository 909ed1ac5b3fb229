#!/usr/bin/env bash
# What a training begins with: presets, recipes, weights from elsewhere, pre-training.
# usage: train_start.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run

echo "-- recipes"
recipes=$("$normalcy" train --help | sed -n '/^Recipes:/,/^$/s/^  \([^ ]*\) .*/\1/p')
[ -n "$recipes" ] || fail "train --help lists no recipes"
for recipe in $recipes; do
    grep -q "^|.*\`$recipe\`.*|.*|" "$docs/paper.md" || fail "docs/paper.md has no recipe $recipe"
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

echo "-- presets"
# has FOLDER KEY VALUE: a run's setting
has() {
    grep -qx "$2: \"\\?$3\"\\?" $1/settings.yaml || fail "$1 has $(grep "^$2:" $1/settings.yaml), expected $3"
}
expect 0 'done ' train data -o bare --steps 1
expect 0 'done ' train data -o named --preset footage --steps 1
cmp -s bare/settings.yaml named/settings.yaml || fail "train begins at random with other settings than footage's"
expect 0 'done ' train data -o longer --preset ped2-scratch --steps 1
sed 's/^epochs: 24$/epochs: 8/; s/^interval: 0$/interval: 0.08/; s/^hold-out: 0$/hold-out: 0.1/' \
    longer/settings.yaml |
    cmp -s - bare/settings.yaml || fail "ped2-scratch is more than footage for 24 epochs, of every frame, all learned from"
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

echo "-- weights"
expect 0 'done ' pretrain data -o start "${small[@]}" --epochs 2 --warmup-epochs 0
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
expect 0 '' weights import "$reference/mae.pth" -o mae.safetensors
expect 0 'heads 2, ' train data -o later --init mae.safetensors --heads 2 --image 32 --mask-cell 8 --batch 2 --steps 1
expect 1 'needs --heads=2' train data -o x --init run --image 32 --mask-cell 8 --heads 4

finish
