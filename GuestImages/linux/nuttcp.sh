#!/bin/sh
# nuttcp, static: networks.
. "$(dirname "$0")/common.sh"
. "$here/debian.sh"

unpack_debian nuttcp
mkdir -p "$build/root"
cd "$sources/nuttcp"
$target-gcc -static -O2 -w -o "$build/root/nuttcp.unstripped" nuttcp-*.c
$target-strip -o "$build/root/nuttcp" "$build/root/nuttcp.unstripped"
rm "$build/root/nuttcp.unstripped"
