#!/bin/sh
# More programs for the guest than a first boot needs, as an archive of its own: Linux unpacks several that are put one behind the other,
#
#   cat initramfs.cpio.gz tools.cpio.gz >both.cpio.gz
. "$(dirname "$0")/common.sh"

tree=$objects/tools
rm -rf "$tree"
mkdir -p "$tree/usr/sbin" "$tree/tests" "$cache/linux-6.1"
for program in mke2fs e2fsck debugfs mkfs.fat fsck.fat; do
  cp "$build/root/$program" "$tree/usr/sbin/$program"
done
for kind in ext2 ext3 ext4; do
  ln -s mke2fs "$tree/usr/sbin/mkfs.$kind"
  ln -s e2fsck "$tree/usr/sbin/fsck.$kind"
done
ln -s mkfs.fat "$tree/usr/sbin/mkfs.vfat"
ln -s fsck.fat "$tree/usr/sbin/fsck.vfat"
cp "$cache/programs/stress" "$tree/tests/stress"
find "$tree" -exec touch -h -d @0 {} +
cd "$tree"
find . -mindepth 1 | sort | cpio --quiet --reproducible --owner=+0:+0 -o -H newc | gzip -9n >"$cache/linux-6.1/tools.cpio.gz"
