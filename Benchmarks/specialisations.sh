#!/bin/sh
# Everything once without each of the engine's specialisations, and once without all: GCC's torture suite, engine and stepper in lockstep
# over torture programs and a boot of Linux, and with --tests the whole test suite (built before by `swift build -c release --build-tests`).
#
#   Benchmarks/specialisations.sh EPICURE GUESTS [--every N] [--share N] [--tests] [NAME...]
#
# --every and --share are those of lockstep.sh; by default one program in ten and a fiftieth of the boot: some minutes. With --tests
# three hours. NAME: only without these (`all`: without all at once). The status is 1 if anything fails.
set -eu

if [ $# -lt 2 ]; then
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
here=$(dirname "$0")
epicure=$1
guests=$2
shift 2
every=10
share=50
tests=
names=
while [ $# -gt 0 ]; do
  case $1 in
    --every) every=$2; shift 2 ;;
    --share) share=$2; shift 2 ;;
    --tests) tests=yes; shift ;;
    -*) echo "unknown option $1" >&2; exit 2 ;;
    *) names="$names $1"; shift ;;
  esac
done
known="nops pairs predicates links frames floating-point transitions host-arithmetic divisions"
failed=0
for name in ${names:-$known all}; do
  EPICURE_WITHOUT=$name
  [ "$name" != all ] || EPICURE_WITHOUT=$(echo "$known" | tr ' ' ,)
  export EPICURE_WITHOUT
  echo "without $EPICURE_WITHOUT"
  "$here/torture.sh" "$epicure" "$guests/torture/gcc-execute-O2.tar.xz" || failed=1
  "$here/lockstep.sh" "$epicure" "$guests" --every "$every" --share "$share" || failed=1
  [ -z "$tests" ] || swift test -c release --skip-build || failed=1
done
exit $failed
