// Runs every test and says what became of it.
        .include "macros.inc"

        .text
        .global main
// in0 boot parameters, in1 EFI system table. r8 0 if every test passed, else EFI_DEVICE_ERROR.
        function main, 2, 5
        add r2 = 8, in0
        movl r3 = CACHED
        or r2 = r2, r3
        ld8 loc2 = [r2]                 // EFI system table
        mov out0 = loc2
        call find_firmware
        mov out0 = loc2
        call find_console
        mov out0 = loc2
        call report
        call obey

        movl loc2 = tests
        movl loc3 = tests_end
        mov loc4 = 0                    // tests
        mov loc5 = 0                    // failures
1:      cmp.geu p6, p0 = loc2, loc3
  (p6)  br.cond.spnt.many 2f
        mov out0 = loc2
        call run
        add loc2 = TEST_SIZE, loc2
        add loc4 = 1, loc4
        add loc5 = loc5, r8
        br.cond.sptk.many 1b

2:      call failures_wanted
        add loc4 = loc4, r8
        add loc5 = loc5, r8
        cmp.ne p6, p0 = 0, loc5
  (p6)  br.cond.spnt.many 3f
        say "EPICURE SELFTEST PASSED "
        mov out0 = loc4
        call put_decimal
        say " tests\n"
        mov r8 = 0
        return

3:      say "EPICURE SELFTEST FAILED "
        mov out0 = loc5
        call put_decimal
        say " of "
        mov out0 = loc4
        call put_decimal
        mov out0 = '\n'
        call putc
        movl r8 = 1 << 63 | 7
        return

// Runs test in0. r8 0 or 1.
        function run, 1, 4
        add r2 = TEST_NAME, in0
        ld8 out0 = [r2]
        call puts
        say " ... "
        movl r2 = trap
        st8 [r2] = r0, 8                // no hook, nowhere to resume, count 0
        st8 [r2] = r0, 8
        st8 [r2] = r0
        add r2 = TEST_BODY, in0
        ld8 r3 = [r2], 8
        ld8 r14 = [r2]
        mov b7 = r3
        cmp.eq p6, p7 = -1, r14
        call b7, p6
        add r2 = TEST_VECTOR, in0
        ld8 r14 = [r2]
        cmp.eq p6, p7 = -1, r14
  (p6)  br.cond.sptk.many 1f
        call run_trap_test
        mov out0 = in0
        call judge
1:      mov loc2 = r8
        mov loc3 = r9
        mov loc4 = r10
        call clean_up
        cmp.ne p6, p0 = 0, loc2
  (p6)  br.cond.spnt.many 2f
        say "ok\n"
        mov r8 = 0
        return

2:      say "FAILED: "
        cmp.gtu p6, p0 = 100, loc2      // a check's number, or a text
  (p6)  br.cond.spnt.many 3f
        mov out0 = loc2
        call puts
        br.cond.sptk.many 4f
3:      say "check "
        mov out0 = loc2
        call put_decimal
4:      say " is "
        mov out0 = loc3
        mov out1 = 1
        call put_hex
        say ", expected "
        mov out0 = loc4
        mov out1 = 1
        call put_hex
        mov out0 = '\n'
        call putc
        mov r8 = 1
        return

// Enters the body in b7 with an empty frame; comes back whatever happens there.
run_trap_test:
        movl r2 = trap + TRAP_B0
        mov r3 = b0
        mov r14 = ar.pfs
        st8 [r2] = r3, TRAP_PFS - TRAP_B0
        st8 [r2] = r14
        movl r2 = trap + TRAP_RESUME
        movl r3 = body_exit
        st8 [r2] = r3
        br.cond.sptk.many b7

        .global body_exit
body_exit:
        movl r2 = trap + TRAP_B0
        ld8 r3 = [r2], TRAP_PFS - TRAP_B0
        ld8 r14 = [r2]
        mov b0 = r3
        mov ar.pfs = r14
        br.ret.sptk.many b0

// Compares the last interruption with the record in0: r8 0 or a text, r9 what is, r10 what should be.
        .macro compare text, actual, expected
        movl r8 = \text
        ld8 r9 = [\actual], 8
        ld8 r10 = [\expected], 8
        cmp.ne p6, p0 = r9, r10
  (p6)  br.cond.spnt.many 9f
        .endm

        .macro compare_if bit, text, actual, expected
        tbit.nz p7, p0 = r17, \bit
        movl r8 = \text
        ld8 r9 = [\actual], 8
        ld8 r10 = [\expected], 8
        cmp.eq p6, p0 = r9, r10
  (p6)  br.cond.sptk.many 8f
  (p7)  br.cond.spnt.many 9f
8:
        .endm

        function judge, 1, 0
        movl r14 = trap + TRAP_COUNT
        add r15 = TEST_VECTOR, in0
        add r17 = TEST_CHECKS, in0
        ld8 r17 = [r17]
        ld8 r9 = [r14], 8
        movl r8 = text_count
        mov r10 = 1
        cmp.ne p6, p0 = r9, r10
  (p6)  br.cond.spnt.many 9f
        compare text_vector, r14, r15
        compare text_isr, r14, r15
        compare text_iip, r14, r15
        movl r8 = text_ri
        ld8 r9 = [r14], 8
        ld8 r10 = [r15], 8
        extr.u r9 = r9, PSR_RI_SHIFT, 2
        cmp.ne p6, p0 = r9, r10
  (p6)  br.cond.spnt.many 9f
        compare text_iipa, r14, r15
        add r15 = TEST_IFA - TEST_CHECKS, r15
        compare_if 0, text_ifa, r14, r15
        compare_if 1, text_itir, r14, r15
        compare_if 2, text_iha, r14, r15
        compare_if 3, text_iim, r14, r15
        mov r8 = 0
9:      return

// Puts the processor back into the state that every test begins in.
        function clean_up, 0, 0
        movl r2 = trap
        st8 [r2] = r0, 8
        st8 [r2] = r0
        rsm PSR_I
        movl r2 = FPSR_DEFAULT
        mov ar.fpsr = r2
        mov cr.dcr = r0
        mov cr.tpr = r0
        movl r2 = 1 << 16
        mov cr.itv = r2
        mov r2 = 15 << 2
        mov cr.pta = r2
        movl r2 = 1 << 61               // regions 1 and 2
        add r3 = r2, r2
        movl r14 = (RID + 1) << 8 | 12 << 2
        movl r15 = (RID + 2) << 8 | 12 << 2
        mov rr[r2] = r14
        mov rr[r3] = r15
        serialize d
        movl r2 = TEST_PAGE
        movl r3 = WALKED_PAGE
        movl r15 = VHPT_PAGE
        mov r14 = 24 << 2               // 16 MiB around each test page
        ptr.d r2, r14
        serialize d
        ptr.i r2, r14
        serialize d
        ptr.d r3, r14
        serialize d
        ptr.i r3, r14
        serialize d
        ptr.d r15, r14
        serialize i
        mov r2 = 0
        mov r3 = 15
1:      mov pkr[r2] = r0
        cmp.eq p6, p7 = r2, r3
        add r2 = 1, r2
  (p7)  br.cond.sptk.many 1b
        mov r2 = 0
        mov r3 = 7
2:      mov dbr[r2] = r0
        mov ibr[r2] = r0
        cmp.eq p6, p7 = r2, r3
        add r2 = 1, r2
  (p7)  br.cond.sptk.many 2b
        serialize i
        invala
        return

// An interruption that no test asked for: nothing can be trusted any more.
        .global lost
lost:
        alloc r2 = ar.pfs, 0, 0, 4, 0
        say "FAILED: unexpected interruption, vector "
        movl r2 = trap + TRAP_VECTOR
        ld8 r32 = [r2]
        mov r33 = 1
        call put_hex
        say " isr "
        movl r2 = trap + TRAP_ISR
        ld8 r32 = [r2]
        mov r33 = 1
        call put_hex
        say " iip "
        movl r2 = trap + TRAP_IIP
        ld8 r32 = [r2]
        mov r33 = 1
        call put_hex
        say " ifa "
        movl r2 = trap + TRAP_IFA
        ld8 r32 = [r2]
        mov r33 = 1
        call put_hex
        say "\nEPICURE SELFTEST FAILED\n"
        movl r8 = 1 << 63 | 7
        br.cond.sptk.many power_off

        .bss
        .balign 16
        .global scratch
scratch:
        .skip 64

        .rodata
text_count:
        .asciz "number of interruptions"
text_vector:
        .asciz "vector"
text_isr:
        .asciz "ISR"
text_iip:
        .asciz "IIP"
text_ri:
        .asciz "IPSR.ri"
text_iipa:
        .asciz "IIPA"
text_ifa:
        .asciz "IFA"
text_itir:
        .asciz "ITIR"
text_iha:
        .asciz "IHA"
text_iim:
        .asciz "IIM"
