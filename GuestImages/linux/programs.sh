#!/bin/sh
# The cpu-* programs, and what they must print: the same C, compiled for the host.
. "$(dirname "$0")/common.sh"

names='sha sieve chase sort string div fib matmul daxpy mix'
out=$objects/programs
rm -rf "$out"
mkdir -p "$out" "$cache/programs"
cd "$images/programs"

# Neither compiler may contract a multiplication and an addition: the two must round alike.
common='-ffp-contract=off -fno-math-errno -Wall -Wextra'
guest="$common -ffreestanding -nostdlib -static -fno-tree-loop-distribute-patterns -fno-selective-scheduling -fno-selective-scheduling2"

# level(name): what each file is compiled with. -O3 unrolls, speculates and predicates more.
level() {
  case $1 in
    matmul | daxpy | string) echo '-O3 -funroll-loops' ;;
    *) echo -O2 ;;
  esac
}

for name in $names; do
  # shellcheck disable=SC2046,SC2086
  $target-gcc $guest $(level $name) -c "$name.c" -o "$out/$name.o"
  # shellcheck disable=SC2086
  gcc $common -O2 -c "$name.c" -o "$out/$name.host.o"
done
$target-gcc -c pipeline.s -o "$out/pipeline.o"

: >"$out/expected.txt"
for name in $names; do
  case $name in
    mix) objects=$(for other in $names; do echo "$out/$other.o"; done; echo "$out/pipeline.o") ;;
    daxpy) objects="$out/daxpy.o $out/pipeline.o" ;;
    *) objects=$out/$name.o ;;
  esac
  # shellcheck disable=SC2086
  $target-gcc $guest -O2 -DPROGRAM=$name -Wl,-s start.c $objects -lgcc -o "$cache/programs/cpu-$name"
  objects=$(for object in $objects; do [ "$object" = "$out/pipeline.o" ] || echo "${object%.o}.host.o"; done)
  # shellcheck disable=SC2086
  gcc $common -O2 -DPROGRAM=$name start.c $objects -lm -o "$out/$name"
  echo "cpu-$name $("$out/$name")" >>"$out/expected.txt"
done
sort "$out/expected.txt" >"$cache/programs/expected.txt"
cp thresholds.txt "$cache/programs/thresholds.txt"
