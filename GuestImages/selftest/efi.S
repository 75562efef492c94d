// Calls of EFI runtime services. Before SetVirtualAddressMap they want physical mode, and with it the register stack and the memory
// stack at physical addresses.
        .include "macros.inc"

        .text
// The runtime service at offset in0 of its table with arguments in1 to in5, whose pointers are physical. r8 status.
        function efi, 6, 8
        alloc r14 = ar.pfs, 6, 10, 5, 0
        movl r2 = boot_parameters
        ld8 r2 = [r2]
        movl r3 = CACHED
        add r2 = 8, r2
        or r2 = r2, r3
        ld8 r2 = [r2]                   // EFI system table
        add r2 = 88, r2
        or r2 = r2, r3
        ld8 r2 = [r2]                   // runtime services
        add r2 = r2, in0
        or r2 = r2, r3
        ld8 loc2 = [r2]                 // function descriptor: entry and gp
        movl r16 = KERNEL_OFFSET
        mov loc3 = r12
        mov loc4 = ar.rsc
        sub r12 = r12, r16
        flushrs
        mov ar.rsc = 0
        mov loc5 = ar.rnat
        mov loc6 = ar.bspstore
        sub loc7 = loc6, r16
        movl r14 = 1f - KERNEL_OFFSET
        movl r15 = PSR_BN
        br.cond.sptk.many enter_mode

1:      mov ar.bspstore = loc7
        mov ar.rnat = loc5
        ld8 r2 = [loc2], 8
        ld8 r1 = [loc2]
        mov b6 = r2
        mov out0 = in1
        mov out1 = in2
        mov out2 = in3
        mov out3 = in4
        mov out4 = in5
        br.call.sptk.many b0 = b6
2:      mov ar.rsc = 0
        mov ar.bspstore = loc6
        mov ar.rnat = loc5
        movl r14 = 3f
        movl r15 = PSR_KERNEL
        br.cond.sptk.many enter_mode

3:      mov ar.rsc = loc4
        mov r12 = loc3
        return

        .macro efi_call service, a=r0, b=r0, c=r0, d=r0, e=r0
        mov out0 = \service
        mov out1 = \a
        mov out2 = \b
        mov out3 = \c
        mov out4 = \d
        mov out5 = \e
        call efi
        .endm
GET_TIME        = 24
GET_VARIABLE    = 72
SET_VARIABLE    = 88
RESET_SYSTEM    = 104
NON_VOLATILE    = 7                     // and for boot services and runtime

        .macro physical register, symbol
        movl \register = \symbol - KERNEL_OFFSET
        .endm

// Prints the time: year, month, day, hour, minute, second of EFI_TIME.
        function report_time, 0, 2
        alloc r14 = ar.pfs, 0, 4, 6, 0
        physical r17, time
        efi_call GET_TIME, r17
        cmp.ne p6, p0 = 0, r8
  (p6)  br.cond.spnt.many 1f
        say "time: "
        movl loc2 = time
        ld2 out0 = [loc2], 2
        call put_decimal
        mov loc3 = 0
2:      movl r2 = separators
        add r2 = r2, loc3
        ld1 out0 = [r2]
        call putc
        ld1 loc3 = [loc2], 1
        cmp.gtu p6, p0 = 10, loc3
        mov out0 = '0'
        call putc, p6
        mov out0 = loc3
        call put_decimal
        movl r2 = time + 2
        sub loc3 = loc2, r2
        cmp.ne p6, p0 = 5, loc3
  (p6)  br.cond.sptk.many 2b
        say " UTC\n"
1:      return

// Resets the machine, but only once: a non-volatile variable remembers it.
        function reset_once, 0, 0
        alloc r14 = ar.pfs, 0, 2, 6, 0
        physical r17, variable_name
        physical r18, variable_vendor
        physical r19, variable_size
        physical r20, variable_value
        efi_call GET_VARIABLE, r17, r18, r0, r19, r20
        cmp.eq p6, p0 = 0, r8
  (p6)  br.cond.spnt.many 1f
        physical r17, variable_name
        physical r18, variable_vendor
        physical r20, variable_value
        mov r19 = NON_VOLATILE
        mov r21 = 8
        efi_call SET_VARIABLE, r17, r18, r19, r21, r20
        say "reset: now\n"
        call flush_console
        efi_call RESET_SYSTEM
        say "reset: FAILED\n"
        return
1:      say "reset: done\n"
        return

        .rodata
separators:
        .ascii "-- ::"
        .balign 8
variable_vendor:                        // {5e1f7e57-6570-6963-7572-650000000001}, made up
        data4 0x5E1F7E57
        data2 0x6570, 0x6963
        data1 0x75, 0x72, 0x65, 0, 0, 0, 0, 1
variable_name:
        data2 'R', 'e', 's', 'e', 't', 0

        .data
        .balign 8
variable_size:
        data8 8
variable_value:
        data8 1
time:   .skip 16
