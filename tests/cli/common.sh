# What the scripts of the commands share; each sources it first. It leaves them in a fresh folder.
# The caller's arguments: NORMALCY MAKE_SCENE
set -u
export LC_ALL=C.UTF-8 # sort and awk read numbers as a language writes them
normalcy=$1 make_scene=$2
reference=$(cd "$(dirname "${BASH_SOURCE[0]}")/../reference" && pwd) || exit 1
docs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../docs" && pwd) || exit 1
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

# The generated data set, and a run of a few steps on it.
scene() {
    "$make_scene" data || exit 1
}
run() {
    scene
    expect 0 'done ' train data -o run "${small[@]}" --steps 6
    good=run/checkpoint.safetensors
}

# A video of 19 frames, made by the run.
film() {
    expect 0 '' score run data/testing/frames/01_runner --video a.mp4
}

# The first weight behind the header becomes NaN, or 3e38: finite, but the forward pass overflows.
poison() {
    mkdir -p $2 && cp $good $2/
    head -c 64 /dev/zero | tr '\0' "\\$1" | dd of=$2/checkpoint.safetensors bs=1 \
        seek=$((8 + $(od -An -tu8 -N8 $good))) conv=notrunc 2>/dev/null
}

# npy FILE TYPE ITEM COUNT: an array of zeros
npy() {
    printf '\223NUMPY\001\000v\000%-117s\n' "{'descr': '$2', 'fortran_order': False, 'shape': ($4,), }" >$1
    head -c $(($3 * $4)) /dev/zero >>$1
}

# rows WANTED WHAT: the rows of a table in out, which begin with the model or persistence
rows() {
    [ "$(grep -cE '^(run|persistence|given) ' out)" = "$1" ] ||
        fail "$2: $(grep -cE '^(run|persistence|given) ' out) rows, expected $1"
}

# full ARGUMENTS...: a command whose output finds no room tells so and fails.
full() {
    "$normalcy" "$@" >/dev/full 2>err </dev/null
    local code=$?
    checks=$((checks + 1))
    [ $code = 1 ] && grep -q 'stdout: No space left' err || fail "$* >/dev/full: exit code $code: $(tail -1 err)"
}

# finish: the last line of every script.
finish() {
    echo "$checks runs, $failures failures"
    [ $failures = 0 ]
    exit
}
