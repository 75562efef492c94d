// Interruptions of the bare machine. Misses in regions 6 and 7 are answered by the identity; everything else becomes a call of
// native_trap(struct frame *).
        .include "offsets.inc"

        .macro  VECTOR number
        .org    \number
        mov     r31 = pr
        mov     r30 = \number
        br.sptk.many native_entry ;;
        .endm

        .section .ivt, "ax"
        .balign 0x8000
        .global native_ivt
native_ivt:
        VECTOR  0x0000
        VECTOR  0x0400
        VECTOR  0x0800
        .org    0x0c00
        mov     r31 = pr
        mov     r17 = cr.ifa
        br.sptk.many instruction_identity ;;
        .org    0x1000
        mov     r31 = pr
        mov     r17 = cr.ifa
        br.sptk.many data_identity ;;
        .irp    number, 0x1400,0x1800,0x1c00,0x2000,0x2400,0x2800,0x2c00,0x3000,0x3400,0x3800,0x3c00,0x4000,0x4400,0x4800,0x4c00,0x5000
        VECTOR  \number
        .endr
        .irp    number, 0x5100,0x5200,0x5300,0x5400,0x5500,0x5600,0x5700,0x5800,0x5900,0x5a00,0x5b00,0x5c00,0x5d00,0x5e00,0x5f00,0x6000
        VECTOR  \number
        .endr
        .balign 0x8000

        .text
        // Present, accessed, dirty, all rights for level 0; 16 KiB write-back, or 16 MiB uncacheable.
        .proc instruction_identity
instruction_identity:
        extr.u  r18 = r17, 14, 36
        shr.u   r19 = r17, 61
        mov     r30 = 0x0c00 ;;
        cmp.ne  p6, p7 = 7, r19
        shl     r18 = r18, 14
        movl    r19 = 0x661
(p6)    br.cond.spnt.many native_entry ;;
        or      r18 = r18, r19 ;;
        itc.i   r18 ;;
        mov     pr = r31, -1
        rfi ;;
        .endp instruction_identity

        .proc data_identity
data_identity:
        extr.u  r18 = r17, 14, 36
        shr.u   r19 = r17, 61
        mov     r30 = 0x1000 ;;
        cmp.eq  p6, p0 = 6, r19
        cmp.gtu p7, p0 = 6, r19
        shl     r18 = r18, 14
(p7)    br.cond.spnt.many native_entry ;;
        mov     r20 = 0x661 ;;
(p6)    mov     r20 = 0x671
(p6)    dep     r18 = 0, r18, 0, 24 ;;
        or      r18 = r18, r20 ;;
        itc.d   r18 ;;
        mov     pr = r31, -1
        rfi ;;
        .endp data_identity

        // Bank 0, PSR.ic and i clear. r30: the vector, r31: predicates.
        .proc native_entry
native_entry:
        adds    r12 = -FRAME_SIZE, r12
        cover ;;
        .macro  SAVE offset, source
        adds    r17 = \offset, r12
        mov     r18 = \source ;;
        st8     [r17] = r18
        .endm
        SAVE    F_IFS, cr.ifs
        SAVE    F_IIP, cr.iip
        SAVE    F_IPSR, cr.ipsr
        SAVE    F_ISR, cr.isr
        SAVE    F_IFA, cr.ifa
        SAVE    F_VECTOR, r30
        SAVE    F_PR, r31
        SAVE    F_RSC, ar.rsc
        SAVE    F_UNAT, ar.unat
        mov     ar.rsc = 3
        adds    r17 = F_R2, r12
        adds    r18 = F_R3, r12 ;;
        st8.spill [r17] = r2 ;;
        st8.spill [r18] = r3 ;;
        bsw.1 ;;
        adds    r2 = F_GP, r12
        adds    r3 = F_R8, r12 ;;
        st8.spill [r2] = r1 ;;
        .irp    n, 8,9,10,11,14,15
        st8.spill [r3] = r\n, 8 ;;
        .endr
        .irp    register, b0,b6,b7,ar.pfs
        mov     r8 = \register ;;
        st8     [r3] = r8, 8 ;;
        .endr
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
        // From here on misses can be answered.
        ssm     1 << 13 ;;
        srlz.d ;;
        movl    r1 = __gp
        alloc   r3 = ar.pfs, 0, 0, 1, 0 ;;
        adds    out0 = 16, r12
        br.call.sptk.many rp = native_trap ;;

        rsm     1 << 13 ;;
        srlz.d ;;
        .macro  RESTORE offset, destination
        adds    r2 = \offset, r12 ;;
        ld8     r3 = [r2] ;;
        mov     \destination = r3
        .endm
        RESTORE F_IIP, cr.iip
        RESTORE F_IPSR, cr.ipsr
        RESTORE F_IFS, cr.ifs
        adds    r3 = F_BANKED, r12 ;;
        .irp    n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        ld8.fill r\n = [r3], 8 ;;
        .endr
        .irp    n, 6,7,8,9,10,11
        ldf.fill f\n = [r3], 16 ;;
        .endr
        RESTORE F_CCV, ar.ccv
        RESTORE F_PFS, ar.pfs
        RESTORE F_B7, b7
        RESTORE F_B6, b6
        RESTORE F_B0, b0
        adds    r3 = F_R8, r12
        adds    r2 = F_GP, r12 ;;
        ld8.fill r1 = [r2]
        .irp    n, 8,9,10,11,14,15
        ld8.fill r\n = [r3], 8 ;;
        .endr
        RESTORE F_RSC, ar.rsc
        RESTORE F_UNAT, ar.unat
        adds    r2 = F_PR, r12 ;;
        ld8     r3 = [r2] ;;
        mov     pr = r3, -1
        adds    r2 = F_R2, r12
        adds    r3 = F_R3, r12 ;;
        ld8     r2 = [r2]
        ld8     r3 = [r3]
        adds    r12 = FRAME_SIZE, r12 ;;
        rfi ;;
        .endp native_entry
