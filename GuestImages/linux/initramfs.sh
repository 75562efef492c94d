#!/bin/sh
# The initramfs: /init, BusyBox, fio, nuttcp, the cpu-* programs. The kernel's own tool packs it from a list, so that device files
# and owners need no privileges.
. "$(dirname "$0")/common.sh"

unpack_linux
mkdir -p "$build/root" "$cache/linux-6.1"
cd "$build/root"
gcc -O2 -w -o "$objects/gen_init_cpio" "$sources/linux-source-6.1/usr/gen_init_cpio.c"
echo 'root:x:0:0:root:/root:/bin/sh' >passwd
echo 'root:x:0:' >group
cat >profile <<'EOF'
PS1='\h:\w\$ '
EOF

{
  for directory in bin dev etc mnt proc root sbin sys tests tmp usr usr/bin usr/sbin usr/share usr/share/udhcpc var var/run; do
    echo "dir /$directory 755 0 0"
  done
  echo "nod /dev/console 600 0 0 c 5 1"
  echo "nod /dev/null 666 0 0 c 1 3"
  echo "file /init $here/init 755 0 0"
  echo "file /bin/busybox $cache/programs/busybox 755 0 0"
  echo "file /usr/bin/fio $build/root/fio 755 0 0"
  echo "file /usr/bin/nuttcp $build/root/nuttcp 755 0 0"
  echo "file /usr/share/udhcpc/default.script $here/udhcpc 755 0 0"
  for file in passwd group profile; do
    echo "file /etc/$file $build/root/$file 644 0 0"
  done
  for program in "$cache"/programs/cpu-*; do
    echo "file /tests/${program##*/} $program 755 0 0"
  done
} >list
"$objects/gen_init_cpio" -t 0 list | gzip -9n >"$cache/linux-6.1/initramfs.cpio.gz"
