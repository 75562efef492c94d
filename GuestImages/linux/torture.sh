#!/bin/sh
# GCC's C execution torture suite at -O2: gcc.c-torture/execute and its part ieee, without a C library. The options are those of the
# suite: -w, what a test asks for without a condition, and -fno-inline in ieee.
. "$(dirname "$0")/common.sh"

version=gcc-12.2.0
unpack /usr/src/gcc-12/$version-dfsg.tar.xz $version
suite=$sources/$version/gcc/testsuite/gcc.c-torture/execute
out=$objects/torture
skip=$images/torture/skip.txt
rm -rf "$out"
mkdir -p "$out/O2" "$cache/torture"
for part in runtime output; do
  $target-gcc -O2 -w -fno-builtin -fno-tree-loop-distribute-patterns -c "$images/torture/$part.c" -o "$out/$part.o"
done

# program(source): prints its name if it could not be built.
cat >"$out/program" <<'EOF'
source=$1
name=$(basename "$source" .c)
options=$(sed -n 's/.*dg-\(additional-\)\{0,1\}options *{\{0,1\} *"\([^"]*\)" *}.*/\2/p' "$source" | tr '\n' ' ')
case $source in
  */ieee/*)
    name=ieee-$name
    options="-fno-inline $options"
    ! [ -f "${source%.c}.x" ] || options="$options $(sed -n '/^lappend additional_flags/{s/lappend additional_flags//;s/"//g;p;}' "${source%.c}.x")"
    ;;
esac
! grep -q "^$name " "$skip" || exit 0
# shellcheck disable=SC2086
$target-gcc -w -O2 $options -nostdlib -static -Wl,-s "$out/runtime.o" "$out/output.o" "$source" -lgcc -o "$out/O2/$name" || echo "$name"
EOF
export target out skip
find "$suite" -maxdepth 2 -name '*.c' ! -path '*/builtins/*' | sort | xargs -n 1 -P "$jobs" sh "$out/program" >"$out/failed"
[ ! -s "$out/failed" ] || die "torture: not built, and not in skip.txt:" $(cat "$out/failed")
say "$(find "$out/O2" -type f | wc -l) programs"
tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cJf "$cache/torture/gcc-execute-O2.tar.xz" O2
