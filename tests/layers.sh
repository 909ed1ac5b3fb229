#!/bin/sh
# The include rule: a folder of src/ includes only the folders its row names, a library's headers
# stand only in the files its row names, and everything else is libc or POSIX.
# usage: tests/layers.sh    exit 1 after listing each line that breaks the rule
set -eu
cd "$(dirname "$0")/.."

# folder, or a file that may include more than its folder: what it includes besides its own folder.
# A watcher links base, compute, model, video, score and camera alone.
folders='
compute/backends.c: base compute/ref compute/cpu
base:
compute:     base
compute/ref: base compute
compute/cpu: base compute
model:       base compute
video:       base
score:       base compute model video
camera:      base compute model video score
data:        base video
eval:        base compute model video score data
report:      base compute model video score data eval
train:       base compute model video score data
reproduce:   base compute model video score data eval report train
app:         base compute model video score data eval report train reproduce
'

# header: where it may stand (shell patterns)
libraries='
yaml.h:           base/opt_yaml.c
jansson.h:        base/json.c
immintrin.h:      compute/cpu/isa_*.c compute/cpu/isa_groups.h
cpuid.h:          compute/cpu/kernels.c
linux/futex.h:    compute/cpu/pool.c
matio.h:          data/labels_mat.c
libav*:           video/ffmpeg.c video/*_av.[ch] video/stream_internal.h
libsw*:           video/ffmpeg.c video/*_av.[ch] video/stream_internal.h
zip.h:            model/torch_pth.c
'

system='assert ctype dirent errno fcntl fenv float ftw inttypes libgen limits locale math poll pthread
    sched setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn
    string strings sys/* time unistd'

status=0
complain() {
    echo "src/$1: $2" >&2
    status=1
}

# matches WORD PATTERN...
matches() {
    word=$1
    shift
    for pattern; do
        # shellcheck disable=SC2254
        case $word in $pattern) return 0 ;; esac
    done
    return 1
}

# row TABLE WORD: the right side of the first row whose left side matches WORD
row() {
    printf '%s\n' "$1" | while IFS=: read -r left right; do
        if [ -n "$left" ] && matches "$2" "$left"; then
            echo "$right"
            break
        fi
    done
}

own() { # FILE LINE HEADER
    from=${1%/*} to=${3%/*}
    case $3 in
    */*) ;;
    *) complain "$1:$2" "\"$3\": includes are rooted at src/" && return ;;
    esac
    set -f
    own_row=$(row "$folders" "$1")
    # shellcheck disable=SC2086
    matches "$to" "$from" ${own_row:-$(row "$folders" "$from")} ||
        complain "$1:$2" "$from/ may not include $to/"
    set +f
}

foreign() { # FILE LINE HEADER
    set -f
    if ! matches "${3%.h}" $system; then
        places=$(row "$libraries" "$3")
        if [ -z "$places" ]; then
            complain "$1:$2" "<$3>: a library that tests/layers.sh does not know"
        elif ! matches "$1" $places; then
            complain "$1:$2" "<$3> belongs in$(echo "$places" | tr -s ' ') only"
        fi
    fi
    set +f
}

cd src
includes=$(grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.[ch]' --include='*.def' . |
    sed -E 's|^\./([^:]*):([0-9]*):[^<"]*([<"])([^>"]*).*|\1 \2 \3 \4|')
while read -r file line kind header; do
    if [ "$kind" = '"' ]; then
        own "$file" "$line" "$header"
    else
        foreign "$file" "$line" "$header"
    fi
done <<END
$includes
END

for folder in $(find . -mindepth 1 -type d | sed 's|^./||'); do
    case $folders in
    *"
$folder:"*) ;;
    *) complain "$folder" "a folder that tests/layers.sh does not know" ;;
    esac
done

# Threads are the pool's business.
pragmas=$(grep -rnE '#[[:space:]]*pragma[[:space:]]+omp' . | grep -v 'omp simd' || true)
[ -z "$pragmas" ] || complain "$pragmas" "OpenMP is used for simd only"
exit $status
