#!/bin/sh
# The subjects of commits say "area: what changes": lower case, no full stop, at most 72 characters.
# Older commits than the rule are not looked at. Exit code 77 where there is no history to read.
# usage: tests/commits.sh    exit 1 after listing each subject at fault
set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
since=2026-11-30T00:00:00Z # the day of the rule
length=72

skip() {
    echo "$1: subjects of commits are not checked" >&2
    exit 77
}
[ -e .git ] && git rev-parse --verify --quiet HEAD >/dev/null 2>&1 || skip "no git checkout here"
[ "$(git rev-parse --is-shallow-repository)" = false ] || skip "the history is shallow"

# A word begins in upper case only where it is a name or is written so: SimMIM, AVX-512, Ped2.
word='[^A-Z ][^ ]*|[A-Z][^ ]*[A-Z0-9][^ ]*'
areas='[a-z0-9][a-z0-9_. -]*(, [a-z0-9][a-z0-9_. -]*)*'

status=0
subjects=$(git log --no-merges --since="$since" --format='%h %s')
while read -r hash subject; do
    [ -n "$hash" ] || continue
    why=
    printf '%s\n' "$subject" | grep -qE "^$areas: ($word)( |\$)" ||
        why='expected "area: what changes", lower case'
    case $subject in *.) why='a full stop at its end' ;; esac
    characters=$(printf %s "$subject" | wc -m)
    [ "$characters" -le $length ] || why="$characters characters, at most $length"
    if [ -n "$why" ]; then
        echo "commit $hash: $subject   <- $why" >&2
        status=1
    fi
done <<END
$subjects
END
exit $status
