#!/usr/bin/env bash
# normalcy info, and model files that are damaged or lie.
# usage: info.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run

expect 0 '' info run
expect 0 '' info run --json
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
expect 1 'not a safetensors' info /dev/null
echo 'a video, say' >a.mp4
expect 1 'a.mp4: not a safetensors file; a model is the folder of a run' info a.mp4
poison 377 nanweights
expect 1 'not finite' info nanweights
full info run
full info run --json

finish
