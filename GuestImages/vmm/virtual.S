// The guest's processor status, banks, interruptions and interrupts.
        .include "monitor.inc"

        .text
// r8: PSR as the guest has it. The user mask is in the processor's.
        .global get_psr
        function get_psr, 0, 0
        vpd_address r2, VPD_VPSR
        ld8 r14 = [r2]
        frame_address r3, FRAME_IPSR
        ld8 r15 = [r3]
        movl r16 = PSR_USER
        andcm r14 = r14, r16
        and r15 = r15, r16
        or r8 = r14, r15
        return

// The guest's PSR becomes in0, but for the bank.
        .global set_psr
        function set_psr, 1, 0
        vpd_address r2, VPD_VPSR
        ld8 r14 = [r2]
        extr.u r14 = r14, 44, 1
        dep r15 = r14, in0, 44, 1
        st8 [r2] = r15
        frame_address r3, FRAME_IPSR
        ld8 r16 = [r3]
        extr.u r17 = in0, 0, 6
        dep r16 = r17, r16, 0, 6
        st8 [r3] = r16
        return

// Bank in0 becomes visible.
        .global switch_bank
        function switch_bank, 1, 0
        vpd_address r2, VPD_VPSR
        ld8 r14 = [r2]
        extr.u r15 = r14, 44, 1
        cmp.eq p8, p0 = in0, r15
  (p8)  br.cond.spnt.many 2f
        dep r14 = in0, r14, 44, 1
        st8 [r2] = r14
        cmp.eq p6, p7 = 1, in0
        vpd_address r16, VPD_VGR
        vpd_address r17, VPD_VBGR
  (p6)  mov r18 = r17                   // saved
  (p7)  mov r18 = r16
  (p6)  mov r19 = r16                   // loaded
  (p7)  mov r19 = r17
        frame_address r20, FRAME_GR + 16 * 8
        mov r21 = 16
1:      ld8 r22 = [r20]
        ld8 r23 = [r19], 8
        add r21 = -1, r21
        st8 [r18] = r22, 8
        st8 [r20] = r23, 8
        cmp.ne p6, p0 = 0, r21
  (p6)  br.cond.sptk.many 1b
2:      return

// The guest takes the interruption with vector offset in0 (Volume 2, section 5.5): what the processor has collected becomes the guest's.
        .global reflect
        function reflect, 1, 1
        call get_psr
        mov loc2 = r8
        tbit.z p6, p0 = loc2, 13
  (p6)  br.cond.spnt.many 1f
        frame_address r2, FRAME_IPSR
        ld8 r14 = [r2]
        extr.u r14 = r14, PSR_RI_SHIFT, 2
        dep r15 = r14, loc2, PSR_RI_SHIFT, 2
        vpd_address r3, VPD_VCR + 8 * CR_IPSR
        st8 [r3] = r15
        .irp what, IIP, IFA, ITIR, IIM
        frame_address r2, FRAME_\what
        vpd_address r3, VPD_VCR + 8 * CR_\what
        ld8 r14 = [r2]
        st8 [r3] = r14
        .endr
        vpd_address r3, VPD_VCR + 8 * CR_IFS
        st8 [r3] = r0
1:      frame_address r2, FRAME_ISR
        vpd_address r3, VPD_VCR + 8 * CR_ISR
        ld8 r14 = [r2]
        st8 [r3] = r14
        mov out0 = 0
        call switch_bank
        movl r3 = PSR_UP + PSR_MFL + PSR_MFH + PSR_PK + PSR_DT + PSR_RT + PSR_MC + PSR_IT
        and out0 = loc2, r3
        call set_psr
        frame_address r2, FRAME_IPSR
        ld8 r14 = [r2]
        dep r14 = 0, r14, PSR_RI_SHIFT, 2
        st8 [r2] = r14
        vpd_address r2, VPD_VCR + 8 * CR_IVA
        ld8 r14 = [r2]
        frame_address r3, FRAME_IIP
        add r14 = r14, in0
        st8 [r3] = r14
        return

// Interrupts: there is one, the timer's.

// The monitor's timer interrupt: the guest's is pending, unless its ITV masks it.
        .global timer_expired
        function timer_expired, 0, 0
        vpd_address r2, VPD_VCR + 8 * CR_ITV
        ld8 r14 = [r2]
        movl r3 = pending
        tbit.nz p6, p0 = r14, 16
        extr.u r14 = r14, 0, 8
  (p6)  br.cond.spnt.many 1f
        st8 [r3] = r14
        call publish
1:      return

// r8: the vector that a read of IVR gives; it is in service then.
        .global take_vector
        function take_vector, 0, 0
        movl r2 = pending
        movl r3 = in_service
        ld8 r8 = [r2]
        cmp.eq p6, p7 = 0, r8
  (p6)  mov r8 = 15                     // spurious
  (p7)  st8 [r3] = r8
        st8 [r2] = r0
        call publish
        return

        .global end_interrupt
        function end_interrupt, 0, 0
        movl r2 = in_service
        st8 [r2] = r0
        call publish
        return

// vhpi: the class of the pending interrupt, 0 while another one of its class is in service. With a_int PAL looks at once.
        function publish, 0, 1
        movl r2 = pending
        movl r3 = in_service
        ld8 r14 = [r2]
        ld8 r15 = [r3]
        shr.u r14 = r14, 4
        cmp.ne p6, p0 = 0, r15
  (p6)  mov r14 = 0
        vpd_address r2, VPD_VHPI
        st8 [r2] = r14
        vpd_address r2, VPD_VAC
        ld8 r3 = [r2]
        tbit.z p6, p0 = r3, 0
  (p6)  br.cond.sptk.many 1f
        mov loc2 = r8
        movl out0 = VPS_SET_PENDING_INTERRUPT
        vpd_address out1, 0
        mov out2 = 0
        mov out3 = 0
        call vsa
        mov r8 = loc2
1:      return

// What a_int does in the processor: vhpi against PSR.i and TPR.
        .global interrupt_if_unmasked
        function interrupt_if_unmasked, 0, 0
        vpd_address r2, VPD_VHPI
        vpd_address r3, VPD_VPSR
        ld8 r14 = [r2]
        ld8 r15 = [r3]
        vpd_address r2, VPD_VCR + 8 * CR_TPR
        ld8 r16 = [r2]
        extr.u r17 = r16, 4, 4
        cmp.leu p6, p0 = r14, r17       // no class above TPR.mic, or none at all
        tbit.nz p7, p0 = r16, 16        // mmi
        tbit.z p8, p0 = r15, 14         // i
  (p6)  br.cond.sptk.many 1f
  (p7)  br.cond.sptk.many 1f
  (p8)  br.cond.sptk.many 1f
        movl out0 = EXTERNAL
        call reflect
1:      return

        .bss
        .balign 8
        .global pending, in_service
pending:
        .skip 8
in_service:
        .skip 8
