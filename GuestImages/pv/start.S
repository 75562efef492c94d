// From where the domain builder starts processor 0, and SAL the others, to C: metaphysical mode, everything masked.
        .include "offsets.inc"

        .text
        .global start
        .proc start
start:
        // r28: the boot parameters' physical address.
        mov     r15 = r28
        mov     r14 = 0
        // A privilege level that reads back as another one: there is a hypervisor.
        mov     ar.rsc = 0 ;;
        mov     r18 = ar.rsc
        movl    r19 = boot_stack_top
        movl    r20 = boot_rbs
        movl    r22 = main
        br.sptk.many common_start
        .endp start

        // The same for a second processor.
        .global start_second
        .proc start_second
start_second:
        mov     r15 = 0
        mov     ar.rsc = 0 ;;
        mov     r18 = ar.rsc
        movl    r19 = second_stack_top
        movl    r20 = second_rbs
        movl    r22 = second_main
        br.sptk.many common_start
        .endp start_second

        .proc common_start
common_start:
        // The shared pages to where Linux has them.
        movl    r28 = XSI
        mov     r2 = 0x600 ;;
        break.m 0x1000 ;;
        // Vectors: a privileged instruction that traps.
        movl    r3 = ivt ;;
        mov     cr.iva = r3 ;;
        srlz.i ;;
        // Region 7: identifier 7, pages of 16 KiB, no walker.
        movl    r3 = OFFSET
        movl    r21 = (7 << 8) | (14 << 2) ;;
        mov     rr[r3] = r21 ;;
        srlz.d ;;
        // The kernel's 64 MiB by translation registers: data by privileged instructions, code through the shared page.
        movl    r3 = OFFSET + 0x4000000
        movl    r21 = 26 << 2 ;;
        mov     cr.ifa = r3
        mov     cr.itir = r21
        movl    r21 = 0x4000661 ;;
        itr.d   dtr[r0] = r21 ;;
        srlz.d ;;
        itr.i   itr[r0] = r21 ;;
        srlz.i ;;
        // To virtual mode.
        movl    r16 = REGISTERS ;;
        adds    r17 = R_IIP, r16
        movl    r21 = in_region_7 ;;
        st8     [r17] = r21
        adds    r17 = R_IPSR, r16
        // ac, ic, dt, rt, it, bn
        movl    r21 = (1 << 3) | (1 << 13) | (1 << 17) | (1 << 27) | (1 << 36) | (1 << 44) ;;
        st8     [r17] = r21
        adds    r17 = R_IFS, r16 ;;
        st8     [r17] = r0 ;;
        break.m HYPER_RFI ;;
        .endp common_start

        .proc in_region_7
in_region_7:
        mov     ar.bspstore = r20 ;;
        mov     ar.rnat = r0 ;;
        mov     ar.rsc = 3
        movl    r3 = 0x9804c8a70033f ;;
        mov     ar.fpsr = r3
        adds    r12 = -16, r19
        movl    r1 = __gp
        mov     b6 = r22 ;;
        alloc   r3 = ar.pfs, 0, 0, 2, 0 ;;
        mov     out0 = r15
        mov     out1 = r18
        br.call.sptk.many rp = b6 ;;
1:      br.sptk.many 1b ;;
        .endp in_region_7

        // u64 hypercall(a0, a1, a2, a3, a4, number): the arguments are where Xen looks for them, in the caller's out registers.
        .global hypercall
        .proc hypercall
hypercall:
        mov     r2 = r37 ;;
        break.m 0x1000 ;;
        br.ret.sptk.many rp ;;
        .endp hypercall

        // void call_firmware(struct firmware_call *): any of the stubs, with static and stacked arguments.
        .global call_firmware
        .proc call_firmware
call_firmware:
        alloc   r33 = ar.pfs, 1, 4, 8, 0
        mov     r34 = rp
        mov     r35 = gp
        adds    r36 = 8, r32
        ld8     r3 = [r32] ;;
        mov     b6 = r3
        ld8     out0 = [r36], 8 ;;
        ld8     out1 = [r36], 8 ;;
        ld8     out2 = [r36], 8 ;;
        ld8     out3 = [r36], 8 ;;
        mov     r28 = out0
        mov     r29 = out1
        mov     r30 = out2
        mov     r31 = out3
        br.call.sptk.many rp = b6 ;;
        st8     [r36] = r8, 8 ;;
        st8     [r36] = r9, 8 ;;
        st8     [r36] = r10, 8 ;;
        st8     [r36] = r11, 8
        mov     gp = r35
        mov     rp = r34
        mov     ar.pfs = r33 ;;
        br.ret.sptk.many rp ;;
        .endp call_firmware

        // Static PAL calls come by a branch: the return address in b0 is set by hand.
        .global call_pal_static
        .proc call_pal_static
call_pal_static:
        alloc   r33 = ar.pfs, 1, 4, 0, 0
        mov     r34 = rp
        adds    r36 = 8, r32
        ld8     r3 = [r32] ;;
        mov     b6 = r3
        ld8     r28 = [r36], 8 ;;
        ld8     r29 = [r36], 8 ;;
        ld8     r30 = [r36], 8 ;;
        ld8     r31 = [r36], 8
1:      mov     r3 = ip ;;
        adds    r3 = 2f - 1b, r3 ;;
        mov     rp = r3 ;;
        br.cond.sptk.many b6 ;;
2:      st8     [r36] = r8, 8 ;;
        st8     [r36] = r9, 8 ;;
        st8     [r36] = r10, 8 ;;
        st8     [r36] = r11, 8
        mov     rp = r34
        mov     ar.pfs = r33 ;;
        br.ret.sptk.many rp ;;
        .endp call_pal_static

        // Code to be copied: returns 7.
        .global tiny_function
        .balign 32
tiny_function:
        { .mib; nop.m 0; adds r8 = 7, r0; br.ret.sptk.many b0 ;; }
        { .mib; nop.m 0; nop.i 0; nop.b 0 ;; }

        // u64 load_metaphysical(u64 physical): with translation switched off for region 0.
        .global load_metaphysical
        .proc load_metaphysical
load_metaphysical:
        break.m 2 ;;
        ld8     r8 = [r32] ;;
        break.m 3 ;;
        br.ret.sptk.many rp ;;
        .endp load_metaphysical

        // void cover_test(u64 results[2]): what COVER leaves in the shared page, and the frame that is there then.
        .global cover_test
        .proc cover_test
cover_test:
        alloc   r34 = ar.pfs, 1, 3, 2, 0
        mov     r8 = r32
        mov     r9 = rp ;;
        break.m 4 ;;
        // An empty frame: nothing but static registers.
        movl    r3 = REGISTERS + R_IFS ;;
        ld8     r10 = [r3]
        movl    r3 = REGISTERS + R_IPSR
        movl    r11 = (1 << 3) | (1 << 13) | (1 << 14) | (1 << 17) | (1 << 27) | (1 << 36) | (1 << 44) ;;
        st8     [r3] = r11
        movl    r3 = REGISTERS + R_IIP
        movl    r11 = 1f ;;
        st8     [r3] = r11 ;;
        break.m HYPER_RFI ;;
        // The frame is back.
1:      adds    r11 = 8, r32
        st8     [r32] = r10 ;;
        mov     r3 = 1 ;;
        cmp.eq  p6, p7 = r8, r32 ;;
(p7)    mov     r3 = 0 ;;
        st8     [r11] = r3
        mov     rp = r9
        mov     ar.pfs = r34 ;;
        br.ret.sptk.many rp ;;
        .endp cover_test

        // u64 run_user(u64 ip, u64 sp): code at level 3; comes back by return_to_kernel with what that is given.
        .global run_user
        .proc run_user
run_user:
        alloc   r34 = ar.pfs, 2, 6, 0, 0
        mov     r35 = rp
        mov     r36 = gp
        mov     r37 = sp
        mov     r38 = ar.unat
        mov     r39 = pr
        // What a return needs is on the kernel's stack.
        adds    sp = -80, sp ;;
        adds    r3 = 16, sp ;;
        st8     [r3] = r34, 8 ;;
        st8     [r3] = r35, 8 ;;
        st8     [r3] = r36, 8 ;;
        st8     [r3] = r37, 8 ;;
        st8     [r3] = r39, 8
        // The callers' registers have to be in memory.
        flushrs ;;
        mov     ar.rsc = 0 ;;
        mov     r8 = ar.bsp
        mov     r9 = ar.rnat ;;
        mov     ar.rsc = 3
        st8     [r3] = r8, 8 ;;
        st8     [r3] = r9, 8
        movl    r8 = user_return_sp ;;
        st8     [r8] = sp
        movl    r3 = REGISTERS + R_IC ;;
        st4     [r3] = r0
        movl    r3 = REGISTERS + R_IPSR
        // ac, ic, dt, rt, it, bn, level 3, interrupts on
        movl    r11 = (1 << 3) | (1 << 13) | (1 << 14) | (1 << 17) | (1 << 27) | (1 << 36) | (1 << 44) | (3 << 32) ;;
        st8     [r3] = r11
        movl    r3 = REGISTERS + R_IIP ;;
        st8     [r3] = r32
        movl    r3 = REGISTERS + R_IFS
        movl    r11 = 1 << 63
        mov     r12 = r33 ;;
        // The kernel's frame goes below the user's empty one.
        cover ;;
        st8     [r3] = r11
        mov     ar.rsc = 0xc ;;
        break.m HYPER_RFI ;;
        .endp run_user

        // void return_to_kernel(u64 value): never returns; run_user does.
        .global return_to_kernel
        .proc return_to_kernel
return_to_kernel:
        mov     r8 = r32
        movl    r3 = user_return_sp ;;
        ld8     sp = [r3] ;;
        adds    r3 = 16, sp ;;
        ld8     r9 = [r3], 8 ;;
        ld8     r10 = [r3], 8 ;;
        ld8     gp = [r3], 8 ;;
        ld8     r11 = [r3], 8 ;;
        ld8     r14 = [r3], 8 ;;
        ld8     r15 = [r3], 8 ;;
        ld8     r2 = [r3], 8
        // All frames since then are forgotten.
        alloc   r3 = ar.pfs, 0, 0, 0, 0
        mov     ar.rsc = 0 ;;
        loadrs ;;
        mov     ar.bspstore = r15 ;;
        mov     ar.rnat = r2 ;;
        mov     ar.rsc = 3
        mov     sp = r11
        mov     rp = r10
        mov     ar.pfs = r9
        mov     pr = r14, -1 ;;
        br.ret.sptk.many rp ;;
        .endp return_to_kernel

        .data
        .global user_return_sp
        .balign 16
user_return_sp:
        .skip   16

        // What runs at level 3, copied nowhere: its page is mapped for it. Each part ends with a break that the kernel knows.
        .section .user, "ax"
        .balign 0x4000
        .global user_code
user_code:
        // A hypercall, a hyperprivop and a privileged instruction, all of which are the kernel's to handle.
        mov     r2 = 17 ;;
        break.m 0x1000 ;;
        break.m 1 ;;
        mov     r8 = psr ;;
        // The hypervisor's pages and the kernel's are not for users.
        movl    r3 = XSI ;;
        ld8     r8 = [r3] ;;
        movl    r3 = OFFSET + 0x4000000 ;;
        ld8     r8 = [r3] ;;
        break.m 0x12345 ;;
        .balign 0x4000

        .bss
        .balign 0x4000
boot_rbs:
        .skip   0x10000
boot_stack:
        .skip   0x10000
boot_stack_top:
second_rbs:
        .skip   0x8000
        .skip   0x8000
second_stack_top:
