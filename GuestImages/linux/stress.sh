#!/bin/sh
# The stress run of GuestImages/stress, static.
. "$(dirname "$0")/common.sh"

mkdir -p "$objects/stress" "$cache/programs"
cd "$images/stress"
$target-gcc -static -O2 -Wall -Wextra -fno-selective-scheduling -fno-selective-scheduling2 -o "$objects/stress/stress" \
  main.c threads.c futexes.c pipes.c processes.c faults.c signals.c mappings.c files.c registers.c -lm -lpthread
$target-strip -o "$cache/programs/stress" "$objects/stress/stress"
