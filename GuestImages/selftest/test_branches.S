// Calls, returns and long branches (Volume 1, section 4.5; Volume 3, br, brl, alloc, fchkf).
        .include "macros.inc"

        .text
// r14 PFS as the call left it, r15 CFM's effect on r32, r16 the return address.
        .balign 32
callee:
        mov r14 = ar.pfs
        mov r15 = r32
        mov r16 = b0
        br.ret.sptk.many b0

        test "branches: what br.call leaves in PFS, b0 and r32"
        mov ar.ec = 5
        mov out0 = 1234
        call callee
1:      mov loc2 = r14
        mov loc3 = r15
        mov loc4 = r16
        mov ar.ec = 0
        check_long 1, loc2, 16 | 12 << 7 | 5 << 52     // sof 16, sol 12, EC 5, level 0
        check 2, loc3, 1234
        check_long 3, loc4, 1b
        end_test

        test "branches: PFS of a user's call has the level"
        mov loc2 = ar.ec
        mov ar.ec = 0
        enter PSR_CPL, 1f
1:      call callee
        catch 2f
        break.m 0
2:      mov loc2 = r14
        check_long 1, loc2, 16 | 12 << 7 | 3 << 62
        end_test

        test "branches: br.ret restores EC"
        mov ar.ec = 7
        call change_count
        mov loc2 = ar.ec
        mov ar.ec = 0
        check 1, loc2, 7
        end_test

        .balign 32
change_count:
        mov ar.ec = 33
        br.ret.sptk.many b0

        test "branches: brl and brl.call"
        mov r15 = 4
        mov r14 = cpuid[r15]
        mov r8 = 0
        tbit.z p6, p0 = r14, 0          // CPUID[4].lb: a processor may leave it to software
  (p6)  br.cond.spnt.many 7f
        mov r18 = 0
        explicit
        { .mlx
          nop.m 0
          brl.cond.sptk.few 1f ;;
        }
        .auto
        mov r18 = 1
1:      check 1, r18, 0
        mov out0 = 77
        explicit
        { .mlx
          nop.m 0
          brl.call.sptk.few b0 = callee ;;
        }
2:      .auto
        mov loc2 = r15
        mov loc3 = r16
        check 2, loc2, 77
        check_long 3, loc3, 2b
        end_test

        test "branches: fchkf"
        movl r16 = FPSR_DEFAULT
        mov ar.fpsr = r16
        mov r18 = 0
        fchkf.s2 1f                     // no flags: not taken
        mov r18 = 1
1:      check 1, r18, 1
        frcpa.s2 f8, p7 = f1, f0        // a flag that field 0 does not have
        mov r18 = 0
        fchkf.s2 2f
        mov r18 = 1
2:      check 2, r18, 0
        end_test

        trap_test "branches: br.ia with a predicate is illegal", GENERAL, ILLEGAL + SLOT2, 2
        mov b6 = r0
        explicit
1: 2:   { .mib
          nop.m 0
          nop.i 0
     (p6) br.ia.sptk.few b6 ;;
        }
        end_trap_test

        test "branches: br.cloop with LC 0"
        mov ar.lc = 0
        mov r18 = 0
1:      add r18 = 1, r18
        br.cloop.sptk.few 1b
        mov r19 = ar.lc
        check 1, r18, 1
        check 2, r19, 0
        end_test
