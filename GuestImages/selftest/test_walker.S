// The VHPT walker, nested misses, and the instructions that insert, purge and look at translations (Volume 2, section 4.1).
        .include "macros.inc"

// Lets the walker serve region 2.
        .macro walk pta
        movl r16 = \pta
        movl r17 = WALKED_PAGE
        movl r18 = (RID + 2) << 8 | 12 << 2 | 1
        mov rr[r17] = r18
        mov cr.pta = r16
        serialize d
        serialize i
        .endm

// Short format: a linear table at the end of the region, 8 bytes for each 4 KiB (section 4.1.5.3).
SHORT   = 0x1FF0000000000000 | 52 << 2 | 1
ENTRY   = VHPT_PAGE + (WALKED_PAGE >> 12 & 0xFFFF) * 8
// Long format: 32 KiB in the kernel's page.
LONG    = 1 << 8 | 15 << 2 | 1
REGION2_ITIR = (RID + 2) << 8 | 12 << 2

        .macro table_entry value
        map_data PTE_ALL + PTE_RW, 0, VHPT_PAGE
        movl r16 = ENTRY
        movl r17 = \value
        st8 [r16] = r17
        .endm

        .macro refer_walked instruction
        movl r20 = WALKED_PAGE
        explicit
1: 2:   { .mmi
          nop.m 0
          \instruction
          nop.i 0 ;;
        }
        .endm

        .text
        trap_test "translation: VHPT translation fault", VHPT_TRANSLATION, ISR_R + SLOT1, 1, CHECK_IFA + CHECK_ITIR + CHECK_IHA, WALKED_PAGE, REGION2_ITIR, ENTRY
        walk SHORT
        refer_walked "ld8 r21 = [r20]"
        end_trap_test

        trap_test "translation: TLB miss after a VHPT entry with reserved bits", DATA_TLB, ISR_W + SLOT1, 1, CHECK_IFA + CHECK_ITIR + CHECK_IHA, WALKED_PAGE, REGION2_ITIR, ENTRY
        walk SHORT
        table_entry page - KERNEL_OFFSET + PTE_ALL + PTE_RW + 2
        refer_walked "st8 [r20] = r0"
        end_trap_test

        trap_test "translation: VHPT entry of a page not present", PAGE_NOT_PRESENT, ISR_R + SLOT1, 1, CHECK_IFA + CHECK_ITIR, WALKED_PAGE, REGION2_ITIR
        walk SHORT
        table_entry 0
        refer_walked "ld8 r21 = [r20]"
        end_trap_test

        test "translation: VHPT, short format"
        walk SHORT
        table_entry page - KERNEL_OFFSET + 0x1000 + PTE_ALL + PTE_RW
        movl r16 = page + 0x1008
        movl r17 = 0x0123456789ABCDEF
        st8 [r16] = r17
        movl r18 = WALKED_PAGE + 8
        ld8 r19 = [r18]
        check_long 1, r19, 0x0123456789ABCDEF
        movl r18 = WALKED_PAGE
        thash r19 = r18
        check_long 2, r19, ENTRY
        end_test

        test "translation: VHPT, long format"
        movl r16 = vhpt + LONG
        movl r17 = WALKED_PAGE
        movl r18 = (RID + 2) << 8 | 12 << 2 | 1
        mov rr[r17] = r18
        mov cr.pta = r16
        serialize i
        thash r19 = r17
        ttag r20 = r17
        movl r21 = vhpt
        sub r22 = r19, r21
        shr.u r23 = r22, 15
        extr.u r24 = r22, 0, 5
        check 1, r23, 0                 // in the table, at an entry
        check 2, r24, 0
        movl r16 = page - KERNEL_OFFSET + 0x2000 + PTE_ALL + PTE_RW
        mov r18 = 12 << 2
        st8 [r19] = r16, 8
        st8 [r19] = r18, 8
        st8 [r19] = r20
        movl r16 = page + 0x2010
        mov r18 = 1234
        st8 [r16] = r18
        movl r16 = WALKED_PAGE + 0x10
        ld8 r18 = [r16]
        check 3, r18, 1234
        end_test

        test "translation: TLB misses of data and code, long format"
        movl r16 = vhpt + LONG
        movl r17 = WALKED_PAGE + 0x5000
        movl r18 = (RID + 2) << 8 | 12 << 2 | 1
        mov rr[r17] = r18
        mov cr.pta = r16
        serialize i
        thash loc2 = r17
        add r18 = 16, loc2
        movl r19 = 1 << 63              // tag invalid
        st8 [r18] = r19
        catch 1f
        ld8 r16 = [r17]
1:      check_trap 1, TRAP_VECTOR, DATA_TLB
        check_trap 2, TRAP_IFA, WALKED_PAGE + 0x5000
        movl r16 = trap + TRAP_IHA
        ld8 r16 = [r16]
        check 3, r16, loc2
        catch 2f
        movl r17 = WALKED_PAGE + 0x5000
        mov b6 = r17
        br.cond.sptk.many b6
2:      check_trap 4, TRAP_VECTOR, INSTRUCTION_TLB
        check_trap 5, TRAP_ISR, ISR_X
        check_trap 6, TRAP_IIP, WALKED_PAGE + 0x5000
        movl r16 = trap + TRAP_IHA
        ld8 r16 = [r16]
        check 7, r16, loc2
        end_test

// A miss while PSR.ic is 0 goes to Data Nested TLB and writes nothing (section 5.5.1 and Data Nested TLB vector).
        test "translation: nested miss leaves the control registers alone"
        hook miss_again
        movl r16 = trap + TRAP_RESUME
        movl r17 = 2f
        st8 [r16] = r17
        movl r16 = TEST_PAGE + 0x18
        explicit
1:      { .mmi
          nop.m 0
          ld8 r17 = [r16]
          nop.i 0 ;;
        }
        .auto
2:      check_trap 1, TRAP_COUNT, 2
        check_trap 2, TRAP_VECTOR, DATA_NESTED_TLB
        check_trap 3, TRAP_ISR, ISR_R + SLOT1
        check_trap 4, TRAP_IIP, 1b
        check_trap 5, TRAP_IFA, TEST_PAGE + 0x18
        end_test

        test "translation: another fault with PSR.ic clear writes ISR alone"
        hook fault_again
        movl r16 = trap + TRAP_RESUME
        movl r17 = 2f
        st8 [r16] = r17
        movl r16 = TEST_PAGE + 0x18
        explicit
1:      { .mmi
          nop.m 0
          ld8 r17 = [r16]
          nop.i 0 ;;
        }
        .auto
2:      check_trap 1, TRAP_COUNT, 2
        check_trap 2, TRAP_VECTOR, DATA_ACCESS_RIGHTS
        check_trap 3, TRAP_ISR, ISR_W + ISR_NI
        check_trap 4, TRAP_IIP, 1b
        check_trap 5, TRAP_IFA, TEST_PAGE + 0x18
        end_test

miss_again:
        movl r16 = trap
        st8 [r16] = r0
        movl r17 = TEST_PAGE + 0x100000
        ld8 r18 = [r17]
        br.cond.sptk.many resume

fault_again:
        movl r16 = trap
        st8 [r16] = r0
        movl r17 = VHPT_PAGE            // read-only for everybody
        movl r18 = page - KERNEL_OFFSET + PTE_ALL
        mov r19 = 7
        mov r20 = 12 << 2
        mov r21 = cr.ifa
        mov cr.ifa = r17
        mov cr.itir = r20
        serialize d
        itr.d dtr[r19] = r18
        serialize d
        mov cr.ifa = r21
        explicit
        { .mmi
          st8 [r17] = r0
          nop.m 0
          nop.i 0 ;;
        }
        .auto
        br.cond.sptk.many resume

// Inserts and purges.
        test "translation: itc and ptc.l"
        movl r16 = page - KERNEL_OFFSET + PTE_ALL + PTE_RW
        mov r17 = 12 << 2
        movl r18 = TEST_PAGE
        rsm PSR_IC
        serialize d
        mov cr.ifa = r18
        mov cr.itir = r17
        serialize d
        itc.d r16
        ssm PSR_IC
        serialize d
        mov r19 = 77
        st8 [r18] = r19
        movl r16 = page
        ld8 r20 = [r16]
        check 1, r20, 77
        movl r18 = TEST_PAGE
        mov r17 = 12 << 2
        ptc.l r18, r17
        serialize d
        catch 1f
        ld8 r20 = [r18]
1:      check_trap 2, TRAP_VECTOR, ALTERNATE_DATA_TLB
        end_test

        test "translation: region identifiers keep translations apart"
        movl r16 = page
        mov r17 = 1
        st8 [r16] = r17
        map_data PTE_ALL + PTE_RW
        movl r18 = TEST_PAGE
        movl r19 = (RID + 0x50) << 8 | 12 << 2
        mov rr[r18] = r19
        serialize d
        catch 1f
        ld8 r20 = [r18]
1:      check_trap 1, TRAP_VECTOR, ALTERNATE_DATA_TLB
        check_trap 2, TRAP_ITIR, (RID + 0x50) << 8 | 12 << 2
        movl r18 = TEST_PAGE
        movl r19 = (RID + 1) << 8 | 12 << 2
        mov rr[r18] = r19
        serialize d
        ld8 r20 = [r18]
        check 3, r20, 1
        end_test

        test "translation: tpa, probe and tak"
        map_data PTE_ALL, 0x55
        movl r16 = TEST_PAGE + 0x123
        tpa r17 = r16
        probe.r r18 = r16, 3
        probe.w r19 = r16, 0
        tak r20 = r16
        check_long 1, r17, page - KERNEL_OFFSET + 0x123
        check 2, r18, 1
        check 3, r19, 0
        check_long 4, r20, 0x55 << 8
        map_data PTE_ALL + PTE_RW - PTE_PL3
        movl r16 = TEST_PAGE
        probe.w r17 = r16, 0
        probe.r r18 = r16, 3
        check 5, r17, 1
        check 6, r18, 0
        end_test

        .bss
        .balign 0x8000
vhpt:   .skip 0x8000
