#!/bin/sh
# What cycle timing costs: host instructions of `epicure run --timing cycle` over those of functional timing, by callgrind, for the cpu-*
# programs.
#
#   Benchmarks/cycle-speed.sh EPICURE PROGRAMS [--limit N | --complete] [NAME...]
#
# PROGRAMS is the directory with cpu-sha and so on. Each program runs for N slots, ten million if not told, in host instructions per slot,
# start-up taken off; or with --complete from the start of the process to its end, in millions of them (ten minutes). The greatest ratios that
# are accepted are in Benchmarks/cycle-thresholds.txt; the status is 1 if one is exceeded. Without names: the programs of that file.
set -eu

here=$(dirname "$0")
if [ $# -lt 2 ]; then
  sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
epicure=$1
programs=$2
shift 2
thresholds=$here/cycle-thresholds.txt
limit=10000000
complete=
names=
while [ $# -gt 0 ]; do
  case $1 in
    --limit) limit=$2; shift 2 ;;
    --complete) complete=complete; shift ;;
    *) names="$names $1"; shift ;;
  esac
done
# The limit of all together is for all.
together=some
[ -n "$names" ] || together=together
[ -n "$names" ] || names=$(awk '!/^#/ && NF && $1 ~ /^cpu-/ { print $1 }' "$thresholds")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# valgrind does not read all of the debug information that the compiler writes.
strip -g -o "$work/epicure" "$epicure"

# count TIMING PROGRAM [OPTION...]: host instructions. Without --stats, which profiles.
count() {
  program=$2
  timing_option=$1
  shift 2
  valgrind --tool=callgrind --callgrind-out-file="$work/callgrind" "$work/epicure" run --timing "$timing_option" "$@" \
    "$programs/$program" >/dev/null 2>"$work/log" </dev/null || true
  host=$(awk '/Collected/ { print $4 }' "$work/log")
  [ -n "$host" ] || { cat "$work/log" >&2; exit 1; }
}

printf '%-12s %12s %12s %8s %8s\n' program functional cycle ratio limit
failed=0
all_functional=0
all_cycle=0

# compare NAME FUNCTIONAL CYCLE: one line. With --complete only all together have a limit: short programs are mostly start-up.
compare() {
  threshold=$1
  [ -z "$complete" ] || threshold=$complete-$1
  allowed=$(awk -v n="$threshold" '$1 == n { print $2 }' "$thresholds")
  ratio=$(awk -v a="$2" -v b="$3" 'BEGIN { printf "%.2f", b / a }')
  verdict=$(awk -v r="$ratio" -v a="${allowed:-1000}" 'BEGIN { print (r > a) ? "over" : "" }')
  [ -z "$verdict" ] || failed=1
  printf '%-12s %12s %12s %8s %8s %s\n' "$1" "$2" "$3" "$ratio" "${allowed:--}" "$verdict"
}

for name in $names; do
  for timing in functional cycle; do
    if [ -n "$complete" ]; then
      count "$timing" "$name"
      value=$(awk -v h="$host" 'BEGIN { printf "%.1f", h / 1e6 }')
    else
      count "$timing" "$name" --limit-instructions 1
      first=$host
      count "$timing" "$name" --limit-instructions "$limit"
      value=$(awk -v h="$host" -v g="$first" -v s="$limit" 'BEGIN { printf "%.2f", (h - g) / s }')
    fi
    eval "$timing=$value"
  done
  # shellcheck disable=SC2154
  compare "$name" "$functional" "$cycle"
  all_functional=$(awk -v a="$all_functional" -v b="$functional" 'BEGIN { print a + b }')
  all_cycle=$(awk -v a="$all_cycle" -v b="$cycle" 'BEGIN { print a + b }')
done
compare "$together" "$all_functional" "$all_cycle"
exit $failed
