// Addresses that the processor does not implement, and privilege (Volume 2, sections 4.3 and 5.5; Volume 3, epc).
        .include "macros.inc"

UNIMPLEMENTED = 1 << 55                 // of 50 physical bits

        .text
// In physical mode, with the kernel's page at its physical address.
        test "address: an unimplemented physical address"
        catch 2f
        movl r16 = UNIMPLEMENTED
        enter PSR_DT, 1f
        explicit
1:      { .mmi
          nop.m 0
          ld8 r17 = [r16]
          nop.i 0 ;;
        }
        .auto
        mov r8 = 1
        br.cond.sptk.many 7f
2:      check_trap 2, TRAP_VECTOR, GENERAL
        check_trap 3, TRAP_IIP, 1b
        movl r16 = trap + TRAP_ISR
        ld8 r16 = [r16]
        extr.u r17 = r16, 4, 4
        extr.u r18 = r16, 41, 2
        check 4, r17, RESERVED_FIELD >> 4
        check 5, r18, 1
        end_test

        test "address: physical mode and back"
        movl r16 = scratch
        movl r17 = 0xFEDCBA98
        st8 [r16] = r17
        movl r18 = scratch - KERNEL_OFFSET
        enter PSR_DT, 1f                // code virtual, data physical
1:      ld8 loc2 = [r18]
        enter 0, 2f
2:      check_long 1, loc2, 0xFEDCBA98
        enter PSR_DT + PSR_IT + PSR_IC, 3f - KERNEL_OFFSET
3:      ld8 loc3 = [r18]
        mov loc4 = ip
        movl r14 = 4f
        movl r15 = PSR_KERNEL
        mov cr.iip = r14
        mov cr.ipsr = r15
        mov cr.ifs = r0
        rfi
4:      check_long 2, loc3, 0xFEDCBA98
        movl r16 = KERNEL_OFFSET
        add loc4 = loc4, r16
        movl r17 = 3b
        check 3, loc4, r17
        end_test

// A gate page (access rights 7) with privilege level 0: a user's epc promotes to it.
        test "address: epc on a gate page"
        movl r16 = page
        movl r17 = promoting
        ld8 r18 = [r17], 8
        ld8 r19 = [r17], 8
        ld8 r20 = [r17], 8
        ld8 r21 = [r17]
        st8 [r16] = r18, 8
        st8 [r16] = r19, 8
        st8 [r16] = r20, 8
        st8 [r16] = r21
        movl r16 = page
        fc.i r16
        sync.i
        serialize i
        map_code PTE_P + PTE_A + (7 << 9)
        movl r20 = TEST_PAGE
        mov b6 = r20
        mov r22 = 0
        mov loc2 = ar.pfs
        movl r17 = 3 << 62              // the caller's level, which epc looks at
        mov ar.pfs = r17
        catch 2f
        enter PSR_CPL, 1f
1:      br.cond.sptk.many b6
2:      mov ar.pfs = loc2
        check_trap 1, TRAP_VECTOR, BREAK
        check_trap 2, TRAP_IIM, 0x42
        check_trap 3, TRAP_IIP, TEST_PAGE + 16
        movl r16 = trap + TRAP_IPSR
        ld8 r16 = [r16]
        extr.u r16 = r16, 32, 2
        check 4, r16, 0
        end_test

        explicit
        .balign 16
promoting:
        { .mib
          nop.m 0
          nop.i 0
          epc ;;
        }
        { .mii
          break.m 0x42
          nop.i 0
          nop.i 0 ;;
        }
        .auto

        trap_test "address: epc for a caller with more privilege", GENERAL, ILLEGAL + SLOT2, 2
        mov ar.pfs = r0
        enter PSR_CPL, 1f
        explicit
1: 2:   { .mib
          nop.m 0
          nop.i 0
          epc ;;
        }
        end_trap_test

        trap_test "address: probe.fault for a user", DATA_ACCESS_RIGHTS, 5 + ISR_R + ISR_NA + SLOT1, 1, CHECK_IFA, TEST_PAGE
        map_data PTE_ALL + PTE_RW - PTE_PL3
        refer "probe.r.fault r20, 3"
        end_trap_test
