#!/usr/bin/env bash
# normalcy demo: whose folder it takes.
# usage: demo.sh NORMALCY MAKE_SCENE
. "$(dirname "$0")/common.sh"
run

mkdir -p own && cp -r run own/run
expect 1 "trained on data, so it is no demo's" demo -o own
cmp -s run/checkpoint.safetensors own/run/checkpoint.safetensors || fail "demo took a run that is not its own"
[ ! -e own/data ] || fail "demo began before it looked"
expect 1 '/dev/null/x' demo -o /dev/null/x

finish
