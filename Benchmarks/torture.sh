#!/bin/sh
# Runs every program of GCC's C execution torture suite under `epicure run`; each must exit with status 0.
#
#   Benchmarks/torture.sh EPICURE PROGRAMS [JOBS]
#
# PROGRAMS is a directory of programs, or an archive of one (tar, any compression). Prints the failures and a summary; the
# status is 1 if anything failed.
set -eu

if [ $# -lt 2 ]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
epicure=$1
programs=$2
jobs=${3:-2}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ ! -d "$programs" ]; then
  mkdir "$work/programs"
  tar -C "$work/programs" -xf "$programs"
  programs=$work/programs
fi

# One line for each program: its status, its name. A program that hangs counts as failed.
export epicure
find "$programs" -type f -print0 | sort -z |
  xargs -0 -n 1 -P "$jobs" sh -c '
    timeout 120 "$epicure" run "$0" >/dev/null 2>&1 </dev/null
    echo "$? $(basename "$0")"' >"$work/results"

failed=$(grep -vc '^0 ' "$work/results" || true)
grep -v '^0 ' "$work/results" | sort -k 2 || true
echo "$(wc -l <"$work/results") programs, $failed failed"
[ "$failed" -eq 0 ]
