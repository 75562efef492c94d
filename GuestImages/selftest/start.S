// From the boot loader to the virtual mode and back.
        .include "macros.inc"

// Physical mode, GR28 the boot parameters, GR33 the EFI system table, two input registers; the way back in b0.
        .text
        .global start
start:
        alloc r14 = ar.pfs, 2, 0, 0, 0
        rsm PSR_I + PSR_IC
        serialize i
        flushrs
        movl r2 = saved - KERNEL_OFFSET
        mov r15 = ar.bsp
        mov r16 = b0
        mov r17 = ar.rsc
        mov r18 = ar.fpsr
        st8 [r2] = r14, 8
        st8 [r2] = r15, 8
        st8 [r2] = r16, 8
        st8 [r2] = r17, 8
        st8 [r2] = r18, 8
        st8 [r2] = r12, 8
        movl r2 = boot_parameters - KERNEL_OFFSET
        st8 [r2] = r28

// Region registers: page size 4 KiB for tests, 16 MiB for all of memory; no VHPT.
        movl r3 = 1 << 61
        mov r4 = 0
        movl r5 = (RID << 8) + (12 << 2)
        mov r6 = 8
        mov ar.lc = 7
        movl r7 = (RID + 6) << 8
1:      cmp.geu p6, p0 = r5, r7
        mov r8 = r5
  (p6)  add r8 = (24 - 12) << 2, r5
        mov rr[r4] = r8
        add r4 = r4, r3
        add r5 = 1 << 8, r5
        br.cloop.sptk.few 1b
        serialize d

// The kernel's page: everything for everybody, because tests run on all levels.
        movl r2 = KERNEL_BASE
        movl r3 = KERNEL_PAGE << 2
        movl r4 = (KERNEL_BASE - KERNEL_OFFSET) + PTE_ALL + PTE_RWX
        mov cr.ifa = r2
        mov cr.itir = r3
        mov r5 = 0
        serialize d
        itr.i itr[r5] = r4
        itr.d dtr[r5] = r4
        serialize i

        movl r2 = ivt
        mov cr.iva = r2
        movl r3 = FPSR_DEFAULT
        mov ar.fpsr = r3
        mov r4 = 15 << 2
        mov cr.pta = r4
        mov cr.dcr = r0
        mov cr.tpr = r0
        movl r5 = 1 << 16
        mov cr.itv = r5
        mov cr.pmv = r5
        mov cr.cmcv = r5
        mov cr.lrr0 = r5
        mov cr.lrr1 = r5
        mov ar.rsc = 0
        movl r6 = backing_store
        mov ar.bspstore = r6
        mov ar.rnat = r0
        invala
        movl r12 = stack_end - 16
        movl r7 = PSR_KERNEL
        movl r8 = in_virtual_mode
        mov cr.ipsr = r7
        mov cr.iip = r8
        mov cr.ifs = r0
        rfi

in_virtual_mode:
        alloc r14 = ar.pfs, 2, 1, 3, 0
        mov ar.rsc = 3                  // eager mode, privilege level 0, little-endian
        movl r2 = boot_parameters
        ld8 out0 = [r2]
        mov out1 = in1
        call main

        .global power_off
power_off:
        alloc r14 = ar.pfs, 2, 1, 0, 0
        mov loc0 = r8
        call flush_console
        mov r8 = loc0
// r8 0 switches the machine off, anything else is an error for the firmware. Both are done in physical mode, as before
// SetVirtualAddressMap they must be.
        movl r14 = in_physical_mode - KERNEL_OFFSET
        movl r15 = PSR_BN
        br.cond.sptk.many enter_mode

in_physical_mode:
        mov ar.rsc = 0
        movl r2 = saved - KERNEL_OFFSET
        ld8 r14 = [r2], 8
        ld8 r15 = [r2], 8
        ld8 r16 = [r2], 8
        ld8 r17 = [r2], 8
        ld8 r18 = [r2], 8
        ld8 r12 = [r2]
        mov ar.bspstore = r15
        mov ar.rnat = r0
        invala
        mov ar.fpsr = r18
        mov ar.rsc = r17
        alloc r20 = ar.pfs, 0, 4, 4, 0
        mov r32 = r14
        mov r33 = r16
        mov r34 = r8
        cmp.ne p6, p0 = 0, r8
  (p6)  br.cond.spnt.few 2f
        movl r2 = boot_parameters - KERNEL_OFFSET
        ld8 r3 = [r2]
        add r3 = 8, r3
        ld8 r3 = [r3]                   // EFI system table
        add r3 = 88, r3
        ld8 r3 = [r3]                   // runtime services
        add r3 = 104, r3
        ld8 r3 = [r3]                   // ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL)
        ld8 r4 = [r3], 8
        ld8 r1 = [r3]
        mov b6 = r4
        mov r36 = 2
        mov r37 = 0
        mov r38 = 0
        mov r39 = 0
        call b6
        movl r34 = 1 << 63 | 3          // EFI_UNSUPPORTED: a machine that stays on
2:      mov r8 = r34
        mov ar.pfs = r32
        mov b0 = r33
        br.ret.sptk.many b0

// Goes on at r14 with PSR r15.
        .global enter_mode
enter_mode:
        rsm PSR_I + PSR_IC
        serialize d
        mov cr.iip = r14
        mov cr.ipsr = r15
        mov cr.ifs = r0
        rfi

        .bss
        .balign 16
saved:  .skip 64
        .global boot_parameters
boot_parameters:
        .skip 8
        .balign 0x10000
backing_store:
        .skip 0x10000
        .skip 0x10000
stack_end:
        .skip 0x1000
