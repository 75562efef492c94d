#!/bin/sh
# What recording costs: host instructions of an HVM Linux boot with --trace and with a flight recorder, against the same boot without, by callgrind.
#
#   Benchmarks/trace.sh EPICURE GUESTS [--limit N]
#
# GUESTS is the directory with linux-6.1. The boot runs for N slots (100 million). The status is 1 if either costs more than 10 %. That nothing is
# paid without a recorder is what the thresholds of speed.sh are for.
set -eu

if [ $# -lt 2 ]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
epicure=$1
linux=$2/linux-6.1
shift 2
limit=100000000
[ "${1:-}" != --limit ] || limit=$2
allowed=1.10

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strip -g -o "$work/epicure" "$epicure"

# host NAME OPTIONS...: instructions of a run with these options. The limit ends it with status 3.
host() {
  name=$1
  shift
  valgrind --tool=callgrind --callgrind-out-file="$work/callgrind" "$work/epicure" boot --virtualization hvm \
    --kernel "$linux/vmlinux.gz" --initrd "$linux/initramfs.cpio.gz" --limit-instructions "$limit" "$@" \
    >/dev/null 2>"$work/log" </dev/null || [ $? -eq 3 ] || { cat "$work/log" >&2; exit 1; }
  awk '/Collected/ { print $4 }' "$work/log"
}

failed=0
plain=$(host off)
printf '%-16s %16s %8s %8s\n' recording 'host instr.' ratio limit
printf '%-16s %16s\n' off "$plain"
for name in trace flight-recorder; do
  instructions=$(host "$name" "--$name" "$work/records")
  ratio=$(awk -v a="$instructions" -v b="$plain" 'BEGIN { printf "%.3f", a / b }')
  verdict=$(awk -v r="$ratio" -v a="$allowed" 'BEGIN { print (r > a) ? "over" : "" }')
  [ -z "$verdict" ] || failed=1
  printf '%-16s %16s %8s %8s %s\n' "$name" "$instructions" "$ratio" "$allowed" "$verdict"
done
exit $failed
