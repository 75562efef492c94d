#!/bin/sh
# Runs one stage: a line when it is done, everything else into its log. A stage that fails says where to look.
#
#   stage.sh STAGE CACHE
set -eu

here=$(cd "$(dirname "$0")" && pwd)
stage=$1
cache=$2
log=$cache/build/log/$stage.log
mkdir -p "$cache/build/log" "$cache/build/stamp"

begin=$(date +%s)
printf '%-12s' "$stage"
if GUESTS_CACHE=$cache "$here/$stage.sh" >"$log" 2>&1 </dev/null; then
  touch "$cache/build/stamp/$stage"
  seconds=$(($(date +%s) - begin))
  printf '%4d:%02d\n' $((seconds / 60)) $((seconds % 60))
else
  printf 'failed: see %s\n' "$log"
  exit 1
fi
