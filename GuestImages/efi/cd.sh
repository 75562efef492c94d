#!/bin/sh
# A CD that boots Linux through GRUB: ISO 9660 with an El Torito image for EFI, which is a small FAT file system with GRUB in it.
# Needs xorriso, mkfs.vfat, mtools.
#
#   cd.sh CACHE IMAGE [COMMAND LINE]          CACHE: what `make guests` has built
set -eu
cache=$1
image=$2
shift 2
options=${*:-console=ttyS0}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tree/boot" "$work/tree/linux" "$work/tree/EFI/BOOT"
cp "$cache/linux-6.1/vmlinux.gz" "$cache/linux-6.1/initramfs.cpio.gz" "$work/tree/linux/"
# GRUB looks on the CD itself, not in the image that it was started from.
cat >"$work/tree/EFI/BOOT/grub.cfg" <<END
linux /linux/vmlinux.gz $options
initrd /linux/initramfs.cpio.gz
boot
END
truncate -s 4M "$work/tree/boot/efi.img"
mkfs.vfat -n EPICURE "$work/tree/boot/efi.img" >/dev/null
mmd -i "$work/tree/boot/efi.img" ::/EFI ::/EFI/BOOT
mcopy -i "$work/tree/boot/efi.img" "$cache/efi/grubia64.efi" ::/EFI/BOOT/BOOTIA64.EFI
rm -f "$image"
xorriso -as mkisofs -quiet -V EPICURE -R -e boot/efi.img -no-emul-boot -o "$image" "$work/tree"
