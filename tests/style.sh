#!/bin/sh
# What a script can see of house style. Layout is clang-format's, of the one version whose rules
# .clang-format was written for; where that is absent the rest is checked and the exit code is 77.
# usage: tests/style.sh    exit 1 after listing each line at fault
set -eu
cd "$(dirname "$0")/.."

version=14
length=600

sources=$(find src tests bench tools -name '*.[ch]' 2>/dev/null || true)
texts=$(find src tests tools docs bench .ci \( -name '*.[ch]' -o -name '*.sh' -o -name '*.md' \
    -o -name '*.py' -o -name '*.json' -o -name '*.def' -o -name '*.txt' -o -name run \) 2>/dev/null |
    grep -v '^tests/fuzz/corpus/' || true)
texts="$texts $(ls ./*.md .github/*/*.md) CMakeLists.txt CMakePresets.json Makefile"
library=$(find src -name '*.c' ! -path 'src/app/*')

status=0

# forbid WHY PATTERN FILE...: no line of the files may match
forbid() {
    why=$1 pattern=$2
    shift 2
    found=$(grep -nEH -e "$pattern" "$@" /dev/null 2>/dev/null || true)
    if [ -n "$found" ]; then
        printf '%s\n' "$found" | sed "s|\$|   <- $why|" >&2
        status=1
    fi
}

# without FILE...: the library's files less these
without() {
    rest=$library
    for file; do
        rest=$(printf '%s\n' "$rest" | grep -vx "$file")
    done
    echo "$rest"
}

call() { # NAME...: a pattern for calls of these functions
    echo "(^|[^A-Za-z0-9_])($(echo "$*" | tr ' ' '|'))[[:space:]]*\("
}

# shellcheck disable=SC2046,SC2086
{
    forbid 'bounds are not checked: snprintf, or base/mem.h' \
        "$(call strcpy strcat stpcpy sprintf vsprintf gets alloca)" $sources
    forbid 'errors are not seen: strtol, strtod, or an option row' "$(call atoi atol atoll atof)" \
        $sources
    forbid 'not for threads: the _r form, or base/rng.h' \
        "$(call strtok localtime gmtime ctime asctime rand srand random)" $sources
    forbid 'runs a shell' "$(call system popen)" $(find src -name '*.[ch]')
    forbid 'memory comes from base/mem.h' "$(call malloc calloc realloc strdup strndup asprintf)" \
        $(without src/base/mem.c) $(find src/app -name '*.c')
    forbid 'only main ends the program' "$(call exit _exit abort quick_exit)" \
        $library $(find src/app -name '*.c' ! -name main.c)
    forbid 'library code does not print' \
        "$(call printf puts putchar vprintf perror)|(^|[^A-Za-z0-9_])(stdout|stderr)[^A-Za-z0-9_]" \
        $(without src/base/log.c src/base/opt.c src/base/progress.c)
    forbid 'a tab' "$(printf '\t')" $(printf '%s\n' $texts | grep -vx Makefile)
    forbid 'space at the end of a line' '[[:space:]]$' $texts
    forbid 'left for later' '(^|[^A-Za-z])(T[O]DO|F[I]XME|X[X]X|H[A]CK)([^A-Za-z]|$)' $texts
    forbid 'a path of one machine' '(^|[^A-Za-z0-9_.])/(home|root|Users|wor[k])/' $texts
}

for file in $sources; do
    lines=$(wc -l <"$file")
    if [ "$lines" -gt $length ]; then
        echo "$file: $lines lines   <- more than $length: one noun a file" >&2
        status=1
    fi
done

for format in clang-format-$version clang-format none; do
    case $("$format" --version 2>/dev/null) in *"version $version."*) break ;; esac
done
if [ $format = none ]; then
    echo "clang-format $version is not here: layout is not checked" >&2
    [ $status -ne 0 ] || status=77
else
    # shellcheck disable=SC2086
    "$format" --dry-run -Werror --ferror-limit=1 $sources || status=1
fi
exit $status
