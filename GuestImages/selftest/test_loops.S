// Counted and modulo-scheduled loops, rotating registers, predicates (Volume 1, sections 4.1 and 4.5.1).
        .include "macros.inc"

        .text
// 20 elements in three stages: load, double, store. The rotating registers are r32 to r39.
pipelined_copy:
        alloc r14 = ar.pfs, 0, 8, 0, 8
        mov r15 = pr
        mov r18 = ar.lc
        movl r16 = source
        movl r17 = destination
        mov ar.lc = 19
        mov ar.ec = 3
        mov pr.rot = 1 << 16
        explicit
        { .mii
          nop.m 0
          nop.i 0
          nop.i 0 ;;
        }
1:      { .mmi
    (p16) ld8 r32 = [r16], 8
    (p18) st8 [r17] = r36, 8
    (p17) add r35 = r33, r33
        }
        { .mib
          nop.m 0
          nop.i 0
          br.ctop.sptk.few 1b ;;
        }
        .auto
        mov pr = r15, -1
        mov ar.lc = r18
        mov ar.pfs = r14
        clrrrb
        br.ret.sptk.many b0

        test "loops: br.ctop with rotating registers"
        movl r16 = source
        mov r17 = 3
        mov ar.lc = 19
1:      st8 [r16] = r17, 8
        shladd r17 = r17, 1, r17
        br.cloop.sptk.few 1b
        call pipelined_copy
        movl loc2 = source
        movl loc3 = destination
        mov loc4 = 0
2:      ld8 r16 = [loc2], 8
        ld8 r17 = [loc3], 8
        add loc4 = 1, loc4
        add r16 = r16, r16
        mov r8 = loc4
        mov r9 = r17
        mov r10 = r16
        cmp.ne p6, p7 = r16, r17
  (p6)  br.cond.spnt.many 7f
        cmp.gt p6, p0 = 20, loc4
  (p6)  br.cond.sptk.many 2b
        movl r16 = destination + 20 * 8 // and not one more
        ld8 r16 = [r16]
        check 21, r16, 0
        end_test

        test "loops: rotation moves f32 and p16 on"
        fadd f32 = f1, f1
        fadd f33 = f0, f0
        mov r15 = pr
        mov ar.lc = 1
        mov ar.ec = 1
        mov pr.rot = 1 << 16
        explicit
        { .mib
          nop.m 0
          nop.i 0
          br.ctop.sptk.few 1f ;;
        }
        .auto
1:      mov r18 = 0
  (p17) mov r18 = 1
        mov r19 = 0
  (p16) mov r19 = 1                     // LC was not 0: p63 became 1, and rotated to p16
        getf.d r20 = f33
        mov r21 = ar.lc
        clrrrb
        mov pr = r15, -1
        check 1, r18, 1
        check 2, r19, 1
        check_long 3, r20, 0x4000000000000000
        check 4, r21, 0
        end_test

        test "loops: br.wtop, br.cexit and EC"
        mov r15 = pr
        mov ar.ec = 2
        mov r18 = 0
        cmp.ne p7, p0 = r0, r0
        explicit
1:      { .mib
          add r18 = 1, r18
          nop.i 0
     (p7) br.wtop.sptk.few 1b ;;
        }
        .auto
        mov r19 = ar.ec
        clrrrb
        mov pr = r15, -1
        check 1, r18, 2
        check 2, r19, 0
        end_test

        test "loops: predicates and parallel compares"
        mov r16 = pr
        movl r17 = 0x5555555555555554
        mov pr = r17, -1
        mov r18 = pr
        mov pr = r16, -1
        check_long 1, r18, 0x5555555555555555
        cmp.eq p7, p8 = r0, r0
        cmp.ne.or p7, p8 = r0, r0
        cmp.eq.and p7, p8 = 1, r0
        mov r18 = 0
  (p7)  add r18 = 1, r18
  (p8)  add r18 = 2, r18
        check 2, r18, 0
        cmp.eq p7, p8 = r0, r0
        cmp.eq.or.andcm p8, p7 = r0, r0
        mov r18 = 0
  (p7)  add r18 = 1, r18
  (p8)  add r18 = 2, r18
        check 3, r18, 2
        cmp.ne p9, p0 = r0, r0
        cmp.eq p7, p8 = r0, r0
  (p9)  cmp.eq.unc p7, p8 = r0, r0      // clears both although it is not executed
        mov r18 = 0
  (p7)  add r18 = 1, r18
  (p8)  add r18 = 2, r18
        check 4, r18, 0
        end_test

        test "loops: shifts, deposits, parallel integers"
        movl r16 = 0x0123456789ABCDEF
        mov r17 = 70
        shl r18 = r16, r17              // counts above 63
        check 1, r18, 0
        sub r19 = r0, r16
        shr r18 = r19, r17
        check 2, r18, -1
        shrp r18 = r16, r0, 8
        check_long 3, r18, 0xEF00000000000000
        dep r18 = r16, r0, 4, 8
        check 4, r18, 0xEF0
        mux1 r18 = r16, @rev
        check_long 5, r18, 0xEFCDAB8967452301
        popcnt r18 = r16
        check 6, r18, 32
        movl r17 = 0x7FFF7FFF80008000
        movl r19 = 0x00010001FFFFFFFF
        padd2.sss r18 = r17, r19
        check_long 7, r18, 0x7FFF7FFF80008000
        addp4 r18 = r0, r16             // bits 31:30 become the region
        check_long 8, r18, 0x4000000009ABCDEF | 0x80000000
        end_test

        .bss
        .balign 16
source: .skip 21 * 8
destination:
        .skip 21 * 8
