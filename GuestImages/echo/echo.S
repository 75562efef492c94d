// A guest that answers on its console and does little else: for many domains at once. It stays in physical mode, with interrupts off, and
// looks at its serial port a hundred times a second; between looks it waits in PAL_HALT_LIGHT for its timer.
//
// Characters come back. At the end of a line it says "answers"; some characters do something:
//   B  be busy until I: a loop over integer registers and memory
//   F  fault for ever
//   P  switch the machine off, as its power button does
//   R  reset the machine

UNCACHED = 1 << 63
PORTS    = UNCACHED + 0xFFFFC000000             // port p: base + (p / 4) * 4096 + p mod 4096
PORT_UART    = PORTS + (0x3F8 >> 2 << 12) + 0x3F8
PORT_LINE    = PORTS + (0x3FD >> 2 << 12) + 0x3FD
PORT_STATUS  = PORTS + (0x500 >> 2 << 12) + 0x500
PORT_CONTROL = PORTS + (0x504 >> 2 << 12) + 0x504
PORT_RESET   = PORTS + (0xCF9 >> 2 << 12) + 0xCF9
POWER_BUTTON = 8                                // bit of PM1 status
TICK         = 16000000                         // 10 ms
PAL_HALT_LIGHT = 29

// A return goes to the next bundle: nothing else may be in the call's.
        .macro call target
        br.call.sptk b1 = \target
.Lreturn\@:
        .endm

// r2, r3, r14 to r18 are scratch; r4 PAL, r5 not 0: busy, r6 and r7 the busy loop's.
        .text
        .global start
start:
        alloc r14 = ar.pfs, 0, 0, 0, 0
        rsm 0x6000                              // psr.i, psr.ic
        srlz.d
        movl r14 = 0xEF                         // the timer's vector
        mov cr.tpr = r0
        mov cr.itv = r14
        mov r5 = 0
        mov r6 = 1
        srlz.d

// The SAL system table's first entry of type 0 has the address of PAL.
        add r2 = 8, r28                         // EFI system table
        ld8 r2 = [r2]
        add r3 = 112, r2                        // its configuration tables: GUID, address
        ld8 r3 = [r3]
        movl r14 = 0x11D32D88EB9D2D32           // {eb9d2d32-2d88-11d3-9a16-0090273fc14d}
1:      ld8 r15 = [r3], 16
        ld8 r16 = [r3], 8
        cmp.ne p6, p0 = r14, r15
  (p6)  br.cond.spnt 1b
        add r16 = 96, r16                       // entries begin behind the header
2:      ld1 r14 = [r16]                         // types 0 to 5: 48, 32, 16, 32, 16, 16 bytes
        mov r15 = 16
        cmp.eq p6, p0 = 0, r14
        cmp.eq p7, p8 = 1, r14
        cmp.eq p9, p10 = 3, r14
  (p6)  br.cond.spnt 3f
  (p7)  mov r15 = 32
  (p9)  mov r15 = 32
        add r16 = r16, r15
        br.cond.sptk 2b
3:      add r16 = 8, r16
        ld8 r4 = [r16]
        movl r20 = ready
        call puts

look:
        movl r2 = PORT_STATUS                   // the power button
        ld2.acq r3 = [r2]
        movl r14 = PORT_LINE
        tbit.nz p6, p0 = r3, POWER_BUTTON
  (p6)  br.cond.spnt off
        ld1.acq r15 = [r14]
        tbit.nz p6, p0 = r15, 0                 // data ready
  (p6)  br.cond.spnt take
        cmp.ne p6, p0 = 0, r5
  (p6)  br.cond.spnt busy

        mov r2 = ar.itc
        movl r3 = TICK
        add r2 = r2, r3
        mov cr.itm = r2
        srlz.d
        movl r2 = 4f
        mov r28 = PAL_HALT_LIGHT
        mov r29 = 0
        mov r30 = 0
        mov r31 = 0
        mov b7 = r4
        mov b0 = r2
        br.cond.sptk b7
4:      mov r2 = cr.ivr
        srlz.d
        mov cr.eoi = r0
        srlz.d
        br.cond.sptk look

// About 2 ^ 20 slots.
busy:   mov r2 = 0x4000
        movl r14 = buffer
        mov ar.lc = r2
5:      add r6 = r6, r6, 1
        xor r7 = r7, r6
        ld8 r15 = [r14]
        add r15 = r15, r7
        extr.u r16 = r6, 3, 9
        shl r6 = r6, 1
        xor r6 = r6, r15
        st8 [r14] = r15
        add r7 = r7, r16
        br.cloop.sptk 5b
        br.cond.sptk look

take:   movl r14 = PORT_UART
        ld1.acq r21 = [r14]
        mov r22 = r21
        call putc
        cmp.eq p6, p0 = 'B', r21
        cmp.eq p7, p0 = 'I', r21
        cmp.eq p8, p0 = 'F', r21
        cmp.eq p9, p0 = 'P', r21
        cmp.eq p10, p0 = 'R', r21
        cmp.eq p11, p0 = '\r', r21
        cmp.eq p12, p0 = '\n', r21
  (p6)  add r5 = 1, r0
  (p7)  mov r5 = 0
  (p8)  br.cond.spnt fault
  (p9)  br.cond.spnt off
  (p10) br.cond.spnt reset
  (p11) br.cond.spnt answer
  (p12) br.cond.spnt answer
        br.cond.sptk look

answer: movl r20 = answers
        call puts
        br.cond.sptk look

// The text at r20.
puts:   mov r17 = b1
6:      ld1 r22 = [r20], 1
        cmp.eq p6, p0 = 0, r22
  (p6)  mov b1 = r17
  (p6)  br.ret.spnt b1
        call putc
        br.cond.sptk 6b

// The character in r22.
putc:   movl r14 = PORT_LINE
7:      ld1.acq r15 = [r14]
        movl r16 = PORT_UART
        tbit.z p6, p0 = r15, 5                  // room in the transmitter
  (p6)  br.cond.spnt 7b
        st1.rel [r16] = r22
        br.ret.sptk b1

// Soft off: sleep type 5 and sleep enable.
off:    movl r2 = PORT_CONTROL
        movl r3 = (5 << 10) + (1 << 13)
        st2.rel [r2] = r3
        br.cond.sptk look

reset:  movl r2 = PORT_RESET
        mov r3 = 6
        st1.rel [r2] = r3
        br.cond.sptk look

// Where there is no memory.
fault:  movl r2 = 0x300000000000
        add r3 = -1, r0
        mov cr.iva = r2
        mov b6 = r2
        br.cond.sptk b6

        .rodata
ready:  stringz "ECHO GUEST READY\r\n"
answers: stringz "\r\nanswers\r\n"

// Far from the code: a store into a page of translated code makes it be translated again.
        .bss
        .balign 64
buffer: .skip 64
