#!/bin/sh
# A test program under valgrind: memory that is not its own, values that nobody set, leaks.
# usage: tests/valgrind.sh PROGRAM [ARG]...    exit 77 where valgrind is not installed
set -eu

if ! command -v valgrind >/dev/null; then
    echo "valgrind.sh: skipped, valgrind is not installed (tools/deps.sh check installs it)"
    exit 77
fi
exec valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99 "$@"
