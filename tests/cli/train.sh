#!/usr/bin/env bash
# normalcy train: settings, footage, resuming, output.
# usage: train.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run

echo "-- resuming"
expect 0 'done ' train data -o parts "${small[@]}" --steps 4
expect 0 'resumed' train --resume -o parts --steps 6
cmp -s parts/checkpoint.safetensors $good || fail "train resumes as another run"
expect 0 'done ' train data -o again --config run/settings.yaml --steps 6
cmp -s again/settings.yaml run/settings.yaml || fail "--config settings.yaml gives other settings"
expect 0 'done ' train data -o stacked "${small[@]}" --frames 3 --steps 2
cp -r data fewer && rm -r fewer/training/frames/03
expect 1 'steps an epoch' train fewer --resume -o run
cp -r run changed
expect 0 'warning: lr was 0.0001 until here, from here on it is 0.001' train --resume -o changed --lr 1e-3 --steps 7
mkdir elsewhere && cd elsewhere || exit 1
expect 1 "the run's data, named when it began" train --resume -o ../run
cd ..
expect 1 'cannot resume' train data --resume -o nowhere
expect 0 'done ' train data -o kept "${small[@]}" --epochs 3 --keep 2
[ "$(cd kept && echo epoch-*)" = epoch-002.safetensors ] || fail "--keep 2 of 3 epochs: $(ls kept)"
cp kept/epoch-002.safetensors kept/checkpoint.safetensors
expect 1 "without the optimizer's state" train --resume -o kept
cp -r run bare-hands
"$normalcy" train data --resume -o bare-hands --steps 8 <&- 2>err >out || fail "resume without stdin: $(tail -1 err)"

echo "-- usage"
expect 2 'train in bf16 or f32' train data -o x --precision int8
expect 2 'train in bf16 or f32' train data --resume -o run --precision int8
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
ln -s data $'caf\xe9'
expect 2 'the path of DATA is not UTF-8' train $'caf\xe9' -o x
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
mkdir empty
expect 1 'empty' train empty -o x
mkdir -p one/training/frames/01
cp data/training/frames/01/000.png one/training/frames/01/
expect 1 'has 1 frame' train one -o x "${small[@]}"
cp -r data mixed
"$normalcy" score run data/testing/frames/01_runner --maps other >/dev/null 2>&1
cp other/000003.png mixed/training/frames/01/003.png
expect 1 '01' train mixed -o x "${small[@]}"
[ ! -e x/checkpoint.safetensors ] || expect 0 '' info x # the steps before are kept
rm -rf x

echo "-- output"
expect 1 '/dev/null/x' train data -o /dev/null/x "${small[@]}" --steps 1
exec 9<run && flock 9
expect 1 'another process is writing to run' train data --resume -o run --steps 8
exec 9<&-
mkdir linked && ln -s ../not-there linked/checkpoint.safetensors
expect 1 'checkpoint.safetensors: it is a link' train data -o linked "${small[@]}" --steps 1
mkdir disk
if mount -t tmpfs -o size=64k tmpfs disk 2>/dev/null; then
    mounted=$here/disk
    expect 1 'No space left' train data -o disk/run --width 64 "${small[@]}" --width 64 --steps 1
    ls disk/run | grep -v '^log.jsonl$\|^settings.yaml$' && fail "a full disk left a torn file"
    umount disk && mounted=
else
    echo "no tmpfs here: the full disk is not tried"
fi

echo "-- numbers"
# All bytes of the last tensor's values set: NaN.
{ head -c -64 $good; head -c 64 /dev/zero | tr '\0' '\377'; } >nan.safetensors
mkdir nanrun && cp nan.safetensors nanrun/checkpoint.safetensors
expect 1 'not finite' train data --resume -o nanrun
poison 177 huge
cp huge/checkpoint.safetensors before
expect 1 'step 6: the .* is not finite.*Lower --lr' train data --resume -o huge
cmp -s before huge/checkpoint.safetensors || fail "a step that is not finite changed the checkpoint"

finish
