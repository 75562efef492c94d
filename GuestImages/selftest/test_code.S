// Code that changes (Volume 2, section 4.4.3; Volume 3, fc).
        .include "macros.inc"

        .text
// Code that is written, made visible (fc.i, sync.i, srlz.i), executed through a cached translation, and changed.
        test "translation: code in the instruction translation cache"
        movl r16 = page - KERNEL_OFFSET + PTE_ALL + PTE_RX
        mov r17 = 12 << 2
        movl r18 = TEST_PAGE
        rsm PSR_IC
        serialize d
        mov cr.ifa = r18
        mov cr.itir = r17
        serialize d
        itc.i r16
        ssm PSR_IC
        serialize i
        movl out0 = returns_one
        call call_copy
        check 1, r8, 1
        movl out0 = returns_two
        call call_copy
        check 2, r8, 2
        end_test

        function call_copy, 1, 0
        movl r16 = page
        ld8 r17 = [in0], 8
        ld8 r18 = [in0]
        movl r19 = page
        st8 [r16] = r17, 8
        st8 [r16] = r18
        fc.i r19
        sync.i
        serialize i
        movl r20 = TEST_PAGE
        mov b6 = r20
        mov r8 = 0
        br.call.sptk.many b0 = b6
1:      return

        explicit
        .balign 16
returns_one:
        { .mib
          mov r8 = 1
          nop.i 0
          br.ret.sptk.many b0 ;;
        }
returns_two:
        { .mib
          mov r8 = 2
          nop.i 0
          br.ret.sptk.many b0 ;;
        }
