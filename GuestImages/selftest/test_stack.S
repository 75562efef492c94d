// The register stack engine (Volume 2, chapter 6).
        .include "macros.inc"

        .text
// Recursion: in0 depth, in1 a number that names the frame. Every register of every frame must come back. r8 number of frames.
        function recurse, 2, 8
        add loc2 = 1, in1
        shladd loc3 = in1, 3, in0
        shl loc4 = in1, 7
        sub loc5 = in0, in1
        xor loc6 = in1, in0
        mov loc7 = -1
        shl loc8 = in0, 40
        mov loc9 = ar.bsp
        cmp.eq p6, p0 = 0, in0
        mov r8 = 1
  (p6)  br.cond.spnt.many 2f
        add out0 = -1, in0
        shladd out1 = in1, 1, loc2
        call recurse
        add r8 = 1, r8
        cmp.gt p6, p0 = 0, r8
  (p6)  br.cond.spnt.many 2f
        add r14 = 1, in1
        shladd r15 = in1, 3, in0
        shl r16 = in1, 7
        sub r17 = in0, in1
        xor r18 = in1, in0
        shl r19 = in0, 40
        mov r20 = ar.bsp
        cmp.eq p6, p7 = r14, loc2
        cmp.eq.and p6, p0 = r15, loc3
        cmp.eq.and p6, p0 = r16, loc4
        cmp.eq.and p6, p0 = r17, loc5
        cmp.eq.and p6, p0 = r18, loc6
        cmp.eq.and p6, p0 = -1, loc7
        cmp.eq.and p6, p0 = r19, loc8
        cmp.eq.and p6, p0 = r20, loc9
  (p6)  br.cond.sptk.many 2f
        mov r8 = -1000
2:      return

        test "register stack: deep recursion"
        mov out0 = 300
        mov out1 = 1
        call recurse
        check 1, r8, 301
        end_test

// Where register r32 + in1 of a frame at in0 lies: one NaT collection after each 63 registers (section 6.1).
        .balign 32
stacked_address:
        extr.u r14 = r16, 3, 6
        add r14 = r14, r17
        mov r15 = r17
1:      cmp.gt p6, p0 = 63, r14
  (p6)  br.cond.sptk.many 2f
        add r15 = 1, r15
        add r14 = -63, r14
        br.cond.sptk.many 1b
2:      shladd r8 = r15, 3, r16
        br.ret.sptk.many b0

// Registers of the caller in memory; frames at many offsets from a NaT collection.
        test "register stack: flushrs writes what the manual says"
        mov loc2 = 70
1:      mov out0 = loc2
        call flush_below
        cmp.ne p6, p0 = 0, r8
  (p6)  br.cond.spnt.many 3f
        add loc2 = -1, loc2
        cmp.lt p6, p0 = 0, loc2
  (p6)  br.cond.sptk.many 1b
        mov r8 = 0
        br.cond.sptk.many 7f
3:      mov r9 = r8
        mov r10 = loc2
        mov r8 = 1
        br.cond.sptk.many 7f
        end_test

        function flush_below, 1, 0
        cmp.eq p6, p0 = 0, in0
        add out0 = -1, in0
  (p6)  br.cond.spnt.many 1f
        call flush_below
        return
1:      call mark_and_flush
        return

// r8 0, or the number of the register that is wrong.
        function mark_and_flush, 0, 6
        mov loc2 = ar.bsp
        mov loc3 = 0x333
        mov loc4 = 0x444
        make_nat loc5
        mov loc6 = 0x666
        call flush_and_collect          // r9 RNAT as of the flush
        mov loc7 = r9
        mov r16 = loc2
        mov r17 = 3
        call stacked_address
        ld8 r14 = [r8]
        mov r8 = 3
        movl r15 = 0x333
        cmp.ne p6, p0 = r14, r15
  (p6)  br.cond.spnt.many 9f
        mov r16 = loc2
        mov r17 = 4
        call stacked_address
        ld8 r14 = [r8]
        mov r8 = 4
        movl r15 = 0x444
        cmp.ne p6, p0 = r14, r15
  (p6)  br.cond.spnt.many 9f
        mov r16 = loc2
        mov r17 = 6
        call stacked_address
        ld8 r14 = [r8]
        mov r8 = 6
        movl r15 = 0x666
        cmp.ne p6, p0 = r14, r15
  (p6)  br.cond.spnt.many 9f
        mov r16 = loc2                  // the NaT bit: in the collection behind it, if that is written, else in RNAT
        mov r17 = 5
        call stacked_address
        extr.u r16 = r8, 3, 6
        dep r17 = -1, r8, 3, 6          // address of its collection
        movl r18 = flushed
        ld8 r18 = [r18]                 // BSPSTORE after the flush
        mov r19 = loc7
        cmp.ltu p6, p0 = r17, r18
  (p6)  ld8 r19 = [r17]
        shr.u r20 = r19, r16
        tnat.z p7, p0 = loc5
        mov r8 = 5
        tbit.z p6, p0 = r20, 0
  (p6)  br.cond.spnt.many 9f
        mov r8 = 8                      // and it is still in the register
  (p7)  br.cond.spnt.many 9f
        mov r8 = 0
9:      return

        .balign 32
flush_and_collect:
        flushrs
        mov r14 = ar.rsc
        mov ar.rsc = 0
        mov r9 = ar.rnat
        mov r15 = ar.bspstore
        mov ar.rsc = r14
        movl r16 = flushed
        st8 [r16] = r15
        br.ret.sptk.many b0

// Frames that exist in memory only: invalidated by loadrs, loaded by br.ret.
        function forget, 0, 0
        flushrs
        br.call.sptk.many b0 = forget_dirty
1:      return
        .balign 32
forget_dirty:
        alloc r14 = ar.pfs, 0, 0, 0, 0
        flushrs
        mov r15 = ar.rsc
        mov ar.rsc = 0
        mov r16 = ar.rnat               // which loadrs leaves undefined
        loadrs
        mov ar.rnat = r16
        mov ar.rsc = r15
        br.ret.sptk.many b0

        function recurse_and_forget, 2, 3
        add loc2 = in0, in1
        make_nat loc3
        mov loc4 = ar.bsp
        cmp.eq p6, p0 = 0, in0
        mov r8 = 0
        add out0 = -1, in0
        shladd out1 = in1, 1, in0
  (p6)  br.cond.spnt.many 1f
        call recurse_and_forget
        br.cond.sptk.many 2f
1:      call forget
        mov r8 = 0
2:      add r14 = in0, in1
        mov r15 = ar.bsp
        cmp.eq p6, p0 = r14, loc2
        cmp.eq.and p6, p0 = r15, loc4
        tnat.nz.and p6, p0 = loc3
        tnat.z.and p6, p0 = loc2
  (p6)  br.cond.sptk.many 3f
        add r8 = 1, r8
3:      return

        test "register stack: returns to frames in memory, with NaT bits"
        mov out0 = 120
        mov out1 = 5
        call recurse_and_forget
        check 1, r8, 0
        end_test

// Synchronous switch to another backing store and back (section 6.11).
        test "register stack: another backing store"
        movl loc2 = 0x123456789
        make_nat loc3
        mov loc4 = ar.rsc
        mov loc5 = ar.bsp
        flushrs
        mov ar.rsc = 0
        mov loc6 = ar.rnat
        mov loc7 = ar.bspstore
        movl r16 = other_store
        mov ar.bspstore = r16
        mov r17 = ar.bsp
        mov ar.rsc = loc4
        check_long 1, r17, other_store
        mov out0 = 100
        mov out1 = 3
        call recurse
        check 2, r8, 101
        flushrs
        mov ar.rsc = 0
        mov ar.bspstore = loc7
        mov ar.rnat = loc6
        mov r17 = ar.bsp
        mov ar.rsc = loc4
        check 3, r17, loc5
        check_long 4, loc2, 0x123456789
        end_test

// A handler covers, flushes and forgets; rfi must load the whole frame.
        test "register stack: rfi to a frame in memory"
        hook cover_and_forget
        movl loc2 = 0x1111
        movl loc3 = 0x2222
        movl loc11 = 0x9999
        mov r17 = 6
        mov r18 = ar.bsp
        break.m 1
        mov r19 = ar.bsp
        check 1, r18, r19
        check_trap 2, TRAP_COUNT, 1
        check_long 3, loc2, 0x1111
        check_long 4, loc3, 0x2222
        check_long 5, loc11, 0x9999
        end_test

cover_and_forget:
        mov r16 = cr.ipsr               // behind the break
        movl r17 = SLOT1
        mov r18 = cr.iip
        extr.u r19 = r16, PSR_RI_SHIFT, 2
        add r16 = r16, r17
        cmp.eq p6, p0 = 2, r19
  (p6)  dep r16 = 0, r16, PSR_RI_SHIFT, 2
  (p6)  add r18 = 16, r18
        mov cr.ipsr = r16
        mov cr.iip = r18
        cover
        flushrs
        mov r17 = ar.rsc
        mov ar.rsc = 0
        mov r18 = ar.rnat
        loadrs
        mov ar.rnat = r18
        mov ar.rsc = r17
        br.cond.sptk.many resume

        .bss
        .balign 16
flushed:
        .skip 8
        .balign 512
        .skip 0xF8                      // the other alignment
other_store:
        .skip 0x10000
