#!/bin/sh
# Installs the peers of the bench, as pinned in requirements.txt, into a folder of their own.
# usage: bench/setup.sh VENV     exit 77 where they cannot be had: the bench then shows our side only
set -eu
venv=$1
pins=$(dirname "$0")/requirements.txt
stamp=$venv/requirements.txt

cmp -s "$pins" "$stamp" && exit 0
if ! python3 -m venv "$venv" >/dev/null 2>&1; then
    echo "setup.sh: python3 cannot make a venv here (Debian: python3-venv); peers are skipped" >&2
    exit 77
fi
echo "setup.sh: installing PyTorch, ONNX Runtime, OpenVINO and OpenCV into $venv (about 2 GB to fetch)" >&2
if ! "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps -r "$pins" >&2; then
    echo "setup.sh: PyPI could not be reached or lacks a pinned version; peers are skipped" >&2
    exit 77
fi
cp "$pins" "$stamp"
