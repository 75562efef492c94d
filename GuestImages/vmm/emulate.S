// Intercepted instructions. An emulator finds the instruction's fields in the opcode that PAL handed over (r25 at the intercept), and its
// operands in the frame and in the VPD. Operands are static registers: stacked ones would need the guest's backing store.
        .include "monitor.inc"

// A register's number from the opcode: its lowest bit.
R1              = 6
R2              = 13
R3              = 20

        .macro opcode register
        frame_address r2, FRAME_OPCODE
        ld8 \register = [r2]
        .endm

// r8: general register named at a bit of the opcode.
        .macro operand bit
        mov out0 = \bit
        call get_operand
        .endm

        .macro result value
        mov out0 = \value
        call set_result
        .endm

        .text
        function get_operand, 1, 0
        opcode r3
        shr.u r3 = r3, in0
        movl r2 = frame
        extr.u r3 = r3, 0, 7
        cmp.ltu p6, p0 = 31, r3
  (p6)  br.cond.spnt.many stacked
        shladd r2 = r3, 3, r2
        ld8 r8 = [r2]
        return

        function set_result, 1, 0
        opcode r3
        movl r2 = frame
        extr.u r3 = r3, R1, 7
        cmp.ltu p6, p0 = 31, r3
  (p6)  br.cond.spnt.many stacked
        shladd r2 = r3, 3, r2
        st8 [r2] = in0
        return

stacked:
        alloc r2 = ar.pfs, 0, 0, 4, 0
        say "MONITOR FAILED: an operand is a stacked register\n"
        movl r8 = 1 << 63 | 7
        br.cond.sptk.many power_off

// mov r1 = ar.itc
        function from_itc, 0, 0
        mov r14 = ar.itc
        result r14
        call advance
        return

// mov cr3 = r2: kept in the VPD; the timer and the interrupt registers act.
        function to_cr, 0, 2
        operand R2
        mov loc2 = r8
        opcode r3
        extr.u loc3 = r3, R3, 7
        vpd_address r2, VPD_VCR
        shladd r2 = loc3, 3, r2
        st8 [r2] = loc2
        cmp.eq p6, p0 = CR_EOI, loc3
        cmp.eq p7, p0 = CR_ITM, loc3
  (p6)  br.cond.spnt.many 1f
  (p7)  br.cond.spnt.many 2f
        br.cond.sptk.many 3f
1:      call end_interrupt
        br.cond.sptk.many 3f
2:      mov cr.itm = loc2               // the guest's ITC is the processor's
        movl r3 = HOST_TIMER
        mov cr.itv = r3
        serialize d
3:      call advance
        return

// mov r1 = cr3
        function from_cr, 0, 2
        opcode r3
        extr.u loc2 = r3, R3, 7
        vpd_address r2, VPD_VCR
        shladd r2 = loc2, 3, r2
        ld8 r8 = [r2]
        cmp.eq p6, p0 = CR_IVR, loc2
        cmp.eq p7, p0 = CR_EOI, loc2
  (p7)  mov r8 = 0
        call take_vector, p6
        result r8
        call advance
        return

// mov psr.l = r2, mov r1 = psr; ssm, rsm
        function to_psr, 0, 1
        operand R2
        mov loc2 = r8
        call get_psr
        movl r3 = 0xFFFFFFFF
        and r14 = loc2, r3
        andcm r15 = r8, r3
        or out0 = r14, r15
        call set_psr
        call advance
        return

        function from_psr, 0, 0
        call get_psr
        movl r3 = 0x18FFFFFFFF          // bits 36, 35 and 31 to 0
        and r8 = r8, r3
        result r8
        call advance
        return

// r8: the immediate of ssm and rsm (M44): i at bit 36, i2 at 32:31, imm21a at 26:6.
mask_immediate:
        opcode r3
        extr.u r14 = r3, 6, 21
        extr.u r15 = r3, 31, 2
        extr.u r16 = r3, 36, 1
        shl r15 = r15, 21
        shl r16 = r16, 23
        or r14 = r14, r15
        or r8 = r14, r16
        br.ret.sptk.many b0

        function set_mask, 0, 1
        call mask_immediate
        mov loc2 = r8
        call get_psr
        or out0 = r8, loc2
        call set_psr
        call advance
        return

        function reset_mask, 0, 1
        call mask_immediate
        mov loc2 = r8
        call get_psr
        andcm out0 = r8, loc2
        call set_psr
        call advance
        return

// itc.d r2: the guest's translation becomes the processor's. Region identifiers and physical addresses are the same for both.
        function insert_data, 0, 1
        operand R2
        mov loc2 = r8
        vpd_address r2, VPD_VCR + 8 * CR_IFA
        vpd_address r3, VPD_VCR + 8 * CR_ITIR
        ld8 r14 = [r2]
        ld8 r15 = [r3]
        rsm PSR_IC
        serialize d
        mov cr.ifa = r14
        mov cr.itir = r15
        serialize d
        itc.d loc2
        ssm PSR_IC
        serialize i
        call advance
        return

// mov rr[r3] = r2, mov r1 = rr[r3]
        function to_rr, 0, 1
        operand R2
        mov loc2 = r8
        operand R3
        mov rr[r8] = loc2
        serialize d
        shr.u r8 = r8, 61
        vpd_address r2, VPD_VRR
        shladd r2 = r8, 3, r2
        st8 [r2] = loc2
        call advance
        return

        function from_rr, 0, 0
        operand R3
        shr.u r8 = r8, 61
        vpd_address r2, VPD_VRR
        shladd r2 = r8, 3, r2
        ld8 r8 = [r2]
        result r8
        call advance
        return

// mov r1 = cpuid[r3]
        function from_cpuid, 0, 0
        operand R3
        vpd_address r2, VPD_VCPUID
        shladd r2 = r8, 3, r2
        ld8 r8 = [r2]
        result r8
        call advance
        return

// ptc.l r3, r2
        function purge_local, 0, 1
        operand R2
        mov loc2 = r8
        operand R3
        ptc.l r8, loc2
        serialize d
        call advance
        return

// thash r1 = r3: by the service, for the guest's region register and PTA.
        function hash, 0, 1
        operand R3
        mov loc2 = r8
        shr.u r8 = r8, 61
        vpd_address r2, VPD_VRR
        shladd r2 = r8, 3, r2
        vpd_address r3, VPD_VCR + 8 * CR_PTA
        movl out0 = VPS_THASH
        mov out1 = loc2
        ld8 out2 = [r2]
        ld8 out3 = [r3]
        call vsa
        result r8
        call advance
        return

// tpa r1 = r3
        function physical_address, 0, 0
        operand R3
        tpa r8 = r8
        result r8
        call advance
        return

// cover: the frame that the monitor's own cover put away is the guest's; what it goes on with is empty.
        function guest_cover, 0, 0
        frame_address r2, FRAME_IFS
        ld8 r14 = [r2]
        vpd_address r3, VPD_VPSR
        ld8 r15 = [r3]
        tbit.nz p6, p7 = r15, 13
        vpd_address r16, VPD_VCR + 8 * CR_IFS
  (p7)  st8 [r16] = r14
        movl r17 = 1 << 63
        st8 [r2] = r17
        call advance
        return

// rfi
        function guest_rfi, 0, 1
        vpd_address r2, VPD_VCR + 8 * CR_IPSR
        ld8 loc2 = [r2]
        extr.u out0 = loc2, 44, 1
        call switch_bank
        mov out0 = loc2
        call set_psr
        frame_address r2, FRAME_IPSR
        ld8 r14 = [r2]
        extr.u r15 = loc2, PSR_RI_SHIFT, 2
        dep r14 = r15, r14, PSR_RI_SHIFT, 2
        st8 [r2] = r14
        vpd_address r2, VPD_VCR + 8 * CR_IIP
        ld8 r14 = [r2]
        frame_address r3, FRAME_IIP
        st8 [r3] = r14
        vpd_address r2, VPD_VCR + 8 * CR_IFS
        ld8 r14 = [r2]
        frame_address r3, FRAME_IFS
        tbit.nz p6, p0 = r14, 63
  (p6)  st8 [r3] = r14                  // the guest has covered: its own frame is empty
        return

// bsw.0, bsw.1
        function bank_0, 0, 0
        mov out0 = 0
        call switch_bank
        call advance
        return

        function bank_1, 0, 0
        mov out0 = 1
        call switch_bank
        call advance
        return

        .rodata
        .balign 8
        .global emulators
emulators:                              // by cause; 0: this guest does not
        data8 0, 0, 0, from_itc, to_cr, from_cr, to_psr, from_psr, insert_data, 0, to_rr, 0, 0, 0, 0, 0, 0, 0, from_rr, 0
        data8 0, 0, 0, from_cpuid, set_mask, reset_mask, purge_local, 0, 0, 0, 0, hash, 0, physical_address, 0, 0, guest_cover
        data8 guest_rfi, bank_0, bank_1, 0, 0
