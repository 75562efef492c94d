#!/bin/sh
# Host instructions per guest slot of `epicure run`, by callgrind, over the cpu-* programs: the whole process, nops counted as slots.
#
#   Benchmarks/speed.sh EPICURE PROGRAMS [--limit N] [--json FILE] [NAME...]
#
# PROGRAMS is the directory with cpu-sha and so on. Each program runs to its end, or for N slots (then start-up weighs more). The
# thresholds are in PROGRAMS/thresholds.txt if that exists, otherwise in Benchmarks/thresholds.txt: one for each program and one for
# all of them together; the status is 1 if one is exceeded. Without names: the programs of that file.
set -eu

here=$(dirname "$0")
if [ $# -lt 2 ]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
epicure=$1
programs=$2
shift 2
thresholds=$programs/thresholds.txt
[ -f "$thresholds" ] || thresholds=$here/thresholds.txt
limit=
json=
names=
while [ $# -gt 0 ]; do
  case $1 in
    --limit) limit="--limit-instructions $2"; shift 2 ;;
    --json) json=$2; shift 2 ;;
    *) names="$names $1"; shift ;;
  esac
done
[ -n "$names" ] || names=$(awk '!/^#/ && NF && $1 != "together" { print $1 }' "$thresholds")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# valgrind reads debug information even where nobody asks for source lines, and stops at forms of DWARF 5 that it does not know.
strip -g -o "$work/epicure" "$epicure"
epicure=$work/epicure
failed=0
printf '%-12s %14s %16s %8s %8s\n' program slots 'host instr.' per-slot limit

# report NAME SLOTS HOST: one line, compared with the threshold of that name.
report() {
  allowed=$(awk -v n="$1" '$1 == n { print $2 }' "$thresholds")
  ratio=$(awk -v h="$3" -v s="$2" 'BEGIN { printf "%.2f", h / s }')
  verdict=$(awk -v r="$ratio" -v a="${allowed:-1000}" 'BEGIN { print (r > a) ? "over" : "" }')
  [ -z "$verdict" ] || failed=1
  printf '%-12s %14s %16s %8s %8s %s\n' "$1" "$2" "$3" "$ratio" "${allowed:--}" "$verdict"
  echo "{\"program\": \"$1\", \"slots\": $2, \"host_instructions\": $3, \"per_slot\": $ratio}" >>"$work/json"
}

all_slots=0
all_host=0
for name in $names; do
  # The limit ends a run with status 3.
  # shellcheck disable=SC2086
  valgrind --tool=callgrind --callgrind-out-file="$work/callgrind" "$epicure" run $limit --stats "$work/stats" "$programs/$name" \
    >/dev/null 2>"$work/log" </dev/null || [ $? -eq 3 ] || { cat "$work/log" >&2; exit 1; }
  host=$(awk '/Collected/ { print $4 }' "$work/log")
  slots=$(sed -n 's/.*"instructions" : \([0-9]*\).*/\1/p' "$work/stats")
  report "$name" "$slots" "$host"
  all_slots=$((all_slots + slots))
  all_host=$((all_host + host))
done
report together "$all_slots" "$all_host"
if [ -n "$json" ]; then
  { echo '['; sed '$!s/$/,/' "$work/json"; echo ']'; } >"$json"
fi
exit $failed
