#!/bin/sh
# The engine against the stepper: every program of GCC's torture suite and a boot of Linux, run twice side by side, by blocks and by
# single instructions, all registers compared after each block and all memory at the end.
#
#   Benchmarks/lockstep.sh EPICURE GUESTS [--every N] [--share N] [--jobs N] [--timing cycle]
#
# GUESTS has torture/, linux-6.1/. --every 20 takes one program in twenty; --share 50 checks a fiftieth of the boot. By default all:
# about ten minutes of two cores. --timing cycle lets the pipeline model watch one of the two runs: it must not change a result. Of
# programs it sets the clock, too; a boot would then take another course, so there it only watches. The status is 1 if anything differs.
set -eu

if [ $# -lt 2 ]; then
  sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
epicure=$1
guests=$2
shift 2
every=1
share=1
jobs=2
timing=functional
while [ $# -gt 0 ]; do
  case $1 in
    --every) every=$2; shift 2 ;;
    --share) share=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    --timing) timing=$2; shift 2 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/programs"
tar -C "$work/programs" -xf "$guests/torture/gcc-execute-O2.tar.xz"

export epicure timing
find "$work/programs" -type f | sort | awk -v n="$every" 'NR % n == 0' >"$work/list"
xargs -n 1 -P "$jobs" sh -c '
  out=$(timeout 600 "$epicure" run --lockstep --timing "$timing" "$0" 2>&1 </dev/null) || echo "$(basename "$0"): status $? $out"' <"$work/list" >"$work/failures"
sort "$work/failures"
echo "$(wc -l <"$work/list") programs in lockstep, $(wc -l <"$work/failures") failed"

"$epicure" boot --lockstep "$share" --timing "$timing" --virtualization none --kernel "$guests/linux-6.1/vmlinux.gz" \
  --initrd "$guests/linux-6.1/initramfs.cpio.gz" --append console=ttyS0 --until 'EPICURE GUEST READY' </dev/null >"$work/console"
tail -1 "$work/console"
[ ! -s "$work/failures" ]
