#!/bin/sh
# The kernel's headers, for the C library.
. "$(dirname "$0")/common.sh"

unpack_linux
make -C "$sources/linux-source-6.1" O="$objects/headers" ARCH=ia64 INSTALL_HDR_PATH="$toolchain/$target" headers_install
rm -rf "$objects/headers"
