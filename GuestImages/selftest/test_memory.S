// Semaphores, 16-byte references, byte order (Volume 1, sections 4.4 and 4.5; Volume 3).
        .include "macros.inc"

        .macro fill value
        movl r16 = scratch
        movl r17 = \value
        st8 [r16] = r17
        .endm

        .text
        test "memory: cmpxchg"
        fill 0x1122334455667788
        mov r18 = 0x55
        movl r19 = 0x1122334455667788
        mov ar.ccv = r19
        cmpxchg8.acq r20 = [r16], r18, ar.ccv
        check_long 1, r20, 0x1122334455667788
        cmpxchg8.rel r20 = [r16], r0, ar.ccv            // does not match any more
        check 2, r20, 0x55
        ld8 r20 = [r16]
        check 3, r20, 0x55
        fill 0x00000000FFFFFF80
        movl r19 = 0xFFFFFF80
        mov ar.ccv = r19
        mov r18 = 7
        cmpxchg4.acq r20 = [r16], r18, ar.ccv           // zero-extended
        check_long 4, r20, 0xFFFFFF80
        ld8 r20 = [r16]
        check 5, r20, 7
        movl r19 = 0x100000007                          // all of CCV is compared
        mov ar.ccv = r19
        mov r18 = 9
        cmpxchg4.acq r20 = [r16], r18, ar.ccv
        ld8 r21 = [r16]
        check 6, r20, 7
        check 7, r21, 7
        mov r19 = 7
        mov ar.ccv = r19
        cmpxchg1.acq r20 = [r16], r18, ar.ccv
        cmpxchg2.rel r21 = [r16], r0, ar.ccv
        check 8, r20, 7
        check 9, r21, 9
        end_test

        test "memory: xchg and fetchadd"
        fill 0xFFFFFFFFFFFFFFFF
        xchg4 r18 = [r16], r0
        ld8 r19 = [r16]
        check_long 1, r18, 0xFFFFFFFF
        check_long 2, r19, 0xFFFFFFFF00000000
        fetchadd4.acq r18 = [r16], -1
        ld8 r19 = [r16]
        check 3, r18, 0
        check 4, r19, -1
        fetchadd8.rel r18 = [r16], 16
        ld8 r19 = [r16]
        check 5, r18, -1
        check 6, r19, 15
        xchg1 r18 = [r16], r0
        check 7, r18, 15
        end_test

        test "memory: 16-byte references"
        mov r15 = 4
        mov r14 = cpuid[r15]
        mov r8 = 0
        tbit.z p6, p0 = r14, 2          // CPUID[4].ao: a processor may do without
  (p6)  br.cond.spnt.many 7f
        movl r16 = scratch
        movl r17 = 0x1111
        movl r18 = 0x2222
        mov ar.csd = r18
        st16 [r16] = r17, ar.csd
        ld8 r19 = [r16], 8
        ld8 r20 = [r16], -8
        check_long 1, r19, 0x1111
        check_long 2, r20, 0x2222
        mov ar.csd = r0
        ld16 r19, ar.csd = [r16]
        mov r20 = ar.csd
        check_long 3, r19, 0x1111
        check_long 4, r20, 0x2222
        mov ar.ccv = r18                // compares the upper half, writes both
        mov r21 = 0x33
        mov ar.csd = r21
        add r22 = 8, r16
        mov r23 = 0x44
        cmp8xchg16.acq r19 = [r22], r23, ar.csd, ar.ccv
        ld8 r20 = [r16], 8
        ld8 r21 = [r16]
        check_long 5, r19, 0x2222
        check 6, r20, 0x44
        check 7, r21, 0x33
        end_test

        test "memory: big-endian references"
        fill 0x0102030405060708
        sum 1 << 1
        ld8 r18 = [r16]
        ld2 r19 = [r16]
        rum 1 << 1
        check_long 1, r18, 0x0807060504030201
        check_long 2, r19, 0x0807
        end_test
