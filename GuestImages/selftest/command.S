// Words of the command line: `echo`, `halt`, `reset` and `fail`, for tests of the machine's console and of how runs end.
        .include "macros.inc"

        .macro if_word text, then
        .pushsection .rodata
66:     .asciz "\text"
        .popsection
        movl out0 = 66b
        call command_word
        cmp.ne p6, p0 = 0, r8
  (p6)  br.cond.spnt.many \then
        .endm

        .text
// Before the tests.
        function obey, 0, 0
        if_word "halt", 1f
        if_word "reset", 5f
        if_word "echo", 2f
        return

5:      call reset_once
        return

1:      say "halt\n"
        call flush_console
        mov out0 = 29                   // PAL_HALT_LIGHT, with nothing that could end it
        mov out1 = 0
        mov out2 = 0
        call pal
        br.cond.sptk.many 1b

2:      say "echo: "
3:      call getc
        cmp.eq p6, p0 = 4, r8           // Ctrl-D
        mov out0 = r8
  (p6)  br.cond.spnt.many 4f
        call putc
        br.cond.sptk.many 3b
4:      mov out0 = '\n'
        call putc
        return

// Behind the tests: r8 failures that the user asked for.
        function failures_wanted, 0, 0
        mov r8 = 0
        if_word "fail", 1f
        return
1:      say "fail ... FAILED: as the command line says\n"
        mov r8 = 1
        return

// r8 1 if the word at in0 is on the command line, alone between blanks.
        function command_word, 1, 0
        movl r2 = boot_parameters
        ld8 r2 = [r2]
        movl r3 = CACHED
        or r2 = r2, r3
        ld8 r2 = [r2]                   // command line
        or r14 = r2, r3
1:      mov r15 = in0                   // at the beginning of a word
2:      ld1 r16 = [r14], 1
        ld1 r17 = [r15], 1
        cmp.eq p6, p0 = 0, r16
        cmp.eq p7, p0 = ' ', r16
  (p6)  br.cond.spnt.many 4f
  (p7)  br.cond.spnt.many 4f
        cmp.eq p8, p0 = r16, r17
  (p8)  br.cond.sptk.many 2b
3:      ld1 r16 = [r14], 1              // another word: over it
        cmp.eq p6, p0 = 0, r16
        cmp.eq p7, p0 = ' ', r16
        mov r8 = 0
  (p6)  br.cond.spnt.many 5f
  (p7)  br.cond.sptk.many 1b
        br.cond.sptk.many 3b
4:      cmp.eq p8, p0 = 0, r17
        mov r8 = 1
  (p8)  br.cond.spnt.many 5f
        mov r8 = 0
  (p7)  br.cond.sptk.many 1b
5:      return
