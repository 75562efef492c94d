// Work that shows what virtualization costs: the first process of a Linux guest, without a C library. It runs one piece of work after the
// other, and says on the console when each begins and ends, with the ticks of AR.ITC in between (hexadecimal). At the end it switches the
// machine off.
//
// Linux/ia64: number in r15, arguments in the frame's output registers, `break 0x100000`; result in r8 (pipe: r8 and r9), r10 is -1 after
// an error. Nothing here checks for errors: a piece that fails ends at once, and its ticks show it.

SYS_EXIT      = 1025
SYS_READ      = 1026
SYS_WRITE     = 1027
SYS_EXECVE    = 1033
SYS_GETPPID   = 1042
SYS_PIPE      = 1058
SYS_REBOOT    = 1096
SYS_NANOSLEEP = 1168
SYS_CLONE2    = 1213
SYS_WAIT4     = 1270
SIGCHLD       = 17

CPU_ROUNDS     = 3000000
MEMORY_BYTES   = 16 << 20
MEMORY_ROUNDS  = 200000
// One page of 16 KiB and a line further each time.
MEMORY_STRIDE  = (16 << 10) + 128
CALL_ROUNDS    = 10000
FORK_ROUNDS    = 200
SWITCH_ROUNDS  = 5000

        .macro call number
        mov r15 = \number
        break 0x100000

        .endm

        // Prints the `length` bytes at `text`.
        .macro print text, length
        mov out0 = 1
        movl out1 = \text
        mov out2 = \length
        call SYS_WRITE
        .endm

        .macro work name
        .section .rodata
begin_\name:
        .ascii "VB begin \name\n"
end_begin_\name:
end_\name:
        .ascii "VB end \name "
end_end_\name:
        .text
        print begin_\name, end_begin_\name - begin_\name
        mf
        mov loc1 = ar.itc

        .endm

        .macro done name
        mf
        mov loc2 = ar.itc

        sub loc1 = loc2, loc1
        movl r14 = ticks

        st8 [r14] = loc1
        print end_\name, end_end_\name - end_\name
        br.call.sptk.many rp = print_ticks

        .endm

        // Runs what follows, up to `again`, `count` times; `counter` is a local register.
        .macro repeat counter, count
        mov \counter = \count

1:
        .endm
        .macro again counter
        adds \counter = -1, \counter

        cmp.ne p6, p0 = 0, \counter
(p6)    br.cond.sptk.many 1b

        .endm

        .text
        .global _start
        .proc _start
_start:
        alloc loc0 = ar.pfs, 0, 12, 6, 0
        movl gp = __gp
        // Above the scratch area: the count of arguments. With more than the name this is the program that fork/exec starts.
        adds r14 = 16, sp

        ld8 r14 = [r14]

        cmp.ltu p6, p0 = 1, r14
(p6)    br.cond.spnt.many leave

        work cpu
        mov loc3 = ar.lc
        mov r14 = 1
        movl r17 = CPU_ROUNDS - 1

        mov ar.lc = r17

1:      shl r15 = r14, 13

        xor r14 = r14, r15

        shr.u r15 = r14, 7

        xor r14 = r14, r15

        shl r15 = r14, 17

        xor r14 = r14, r15
        br.cloop.sptk.few 1b

        mov ar.lc = loc3
        done cpu

        // Every page is there before the measurement begins.
        movl r14 = memory
        movl r15 = memory + MEMORY_BYTES
        movl r16 = 16 << 10

1:      st8 [r14] = r14
        add r14 = r14, r16

        cmp.ltu p6, p0 = r14, r15
(p6)    br.cond.sptk.many 1b

        work memory
        mov loc3 = ar.lc
        movl r14 = memory
        mov r15 = r0
        movl r16 = MEMORY_STRIDE
        movl r17 = MEMORY_ROUNDS - 1
        movl r18 = MEMORY_BYTES - 1

        mov ar.lc = r17

1:      add r19 = r14, r15

        ld8 r20 = [r19]
        add r15 = r15, r16

        // The next address depends on what was read: zero, or the address of a page's first word.
        and r20 = 0, r20

        add r15 = r15, r20

        and r15 = r15, r18
        br.cloop.sptk.few 1b

        mov ar.lc = loc3
        done memory

        work syscall
        repeat loc3, CALL_ROUNDS
        call SYS_GETPPID
        again loc3
        done syscall

        work fork_exec
        repeat loc3, FORK_ROUNDS
        mov out0 = SIGCHLD
        mov out1 = r0
        mov out2 = r0
        mov out3 = r0
        mov out4 = r0
        mov out5 = r0
        call SYS_CLONE2
        cmp.eq p7, p0 = r0, r8
(p7)    br.cond.spnt.many become

        mov out0 = -1
        movl out1 = status
        mov out2 = r0
        mov out3 = r0
        call SYS_WAIT4
        again loc3
        done fork_exec

        call SYS_PIPE
        mov loc4 = r8
        mov loc5 = r9
        call SYS_PIPE
        mov loc6 = r8
        mov loc7 = r9
        mov out0 = SIGCHLD
        mov out1 = r0
        mov out2 = r0
        mov out3 = r0
        mov out4 = r0
        mov out5 = r0
        call SYS_CLONE2
        cmp.eq p7, p0 = r0, r8
(p7)    br.cond.spnt.many echo

        work context_switch
        repeat loc3, SWITCH_ROUNDS
        mov out0 = loc5
        movl out1 = status
        mov out2 = 1
        call SYS_WRITE
        mov out0 = loc6
        movl out1 = status
        mov out2 = 1
        call SYS_READ
        again loc3
        done context_switch

        work idle
        movl out0 = half_second
        mov out1 = r0
        call SYS_NANOSLEEP
        done idle

        movl out0 = 0xfee1dead
        movl out1 = 672274793
        movl out2 = 0x4321fedc
        mov out3 = r0
        call SYS_REBOOT
        br.cond.sptk.many leave

        // The other side of context_switch: hands back what it gets, for ever.
echo:   mov out0 = loc4
        movl out1 = status
        mov out2 = 1
        call SYS_READ
        mov out0 = loc7
        movl out1 = status
        mov out2 = 1
        call SYS_WRITE
        br.cond.sptk.many echo

        // The child of fork_exec.
become: movl out0 = path
        movl out1 = arguments
        movl out2 = environment
        call SYS_EXECVE

leave:  mov out0 = r0
        call SYS_EXIT
        br.cond.sptk.many leave
        .endp _start

        // Prints the word at `ticks` as 16 digits and a line feed.
        .proc print_ticks
print_ticks:
        alloc loc0 = ar.pfs, 0, 3, 3, 0
        mov loc1 = rp

        movl r14 = ticks

        ld8 loc2 = [r14]
        movl r15 = digits
        mov r16 = 16

1:      extr.u r17 = loc2, 60, 4
        shl loc2 = loc2, 4

        cmp.gtu p6, p7 = 10, r17

(p6)    adds r17 = '0', r17
(p7)    adds r17 = 'a' - 10, r17

        st1 [r15] = r17, 1
        adds r16 = -1, r16

        cmp.ne p6, p0 = 0, r16
(p6)    br.cond.sptk.many 1b

        print digits, 17
        mov rp = loc1
        mov ar.pfs = loc0

        br.ret.sptk.many rp
        .endp print_ticks

        .section .rodata
path:   stringz "/virtbench"
        .align 8
half_second:
        data8 0, 500000000

        .data
        .align 8
arguments:
        data8 path, path, 0
environment:
        data8 0
ticks:  data8 0
digits: .ascii "0000000000000000\n"
        .align 8
status: data8 0

        .bss
        .align 16384
memory: .skip MEMORY_BYTES
