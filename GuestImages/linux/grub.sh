#!/bin/sh
# GRUB for ia64-efi: a PE32+ application with what a disk or a CD needs to boot Linux.
. "$(dirname "$0")/common.sh"
. "$here/debian.sh"

unpack_debian grub2
out=$objects/grub
cd "$sources/grub2"

# Debian's patches change what configure and the makefiles are generated from.
if [ ! -e "$sources/grub2/.generated" ]; then
  PYTHON=python3 ./autogen.sh
  touch "$sources/grub2/.generated"
fi

mkdir -p "$out" "$cache/efi"
cd "$out"
PYTHON=python3 "$sources/grub2/configure" --target=$target --with-platform=efi --disable-werror --disable-nls \
  --disable-grub-mkfont --disable-grub-themes --disable-grub-mount --disable-grub-protect --disable-liblzma \
  --disable-device-mapper --disable-libzfs
make -j"$jobs"
