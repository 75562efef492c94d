#!/bin/sh
# What makes and mends file systems in the guest: mke2fs, e2fsck, debugfs, mkfs.fat, fsck.fat; static.
. "$(dirname "$0")/common.sh"
. "$here/debian.sh"

# GCC's selective scheduler fails on some of these files.
flags='-O2 -g0 -fno-selective-scheduling -fno-selective-scheduling2'

unpack_debian e2fsprogs
mkdir -p "$objects/e2fsprogs" "$build/root"
cd "$objects/e2fsprogs"
[ -f Makefile ] || "$sources/e2fsprogs/configure" --host="$target" CC="$target-gcc" CFLAGS="$flags" LDFLAGS=-static \
  --disable-nls --disable-elf-shlibs --disable-uuidd --disable-fuse2fs --disable-e2initrd-helper --disable-tdb --disable-imager \
  --disable-resizer --disable-defrag --without-libarchive
make -j"$jobs" libs
make -j"$jobs" -C misc mke2fs
make -j"$jobs" -C e2fsck e2fsck
make -j"$jobs" -C debugfs debugfs
$target-strip -o "$build/root/mke2fs" misc/mke2fs
$target-strip -o "$build/root/e2fsck" e2fsck/e2fsck
$target-strip -o "$build/root/debugfs" debugfs/debugfs

unpack_debian dosfstools
mkdir -p "$objects/dosfstools"
cd "$objects/dosfstools"
[ -f Makefile ] || "$sources/dosfstools/configure" --host="$target" CC="$target-gcc" CFLAGS="$flags" LDFLAGS=-static \
  --without-udev --without-iconv
make -j"$jobs"
$target-strip -o "$build/root/mkfs.fat" src/mkfs.fat
$target-strip -o "$build/root/fsck.fat" src/fsck.fat
