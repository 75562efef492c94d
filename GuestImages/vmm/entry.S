// From the guest to the monitor and back.
        .include "monitor.inc"

// Each vector: r29 its offset, r31 the predicates. Bank 0: GR24 and GR25 are PAL's.
        .section .ivt, "ax"
        .balign 0x8000
        .global ivt
ivt:
number = 0
        .macro vector
        .org number
        mov r29 = number
        mov r31 = pr
        br.cond.sptk.many enter_monitor
        .endm
        .rept 20                        // 64 bundles each
        vector
number = number + 0x400
        .endr
        .rept 48                        // 16 bundles each
        vector
number = number + 0x100
        .endr
        .org 0x8000

        .text
enter_monitor:
        mov r30 = cr.ipsr
        tbit.z p6, p0 = r30, 46         // vm: was a guest running?
  (p6)  br.cond.spnt.many own_interruption
        frame_address r16, FRAME_VECTOR
        st8 [r16] = r29, FRAME_CAUSE - FRAME_VECTOR
        st8 [r16] = r24, FRAME_OPCODE - FRAME_CAUSE
        st8 [r16] = r25, FRAME_PR - FRAME_OPCODE
        mov r17 = ar.pfs
        st8 [r16] = r31, FRAME_PFS - FRAME_PR
        mov r18 = ar.unat
        st8 [r16] = r17, FRAME_UNAT - FRAME_PFS
        st8 [r16] = r18, FRAME_IIP - FRAME_UNAT
        mov r17 = cr.iip
        st8 [r16] = r17, FRAME_IPSR - FRAME_IIP
        st8 [r16] = r30, FRAME_ISR - FRAME_IPSR
        mov r17 = cr.isr
        mov r18 = cr.ifa
        st8 [r16] = r17, 8
        mov r17 = cr.itir
        st8 [r16] = r18, 8
        mov r18 = cr.iim
        st8 [r16] = r17, 8
        st8 [r16] = r18, 8
        mov r17 = ar.lc
        st8 [r16] = r17

        frame_address r16, FRAME_BR
        mov r17 = b0
        mov r18 = b1
        mov r19 = b2
        mov r20 = b3
        st8 [r16] = r17, 8
        st8 [r16] = r18, 8
        st8 [r16] = r19, 8
        st8 [r16] = r20, 8
        mov r17 = b4
        mov r18 = b5
        mov r19 = b6
        mov r20 = b7
        st8 [r16] = r17, 8
        st8 [r16] = r18, 8
        st8 [r16] = r19, 8
        st8 [r16] = r20, 8

        frame_address r16, FRAME_GR + 8
        .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        st8.spill [r16] = r\n, 8
        .endr
        mov r2 = r16
        cover
        mov r17 = cr.ifs
        frame_address r16, FRAME_IFS
        st8 [r16] = r17
        bsw.1
        .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        st8.spill [r2] = r\n, 8
        .endr
        mov r3 = ar.unat
        frame_address r2, FRAME_SPILLS
        st8 [r2] = r3

// Bank 1 is the monitor's now, the guest's backing store goes on as its own.
        movl r12 = monitor_stack_end - 16
        ssm PSR_IC
        serialize i
        alloc r2 = ar.pfs, 0, 0, 4, 0
        call handle_exit

// The frame, changed or not, is what goes on.
        .global resume_guest
resume_guest:
        alloc r2 = ar.pfs, 0, 0, 0, 0
        rsm PSR_IC
        serialize i
        frame_address r2, FRAME_SPILLS
        ld8 r3 = [r2]
        mov ar.unat = r3
        frame_address r2, FRAME_GR + 16 * 8
        .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        ld8.fill r\n = [r2], 8
        .endr
        bsw.0
        frame_address r16, FRAME_GR + 8
        .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        ld8.fill r\n = [r16], 8
        .endr
        frame_address r16, FRAME_BR
        ld8 r24 = [r16], 8              // b0 is the service's to restore
        ld8 r18 = [r16], 8
        ld8 r19 = [r16], 8
        ld8 r20 = [r16], 8
        mov b1 = r18
        mov b2 = r19
        mov b3 = r20
        ld8 r17 = [r16], 8
        ld8 r18 = [r16], 8
        ld8 r19 = [r16], 8
        ld8 r20 = [r16], 8
        mov b4 = r17
        mov b5 = r18
        mov b6 = r19
        mov b7 = r20
        ld8 r31 = [r16], 8
        ld8 r17 = [r16], 8
        ld8 r18 = [r16], FRAME_IIP - FRAME_UNAT
        mov ar.pfs = r17
        mov ar.unat = r18
        ld8 r17 = [r16], 8
        ld8 r18 = [r16], 8
        ld8 r19 = [r16], 8
        ld8 r20 = [r16], FRAME_LC - FRAME_ISR
        ld8 r21 = [r16]
        mov cr.iip = r17
        mov cr.ipsr = r18
        mov cr.ifs = r19
        mov ar.lc = r21

// PAL_VPS_RESUME_NORMAL with the guest's PSR.ic = 1, else PAL_VPS_RESUME_HANDLER, which wants vac and ISR.ir.
        vpd_address r25, 0
        vpd_address r22, VPD_VPSR
        ld8 r23 = [r22]
        ld8 r26 = [r25]
        extr.u r20 = r20, 38, 1
        movl r22 = service_base
        ld8 r22 = [r22]
        tbit.nz p6, p7 = r23, 13
        dep r26 = r20, r26, 63, 1
  (p7)  mov r23 = VPS_RESUME_HANDLER
  (p7)  add r22 = r22, r23
        mov b0 = r22
        mov pr = r31, -1
        br.cond.sptk.many b0

// Interruptions of the monitor itself: misses in regions 6 and 7, which are physical memory.
own_interruption:
        movl r16 = ALTERNATE_DATA_TLB
        movl r17 = ALTERNATE_INSTRUCTION_TLB
        cmp.eq p6, p0 = r16, r29
        cmp.eq p7, p0 = r17, r29
        mov r16 = cr.ifa
        movl r18 = PTE_P + PTE_A + PTE_D + PTE_RWX
        shr.u r17 = r16, 61
        extr.u r19 = r16, 12, 38
        cmp.gtu p8, p0 = 6, r17
        cmp.eq p9, p0 = 6, r17
        shl r19 = r19, 12
  (p8)  br.cond.spnt.many lost
  (p9)  add r18 = PTE_UC, r18
        or r18 = r18, r19
  (p6)  br.cond.sptk.many 1f
  (p7)  br.cond.sptk.many 2f
        br.cond.sptk.many lost
1:      itc.d r18
        mov pr = r31, -1
        rfi
2:      itc.i r18
        mov pr = r31, -1
        rfi

// Anything else is a mistake.
lost:
        mov r22 = cr.iip
        mov r23 = cr.isr
        mov r26 = cr.ifa
        mov r27 = r29
        movl r12 = monitor_stack_end - 16
        cover
        ssm PSR_IC
        serialize i
        alloc r2 = ar.pfs, 0, 4, 4, 0
        mov loc0 = r27
        mov loc1 = r22
        mov loc2 = r23
        mov loc3 = r26
        bsw.1
        say "MONITOR FAILED: vector "
        mov out0 = loc0
        mov out1 = 1
        call put_hex
        say " iip "
        mov out0 = loc1
        mov out1 = 1
        call put_hex
        say " isr "
        mov out0 = loc2
        mov out1 = 1
        call put_hex
        say " ifa "
        mov out0 = loc3
        mov out1 = 1
        call put_hex
        say "\n"
        movl r8 = 1 << 63 | 7
        br.cond.sptk.many power_off

// Runs a guest from in0 until it ends itself. Its frame is made from nothing; its registers are zero.
        function run_guest, 1, 0
        movl r2 = frame
        mov ar.lc = FRAME_SIZE / 8 - 1
1:      st8 [r2] = r0, 8
        br.cloop.sptk.few 1b
        frame_address r2, FRAME_IIP
        st8 [r2] = in0, 8
        movl r3 = guest_psr
        ld8 r3 = [r3]
        st8 [r2] = r3, 8
        movl r3 = 1 << 63               // IFS: an empty frame
        st8 [r2] = r3
        flushrs
        mov r16 = ar.rsc
        mov ar.rsc = 0
        mov r14 = ar.bsp
        mov r15 = ar.rnat
        mov ar.rsc = r16
        movl r2 = monitor_context
        st8 [r2] = r14, 8
        st8 [r2] = r15, 8
        st8 [r2] = loc0, 8
        st8 [r2] = loc1, 8
        st8 [r2] = r12
        br.cond.sptk.many resume_guest

// The end of run_guest, from wherever the monitor has come.
        .global guest_ended
guest_ended:
        alloc r2 = ar.pfs, 0, 0, 0, 0
        flushrs                         // a dirty register would move along with BSPSTORE
        mov r20 = ar.rsc
        mov ar.rsc = 0
        movl r2 = monitor_context
        ld8 r14 = [r2], 8
        ld8 r15 = [r2], 8
        ld8 r16 = [r2], 8
        ld8 r17 = [r2], 8
        ld8 r12 = [r2]
        mov ar.bspstore = r14
        mov ar.rnat = r15
        invala
        mov ar.rsc = r20
        mov ar.pfs = r16
        mov b0 = r17
        br.ret.sptk.many b0

// Virtualization service at offset in0 with parameters in1 to in3; r8 its result.
        .global vsa
        function vsa, 4, 0
        movl r2 = service_base
        ld8 r2 = [r2]
        add r2 = r2, in0
        movl r24 = 1f
        mov r25 = in1
        mov r26 = in2
        mov r27 = in3
        mov b0 = r2
        br.cond.sptk.many b0
1:      mov r8 = r31
        return

        .bss
        .balign 512
        .global frame
frame:  .skip FRAME_SIZE
monitor_context:
        .skip 64
        .balign 0x8000
        .global vpd
vpd:    .skip VPD_SIZE
        .balign 0x1000
        .global environment
environment:
        .skip 0x10000
monitor_stack:
        .skip 0x8000
monitor_stack_end:
        .skip 0x100
        .global service_base, guest_psr
service_base:
        .skip 8
guest_psr:
        .skip 8
