#!/bin/sh
# BusyBox, static.
. "$(dirname "$0")/common.sh"
. "$here/debian.sh"

unpack_debian busybox
out=$objects/busybox
mkdir -p "$out" "$cache/programs"
cd "$out"

# LONG_BIT comes from a header that this libc does not have. tc needs kernel headers that are gone.
busybox() { make -C "$sources/busybox" O="$out" CROSS_COMPILE=$target- CFLAGS=-DLONG_BIT=64 "$@"; }
busybox defconfig
sed -i -e 's/.*CONFIG_STATIC is not set/CONFIG_STATIC=y/' -e 's/CONFIG_TC=y/# CONFIG_TC is not set/' .config
yes '' | busybox oldconfig
busybox -j"$jobs" busybox
cp busybox "$cache/programs/busybox"
