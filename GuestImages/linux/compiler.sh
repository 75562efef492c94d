#!/bin/sh
# The cross compiler: GCC 12 for C, without a C library. The stage unwinder completes its libgcc when there is one.
. "$(dirname "$0")/common.sh"

version=gcc-12.2.0
unpack /usr/src/gcc-12/$version-dfsg.tar.xz $version
# The manuals' sources are not in Debian's archive. The selective scheduler crashes at -O3; Debian switches it off.
patched $version /usr/src/gcc-12/patches/gcc-gfdl-build.diff 2
patched $version /usr/src/gcc-12/patches/ia64-disable-selective-scheduling.diff 2

mkdir -p "$objects/gcc"
cd "$objects/gcc"
# -O1 shortens the build of the compiler itself.
[ -f Makefile ] || "$sources/$version/configure" --target=$target --prefix="$toolchain" \
  --with-as="$(command -v $target-as)" --with-ld="$(command -v $target-ld)" \
  --enable-languages=c --disable-bootstrap --disable-shared --disable-threads --disable-nls --disable-multilib --disable-lto \
  --disable-plugin --disable-gcov --disable-decimal-float --with-newlib --without-headers --with-system-libunwind=no \
  --disable-libssp --disable-libgomp --disable-libquadmath --disable-libatomic --disable-libitm --disable-libsanitizer \
  --disable-libvtv CFLAGS='-O1 -g0' CXXFLAGS='-O1 -g0'
make -j"$jobs" MAKEINFO=true all-gcc all-target-libgcc
make MAKEINFO=true install-strip-gcc install-target-libgcc
