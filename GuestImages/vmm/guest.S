// The guest: a small kernel that uses what is virtualized, and checks what it gets. It runs in the monitor's own region at level 0.
        .include "monitor.inc"

SAVED_PAGE      = TEST_PAGE             // region 1
GUEST_CPUID3    = 0x20005504
GUEST_PTA       = 0x2000000000000000 - 0x8000 + (15 << 2)

        .global guest_start
// Unless a register equals a constant: a check fails.
        .macro expect number, register, value
        mov r9 = \register
        movl r10 = \value
        mov r8 = \number
        cmp.ne p6, p0 = r9, r10
  (p6)  break.m CALL_FAIL
        .endm

        .macro print text
        .pushsection .rodata
66:     .asciz "\text"
        .popsection
        movl r8 = 66b
        break.m CALL_PRINT
        .endm

        .section .guest, "ax"
// The guest's interruption vectors. Interrupted code is in bank 1, handlers are in bank 0.
        .balign 0x8000
        .global guest_ivt
guest_ivt:

// A miss of the guest's page: CR reads IFA; CR writes ITIR; itc.d; rfi.
        .org ALTERNATE_DATA_TLB
        mov r16 = cr.ifa
        movl r17 = SAVED_PAGE
        mov r20 = pr
        movl r18 = guest_page - KERNEL_OFFSET + PTE_P + PTE_A + PTE_D + PTE_RW
        mov r19 = 12 << 2
        cmp.ne p6, p0 = r16, r17
        mov r8 = 90
  (p6)  break.m CALL_FAIL
        mov pr = r20, -1
        mov cr.itir = r19
        serialize d
        itc.d r18
        rfi

// A break: CR reads IIM, IFS (twice), IIP; CR writes IIP; cover; rfi.
        .org BREAK
        mov r16 = cr.iim
        movl r17 = noted
        mov r18 = cr.ifs
        st8 [r17] = r16, 8
        st8 [r17] = r18, 8
        cover
        mov r18 = cr.ifs
        mov r19 = cr.iip
        st8 [r17] = r18
        add r19 = 16, r19
        mov cr.iip = r19
        rfi

// The timer: CR reads IVR; CR writes EOI; rfi.
        .org EXTERNAL
        mov r16 = cr.ivr
        movl r17 = interrupts
        ld8 r18 = [r17], 8
        add r18 = 1, r18
        st8 [r17] = r16, -8
        st8 [r17] = r18
        mov cr.eoi = r0
        serialize d
        rfi
        .org 0x8000

        .text
guest_start:
        alloc r2 = ar.pfs, 0, 4, 0, 0
        mov r32 = 0x32
        mov r33 = 0x33
        mov r34 = 0x34
        mov r35 = 0x35

// CPUID: one read.
        mov r2 = 3
        mov r14 = cpuid[r2]
        expect 1, r14, GUEST_CPUID3

// Control registers: writes of IVA and PTA, reads of both.
        movl r2 = guest_ivt
        movl r3 = GUEST_PTA
        mov cr.iva = r2
        mov cr.pta = r3
        serialize d
        mov r14 = cr.iva
        mov r15 = cr.pta
        expect 2, r14, guest_ivt
        expect 3, r15, GUEST_PTA

// A region register: one write, one read.
        movl r2 = 3 << 61
        movl r3 = ((RID + 0x33) << 8) + (14 << 2)
        mov rr[r2] = r3
        serialize d
        mov r14 = rr[r2]
        expect 4, r14, ((RID + 0x33) << 8) + (14 << 2)

// PSR: two reads, one write. The monitor's own bits do not show.
        mov r14 = psr
        expect 5, r14, PSR_DT + PSR_RT + PSR_IT
        movl r3 = PSR_DFH
        or r3 = r14, r3
        mov psr.l = r3
        serialize d
        mov r14 = psr
        expect 6, r14, PSR_DFH + PSR_DT + PSR_RT + PSR_IT

// Banks: two times bsw.0, two times bsw.1.
        mov r16 = 0x116
        mov r31 = 0x131
        bsw.0
        mov r16 = 0x16
        mov r31 = 0x31
        bsw.1
        mov r14 = r16
        mov r15 = r31
        bsw.0
        mov r2 = r16
        mov r3 = r31
        bsw.1
        expect 7, r14, 0x116
        expect 8, r15, 0x131
        expect 9, r2, 0x16
        expect 10, r3, 0x31

// ssm of PSR.ic: intercepted with any acceleration.
        ssm PSR_IC
        serialize i

// The clock: two reads. The second one waits for what the first one has read: it ticks more slowly than groups issue.
        mov r14 = ar.itc
        ;;
        or r3 = r14, r0
        ;;
        mov r15 = ar.itc
        mov r8 = 11
        cmp.ltu p6, p7 = r14, r15
  (p7)  break.m CALL_FAIL
        print "guest: registers\n"

// Translations: a miss, tpa, thash, a purge, a miss.
        movl r2 = SAVED_PAGE
        movl r3 = 0x1122334455667788
        st8 [r2] = r3
        ld8 r14 = [r2]
        expect 20, r14, 0x1122334455667788
        movl r15 = guest_page
        ld8 r14 = [r15]
        expect 21, r14, 0x1122334455667788
        tpa r14 = r2
        expect 22, r14, guest_page - KERNEL_OFFSET
        thash r14 = r2                  // short format, pages of 4 KiB, a table of 32 KiB at the end of the region
        expect 23, r14, 0x3FFFFFFFFFFF8000 + ((SAVED_PAGE >> 12 << 3) & 0x7FFF)
        mov r14 = 12 << 2
        ptc.l r2, r14
        serialize d
        ld8 r14 = [r2]
        expect 24, r14, 0x1122334455667788
        print "guest: translations\n"

// A break into the guest's own vectors, and back with the frame.
        explicit
1:      { .mii
          break.m 0x42
          nop.i 0
          nop.i 0 ;;
        }
        .auto
        movl r2 = noted
        ld8 r14 = [r2], 8
        ld8 r15 = [r2], 8
        ld8 r2 = [r2]
        expect 30, r14, 0x42
        expect 31, r15, 0
        expect 32, r2, (1 << 63) + 4 + (4 << 7)
        expect 33, r32, 0x32
        expect 34, r33, 0x33
        expect 35, r34, 0x34
        expect 36, r35, 0x35
        print "guest: break\n"

// The timer with interrupts enabled: CR writes TPR, ITV, ITM; a read of ITC; ssm and rsm of PSR.i.
        mov r2 = GUEST_TIMER
        mov cr.tpr = r0
        mov cr.itv = r2
        serialize d
        ssm PSR_I
        serialize d
        mov r14 = ar.itc
        movl r3 = 2000
        add r14 = r14, r3
        mov cr.itm = r14
        serialize d
        movl r2 = interrupts
1:      ld8 r14 = [r2]
        cmp.eq p6, p0 = 0, r14
  (p6)  br.cond.sptk.few 1b
        rsm PSR_I
        expect 40, r14, 1
        movl r2 = interrupts + 8
        ld8 r14 = [r2]
        expect 41, r14, GUEST_TIMER

// With interrupts disabled: it waits for ssm. A read of ITC, a write of ITM, ssm, rsm.
        mov r14 = ar.itc
        add r14 = 2000, r14
        mov cr.itm = r14
        serialize d
        movl r3 = 20000
        mov ar.lc = r3
1:      nop.m 0
        br.cloop.sptk.few 1b
        movl r2 = interrupts
        ld8 r14 = [r2]
        expect 42, r14, 1
        ssm PSR_I
        serialize d
        ld8 r14 = [r2]
        expect 43, r14, 2

// Enabled, but held back by TPR: CR writes TPR, ITM, TPR; reads TPR; a read of ITC.
        mov r3 = 5 << 4
        mov cr.tpr = r3
        serialize d
        mov r14 = ar.itc
        add r14 = 2000, r14
        mov cr.itm = r14
        serialize d
        movl r3 = 20000
        mov ar.lc = r3
1:      nop.m 0
        br.cloop.sptk.few 1b
        mov r15 = cr.tpr
        ld8 r14 = [r2]
        expect 44, r14, 2
        expect 45, r15, 5 << 4
        mov cr.tpr = r0
        serialize d
        ld8 r14 = [r2]
        expect 46, r14, 3
        rsm PSR_I
        print "guest: interrupts\n"
        break.m CALL_END

        .bss
        .balign 8
        .global interrupts
interrupts:
        .skip 16                        // how many, and the last vector
noted:  .skip 24                        // of the break: IIM, IFS before and after cover
        .balign 0x1000
guest_page:
        .skip 0x1000
