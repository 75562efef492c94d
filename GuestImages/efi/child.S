// An image that ends deep in its calls, by Exit, having changed every register that it should have preserved.
        .include "pe.inc"
        .include "check.inc"
        pe_header

        function entry, 2, 1
        store_at handle, in0
        add r16 = BOOT_SERVICES, in1
        ld8 r16 = [r16]
        store_at boot_services, r16
        mov out0 = 40
        br.call.sptk.many b0 = descend
        mov r8 = 5
        return

// Forty frames of ninety registers: what lies above must have been written to the backing store.
        function descend, 1, 80
        mov loc70 = in0
        mov r4 = in0
        mov r5 = in0
        mov r6 = in0
        mov r7 = in0
        mov b1 = in0
        mov b2 = in0
        mov b3 = in0
        mov ar.lc = in0
        setf.sig f2 = in0
        setf.sig f16 = in0
        setf.sig f31 = in0
        cmp.eq p1, p2 = r0, r0
        cmp.eq p16, p17 = r0, r0
        add out0 = -1, in0
        cmp.eq p6, p7 = 0, in0
 (p6)   br.cond.spnt.many 1f
        br.call.sptk.many b0 = descend
1:      load_at out0, handle
        movl out1 = 0x1234
        mov out2 = 16
        address out3, handle
        boot EXIT
        mov r8 = 6
        return

        .balign 8, 0
handle: data8 0
boot_services: data8 0
        pe_end
