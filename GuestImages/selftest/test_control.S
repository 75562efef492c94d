// Traps that follow an instruction, debug registers, disabled floating point (Volume 2, sections 5.5, 7.1 and 8.3).
        .include "macros.inc"

        .text
        trap_test "trap: single step", SINGLE_STEP, 8, 1
        enter PSR_SS, 1f
        explicit
1: 2:   { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: single step over the end of a bundle", SINGLE_STEP, 8 + SLOT2, 0
        enter PSR_SS, 2f, 2
        explicit
2:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: single step of movl", SINGLE_STEP, 8 + SLOT1, 0
        enter PSR_SS, 2f, 1
        explicit
2:      { .mlx
          nop.m 0
          movl r16 = 0x123456789ABCDEF0 ;;
        }
1:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: taken branch", TAKEN_BRANCH, 4 + SLOT2, 0
        enter PSR_TB, 2f
        explicit
2:      { .mib
          nop.m 0
          nop.i 0
          br.cond.sptk.few 1f ;;
        }
        { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: taken branch and single step", TAKEN_BRANCH, 4 + 8 + SLOT2, 0
        enter PSR_TB + PSR_SS, 2f, 2
        explicit
2:      { .mib
          nop.m 0
          nop.i 0
          br.cond.sptk.few 1f ;;
        }
        { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: single step of a branch that is not taken", SINGLE_STEP, 8 + SLOT2, 0
        cmp.ne p6, p0 = r0, r0
        enter PSR_TB + PSR_SS, 2f, 2
        explicit
2:      { .mib
          nop.m 0
          nop.i 0
     (p6) br.cond.sptk.few 2b ;;
        }
1:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: lower-privilege transfer", LOWER_PRIVILEGE, 2 + SLOT2, 0
        movl r16 = 1f
        movl r17 = 3 << 62
        mov b6 = r16
        mov ar.pfs = r17
        enter PSR_LP, 2f
        explicit
2:      { .mib
          nop.m 0
          nop.i 0
          br.ret.sptk.few b6 ;;
        }
        { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: lower-privilege transfer and taken branch", LOWER_PRIVILEGE, 2 + 4 + SLOT2, 0
        movl r16 = 1f
        movl r17 = 3 << 62
        mov b6 = r16
        mov ar.pfs = r17
        enter PSR_LP + PSR_TB, 2f
        explicit
2:      { .mib
          nop.m 0
          nop.i 0
          br.ret.sptk.few b6 ;;
        }
1:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

// DBR0 the address, DBR1 mask, levels, and what to match.
        .macro breakpoint file, address, what
        movl r16 = \address
        movl r17 = (\what) | 0xF << 56 | 0x00FFFFFFFFFFFFF0
        mov r18 = 0
        mov r19 = 1
        mov \file[r18] = r16
        mov \file[r19] = r17
        serialize i
        .endm
DBR_R   = 1 << 63
DBR_W   = 1 << 62
IBR_X   = 1 << 63

        trap_test "trap: data breakpoint (load)", DEBUG, ISR_R + SLOT1, 1, CHECK_IFA, ifa=scratch + 8
        breakpoint dbr, scratch, DBR_R
        movl r16 = scratch + 8
        enter PSR_DB, 1f
        explicit
1: 2:   { .mmi
          st8 [r16] = r0 ;;
          ld8 r17 = [r16]
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: data breakpoint (store)", DEBUG, ISR_W + SLOT1, 1, CHECK_IFA, ifa=scratch
        breakpoint dbr, scratch, DBR_W
        movl r16 = scratch
        enter PSR_DB, 1f
        explicit
1: 2:   { .mmi
          ld8 r17 = [r16] ;;
          st8 [r16] = r0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: PSR.dd suppresses one data breakpoint", DEBUG, ISR_R + SLOT1, 1, CHECK_IFA, ifa=scratch
        breakpoint dbr, scratch, DBR_R
        movl r16 = scratch
        enter PSR_DB + PSR_DD, 1f
        explicit
1: 2:   { .mmi
          ld8 r17 = [r16]
          ld8 r18 = [r16]
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: instruction breakpoint", DEBUG, ISR_X, 0, CHECK_IFA, ifa=1f
        breakpoint ibr, 1f, IBR_X
        enter PSR_DB, 2f
        explicit
2:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: PSR.id suppresses one instruction breakpoint", DEBUG, ISR_X + SLOT1, 1, CHECK_IFA, ifa=1f
        breakpoint ibr, 1f, IBR_X
        enter PSR_DB + PSR_ID, 1f
        explicit
1: 2:   { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: disabled floating-point registers (low)", DISABLED_FP, 1 + SLOT1, 1
        enter PSR_DFL, 1f
        explicit
1: 2:   { .mfi
          nop.m 0
          fadd f6 = f0, f1
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: disabled floating-point registers (high)", DISABLED_FP, 2 + SLOT1, 1
        enter PSR_DFH, 1f
        explicit
1: 2:   { .mfi
          nop.m 0
          fadd f6 = f0, f32
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "trap: disabled floating-point registers (both)", DISABLED_FP, 3 + SLOT1, 1
        enter PSR_DFL + PSR_DFH, 1f
        explicit
1: 2:   { .mfi
          nop.m 0
          fadd f6 = f0, f127
          nop.i 0 ;;
        }
        end_trap_test
