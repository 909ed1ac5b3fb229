#!/bin/sh
# The commands the documents tell people to type exist: each normalcy command with its options, each
# make target, each script. Read are the lines of the ```sh blocks and the commands of normalcy that
# stand between backquotes in a line.
# usage: tests/readme.sh NORMALCY    exit 1 after listing what is wrong
set -eu
normalcy=$1
cd "$(dirname "$0")/.."
folder=$(mktemp -d) # the help of each command that the documents name
trap 'rm -rf "$folder"' EXIT
status=0
complain() {
    echo "$document: $*" >&2
    status=1
}

commands=$("$normalcy" --help | sed -nE 's/^  ([a-z]+) .*/\1/p')

check_normalcy() { # COMMAND ARGUMENT...
    printf '%s\n' "$commands" | grep -qx -e "$1" || {
        case $1 in --help | --version | help | version | COMMAND) ;; *) complain "there is no \"normalcy $1\"" ;; esac
        return 0
    }
    command=$1
    [ -e "$folder/$1" ] || "$normalcy" "$1" --help >"$folder/$1"
    help=$(cat "$folder/$1")
    shift
    for word; do
        case $word in
        '|' | '||') break ;;
        --help) ;;
        --*) printf '%s\n' "$help" | grep -qE -e "^  ${word%%=*}( |,|\$)" ||
            complain "normalcy $command has no option ${word%%=*}" ;;
        -o) printf '%s\n' "$help" | grep -q -e ', -o' ||
            complain "normalcy $command has no -o" ;;
        -*) complain "normalcy $command has no option $word" ;;
        esac
    done
}

for document in *.md docs/*.md docs/results/*.md tests/reference/README.md bench/README.md \
    .github/*/*.md; do
    # Comments go, continued lines are joined.
    lines=$(sed -n '/^```sh$/,/^```$/p' "$document" | grep -v '^```' |
        sed -e ':a' -e '/\\$/N; s/\\\n//; ta' -e 's/#.*//')
    lines="$lines
$(sed '/^```/,/^```$/d' "$document" | grep -oE '`normalcy [a-z][^`]*`' | tr -d '`')"
    while read -r program rest; do
        set -f
        # shellcheck disable=SC2086
        set -- $rest
        set +f
        case $program in
        normalcy | build/*/normalcy) [ $# -gt 0 ] && check_normalcy "$@" ;;
        make)
            for target; do
                case $target in
                *=*) grep -q "^${target%%=*} ?=" Makefile || complain "make knows no ${target%%=*}" ;;
                *) grep -q "^$target:" Makefile || complain "make has no target $target" ;;
                esac
            done
            ;;
        tools/* | tests/* | .ci/*) [ -x "$program" ] || complain "$program is not there" ;;
        esac
    done <<END
$lines
END
done
exit $status
