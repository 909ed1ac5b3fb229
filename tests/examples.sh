#!/bin/sh
# The examples of the documents run: every ```sh block of docs/*.md below a line "<!-- run -->", as a
# reader would type it. Each runs in a folder of its own that holds the inputs the documents name,
# small ones: ped2/ (a generated data set), run/ (a model of it), videos of three days, simmim.pth.
# usage: tests/examples.sh NORMALCY MAKE_SCENE    exit 1 after naming document and line of each failure
set -eu
export LC_ALL=C.UTF-8
normalcy=$(realpath "$1") make_scene=$(realpath "$2")
cd "$(dirname "$0")/.."
root=$PWD
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
status=0
complain() {
    echo "$1" >&2
    status=1
}

mkdir "$here/bin" "$here/inputs" "$here/days"
ln -s "$normalcy" "$here/bin/normalcy"
PATH=$here/bin:$PATH

# The inputs. A day is the first frames of clips as a video.
(
    cd "$here/inputs"
    "$make_scene" ped2
    cp "$root/tests/reference/simmim.pth" .
    day() { # NAME CLIP FRAMES
        mkdir "$here/days/$1"
        find "ped2/$2" -name '*.png' | sort | head -n "$3" | cat -n | while read -r i frame; do
            cp "$frame" "$here/days/$1/$i.png"
        done
        normalcy score persistence "$here/days/$1" --video "$1.mp4"
    }
    day monday training/frames 24
    day tuesday training/frames 24
    day wednesday testing/frames/01_runner 16
    normalcy train ped2 -o run --size tiny --depth 2 --image 64 --epochs 1
) >"$here/log" 2>&1 || {
    cat "$here/log" >&2
    echo "the inputs of the examples cannot be made" >&2
    exit 1
}

for document in docs/*.md; do
    # Blocks as "LINE FILE": the line is that of the fence.
    mkdir "$here/blocks"
    awk -v folder="$here/blocks" '
        $0 == "<!-- run -->" { wanted = NR + 1 }
        inside && $0 == "```" { inside = 0 }
        inside { print > file }
        $0 == "```sh" && NR == wanted { inside = 1; file = folder "/" NR; printf "" > file }
        $0 != "```sh" && NR == wanted { print FILENAME ":" NR ": expected a block of sh below \"run\"" > "/dev/stderr"; bad = 1 }
        END { exit bad || inside }' "$document" || complain "$document: a marked block cannot be read"
    count=0
    for block in "$here"/blocks/*; do
        [ -e "$block" ] || continue
        count=$((count + 1))
        rm -rf "$here/folder"
        cp -r "$here/inputs" "$here/folder"
        ! grep -q -e '-o run/' "$block" || rm -r "$here/folder/run" # the example makes its own
        (cd "$here/folder" && sh -eux "$block") >"$here/log" 2>&1 </dev/null || {
            tail -n 20 "$here/log" >&2
            complain "$document:$(basename "$block"): this example fails"
        }
    done
    case $document in
    docs/footage.md | docs/benchmarks.md | docs/paper.md | docs/weights.md | docs/speed.md)
        [ $count = 1 ] || complain "$document: $count examples are marked \"<!-- run -->\", expected 1"
        ;;
    esac
    rm -rf "$here/blocks"
done
exit $status
