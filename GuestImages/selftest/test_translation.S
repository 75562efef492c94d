// Translation: what a reference to a page can raise (Volume 2, sections 4.1 and 5.6).
        .include "macros.inc"

        .text
REGION1_ITIR = (RID + 1) << 8 | 12 << 2
AT_PAGE = CHECK_IFA + CHECK_ITIR

        trap_test "translation: miss of a load", ALTERNATE_DATA_TLB, ISR_R + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        refer "ld8 r21 = [r20]"
        end_trap_test

        trap_test "translation: miss of a store", ALTERNATE_DATA_TLB, ISR_W + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        refer "st8 [r20] = r0"
        end_trap_test

        trap_test "translation: miss of a semaphore", ALTERNATE_DATA_TLB, ISR_R + ISR_W + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        refer "xchg8 r21 = [r20], r0"
        end_trap_test

        trap_test "translation: miss of a fetch", ALTERNATE_INSTRUCTION_TLB, ISR_X, 0, AT_PAGE, TEST_PAGE, REGION1_ITIR, iip=TEST_PAGE
        jump
        end_trap_test

        trap_test "translation: miss of probe", ALTERNATE_DATA_TLB, 2 + ISR_R + ISR_NA + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        refer "probe.r r21 = r20, 0"
        end_trap_test

        trap_test "translation: miss of probe.fault", ALTERNATE_DATA_TLB, 5 + ISR_R + ISR_W + ISR_NA + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        refer "probe.rw.fault r20, 3"
        end_trap_test

        trap_test "translation: miss of tpa", ALTERNATE_DATA_TLB, 0 + ISR_R + ISR_NA + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        refer "tpa r21 = r20"
        end_trap_test

        trap_test "translation: miss of fc", ALTERNATE_DATA_TLB, 1 + ISR_R + ISR_NA + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        refer "fc r20"
        end_trap_test

        trap_test "translation: miss of lfetch.fault", ALTERNATE_DATA_TLB, 4 + ISR_R + ISR_NA + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        refer "lfetch.fault [r20]"
        end_trap_test

        trap_test "translation: page not present", PAGE_NOT_PRESENT, ISR_R + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        map_data PTE_ALL + PTE_RW - PTE_P
        refer "ld8 r21 = [r20]"
        end_trap_test

        trap_test "translation: NaT page", NAT_CONSUMPTION, 0x20 + ISR_R + SLOT1, 1, CHECK_IFA, TEST_PAGE
        map_data PTE_ALL + PTE_RW + PTE_NATPAGE
        refer "ld8 r21 = [r20]"
        end_trap_test

        trap_test "translation: access rights of a store", DATA_ACCESS_RIGHTS, ISR_W + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        map_data PTE_ALL
        refer "st8 [r20] = r0"
        end_trap_test

        trap_test "translation: access rights of a user", DATA_ACCESS_RIGHTS, ISR_R + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        map_data PTE_ALL + PTE_RW - PTE_PL3
        movl r20 = TEST_PAGE
        enter PSR_CPL, 1f
        explicit
1: 2:   { .mmi
          nop.m 0
          ld8 r21 = [r20]
          nop.i 0 ;;
        }
        end_trap_test

        trap_test "translation: access rights of a fetch", INSTRUCTION_ACCESS_RIGHTS, ISR_X, 0, AT_PAGE, TEST_PAGE, REGION1_ITIR, iip=TEST_PAGE
        map_code PTE_ALL + PTE_RW
        jump
        end_trap_test

        trap_test "translation: dirty bit", DIRTY_BIT, ISR_W + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        map_data PTE_ALL + PTE_RW - PTE_D
        refer "st8 [r20] = r0"
        end_trap_test

        trap_test "translation: dirty bit before access bit", DIRTY_BIT, ISR_R + ISR_W + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        map_data PTE_ALL + PTE_RW - PTE_D - PTE_A
        refer "fetchadd8.acq r21 = [r20], 1"
        end_trap_test

        trap_test "translation: access bit", DATA_ACCESS_BIT, ISR_R + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        map_data PTE_ALL + PTE_RW - PTE_A
        refer "ld8 r21 = [r20]"
        end_trap_test

        trap_test "translation: access bit of a fetch", INSTRUCTION_ACCESS_BIT, ISR_X, 0, AT_PAGE, TEST_PAGE, REGION1_ITIR, iip=TEST_PAGE
        map_code PTE_ALL + PTE_RWX - PTE_A
        jump
        end_trap_test

        trap_test "translation: PSR.da suppresses one access bit fault", DATA_ACCESS_BIT, ISR_R + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        map_data PTE_ALL + PTE_RW - PTE_A
        movl r20 = TEST_PAGE
        enter PSR_DA, 1f
        explicit
1: 2:   { .mmi
          ld8 r21 = [r20]
          ld8 r22 = [r20]
          nop.i 0 ;;
        }
        end_trap_test

// Protection keys: register 15 lets the kernel's own page pass, register 3 is the test page's.
        .macro keys bits
        mov r16 = 15
        mov r17 = 1
        mov pkr[r16] = r17
        mov r16 = 3
        movl r17 = KEY << 8 | (\bits)
        mov pkr[r16] = r17
        serialize i
        .endm
KEY     = 0x77
PKR_V   = 1
PKR_WD  = 2
PKR_RD  = 4
PKR_XD  = 8

        .macro keyed_reference instruction
        movl r20 = TEST_PAGE
        enter PSR_PK, 1f
        explicit
1: 2:   { .mmi
          nop.m 0
          \instruction
          nop.i 0 ;;
        }
        .endm

        trap_test "translation: key miss", DATA_KEY_MISS, ISR_R + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        map_data PTE_ALL + PTE_RW, KEY
        keys 0
        keyed_reference "ld8 r21 = [r20]"
        end_trap_test

        trap_test "translation: key permission of a store", KEY_PERMISSION, ISR_W + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        map_data PTE_ALL + PTE_RW, KEY
        keys PKR_V + PKR_WD
        keyed_reference "st8 [r20] = r0"
        end_trap_test

        trap_test "translation: key permission of a load", KEY_PERMISSION, ISR_R + SLOT1, 1, AT_PAGE, TEST_PAGE, REGION1_ITIR
        map_data PTE_ALL + PTE_RW, KEY
        keys PKR_V + PKR_RD
        keyed_reference "ld8 r21 = [r20]"
        end_trap_test

        trap_test "translation: key miss of a fetch", INSTRUCTION_KEY_MISS, ISR_X, 0, AT_PAGE, TEST_PAGE, REGION1_ITIR, iip=TEST_PAGE
        map_code PTE_ALL + PTE_RWX, KEY
        keys 0
        movl r20 = TEST_PAGE
        mov b6 = r20
        enter PSR_PK, 2f
        explicit
2:      { .mib
          nop.m 0
          nop.i 0
          br.cond.sptk.few b6 ;;
        }
        end_trap_test

        trap_test "translation: key permission of a fetch", KEY_PERMISSION, ISR_X, 0, AT_PAGE, TEST_PAGE, REGION1_ITIR, iip=TEST_PAGE
        map_code PTE_ALL + PTE_RWX, KEY
        keys PKR_V + PKR_XD
        movl r20 = TEST_PAGE
        mov b6 = r20
        enter PSR_PK, 2f
        explicit
2:      { .mib
          nop.m 0
          nop.i 0
          br.cond.sptk.few b6 ;;
        }
        end_trap_test
