// The interruption vector table. Handlers run in bank 0: r29 vector, r30 b7, r31 predicates.
        .include "macros.inc"

        .section .ivt, "ax"
        .macro vector handler
        mov r29 = number
        mov r31 = pr
        br.cond.sptk.many \handler
        .endm

        .balign 0x8000
        .global ivt
ivt:
number = 0
        .rept 20                        // 64 bundles each
        .org number
        .if number == ALTERNATE_INSTRUCTION_TLB
        vector alternate_instruction
        .elseif number == ALTERNATE_DATA_TLB
        vector alternate_data
        .else
        vector take
        .endif
number = number + 0x400
        .endr
        .rept 48                        // 16 bundles each
        .org number
        .if number == SPECULATION
        vector speculation
        .else
        vector take
        .endif
number = number + 0x100
        .endr
        .org 0x8000

        .text
// Notes what happened, then goes on where the test wants.
        .global take
take:
        mov r30 = b7
        ssm PSR_DT                      // a test may have switched it off
        serialize d
        movl r16 = trap + TRAP_COUNT
        mov r17 = r16
        ld8 r18 = [r16]
        add r18 = 1, r18
        mov r19 = cr.isr
        st8 [r17] = r18, 8
        st8 [r17] = r29, 8
        st8 [r17] = r19, 8
        mov r18 = cr.iip
        mov r19 = cr.ipsr
        mov r20 = cr.iipa
        mov r21 = cr.ifa
        mov r22 = cr.itir
        mov r23 = cr.iha
        mov r24 = cr.iim
        mov r25 = cr.ifs
        st8 [r17] = r18, 8
        st8 [r17] = r19, 8
        st8 [r17] = r20, 8
        st8 [r17] = r21, 8
        st8 [r17] = r22, 8
        st8 [r17] = r23, 8
        st8 [r17] = r24, 8
        st8 [r17] = r25, 8
        movl r16 = trap
        ld8 r17 = [r16], 8
        ld8 r18 = [r16]
        cmp.ne p6, p0 = 0, r17
        cmp.eq p7, p0 = 0, r18
  (p7)  movl r18 = lost
  (p6)  mov b7 = r17
  (p6)  br.cond.spnt.many b7
        movl r19 = PSR_KERNEL
        mov cr.iip = r18
        mov cr.ipsr = r19
        mov cr.ifs = r0

// The end of a handler and of a hook.
        .global resume
resume:
        mov b7 = r30
        mov pr = r31, -1
        rfi

// Regions 6 and 7 are physical memory; a miss elsewhere is a test's.
alternate_data:
        mov r16 = cr.ifa
        movl r18 = PTE_P + PTE_A + PTE_D + PTE_RW
        shr.u r17 = r16, 61
        extr.u r19 = r16, 12, 38
        cmp.gtu p6, p0 = 6, r17
        cmp.eq p7, p0 = 6, r17
  (p6)  br.cond.spnt.many take
  (p7)  add r18 = PTE_UC, r18
        shl r19 = r19, 12
        or r18 = r18, r19
        itc.d r18
        mov pr = r31, -1
        rfi

alternate_instruction:
        mov r16 = cr.ifa
        movl r18 = PTE_P + PTE_A + PTE_RX
        shr.u r17 = r16, 61
        extr.u r19 = r16, 12, 38
        cmp.ne p6, p0 = 7, r17
  (p6)  br.cond.spnt.many take
        shl r19 = r19, 12
        or r18 = r18, r19
        itc.i r18
        mov pr = r31, -1
        rfi

// A processor may leave the branch of chk and fchkf to software (Volume 2, Speculation vector).
speculation:
        mov r16 = cr.iim
        mov r17 = cr.iip
        mov r18 = cr.ipsr
        shl r16 = r16, 43
        dep r18 = 0, r18, PSR_RI_SHIFT, 2
        shr r16 = r16, 39
        mov cr.ipsr = r18
        add r17 = r17, r16
        mov cr.iip = r17
        mov pr = r31, -1
        rfi

        .data
        .balign 64
        .global trap
trap:   .skip TRAP_SIZE
