#!/bin/sh
# glibc for static programs: headers, archives, start files. glibc does not build without its shared objects, so that they are built
# too; they stay where they are, because the linker must not find them. Programs, locales and character sets are left out.
. "$(dirname "$0")/common.sh"

version=glibc-2.36
unpack /usr/src/glibc/$version.tar.xz $version
mkdir -p "$objects/glibc"
cd "$objects/glibc"
# There is no C++ compiler that could link for ia64; glibc's configure must not take the host's for one.
[ -f Makefile ] || CC=$target-gcc libc_cv_cxx_link_ok=no "$sources/$version/configure" --host=$target --prefix=/usr \
  --with-headers="$toolchain/$target/include" --enable-kernel=3.2 \
  --disable-werror --disable-profile --disable-nscd --disable-timezone-tools --without-selinux

# libc itself, then the archives beside it. All but libm, libcrypt and libresolv are empty: their names are for old build scripts.
make -j"$jobs" lib
for directory in math crypt resolv rt dlfcn nptl login; do
  make -j"$jobs" $directory/others
done

rm -rf "$objects/libc"
make install-headers install_root="$objects/libc"
cp -R "$objects/libc/usr/include/." "$toolchain/$target/include/"
mkdir -p "$toolchain/$target/lib"
for archive in libc.a math/libm.a crypt/libcrypt.a resolv/libresolv.a rt/librt.a dlfcn/libdl.a nptl/libpthread.a login/libutil.a \
  csu/crt1.o csu/crti.o csu/crtn.o; do
  cp $archive "$toolchain/$target/lib/"
done
