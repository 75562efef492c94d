#!/bin/sh
# glibc for static programs: headers, archives, start files. The shared objects are built, because glibc does not build without,
# and stay where they are: the linker must not find them.
. "$(dirname "$0")/common.sh"

version=glibc-2.36
unpack /usr/src/glibc/$version.tar.xz $version
mkdir -p "$objects/glibc"
cd "$objects/glibc"
# There is no C++ compiler that could link for ia64; glibc's configure must not take the host's for one.
[ -f Makefile ] || CC=$target-gcc libc_cv_cxx_link_ok=no "$sources/$version/configure" --host=$target --prefix=/usr \
  --with-headers="$toolchain/$target/include" --enable-kernel=3.2 \
  --disable-werror --disable-profile --disable-nscd --disable-timezone-tools --without-selinux
make -j"$jobs"
rm -rf "$objects/libc"
make install install_root="$objects/libc"

cp -R "$objects/libc/usr/include/." "$toolchain/$target/include/"
mkdir -p "$toolchain/$target/lib"
cp "$objects"/libc/usr/lib/*.a "$objects"/libc/usr/lib/*.o "$toolchain/$target/lib/"
