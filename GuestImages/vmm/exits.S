// What the monitor does when the guest has left, by kind of exit.
        .include "monitor.inc"

        .text
// The frame says why.
        .global handle_exit
        function handle_exit, 0, 2
        frame_address r2, FRAME_VECTOR
        ld8 loc2 = [r2], FRAME_CAUSE - FRAME_VECTOR
        ld8 loc3 = [r2]
        movl r14 = VIRTUALIZATION
        movl r15 = BREAK
        movl r16 = ALTERNATE_DATA_TLB
        movl r17 = EXTERNAL
        movl r18 = VIRTUAL_EXTERNAL
        cmp.eq p6, p0 = r14, loc2
  (p6)  br.cond.sptk.many intercepted
        cmp.eq p6, p0 = r15, loc2
  (p6)  br.cond.spnt.many guest_break
        cmp.eq p6, p0 = r16, loc2
  (p6)  br.cond.spnt.many guest_miss
        cmp.eq p6, p0 = r17, loc2
  (p6)  br.cond.spnt.many host_interrupt
        cmp.eq p6, p0 = r18, loc2
  (p6)  br.cond.spnt.many guest_interrupt

unexpected:
        say "MONITOR FAILED: guest exit, vector "
        mov out0 = loc2
        mov out1 = 1
        call put_hex
        say " cause "
        mov out0 = loc3
        call put_decimal
        say " iip "
        frame_address r2, FRAME_IIP
        ld8 out0 = [r2]
        mov out1 = 1
        call put_hex
        say " isr "
        frame_address r2, FRAME_ISR
        ld8 out0 = [r2]
        mov out1 = 1
        call put_hex
        say " ifa "
        frame_address r2, FRAME_IFA
        ld8 out0 = [r2]
        mov out1 = 1
        call put_hex
        say "\n"
        movl r8 = 1 << 63 | 7
        br.cond.sptk.many power_off

// Virtualization fault: r24 was the cause.
intercepted:
        cmp.ltu p6, p0 = 41, loc3
  (p6)  br.cond.spnt.many unexpected
        mov out0 = loc3
        call count_exit
        movl r2 = emulators
        shladd r2 = loc3, 3, r2
        ld8 r3 = [r2]
        cmp.eq p6, p0 = 0, r3
        mov b7 = r3
  (p6)  br.cond.spnt.many unexpected
        call b7
        br.cond.sptk.many leave

guest_miss:
        mov out0 = EXIT_DATA_TLB
        call count_exit
        mov out0 = loc2
        call reflect
        br.cond.sptk.many leave

// The monitor's own vector is the guest's timer.
host_interrupt:
        mov out0 = EXIT_EXTERNAL
        call count_exit
        mov r14 = cr.ivr
        mov cr.eoi = r0
        serialize d
        cmp.ne p6, p0 = HOST_TIMER, r14
  (p6)  br.cond.spnt.many unexpected
        call timer_expired
        br.cond.sptk.many leave

// a_int: the interrupt of which vhpi speaks has been unmasked.
guest_interrupt:
        mov out0 = EXIT_VIRTUAL_EXTERNAL
        call count_exit
        movl out0 = EXTERNAL
        call reflect
        br.cond.sptk.many leave

guest_break:
        frame_address r2, FRAME_IIM
        ld8 r14 = [r2]
        movl r15 = CALL_PRINT
        movl r16 = CALL_END
        movl r17 = CALL_FAIL
        cmp.eq p6, p0 = r15, r14
        cmp.eq p7, p0 = r16, r14
        cmp.eq p8, p0 = r17, r14
  (p6)  br.cond.spnt.many 1f
  (p7)  br.cond.spnt.many guest_ended
  (p8)  br.cond.spnt.many 2f
        mov out0 = EXIT_BREAK
        call count_exit
        mov out0 = loc2
        call reflect
        br.cond.sptk.many leave
1:      mov out0 = EXIT_CALL
        call count_exit
        frame_address r2, FRAME_GR + 8 * 8
        ld8 out0 = [r2]
        call puts
        call advance
        br.cond.sptk.many leave
2:      say "MONITOR FAILED: guest check "
        frame_address r2, FRAME_GR + 8 * 8
        ld8 out0 = [r2], 8
        ld8 loc2 = [r2], 8
        ld8 loc3 = [r2]
        call put_decimal
        say " is "
        mov out0 = loc2
        mov out1 = 1
        call put_hex
        say ", expected "
        mov out0 = loc3
        mov out1 = 1
        call put_hex
        say "\n"
        movl r8 = 1 << 63 | 7
        br.cond.sptk.many power_off

// Without a_int the monitor looks itself whether an interrupt has been unmasked.
leave:
        vpd_address r2, VPD_VAC
        ld8 r3 = [r2]
        tbit.nz p6, p0 = r3, 0
  (p6)  br.cond.sptk.many 1f
        call interrupt_if_unmasked
1:      return

        .global count_exit
        function count_exit, 1, 0
        movl r2 = exits
        shladd r2 = in0, 3, r2
        ld8 r3 = [r2]
        add r3 = 1, r3
        st8 [r2] = r3
        return

// The next instruction: IPSR.ri and IIP.
        .global advance
        function advance, 0, 0
        frame_address r2, FRAME_IIP
        mov r3 = r2
        ld8 r14 = [r2], 8
        ld8 r15 = [r2]
        extr.u r16 = r15, PSR_RI_SHIFT, 2
        cmp.eq p6, p7 = 2, r16
        add r16 = 1, r16
  (p6)  add r14 = 16, r14
  (p6)  mov r16 = 0
        dep r15 = r16, r15, PSR_RI_SHIFT, 2
        st8 [r3] = r14
        st8 [r2] = r15
        return

        .bss
        .balign 8
        .global exits
exits:  .skip EXIT_KINDS * 8
