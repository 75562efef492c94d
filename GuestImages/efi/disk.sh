#!/bin/sh
# A disk that boots Linux through GRUB: GPT, an EFI system partition with GRUB, its menu, kernel and initial RAM disk. Needs no
# rights; sgdisk, mkfs.vfat, mtools.
#
#   disk.sh CACHE IMAGE [COMMAND LINE]        CACHE: what `make guests` has built
set -eu
cache=$1
image=$2
shift 2
options=${*:-console=ttyS0}

start=1          # MiB
size=64          # MiB
fat=$image@@${start}M
rm -f "$image"
truncate -s $((start + size + 1))M "$image"
sgdisk --clear --new=1:$((start * 2048)):+${size}M --typecode=1:ef00 --change-name=1:EFI "$image" >/dev/null
# The size is in KiB; what lies behind is the backup of the partition table.
mkfs.vfat -n EPICURE --offset $((start * 2048)) "$image" $((size * 1024)) >/dev/null 2>&1

menu=$(mktemp)
trap 'rm -f "$menu"' EXIT
cat >"$menu" <<END
set timeout=${GRUB_TIMEOUT:-1}
set default=0
menuentry "Linux" {
  linux /linux/vmlinux.gz $options
  initrd /linux/initramfs.cpio.gz
}
menuentry "Linux, memory map first" {
  lsefimmap
  linux /linux/vmlinux.gz $options
  initrd /linux/initramfs.cpio.gz
}
END
mmd -i "$fat" ::/EFI ::/EFI/BOOT ::/linux
mcopy -i "$fat" "$cache/efi/grubia64.efi" ::/EFI/BOOT/BOOTIA64.EFI
mcopy -i "$fat" "$menu" ::/EFI/BOOT/grub.cfg
mcopy -i "$fat" "$cache/linux-6.1/vmlinux.gz" "$cache/linux-6.1/initramfs.cpio.gz" ::/linux/
