#!/bin/sh
# fio, static: disks.
. "$(dirname "$0")/common.sh"
. "$here/debian.sh"

unpack_debian fio
cd "$sources/fio"
[ -f config-host.h ] || ./configure --cc="$target-gcc -static -fno-selective-scheduling2" --cpu=ia64 --build-static --disable-native
make -j"$jobs" fio
mkdir -p "$build/root"
$target-strip -o "$build/root/fio" fio
