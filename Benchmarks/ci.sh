#!/bin/sh
# The part of `make test` that runs whole programs: GCC's torture suite, a part of it and of a Linux boot in lockstep with the
# stepper, and the speed thresholds, two of cycle timing.
#
#   Benchmarks/ci.sh EPICURE GUESTS
#
# Without guests it says so and succeeds; with CI=true that is a failure.
set -eu

here=$(dirname "$0")
if [ $# -ne 2 ]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
if [ ! -d "$2/programs" ]; then
  echo "skipped: torture suite, lockstep and speed need the guests in $2; \`make guests\` builds them, EPICURE_GUEST_CACHE names another folder" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi
"$here/torture.sh" "$1" "$2/torture/gcc-execute-O2.tar.xz"
"$here/lockstep.sh" "$1" "$2" --every 20 --share 50
"$here/speed.sh" "$1" "$2/programs"
"$here/cycle-speed.sh" "$1" "$2/programs" cpu-string cpu-daxpy
"$here/trace.sh" "$1" "$2"
