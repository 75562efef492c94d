// The same work, interrupted at every instruction, every branch, or again and again by the timer: nothing may be lost.
        .include "macros.inc"

        .text
// A hook that goes on until it sees IIP at `traced`, where it ends tracing.
trace:
        movl r16 = traced
        mov r17 = cr.iip
        mov r18 = cr.ipsr
        cmp.eq p6, p0 = r16, r17
  (p6)  dep r18 = 0, r18, 40, 1         // PSR.ss
  (p6)  dep r18 = 0, r18, 26, 1         // PSR.tb
        mov cr.ipsr = r18
        br.cond.sptk.many resume

// Work of all kinds at in0: calls, NaT bits, rotation, spills. r8 a sum.
        function work, 1, 4
        mov out0 = in0
        mov out1 = 3
        call recurse
        mov loc2 = r8
        mov out0 = in0
        mov out1 = 2
        call recurse_and_forget
        add loc2 = loc2, r8
        make_nat loc3                   // lives on while the loop counts
        mov r16 = ar.lc
        mov ar.lc = 9
1:      add loc2 = 10, loc2
        br.cloop.sptk.few 1b
        mov ar.lc = r16
        tnat.nz p6, p7 = loc3
        mov loc3 = 0
  (p6)  add loc2 = 1000, loc2
        mov r8 = loc2
        return

        .balign 32
traced_work:
        alloc loc0 = ar.pfs, 0, 2, 1, 0
        mov loc1 = b0
        mov out0 = 40
        call work
        explicit
        { .mib
          nop.m 0
          nop.i 0
          br.cond.sptk.few traced ;;
        }
traced:
        .auto
        mov b0 = loc1
        mov ar.pfs = loc0
        br.ret.sptk.many b0

WORK    = 41 + 0 + 10 * 10 + 1000

        test "stress: single step through calls, returns and NaT bits"
        hook trace
        enter PSR_SS, 1f
1:      call traced_work
        mov loc2 = r8
        check_long 1, loc2, WORK
        check_trap 2, TRAP_VECTOR, SINGLE_STEP
        movl r16 = trap + TRAP_COUNT
        ld8 loc3 = [r16]
        hook trace                      // as many steps the second time
        enter PSR_SS, 2f
2:      call traced_work
        movl r16 = trap + TRAP_COUNT
        ld8 loc4 = [r16]
        check 3, loc3, loc4
        mov r16 = 0
        mov r17 = 3000
        cmp.lt p6, p0 = r17, loc3
  (p6)  mov r16 = 1
        check 4, r16, 1
        end_test

        test "stress: a trap at every taken branch"
        hook trace
        enter PSR_TB, 1f
1:      call traced_work
        mov loc2 = r8
        check_long 1, loc2, WORK
        check_trap 2, TRAP_VECTOR, TAKEN_BRANCH
        hook trace
        mov ar.lc = 9
        enter PSR_TB, 2f
        explicit
2:      { .mib
          nop.m 0
          nop.i 0
          br.cloop.sptk.few 2b ;;       // taken nine times
        }
        { .mib
          nop.m 0
          nop.i 0
          br.cond.sptk.few 3f ;;        // ten
        }
3:      { .mib
          nop.m 0
          nop.i 0
          br.cond.sptk.few traced_here ;;       // eleven
        }
traced_here:
        .auto
        movl r16 = trap + TRAP_COUNT
        ld8 loc2 = [r16]
        enter 0, 4f
4:      check 3, loc2, 11
        end_test

// Takes the timer's interrupt, arms it again, and leaves the interrupted frame in memory only.
//
// Where moves to control registers are emulated, 61 ticks are less than the handler takes. The timer matches one value, so a moment that has
// passed while it was written would never come; and where the next interrupt waits already when the handler ends, the program stands still.
// So the distance grows while nothing moves, and becomes less again.
tick:
        mov r18 = cr.ivr
        mov cr.eoi = r0
        serialize d
        movl r16 = ticks
        ld8 r17 = [r16]
        add r17 = 1, r17
        st8 [r16] = r17, 8
        ld8 r18 = [r16]                 // where the last one came
        mov r19 = cr.iip
        st8 [r16] = r19, 8
        cmp.eq p6, p7 = r18, r19
        ld8 r17 = [r16]                 // ticks to the next one
  (p7)  shr.u r18 = r17, 2
  (p7)  sub r17 = r17, r18
  (p6)  add r17 = r17, r17
        mov r18 = 61
        cmp.gtu p6, p0 = r18, r17
  (p6)  mov r17 = r18
1:      mov r19 = ar.itc
        add r19 = r17, r19
        mov cr.itm = r19
        serialize d
        st8 [r16] = r17
        mov r18 = ar.itc
        add r17 = r17, r17
        cmp.leu p6, p0 = r19, r18
  (p6)  br.cond.spnt.many 1b
        cover
        flushrs
        mov r17 = ar.rsc
        mov ar.rsc = 0
        mov r18 = ar.rnat
        loadrs
        mov ar.rnat = r18
        mov ar.rsc = r17
        br.cond.sptk.many resume

        test "stress: timer interrupts that flush the register stack"
        hook tick
        movl r16 = ticks
        st8 [r16] = r0
        mov r16 = 0x41
        mov cr.itv = r16
        serialize d
        mov r16 = ar.itc
        add r16 = 2000, r16             // more than the moves take, emulated or not
        mov cr.itm = r16
        serialize d
        ssm PSR_I
        serialize d
        mov loc2 = 0
        mov loc3 = 80
1:      mov out0 = 60
        call work
        mov loc4 = r8
        movl r16 = 61 + 0 + 10 * 10 + 1000
        cmp.ne p6, p0 = r16, loc4
  (p6)  add loc2 = 1, loc2
        add loc3 = -1, loc3
        cmp.ne p6, p0 = 0, loc3
  (p6)  br.cond.sptk.many 1b
        rsm PSR_I
        movl r16 = 1 << 16
        mov cr.itv = r16
        serialize d
2:      mov r16 = cr.ivr
        mov cr.eoi = r0
        serialize d
        cmp.ne p6, p0 = 15, r16
  (p6)  br.cond.spnt.many 2b
        check 1, loc2, 0
        movl r16 = ticks
        ld8 r17 = [r16]
        mov r18 = 0
        mov r19 = 20
        cmp.lt p6, p0 = r19, r17
  (p6)  mov r18 = 1
        check 2, r18, 1
        end_test

        .data
        .balign 8
ticks:  data8 0, 0, 61
