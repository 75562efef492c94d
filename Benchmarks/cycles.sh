#!/bin/sh
# Writes Documentation/Cycles-table.md anew: every microbenchmark of the cycle timing beside its published figure.
#
#   Benchmarks/cycles.sh EPICURE [OPTION...]
#
# Options go to `epicure bench cycles`. The status is 1 if a figure deviates without a stated reason.
set -eu

if [ $# -lt 1 ]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
epicure=$1
shift
exec "$epicure" bench cycles --markdown "$(dirname "$0")/../Documentation/Cycles-table.md" "$@"
