// Floating-point faults and traps (Volume 1, section 5.4; Volume 2, Floating-point Fault and Trap vectors), and basics.
        .include "macros.inc"

TRAPS   = 0x3F                          // FPSR.traps: all disabled
FP_FAULT_V = 1
FP_FAULT_D = 2
FP_FAULT_Z = 4
FP_TRAP_FP = 1
FP_TRAP_O = 1 << 11
FP_TRAP_U = 1 << 12
FP_TRAP_I = 1 << 13
FP_TRAP_FPA = 1 << 14

        .macro enable_traps
        movl r16 = FPSR_DEFAULT & ~TRAPS
        mov ar.fpsr = r16
        .endm

// A register from exponent and significand.
        .macro number register, exponent, significand
        movl r16 = \exponent
        movl r17 = \significand
        setf.exp f14 = r16
        setf.sig f15 = r17
        fmerge.se \register = f14, f15
        .endm

        .text
        trap_test "floating point: invalid operation fault", FP_FAULT, FP_FAULT_V + SLOT1, 1
        enable_traps
        number f6, 0x1FFFF, 1 << 63
        fmerge.ns f7 = f6, f6
        explicit
1: 2:   { .mfi
          nop.m 0
          fadd.s0 f8 = f6, f7
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "floating point: zero divide fault", FP_FAULT, FP_FAULT_Z + SLOT1, 1
        enable_traps
        explicit
1: 2:   { .mfi
          nop.m 0
          frcpa.s0 f8, p6 = f1, f0
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "floating point: denormal/unnormal operand fault", FP_FAULT, FP_FAULT_D + SLOT1, 1
        enable_traps
        number f6, 0xFFFF, 1 << 62
        explicit
1: 2:   { .mfi
          nop.m 0
          fadd.s0 f8 = f6, f1
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "floating point: invalid in the low half of a pair", FP_FAULT, (FP_FAULT_V << 4) + SLOT1, 1
        enable_traps
        movl r16 = 0x3F8000007FA00000   // 1.0 and a signalling NaN
        setf.sig f6 = r16
        explicit
1: 2:   { .mfi
          nop.m 0
          fpmpy.s0 f8 = f6, f6
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "floating point: invalid in the high half of a pair", FP_FAULT, FP_FAULT_V + SLOT1, 1
        enable_traps
        movl r16 = 0x7FA000003F800000
        setf.sig f6 = r16
        explicit
1: 2:   { .mfi
          nop.m 0
          fpmpy.s0 f8 = f6, f6
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "floating point: inexact trap, rounded down", FP_TRAP, FP_TRAP_FP + FP_TRAP_I + SLOT1, 2
        enable_traps
        number f6, 0xFFFF, 0x8000000000000001
        explicit
1: 2:   { .mfi
          nop.m 0
          fnorm.d.s0 f8 = f6
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "floating point: inexact trap, rounded up", FP_TRAP, FP_TRAP_FP + FP_TRAP_I + FP_TRAP_FPA + SLOT1, 2
        enable_traps
        number f6, 0xFFFF, 0x8000000000000401
        explicit
1: 2:   { .mfi
          nop.m 0
          fnorm.d.s0 f8 = f6
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "floating point: overflow trap", FP_TRAP, FP_TRAP_FP + FP_TRAP_O + SLOT1, 2
        enable_traps
        number f6, 0xFFFF + 1023, 1 << 63
        explicit
1: 2:   { .mfi
          nop.m 0
          fadd.d.s0 f8 = f6, f6
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "floating point: underflow trap", FP_TRAP, FP_TRAP_FP + FP_TRAP_U + SLOT1, 2
        enable_traps
        number f6, 0xFFFF - 1022, 1 << 63
        number f7, 0xFFFF - 1, 1 << 63
        explicit
1: 2:   { .mfi
          nop.m 0
          fmpy.d.s0 f8 = f6, f7
          nop.i 0 ;;
        }
        end_trap_test

// The delivered value of an overflow trap has its full exponent (Volume 1, section 5.4.1).
        test "floating point: result of an overflow trap"
        enable_traps
        number f6, 0xFFFF + 1023, 1 << 63
        catch 1f
        fadd.d.s0 f8 = f6, f6
1:      getf.exp r16 = f8
        check_trap 1, TRAP_VECTOR, FP_TRAP
        check_long 2, r16, 0xFFFF + 1024
        end_test

        test "floating point: masked exceptions set flags"
        movl r16 = FPSR_DEFAULT
        mov ar.fpsr = r16
        frcpa.s0 f8, p7 = f1, f0        // Z in field 0: bit 6 + 9
        mov r17 = ar.fpsr
        getf.exp r18 = f8
        check_long 1, r17, FPSR_DEFAULT | 1 << 15
        check_long 2, r18, 0x1FFFF
        fclrf.s0
        mov r17 = ar.fpsr
        check_long 3, r17, FPSR_DEFAULT
        end_test

        test "floating point: arithmetic and conversion"
        mov r16 = 355
        mov r17 = 113
        setf.sig f6 = r16
        setf.sig f7 = r17
        fcvt.xf f6 = f6
        fcvt.xf f7 = f7
        frcpa.s0 f8, p7 = f6, f7
        mov r18 = 0
  (p7)  mov r18 = 1
        check 1, r18, 1
        fnma.s1 f9 = f7, f8, f1         // the divide of the software conventions, double-extended
        fma.s1 f8 = f9, f8, f8
        fmpy.s1 f9 = f9, f9
        fma.s1 f8 = f9, f8, f8
        fmpy.s1 f9 = f9, f9
        fma.s1 f8 = f9, f8, f8
        fmpy.s1 f10 = f6, f8
        fnma.s1 f11 = f7, f10, f6
        fma.d.s0 f8 = f11, f8, f10
        getf.d r18 = f8                 // 355/113 in double precision
        check_long 2, r18, 0x400921FB78121FB8
        fcvt.fx.trunc.s1 f9 = f8
        getf.sig r18 = f9
        check 3, r18, 3
        fcmp.lt.s0 p7, p8 = f7, f6
        mov r18 = 0
  (p7)  mov r18 = 1
  (p8)  mov r18 = 2
        check 4, r18, 1
        fclass.m p7, p8 = f8, @norm|@pos
        mov r18 = 0
  (p7)  mov r18 = 1
        check 5, r18, 1
        setf.sig f6 = r16
        setf.sig f7 = r17
        xma.l f8 = f6, f7, f7           // 355 * 113 + 113
        getf.sig r18 = f8
        check_long 6, r18, 355 * 113 + 113
        end_test

        test "floating point: memory formats"
        number f6, 0xFFFF + 1, 0xC000000000000000       // 3.0
        movl r16 = scratch
        movl r17 = scratch + 16
        stfs [r16] = f6
        ld4 r18 = [r16]
        check_long 1, r18, 0x40400000
        stfd [r16] = f6
        ld8 r18 = [r16]
        check_long 2, r18, 0x4008000000000000
        stfe [r16] = f6
        ld8 r18 = [r16], 8
        ld2 r19 = [r16], -8
        check_long 3, r18, 0xC000000000000000
        check_long 4, r19, 0x4000
        stf.spill [r17] = f6
        ldf.fill f7 = [r17]
        getf.exp r18 = f7
        check_long 5, r18, 0x10000
        ldfe f7 = [r16]
        getf.d r18 = f7
        check_long 6, r18, 0x4008000000000000
        end_test
