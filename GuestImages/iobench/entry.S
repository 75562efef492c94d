// Where every way of starting leads to: a hypervisor's guest goes on in the PV kernel's start, a machine's kernel here.
        .include "offsets.inc"

        .text
        .global any_start
        .proc any_start
any_start:
        // A privilege level that reads back as another one: there is a hypervisor that wants to be known.
        mov     ar.rsc = 0 ;;
        mov     r14 = ar.rsc ;;
        cmp.ne  p6, p7 = 0, r14
        mov     r15 = r28
(p6)    br.cond.spnt.many start ;;
        // Physical mode, r28 the boot parameters.
        rsm     (1 << 14) | (1 << 13) ;;
        srlz.d ;;
        movl    r3 = native_ivt ;;
        mov     cr.iva = r3
        movl    r2 = 1 << 61
        mov     r8 = 0
        mov     r9 = 0
        mov     ar.lc = 7 ;;
        // Identifiers 0 to 7 in their regions; pages of 16 KiB, of 16 MiB for devices; no walker.
1:      cmp.eq  p6, p7 = 6, r9
        shl     r10 = r9, 8 ;;
(p6)    adds    r10 = 24 << 2, r10
(p7)    adds    r10 = 14 << 2, r10 ;;
        mov     rr[r8] = r10
        add     r8 = r8, r2
        adds    r9 = 1, r9
        br.cloop.sptk.few 1b ;;
        srlz.d ;;
        // The kernel's 64 MiB, as in a PV domain.
        movl    r2 = OFFSET + 0x4000000
        mov     r3 = 26 << 2
        movl    r8 = 0x4000661 ;;
        mov     cr.ifa = r2
        mov     cr.itir = r3 ;;
        srlz.d ;;
        itr.d   dtr[r0] = r8 ;;
        srlz.d ;;
        itr.i   itr[r0] = r8 ;;
        srlz.i ;;
        mov     r2 = 15 << 2
        movl    r3 = 1 << 16 ;;
        mov     cr.pta = r2
        mov     cr.dcr = r0
        mov     cr.tpr = r0
        mov     cr.itv = r3
        mov     cr.pmv = r3
        mov     cr.cmcv = r3
        mov     cr.lrr0 = r3
        mov     cr.lrr1 = r3
        // ic, dt, rt, it, bn
        movl    r2 = (1 << 13) | (1 << 17) | (1 << 27) | (1 << 36) | (1 << 44)
        movl    r3 = native_virtual ;;
        mov     cr.ipsr = r2
        mov     cr.iip = r3
        mov     cr.ifs = r0 ;;
        srlz.d ;;
        rfi ;;
        .endp any_start

        .proc native_virtual
native_virtual:
        movl    r2 = native_rbs ;;
        mov     ar.bspstore = r2 ;;
        mov     ar.rnat = r0 ;;
        mov     ar.unat = r0
        invala
        mov     ar.rsc = 3
        movl    r3 = 0x9804c8a70033f ;;
        mov     ar.fpsr = r3
        movl    r12 = native_stack_top - 16
        movl    r1 = __gp ;;
        alloc   r3 = ar.pfs, 0, 0, 1, 0 ;;
        mov     out0 = r15
        br.call.sptk.many rp = native_main ;;
1:      br.sptk.many 1b ;;
        .endp native_virtual

        // u64 call_sal(u64 entry, u64 gp, const u64 arguments[5], u64 *value)
        .global call_sal
        .proc call_sal
call_sal:
        alloc   r36 = ar.pfs, 4, 3, 8, 0
        mov     r37 = rp
        mov     r38 = gp
        mov     b6 = r32
        ld8     out0 = [r34], 8 ;;
        ld8     out1 = [r34], 8 ;;
        ld8     out2 = [r34], 8 ;;
        ld8     out3 = [r34], 8 ;;
        ld8     out4 = [r34]
        mov     out5 = 0
        mov     out6 = 0
        mov     out7 = 0
        mov     gp = r33
        br.call.sptk.many rp = b6 ;;
        st8     [r35] = r9
        mov     gp = r38
        mov     rp = r37
        mov     ar.pfs = r36 ;;
        br.ret.sptk.many rp ;;
        .endp call_sal

        // void call_physical(u64 descriptor, u64 argument): never returns; interrupts are masked.
        .global call_physical
        .proc call_physical
call_physical:
        mov     r14 = r32
        mov     r15 = r33 ;;
        flushrs ;;
        rsm     1 << 13 ;;
        srlz.d ;;
        movl    r2 = 1 << 44
        movl    r3 = in_physical - OFFSET ;;
        mov     cr.ipsr = r2
        mov     cr.iip = r3
        mov     cr.ifs = r0 ;;
        srlz.d ;;
        rfi ;;
in_physical:
        mov     ar.rsc = 0
        movl    r2 = native_rbs - OFFSET ;;
        mov     ar.bspstore = r2
        movl    r12 = native_stack_top - OFFSET - 16 ;;
        mov     ar.rsc = 3
        ld8     r2 = [r14], 8 ;;
        ld8     r1 = [r14]
        mov     b6 = r2
        alloc   r3 = ar.pfs, 0, 0, 4, 0 ;;
        mov     out0 = r15
        mov     out1 = 0
        mov     out2 = 0
        mov     out3 = 0
        br.call.sptk.many rp = b6 ;;
1:      br.sptk.many 1b ;;
        .endp call_physical

        .bss
        .balign 0x4000
native_rbs:
        .skip   0x10000
        .skip   0x10000
native_stack_top:
