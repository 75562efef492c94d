// Control and data speculation (Volume 1, section 4.4; Volume 2, section 5.5.5).
        .include "macros.inc"

// The kernel's page once more, with TLB.ed set: there, speculative loads have recovery code.
DEFERRING = 1 << 32

        .macro deferring
        movl r16 = (KERNEL_BASE - KERNEL_OFFSET) + PTE_ALL + PTE_RWX + PTE_ED
        mov r17 = KERNEL_PAGE << 2
        movl r18 = KERNEL_BASE + DEFERRING
        call map_code
        .endm

DCR_DM  = 1 << 8
DCR_ALL = 0x7F00

        .macro control bits
        movl r16 = \bits
        mov cr.dcr = r16
        serialize d
        .endm

        .text
        trap_test "speculation: ld.s that DCR.dm does not defer", ALTERNATE_DATA_TLB, ISR_R + ISR_SP + ISR_ED + SLOT1, 1, CHECK_IFA, TEST_PAGE, iip=1f + DEFERRING, iipa=2f + DEFERRING
        deferring
        control DCR_ALL - DCR_DM
        movl r20 = TEST_PAGE
        enter 0, 1f + DEFERRING
        explicit
1: 2:   { .mmi
          nop.m 0
          ld8.s r21 = [r20]
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "speculation: ld.s without recovery code", ALTERNATE_DATA_TLB, ISR_R + ISR_SP + SLOT1, 1, CHECK_IFA, TEST_PAGE
        control DCR_ALL
        refer "ld8.s r21 = [r20]"
        end_trap_test

        test "speculation: ld.s is deferred"
        deferring
        control DCR_ALL
        movl r20 = TEST_PAGE
        mov r21 = 0
        enter 0, 1f + DEFERRING
1:      ld8.s r21 = [r20], 8
        mov r22 = 0
        tnat.nz p7, p0 = r21
  (p7)  mov r22 = 1
        enter 0, 2f
2:      check 1, r22, 1
        check_long 2, r20, TEST_PAGE + 8
        check_trap 3, TRAP_COUNT, 0
        end_test

        test "speculation: a NaT page is deferred without recovery code"
        map_data PTE_ALL + PTE_RW + PTE_NATPAGE
        movl r20 = TEST_PAGE
        ld8.s r21 = [r20]
        mov r22 = 0
        tnat.nz p7, p0 = r21
  (p7)  mov r22 = 1
        check 1, r22, 1
        check_trap 2, TRAP_COUNT, 0
        end_test

        test "speculation: PSR.ed defers one load"
        movl r20 = TEST_PAGE
        catch 2f
        mov r21 = 0
        enter PSR_ED, 1f
1:      ld8.s r21 = [r20]
        ld8.s r22 = [r20]
        mov r8 = 1
        br.cond.sptk.many 7f
2:      mov r22 = 0
        tnat.nz p7, p0 = r21
  (p7)  mov r22 = 1
        check 2, r22, 1
        check_trap 3, TRAP_COUNT, 1
        check_trap 4, TRAP_VECTOR, ALTERNATE_DATA_TLB
        end_test

        test "speculation: NaT bits propagate, compares clear, chk.s branches"
        make_nat r16
        add r17 = 5, r16
        mov r18 = 0
        tnat.nz p7, p0 = r17
  (p7)  mov r18 = 1
        check 1, r18, 1
        cmp.eq p8, p9 = r0, r0
        cmp.eq p9, p10 = r0, r0
        cmp.eq p8, p9 = r17, r0         // both cleared
        mov r18 = 0
  (p8)  mov r18 = 1
  (p9)  mov r18 = 2
        check 2, r18, 0
        ld8.s r19 = [r17]               // a NaT address gives a NaT
        mov r18 = 0
        tnat.nz p7, p0 = r19
  (p7)  mov r18 = 1
        check 3, r18, 1
        mov r18 = 0
        chk.s r19, 1f
        mov r18 = 1
1:      check 4, r18, 0
        mov r19 = 6
        chk.s r19, 2f
        mov r18 = 3
2:      check 5, r18, 3
        mov r17 = 1                     // a new value has no NaT
        mov r18 = 0
        tnat.nz p7, p0 = r17
  (p7)  mov r18 = 1
        check 6, r18, 0
        setf.sig f6 = r16               // NaT becomes NaTVal, and comes back
        fadd f7 = f6, f1
        getf.d r17 = f7
        mov r18 = 0
        tnat.nz p7, p0 = r17
  (p7)  mov r18 = 1
        check 7, r18, 1
        end_test

        test "speculation: spill and fill keep NaT bits in UNAT"
        make_nat r16
        mov ar.unat = r0
        movl r17 = scratch + 24
        movl r18 = scratch + 32
        mov r19 = 99
        st8.spill [r17] = r16
        st8.spill [r18] = r19
        mov r20 = ar.unat
        extr.u r21 = r17, 3, 6
        mov r22 = 1
        shl r22 = r22, r21
        check 1, r20, r22
        ld8.fill r23 = [r17]
        ld8.fill r24 = [r18]
        mov r21 = 0
        tnat.nz p7, p0 = r23
        tnat.nz p8, p0 = r24
  (p7)  add r21 = 1, r21
  (p8)  add r21 = 2, r21
        check 2, r21, 1
        check 3, r24, 99
        end_test

// Advanced loads. An entry may always be missing, so only what must fail is required to fail (Volume 1, section 4.4.5).
        test "speculation: a store after an advanced load is seen"
        movl r16 = scratch
        mov r17 = 1
        mov r18 = 2
        st8 [r16] = r17
        ld8.a r19 = [r16]
        st8 [r16] = r18
        ld8.c.clr r19 = [r16]
        check 1, r19, 2
        st8 [r16] = r17
        add r20 = 3, r16
        ld8.a r19 = [r16]
        st1 [r20] = r18                 // overlaps in one byte
        mov r21 = 0
        chk.a.clr r19, 1f
        mov r21 = 1
1:      check 2, r21, 0
        st8 [r16] = r17
        ld8.a r19 = [r16]
        invala
        mov r21 = 0
        chk.a.nc r19, 2f
        mov r21 = 1
2:      check 3, r21, 0
        ld8.a r19 = [r16]
        invala.e r19
        mov r21 = 0
        chk.a.nc r19, 3f
        mov r21 = 1
3:      check 4, r21, 0
        ld8.a r19 = [r16]
        fetchadd8.acq r22 = [r16], 1    // semaphores are stores
        mov r21 = 0
        chk.a.nc r19, 4f
        mov r21 = 1
4:      check 5, r21, 0
        check 6, r22, 1
        end_test

        test "speculation: a store through another address is seen"
        map_data PTE_ALL + PTE_RW
        movl r16 = page
        movl r17 = TEST_PAGE
        mov r18 = 5
        st8 [r16] = r0
        ld8.a r19 = [r16]
        st8 [r17] = r18
        ld8.c.nc r19 = [r16]
        check 1, r19, 5
        end_test

        test "speculation: an advanced load of uncacheable memory is not speculated"
        movl r16 = scratch - KERNEL_OFFSET + UNCACHED
        ld8.a r19 = [r16]
        mov r21 = 0
        chk.a.nc r19, 1f
        mov r21 = 1
1:      check 1, r21, 0
        check 2, r19, 0
        end_test
