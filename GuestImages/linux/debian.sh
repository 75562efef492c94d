# Debian's source packages, for those that exist in no other form. Sourced after common.sh.

# apt with lists of its own: the host's need not have deb-src. apt checks the signatures with the host's Debian keys.
apt_private() {
  mkdir -p "$build/apt/lists/partial" "$build/apt/cache/archives/partial"
  cat >"$build/apt/sources.list" <<EOF
deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main
deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-updates main
deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $security bookworm-security main
EOF
  apt-get -qq -o Dir::Etc::SourceList="$build/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$build/apt/lists" -o Dir::Cache="$build/apt/cache" -o APT::Sandbox::User=root "$@"
}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
security=${DEBIAN_SECURITY_MIRROR:-http://deb.debian.org/debian-security}

# unpack_debian(package): the package's newest source, with Debian's patches, in $sources/package.
unpack_debian() {
  [ ! -d "$sources/$1" ] || return 0
  # What an interrupted run left may be of another version.
  rm -rf "$build/packages/$1"
  mkdir -p "$build/packages/$1"
  cd "$build/packages/$1"
  apt_private update
  apt_private source --download-only "$1"
  rm -rf "$sources/$1.unpacking"
  dpkg-source --no-copy -x "$1"_*.dsc "$sources/$1.unpacking"
  mv "$sources/$1.unpacking" "$sources/$1"
}
