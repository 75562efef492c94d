#!/bin/sh
# Host instructions per guest slot, by callgrind: the whole process, nops counted as slots. Programs run by `epicure run`, Linux boots.
#
#   Benchmarks/speed.sh EPICURE PROGRAMS [--limit N] [--json FILE] [NAME...]
#
# PROGRAMS is the directory with cpu-sha and so on. Each program runs to its end, or for N slots (then start-up weighs more). The names
# `linux` and `linux-hvm` are boots of ../linux-6.1 beside PROGRAMS, on the bare machine and as a domain, until the shell is there. The
# thresholds are in PROGRAMS/thresholds.txt if that exists, otherwise in Benchmarks/thresholds.txt: one for each name and one for all
# programs together; the status is 1 if one is exceeded. They are what was reached, and 3 percent. Without names: all programs of that file.
set -eu

here=$(dirname "$0")
if [ $# -lt 2 ]; then
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
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
# The limit for all together says nothing of some.
sum=these
if [ -z "$names" ]; then
  sum=together
  names=$(awk '!/^#/ && NF && $1 ~ /^cpu-/ { print $1 }' "$thresholds")
fi

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
  linux=$programs/../linux-6.1
  case $name in
    linux | linux-hvm)
      virtualization=none
      [ "$name" = linux ] || virtualization=hvm
      set -- boot --kernel "$linux/vmlinux.gz" --initrd "$linux/initramfs.cpio.gz" --virtualization "$virtualization" \
        --until 'EPICURE GUEST READY' --stats "$work/stats"
      ;;
    # shellcheck disable=SC2086
    *) set -- run $limit --stats "$work/stats" "$programs/$name" ;;
  esac
  # The limit ends a run with status 3.
  valgrind --tool=callgrind --callgrind-out-file="$work/callgrind" "$epicure" "$@" \
    >/dev/null 2>"$work/log" </dev/null || [ $? -eq 3 ] || { cat "$work/log" >&2; exit 1; }
  host=$(awk '/Collected/ { print $4 }' "$work/log")
  slots=$(sed -n 's/^  "instructions" : \([0-9]*\).*/\1/p' "$work/stats")
  report "$name" "$slots" "$host"
  case $name in cpu-*)
    all_slots=$((all_slots + slots))
    all_host=$((all_host + host))
  esac
done
[ "$all_slots" -eq 0 ] || report "$sum" "$all_slots" "$all_host"
if [ -n "$json" ]; then
  { echo '['; sed '$!s/$/,/' "$work/json"; echo ']'; } >"$json"
fi
exit $failed
