// Interruptions that one instruction raises (Volume 2, chapters 5 and 8): General Exception, break, NaT, alignment.
        .include "macros.inc"

        .text
        trap_test "trap: illegal operation (register outside the frame)", GENERAL, ILLEGAL + SLOT1, 1
        explicit
1: 2:   { .mii
          nop.m 0
          add r127 = r0, r0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: illegal operation (reserved template)", GENERAL, ILLEGAL, 0
        explicit
2:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      data8 0x0000000001000006, 0x0004000000000200
        end_trap_test

        trap_test "trap: illegal operation (BSPSTORE in eager mode)", GENERAL, ILLEGAL, 0
        explicit
2:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mii
          mov r16 = ar.bspstore
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: illegal operation (IIP with PSR.ic set)", GENERAL, ILLEGAL + SLOT1, 1
        explicit
1: 2:   { .mmi
          nop.m 0
          mov r16 = cr.iip
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: illegal operation (IVR is read-only)", GENERAL, ILLEGAL, 0
        explicit
2:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mii
          mov cr.ivr = r0
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: illegal operation (loadrs in a frame with registers)", GENERAL, ILLEGAL, 0
        alloc r16 = ar.pfs, 0, 1, 0, 0
        movl r17 = 8 << 16
        mov ar.rsc = r17
        explicit
2:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mii
          loadrs
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: privileged operation (rsm)", GENERAL, PRIVILEGED, 0
        enter PSR_CPL, 2f
        explicit
2:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mii
          rsm PSR_I
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: privileged operation (rfi)", GENERAL, PRIVILEGED + SLOT2, 2
        enter PSR_CPL, 1f
        explicit
1: 2:   { .mib
          nop.m 0
          nop.i 0
          rfi ;;
        }
        end_trap_test

        trap_test "trap: privileged register (AR.K0)", GENERAL, PRIVILEGED_REGISTER + SLOT1, 1
        enter PSR_CPL, 1f
        explicit
1: 2:   { .mmi
          nop.m 0
          mov ar.k0 = r0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: privileged register (ITC with PSR.si)", GENERAL, PRIVILEGED_REGISTER + SLOT1, 1
        enter PSR_CPL + PSR_SI, 1f
        explicit
1: 2:   { .mmi
          nop.m 0
          mov r16 = ar.itc
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: reserved register/field (PKR number)", GENERAL, RESERVED_FIELD + SLOT1, 1
        mov r16 = 200
        explicit
1: 2:   { .mmi
          nop.m 0
          mov r17 = pkr[r16]
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: reserved register/field (region register)", GENERAL, RESERVED_FIELD + SLOT1, 1
        movl r16 = 1 << 61
        mov r17 = 12 << 2 | 2
        explicit
1: 2:   { .mmi
          nop.m 0
          mov rr[r16] = r17
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: reserved register/field (RSC)", GENERAL, RESERVED_FIELD + SLOT1, 1
        mov r16 = 1 << 5
        explicit
1: 2:   { .mmi
          nop.m 0
          mov ar.rsc = r16
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: reserved register/field (FPSR precision)", GENERAL, RESERVED_FIELD + SLOT1, 1
        movl r16 = FPSR_DEFAULT & ~(3 << 8) | 1 << 8
        explicit
1: 2:   { .mmi
          nop.m 0
          mov ar.fpsr = r16
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: break.m", BREAK, 0, 0, CHECK_IIM, iim=0x12345
        explicit
2:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mii
          break.m 0x12345
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: break.i", BREAK, SLOT2, 2, CHECK_IIM, iim=0x1FFFFF
        explicit
1: 2:   { .mii
          nop.m 0
          nop.i 0
          break.i 0x1FFFFF ;;
        }
        end_trap_test

        trap_test "trap: break.b has no immediate", BREAK, SLOT2, 2, CHECK_IIM, iim=0
        explicit
1: 2:   { .mib
          nop.m 0
          nop.i 0
          break.b 0x777 ;;
        }
        end_trap_test

        trap_test "trap: break.x reports 21 bits", BREAK, SLOT1, 1, CHECK_IIM, iim=0x65432
        explicit
1: 2:   { .mlx
          nop.m 0
          break.x 0x1FFFFFF00065432 ;;
        }
        end_trap_test

        trap_test "trap: no break under a false predicate", BREAK, SLOT1, 1, CHECK_IIM, iim=2
        cmp.eq p6, p7 = r0, r0
        explicit
1: 2:   { .mii
     (p7) break.m 1
     (p6) break.i 2
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: NaT consumption (branch register)", NAT_CONSUMPTION, 0x10 + SLOT1, 1
        make_nat r16
        explicit
1: 2:   { .mii
          nop.m 0
          mov b6 = r16
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: NaT consumption (control register)", NAT_CONSUMPTION, 0x10 + SLOT1, 1
        make_nat r16
        explicit
1: 2:   { .mmi
          nop.m 0
          mov cr.tpr = r16
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: NaT consumption (stored value)", NAT_CONSUMPTION, 0x10 + ISR_W + SLOT1, 1
        make_nat r16
        movl r17 = scratch
        explicit
1: 2:   { .mmi
          nop.m 0
          st8 [r17] = r16
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: unaligned load with PSR.ac", UNALIGNED, ISR_R, 0, CHECK_IFA, ifa=scratch + 2
        movl r16 = scratch + 2
        enter PSR_AC, 2f
        explicit
2:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mii
          ld4 r17 = [r16]
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: unaligned store with PSR.ac", UNALIGNED, ISR_W + SLOT1, 1, CHECK_IFA, ifa=scratch + 1
        movl r16 = scratch + 1
        enter PSR_AC, 1f
        explicit
1: 2:   { .mmi
          nop.m 0
          st2 [r16] = r0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: unaligned semaphore", UNALIGNED, ISR_R + ISR_W + SLOT1, 1, CHECK_IFA, ifa=scratch + 4
        movl r16 = scratch + 4
        explicit
1: 2:   { .mmi
          nop.m 0
          fetchadd8.acq r17 = [r16], 1
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: semaphore in uncacheable memory", UNSUPPORTED, ISR_R + ISR_W + SLOT1, 1, CHECK_IFA, ifa=scratch - KERNEL_OFFSET + UNCACHED
        movl r16 = scratch - KERNEL_OFFSET + UNCACHED
        ld8 r17 = [r16]
        explicit
1: 2:   { .mmi
          nop.m 0
          xchg8 r17 = [r16], r0
          nop.i 0 ;;
        }
        end_trap_test
