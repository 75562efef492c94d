#!/bin/sh
# GRUB for ia64-efi: one EFI application with all that is needed to boot Linux from a disk or a CD.
. "$(dirname "$0")/common.sh"
. "$here/debian.sh"

unpack_debian grub2
out=$objects/grub
mkdir -p "$out" "$cache/efi"

# Debian's patches change what configure and the makefiles are generated from.
if [ ! -e "$sources/grub2/.generated" ]; then
  cd "$sources/grub2"
  PYTHON=python3 ./autogen.sh
  touch .generated
fi

cd "$out"
[ -e config.status ] || PYTHON=python3 "$sources/grub2/configure" --target=$target --with-platform=efi --disable-werror --disable-nls \
  --disable-grub-mkfont --disable-grub-themes --disable-grub-mount --disable-grub-protect --disable-liblzma \
  --disable-device-mapper --disable-libzfs
make -j"$jobs"

# The prefix has no device: the one that GRUB was started from.
./grub-mkimage -d grub-core -O ia64-efi -p /EFI/BOOT -o "$cache/efi/grubia64.efi" \
  normal linux gzio boot chain part_gpt part_msdos fat ext2 iso9660 search search_label search_fs_uuid search_fs_file configfile loadenv \
  echo terminal ls cat help halt reboot test true sleep read minicmd lsefi lsefimmap lsefisystab efifwsetup
