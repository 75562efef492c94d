# What every stage shares: places, the cross compiler, unpacking. Sourced, not run; a stage starts with
#   . "$(dirname "$0")/common.sh"
set -eu

here=$(cd "$(dirname "$0")" && pwd)
images=$(dirname "$here")
cache=${GUESTS_CACHE:-$images/cache}
build=$cache/build
sources=$build/src
objects=$build/obj
jobs=${JOBS:-$(nproc)}

# A ready cross compiler takes the place of the one that the stages compiler, headers, libc and unwinder build.
toolchain=${GUESTS_TOOLCHAIN:-$build/toolchain}
target=ia64-linux-gnu
PATH=$toolchain/bin:$PATH
LC_ALL=C
export PATH LC_ALL
umask 022
mkdir -p "$sources" "$objects"

say() { echo "$*" >&2; }
die() { say "$*"; exit 1; }

# unpack(archive, directory): unpacks into $sources unless an earlier, interrupted run has done so. The rename comes last: a
# directory that is there is complete.
unpack() {
  [ ! -d "$sources/$2" ] || return 0
  rm -rf "$sources/unpacking"
  mkdir "$sources/unpacking"
  tar -C "$sources/unpacking" -xf "$1"
  mv "$sources/unpacking/$2" "$sources/$2"
  rm -rf "$sources/unpacking"
}

# patched(directory, patch, strip): applies a patch unless an earlier, interrupted run has done so.
patched() {
  patch -d "$sources/$1" -p"$3" --reverse --dry-run --force --silent <"$2" >/dev/null 2>&1 ||
    patch -d "$sources/$1" -p"$3" --forward <"$2"
}

# The kernel's sources serve two stages: headers and kernel.
unpack_linux() {
  unpack /usr/src/linux-source-6.1.tar.xz linux-source-6.1
}
