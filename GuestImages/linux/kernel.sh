#!/bin/sh
# Linux 6.1, unmodified but for Debian's fixes: vmlinux.gz, its symbols, its configuration.
. "$(dirname "$0")/common.sh"

unpack_linux
out=$objects/linux
mkdir -p "$out" "$cache/linux-6.1"
# Names of the builder and the date of the build would make every kernel a different file.
KBUILD_BUILD_USER=root
KBUILD_BUILD_HOST=epicure-guest
KBUILD_BUILD_VERSION=1
KBUILD_BUILD_TIMESTAMP=$(date -u -r /usr/src/linux-source-6.1.tar.xz)
export KBUILD_BUILD_USER KBUILD_BUILD_HOST KBUILD_BUILD_VERSION KBUILD_BUILD_TIMESTAMP

kbuild() { make -C "$sources/linux-source-6.1" O="$out" ARCH=ia64 CROSS_COMPILE=$target- "$@"; }

cp "$here/config" "$out/.config"
kbuild olddefconfig
# An option whose prerequisite is missing disappears without a word.
grep 'CONFIG_.*\(=\|is not set\)' "$here/config" | while IFS= read -r line; do
  grep -qxF "$line" "$out/.config" || die "configuration: \"$line\" did not survive olddefconfig"
done
kbuild -j"$jobs" compressed

gzip -9nc "$out/System.map" >"$cache/linux-6.1/System.map.gz"
gzip -9nc "$out/.config" >"$cache/linux-6.1/config.gz"
cp "$out/vmlinux.gz" "$cache/linux-6.1/vmlinux.gz"
