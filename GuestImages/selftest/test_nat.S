// What a NaT does to each kind of instruction (Volume 3, the pages' pseudo-code; tables 2-14 and 2-15 for compares).
        .include "macros.inc"

// r18: 1 if the register has a NaT.
        .macro nat register
        mov r18 = 0
        tnat.nz p7, p0 = \register
  (p7)  mov r18 = 1
        .endm

// r18: 2 * p8 + p9.
        .macro pair
        mov r18 = 0
  (p8)  add r18 = 2, r18
  (p9)  add r18 = 1, r18
        .endm

        .text
        test "NaT: compares of every type"
        make_nat r16
        cmp.eq p8, p9 = r0, r0
        cmp.eq.unc p8, p9 = r16, r0
        pair
        check 1, r18, 0
        cmp.eq p8, p10 = r0, r0
        cmp.eq p9, p10 = r0, r0
        cmp.eq.and p8, p9 = r16, r0     // and: both cleared
        pair
        check 2, r18, 0
        cmp.eq p8, p9 = r0, r0
        cmp.eq.or p8, p9 = r16, r0      // or: both stay
        pair
        check 3, r18, 2
        cmp.eq p8, p9 = r0, r0
        cmp.eq.or.andcm p8, p9 = r16, r0
        pair
        check 4, r18, 2
        cmp.eq p8, p9 = r0, r0
        tbit.nz p8, p9 = r16, 3
        pair
        check 5, r18, 0
        cmp.eq p8, p9 = r0, r0
        cmp4.lt p8, p9 = 5, r16
        pair
        check 6, r18, 0
        cmp.ne p10, p0 = r0, r0
        cmp.eq p8, p9 = r0, r0
  (p10) cmp.eq p8, p9 = r16, r0         // not executed
        pair
        check 7, r18, 2
        end_test

        test "NaT: arithmetic, shifts, multimedia"
        make_nat r16
        add r17 = r16, r0
        nat r17
        check 1, r18, 1
        shladd r17 = r0, 2, r16
        nat r17
        check 2, r18, 1
        dep.z r17 = r16, 5, 5
        nat r17
        check 3, r18, 1
        shrp r17 = r0, r16, 7
        nat r17
        check 4, r18, 1
        mux2 r17 = r16, 0x1B
        nat r17
        check 5, r18, 1
        padd4 r17 = r0, r16
        nat r17
        check 6, r18, 1
        sxt4 r17 = r16
        nat r17
        check 7, r18, 1
        popcnt r17 = r16
        nat r17
        check 8, r18, 1
        movl r17 = 5                    // and away again
        nat r17
        check 9, r18, 0
        thash r17 = r16
        nat r17
        check 10, r18, 1
        mov r17 = pr
        nat r17
        check 11, r18, 0
        end_test

        test "NaT: loads"
        make_nat r16
        movl r17 = scratch + 8
        mov r19 = 8
        ld8.s r20 = [r16], 8            // address NaT: target and base NaT
        nat r20
        check 1, r18, 1
        nat r16
        check 2, r18, 1
        make_nat r16
        movl r17 = scratch + 8
        ld8 r20 = [r17], r16            // increment NaT: base NaT, target not
        nat r20
        check 3, r18, 0
        nat r17
        check 4, r18, 1
        movl r17 = scratch
        mov r3 = -1
        mov ar.unat = r3
        ld8.fill r20 = [r17], 8         // a fill of a NaT updates its base too
        nat r20
        check 5, r18, 1
        check_long 6, r17, scratch + 8
        ld8.fill r20 = [r17], r19
        check_long 7, r17, scratch + 16
        mov ar.unat = r0
        ld8.fill r20 = [r17]
        nat r20
        check 8, r18, 0
        make_nat r16
        ldfd.s f6 = [r16], 8
        fclass.m p7, p0 = f6, @nat
        mov r18 = 0
  (p7)  mov r18 = 1
        check 9, r18, 1
        mov r18 = 0
        chk.s f6, 1f
        mov r18 = 1
1:      check 10, r18, 0
        lfetch [r16], 8                 // neither faults nor loads
        nat r16
        check 11, r18, 1
        end_test

        trap_test "NaT: fault of an address", NAT_CONSUMPTION, 0x10 + ISR_R + ISR_W + SLOT1, 1
        make_nat r16
        explicit
1: 2:   { .mmi
          nop.m 0
          fetchadd8.acq r17 = [r16], 1
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "NaT: fault of predicates", NAT_CONSUMPTION, 0x10 + SLOT2, 2
        make_nat r16
        explicit
1: 2:   { .mii
          nop.m 0
          nop.i 0
          mov pr = r16, 2 ;;
        }
        end_trap_test

        trap_test "NaT: fault of an application register", NAT_CONSUMPTION, 0x10 + SLOT2, 2
        make_nat r16
        explicit
1: 2:   { .mii
          nop.m 0
          nop.i 0
          mov.i ar.lc = r16 ;;
        }
        end_trap_test

        trap_test "NaT: illegal operation comes first", GENERAL, ILLEGAL + SLOT1, 1
        make_nat r16
        explicit
1: 2:   { .mmi
          nop.m 0
          mov cr.iip = r16
          nop.i 0 ;;
        }
        end_trap_test

        test "NaT: semaphores and allocations clear it"
        movl r17 = scratch
        make_nat r20
        xchg8 r20 = [r17], r0
        nat r20
        check 1, r18, 0
        make_nat r20
        alloc r20 = ar.pfs, 0, 12, 4, 0
        nat r20
        check 2, r18, 0
        make_nat r20
        mov r20 = b0
        nat r20
        check 3, r18, 0
        end_test

        test "NaT: both register banks"
        make_nat r16
        mov r17 = 17
        rsm PSR_IC                      // handlers own bank 0
        serialize d
        explicit
        { .mib
          nop.m 0
          nop.i 0
          bsw.0 ;;
        }
        .auto
        mov r8 = 0
        mov r16 = 1
        tnat.nz p7, p0 = r16
  (p7)  mov r8 = 1
        explicit
        { .mib
          nop.m 0
          nop.i 0
          bsw.1 ;;
        }
        .auto
        mov loc2 = r8
        ssm PSR_IC
        serialize i
        check 1, loc2, 0
        nat r16
        check 2, r18, 1
        check 3, r17, 17
        end_test

// r32 has a NaT; two rotations later it is r34, and its bit is with it.
rotated_nat:
        alloc r14 = ar.pfs, 0, 8, 0, 8
        mov r15 = pr
        make_nat r32
        mov r33 = 33
        mov ar.lc = 1
        mov ar.ec = 1
        explicit
1:      { .mib
          nop.m 0
          nop.i 0
          br.ctop.sptk.few 1b ;;
        }
        .auto
        mov r16 = 0
        tnat.nz p7, p0 = r34
  (p7)  add r16 = 1, r16
        tnat.nz p8, p0 = r35
  (p8)  add r16 = 2, r16
        mov r17 = r35
        clrrrb
        tnat.nz p7, p0 = r32
  (p7)  add r16 = 4, r16
        mov pr = r15, -1
        mov r34 = 0
        mov ar.pfs = r14
        br.ret.sptk.many b0

        test "NaT: rotation"
        call rotated_nat
        mov loc2 = r16
        mov loc3 = r17
        check 1, loc2, 5
        check 2, loc3, 33
        end_test
