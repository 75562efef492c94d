// Mandatory loads and stores of the register stack engine that fault (Volume 2, sections 6.5 and 6.8).
        .include "macros.inc"

// The backing store moves to TEST_PAGE, lazy mode; `own_store` moves it back.
        .macro test_store
        flushrs
        mov loc4 = ar.rsc
        mov ar.rsc = 0
        mov loc5 = ar.rnat
        mov loc6 = ar.bspstore
        movl r16 = TEST_PAGE
        mov ar.bspstore = r16
        .endm

        .macro own_store
        flushrs
        mov ar.bspstore = loc6
        mov ar.rnat = loc5
        mov ar.rsc = loc4
        .endm

        .text
// A hook: maps TEST_PAGE and repeats the reference.
map_store:
        movl r16 = TEST_PAGE
        movl r17 = page - KERNEL_OFFSET + PTE_ALL + PTE_RW
        mov r18 = 12 << 2
        mov r19 = 7
        mov cr.ifa = r16
        mov cr.itir = r18
        serialize d
        itr.d dtr[r19] = r17
        serialize d
        br.cond.sptk.many resume

        .balign 32
outer_frame:
        alloc r32 = ar.pfs, 0, 60, 4, 0
        mov r33 = b0
        movl r34 = 0x3434
        movl r60 = 0x6060
        movl r91 = 0x9191
        call inner_frame
        movl r14 = 0x3434
        movl r15 = 0x6060
        movl r16 = 0x9191
        mov r8 = 0
        cmp.eq p6, p0 = r14, r34
        cmp.eq.and p6, p0 = r15, r60
        cmp.eq.and p6, p0 = r16, r91
  (p6)  mov r8 = 1
        mov ar.pfs = r32
        mov b0 = r33
        br.ret.sptk.many b0

        .balign 32
inner_frame:
        explicit
spilling_alloc:
        { .mii
          alloc r32 = ar.pfs, 0, 60, 4, 0
          nop.i 0
          nop.i 0 ;;
        }
        .auto
        mov r91 = 0
        mov ar.pfs = r32
        br.ret.sptk.many b0

        test "register stack: a store of alloc faults"
        test_store
        hook map_store
        call outer_frame
        mov loc7 = r8
        own_store
        check 1, loc7, 1
        check_trap 2, TRAP_COUNT, 1
        check_trap 3, TRAP_VECTOR, ALTERNATE_DATA_TLB
        check_trap 4, TRAP_ISR, ISR_W + ISR_RS
        check_trap 5, TRAP_IIP, spilling_alloc
        check_trap 6, TRAP_IFA, TEST_PAGE
        end_test

// Leaves its caller's frame in memory only, and the memory unmapped.
        .balign 32
lose_caller:
        alloc r14 = ar.pfs, 0, 0, 0, 0
        flushrs
        mov r18 = ar.rnat               // which loadrs leaves undefined
        loadrs
        mov ar.rnat = r18
        movl r16 = TEST_PAGE
        mov r17 = 12 << 2
        ptr.d r16, r17
        serialize d
        br.ret.sptk.many b0

        test "register stack: a load of br.ret faults, at the target"
        map_data PTE_ALL + PTE_RW
        test_store
        hook map_store
        movl loc2 = 0x12345678
        make_nat loc3
        mov loc8 = ar.bsp
        call lose_caller
1:      mov loc9 = ar.bsp
        own_store
        check_long 1, loc2, 0x12345678
        mov r18 = 0
        tnat.nz p7, p0 = loc3
  (p7)  mov r18 = 1
        check 2, r18, 1
        check 3, loc8, loc9
        check_trap 4, TRAP_COUNT, 1
        check_trap 5, TRAP_VECTOR, ALTERNATE_DATA_TLB
        check_trap 6, TRAP_ISR, ISR_R + ISR_RS + ISR_IR
        check_trap 7, TRAP_IIP, 1b
        end_test
