#!/bin/sh
# libgcc once more, now that there is a C library. The compiler's own build leaves out what needs the library's headers, and for
# Linux/ia64 expects the unwinder in a separate shared library; static programs need it in libgcc.a.
. "$(dirname "$0")/common.sh"

directory=$objects/gcc/$target/libgcc
[ -d "$directory" ] || die "the compiler's build tree is gone: run \`make guests-clean\` first"
unwinder="\$(srcdir)/config/ia64/unwind-ia64.c \$(srcdir)/config/ia64/fde-glibc.c \$(srcdir)/unwind-sjlj.c \$(srcdir)/unwind-c.c"
libgcc() { make -C "$directory" INHIBIT_LIBC_CFLAGS= LIBUNWIND= LIB2ADDEH="$unwinder \$(srcdir)/emutls.c" "$@"; }
libgcc clean
libgcc -j"$jobs"
libgcc install

printf 'int main(void) { return 0; }\n' | $target-gcc -static -x c -o /dev/null -
$target-nm "$($target-gcc -print-libgcc-file-name)" 2>/dev/null | grep -q 'T _Unwind_FindTableEntry\|T _Unwind_Backtrace' ||
  die "libgcc.a has no unwinder"
