#!/bin/sh
# A test with fewer instructions than this processor has (NORMALCY_ISA). 77 where the processor has
# not that level, and where it is the best one: the test without a level takes that.
# usage: tests/capped.sh CHECK_OPS LEVEL PROGRAM [ARG]...
set -eu
check_ops=$1 level=$2
shift 2

if "$check_ops" --has "$level" >/dev/null; then
    echo "skipped: $level is the best level of this processor"
    exit 77
fi
export NORMALCY_ISA="$level"
"$check_ops" --has "$level"
exec "$@"
