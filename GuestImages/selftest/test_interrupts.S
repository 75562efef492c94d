// External interrupts: interval timer, task priority, interprocessor interrupts (Volume 2, section 5.8).
        .include "macros.inc"

TIMER   = 0x40
INTERRUPT_BLOCK = UNCACHED + 0xFEE00000

        .macro expect_interrupts
        movl r2 = interrupts
        st8 [r2] = r0, 8
        st8 [r2] = r0
        hook acknowledge
        .endm

// Interrupt r16 for this processor.
        .macro interrupt vector
        mov r16 = \vector
        call interrupt_self
        .endm

        .text
// A hook: takes every pending interrupt from IVR.
acknowledge:
        movl r16 = interrupts
1:      mov r18 = cr.ivr
        add r17 = 8, r16
        cmp.eq p6, p0 = 15, r18
  (p6)  br.cond.spnt.many resume
        ld8 r19 = [r16]
        add r19 = 1, r19
        st8 [r16] = r19
        st8 [r17] = r18
        mov cr.eoi = r0
        serialize d
        br.cond.sptk.many 1b

// Waits, at most 2^14 timer ticks, until r16 interrupts were taken.
        .balign 32
await:
        movl r17 = interrupts
        mov r18 = ar.itc
        movl r19 = 1 << 14
        add r19 = r18, r19
1:      ld8 r20 = [r17]
        mov r18 = ar.itc
        cmp.leu p6, p0 = r16, r20
        cmp.ltu p7, p0 = r19, r18
  (p6)  br.ret.spnt.many b0
  (p7)  br.ret.spnt.many b0
        br.cond.sptk.many 1b

        .balign 32
interrupt_self:
        mov r17 = cr.lid
        movl r18 = INTERRUPT_BLOCK
        extr.u r17 = r17, 16, 16
        shl r17 = r17, 4
        add r18 = r18, r17
        st8.rel [r18] = r16
        mf.a
        br.ret.sptk.many b0

        .macro check_interrupts number, count, last
        movl r16 = interrupts
        ld8 r17 = [r16], 8
        ld8 r18 = [r16]
        check \number, r17, \count
        check \number + 1, r18, \last
        .endm

        .macro start_timer ticks
        mov r16 = TIMER
        mov cr.itv = r16
        serialize d
        mov r16 = ar.itc
        movl r17 = \ticks
        add r16 = r16, r17
        mov cr.itm = r16
        serialize d
        .endm

        test "interrupts: interval timer"
        expect_interrupts
        start_timer 5000
        mov loc2 = r16
        ssm PSR_I
        serialize d
        mov r16 = 1
        call await
        mov loc3 = ar.itc
        rsm PSR_I
        check_interrupts 1, 1, TIMER
        cmp.geu p6, p7 = loc3, loc2
        mov r17 = 0
  (p6)  mov r17 = 1
        check 3, r17, 1
        check_trap 4, TRAP_VECTOR, EXTERNAL
        end_test

        test "interrupts: a masked timer"
        expect_interrupts
        start_timer 5000
        movl r16 = 1 << 16 | TIMER
        mov cr.itv = r16
        ssm PSR_I
        serialize d
        mov r16 = 1
        call await
        rsm PSR_I
        check_interrupts 1, 0, 0
        mov r16 = cr.irr1
        check 3, r16, 0
        end_test

        test "interrupts: task priority"
        expect_interrupts
        mov r16 = 4 << 4                // TPR.mic
        mov cr.tpr = r16
        serialize d
        ssm PSR_I
        serialize d
        interrupt 0x45
        mov r16 = 1
        call await
        check_interrupts 1, 0, 0
        mov r16 = cr.irr1
        check 3, r16, 1 << 5
        mov r16 = 3 << 4
        mov cr.tpr = r16
        serialize d
        mov r16 = 1
        call await
        rsm PSR_I
        check_interrupts 4, 1, 0x45
        end_test

        test "interrupts: PSR.i, priorities, EOI and the spurious vector"
        interrupt 0x31
        interrupt 0x52
        interrupt 0x43
1:      mov r16 = cr.irr1
        tbit.z p6, p0 = r16, 0x43 - 64
  (p6)  br.cond.spnt.many 1b
        mov loc2 = cr.ivr
        mov loc3 = cr.ivr               // the others are lower than the one in service
        mov cr.eoi = r0
        serialize d
        mov loc4 = cr.ivr
        interrupt 0x60
        mov loc5 = cr.ivr               // higher: nests
        mov cr.eoi = r0
        serialize d
        mov loc6 = cr.ivr               // 0x43 is still in service
        mov cr.eoi = r0
        serialize d
        mov loc7 = cr.ivr
        mov cr.eoi = r0
        serialize d
        mov loc8 = cr.ivr
        check 1, loc2, 0x52
        check 2, loc3, 15
        check 3, loc4, 0x43
        check 4, loc5, 0x60
        check 5, loc6, 15
        check 6, loc7, 0x31
        check 7, loc8, 15
        end_test

        test "interrupts: before the first instruction after rfi"
        interrupt 0x70
1:      mov r16 = cr.irr1
        tbit.z p6, p0 = r16, 0x70 - 64
  (p6)  br.cond.spnt.many 1b
        catch 3f
        enter PSR_I, 2f, 1
        explicit
2:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
        .auto
        mov r8 = 1
        br.cond.sptk.many 7f
3:      check_trap 2, TRAP_VECTOR, EXTERNAL
        check_trap 3, TRAP_ISR, SLOT1   // of the next instruction
        check_trap 4, TRAP_IIP, 2b
        movl r16 = trap + TRAP_IPSR
        ld8 r16 = [r16]
        movl r17 = PSR_KERNEL + PSR_I + SLOT1
        check 5, r16, r17
        mov r16 = cr.ivr
        mov cr.eoi = r0
        serialize d
        check 6, r16, 0x70
        end_test

        .data
        .balign 16
interrupts:
        data8 0, 0                      // number, last vector
