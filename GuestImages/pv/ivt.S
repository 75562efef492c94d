// Interruptions. Misses in region 7 are answered by the identity; everything else becomes a call of trap(struct frame *).
        .include "offsets.inc"

        .macro  VECTOR number
        .org    \number
        mov     r31 = pr
        mov     r30 = \number
        br.sptk.many trap_entry ;;
        .endm

        .macro  IDENTITY number, operation
        .org    \number
        mov     r31 = pr
        mov     r30 = \number
        mov     r29 = \operation
        br.sptk.many identity ;;
        .endm

        .section .ivt, "ax"
        .balign 0x8000
        .global ivt
ivt:
        VECTOR  0x0000
        VECTOR  0x0400
        VECTOR  0x0800
        IDENTITY 0x0c00, HYPER_ITC_I
        IDENTITY 0x1000, HYPER_ITC_D
        VECTOR  0x1400
        VECTOR  0x1800
        VECTOR  0x1c00
        VECTOR  0x2000
        VECTOR  0x2400
        VECTOR  0x2800
        VECTOR  0x2c00
        VECTOR  0x3000
        VECTOR  0x3400
        VECTOR  0x3800
        VECTOR  0x3c00
        VECTOR  0x4000
        VECTOR  0x4400
        VECTOR  0x4800
        VECTOR  0x4c00
        VECTOR  0x5000
        VECTOR  0x5100
        VECTOR  0x5200
        VECTOR  0x5300
        VECTOR  0x5400
        VECTOR  0x5500
        VECTOR  0x5600
        VECTOR  0x5700
        VECTOR  0x5800
        VECTOR  0x5900
        VECTOR  0x5a00
        VECTOR  0x5b00
        VECTOR  0x5c00
        VECTOR  0x5d00
        .balign 0x8000

        // Not a vector of the processor's: what the kernel registers for events.
        .global event_entry
event_entry:
        mov     r31 = pr
        mov     r30 = 0xe000
        br.sptk.many trap_entry ;;

        .text
        .proc identity
identity:
        movl    r16 = REGISTERS + R_IFA ;;
        ld8     r17 = [r16]
        movl    r18 = 0x1fffffffffffc000 ;;
        shr.u   r19 = r17, 61
        and     r18 = r18, r17 ;;
        cmp.ne  p6, p7 = 7, r19
(p6)    br.sptk.many trap_entry ;;
        // Present, accessed, dirty, write-back, all rights for level 0.
        movl    r19 = 0x661
        // r8 is not banked.
        mov     r20 = r8
        cmp.eq  p6, p7 = HYPER_ITC_I, r29 ;;
        or      r8 = r18, r19 ;;
(p6)    break.m HYPER_ITC_I
(p7)    break.m HYPER_ITC_D ;;
        mov     r8 = r20
        mov     pr = r31, -1 ;;
        break.m HYPER_RFI ;;
        .endp identity

        // Bank 0, virtual PSR.ic and i clear. r30: the vector, r31: predicates.
        .global trap_entry
        .proc trap_entry
trap_entry:
        movl    r16 = REGISTERS
        // Whose stack r12 is does not matter here; it is the kernel's, or a test's.
        adds    r12 = -FRAME_SIZE, r12 ;;
        adds    r17 = R_PRECOVER_IFS, r16 ;;
        ld8     r18 = [r17]
        cover ;;
        adds    r17 = F_IFS, r12 ;;
        st8     [r17] = r18
        adds    r17 = R_IIP, r16 ;;
        ld8     r18 = [r17]
        adds    r17 = F_IIP, r12 ;;
        st8     [r17] = r18
        adds    r17 = R_IPSR, r16 ;;
        ld8     r18 = [r17]
        adds    r17 = F_IPSR, r12 ;;
        st8     [r17] = r18
        adds    r17 = R_ISR, r16 ;;
        ld8     r18 = [r17]
        adds    r17 = F_ISR, r12 ;;
        st8     [r17] = r18
        adds    r17 = R_IFA, r16 ;;
        ld8     r18 = [r17]
        adds    r17 = F_IFA, r12 ;;
        st8     [r17] = r18
        adds    r17 = R_IIM, r16 ;;
        ld8     r18 = [r17]
        adds    r17 = F_IIM, r12 ;;
        st8     [r17] = r18
        adds    r17 = F_VECTOR, r12 ;;
        st8     [r17] = r30
        adds    r17 = F_PR, r12 ;;
        st8     [r17] = r31
        mov     r18 = ar.rsc
        adds    r17 = F_RSC, r12 ;;
        st8     [r17] = r18
        mov     ar.rsc = 3
        mov     r18 = ar.unat
        adds    r17 = F_UNAT, r12 ;;
        st8     [r17] = r18
        adds    r17 = F_R2, r12 ;;
        st8.spill [r17] = r2
        adds    r17 = F_R3, r12 ;;
        st8.spill [r17] = r3 ;;
        // The interrupted bank, without `bsw.1`, which would trap: out of the memory where it was put at the interruption. The NaT bits lie
        // as ld8.fill finds them: the bank begins at a multiple of 512.
        movl    r2 = REGISTERS + R_BANK1
        movl    r3 = REGISTERS + R_NAT1 ;;
        ld8     r3 = [r3] ;;
        mov     ar.unat = r3 ;;
        .irp    n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        ld8.fill r\n = [r2], 8 ;;
        .endr
        movl    r2 = REGISTERS + R_BANK
        mov     r3 = 1 ;;
        st4     [r2] = r3
        adds    r2 = F_GP, r12
        adds    r3 = F_R8, r12 ;;
        st8.spill [r2] = r1 ;;
        st8.spill [r3] = r8, 8 ;;
        st8.spill [r3] = r9, 8 ;;
        st8.spill [r3] = r10, 8 ;;
        st8.spill [r3] = r11, 8 ;;
        st8.spill [r3] = r14, 8 ;;
        st8.spill [r3] = r15, 8
        mov     r8 = b0 ;;
        st8     [r3] = r8, 8
        mov     r8 = b6 ;;
        st8     [r3] = r8, 8
        mov     r8 = b7 ;;
        st8     [r3] = r8, 8
        mov     r8 = ar.pfs ;;
        st8     [r3] = r8
        adds    r3 = F_CCV, r12
        mov     r8 = ar.ccv ;;
        st8     [r3] = r8
        adds    r3 = F_BANKED, r12 ;;
        .irp    n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        st8.spill [r3] = r\n, 8 ;;
        .endr
        .irp    n, 6,7,8,9,10,11
        stf.spill [r3] = f\n, 16 ;;
        .endr
        // From here on further interruptions can be taken.
        movl    r2 = REGISTERS + R_IC
        mov     r3 = 1 ;;
        st4     [r2] = r3
        movl    r1 = __gp
        alloc   r3 = ar.pfs, 0, 0, 1, 0 ;;
        adds    out0 = 16, r12
        br.call.sptk.many rp = trap ;;

        movl    r2 = REGISTERS + R_IC ;;
        st4     [r2] = r0
        movl    r3 = REGISTERS
        adds    r8 = F_IIP, r12 ;;
        ld8     r9 = [r8]
        adds    r2 = R_IIP, r3 ;;
        st8     [r2] = r9
        adds    r8 = F_IPSR, r12 ;;
        ld8     r9 = [r8]
        adds    r2 = R_IPSR, r3 ;;
        st8     [r2] = r9
        adds    r8 = F_IFS, r12 ;;
        ld8     r9 = [r8]
        adds    r2 = R_IFS, r3 ;;
        st8     [r2] = r9
        adds    r3 = F_BANKED, r12 ;;
        .irp    n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        ld8.fill r\n = [r3], 8 ;;
        .endr
        .irp    n, 6,7,8,9,10,11
        ldf.fill f\n = [r3], 16 ;;
        .endr
        adds    r3 = F_CCV, r12 ;;
        ld8     r8 = [r3]
        adds    r3 = F_PFS, r12 ;;
        mov     ar.ccv = r8
        ld8     r8 = [r3]
        adds    r3 = F_B7, r12 ;;
        mov     ar.pfs = r8
        ld8     r8 = [r3]
        adds    r3 = F_B6, r12 ;;
        mov     b7 = r8
        ld8     r8 = [r3]
        adds    r3 = F_B0, r12 ;;
        mov     b6 = r8
        ld8     r8 = [r3]
        adds    r3 = F_R8, r12 ;;
        mov     b0 = r8
        adds    r2 = F_GP, r12
        ld8.fill r8 = [r3], 8 ;;
        ld8.fill r1 = [r2]
        ld8.fill r9 = [r3], 8 ;;
        ld8.fill r10 = [r3], 8 ;;
        ld8.fill r11 = [r3], 8 ;;
        ld8.fill r14 = [r3], 8 ;;
        ld8.fill r15 = [r3]
        adds    r3 = F_RSC, r12 ;;
        ld8     r2 = [r3]
        adds    r3 = F_UNAT, r12 ;;
        mov     ar.rsc = r2
        ld8     r2 = [r3]
        adds    r3 = F_PR, r12 ;;
        mov     ar.unat = r2
        ld8     r2 = [r3]
        adds    r3 = F_R2, r12 ;;
        mov     pr = r2, -1
        ld8.fill r2 = [r3]
        adds    r3 = F_R3, r12 ;;
        ld8.fill r3 = [r3]
        adds    r12 = FRAME_SIZE, r12 ;;
        break.m HYPER_RFI ;;
        .endp trap_entry
