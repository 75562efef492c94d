// The console: found in the firmware's tables, written character by character.
        .include "macros.inc"

        .text
// The address of configuration table with GUID (in1, in2) of EFI system table in0, or 0. All addresses are physical.
        function find_table, 3, 0
        movl r2 = CACHED
        add r3 = 104, in0
        or r3 = r3, r2
        ld8 r14 = [r3], 8               // number of tables
        ld8 r15 = [r3]
        mov r8 = 0
        or r15 = r15, r2
1:      cmp.eq p6, p0 = 0, r14
  (p6)  br.cond.spnt.many 2f
        ld8 r16 = [r15], 8
        ld8 r17 = [r15], 8
        ld8 r18 = [r15], 8
        cmp.eq p6, p0 = r16, in1
        add r14 = -1, r14
        cmp.eq.and p6, p0 = r17, in2
  (p6)  br.cond.spnt.many 3f
        br.cond.sptk.many 1b
3:      mov r8 = r18
2:      return

// Finds the console: PCDP, else SPCR, else the port where PCs have their first serial port. in0 EFI system table.
        function find_console, 1, 4
        call find_ports
        mov out0 = in0                  // PCDP: {f951938d-620b-42ef-8279-a84b79617898}
        movl out1 = 0x42EF620BF951938D
        movl out2 = 0x987861794BA87982
        call find_table
        movl loc2 = CACHED
        cmp.eq p6, p0 = 0, r8
        or r14 = r8, loc2
  (p6)  br.cond.spnt.many 1f
        add r15 = 36, r14               // number of UARTs
        ld4 r16 = [r15]
        add r17 = 40 + 16, r14          // the first one's address
        cmp.eq p6, p0 = 0, r16
  (p6)  br.cond.spnt.many 1f
        movl r18 = name_pcdp
        br.cond.sptk.many 3f

1:      mov out0 = in0
        movl out1 = 0x52504353          // "SPCR"
        call find_acpi
        cmp.eq p6, p0 = 0, r8
        or r14 = r8, loc2
  (p6)  br.cond.spnt.many 2f
        add r17 = 40, r14
        movl r18 = name_spcr
        br.cond.sptk.many 3f

2:      movl r17 = legacy_address
        movl r18 = name_legacy

// r17 generic address: space identifier 0 memory, 1 ports; four bytes on the address, which need not be aligned to eight.
3:      movl r2 = console_name
        st8 [r2] = r18
        ld1 r19 = [r17], 4
        ld4 loc4 = [r17], 4
        ld4 r21 = [r17]
        shl r21 = r21, 32
        or loc4 = loc4, r21
        cmp.eq p6, p7 = 1, r19
        movl r22 = UNCACHED
  (p7)  or loc4 = loc4, r22
  (p7)  add loc5 = 5, loc4
  (p7)  br.cond.sptk.many 4f
        mov out0 = loc4
        call port_address
        mov loc3 = r8
        add out0 = 5, loc4
        call port_address
        mov loc5 = r8
        mov loc4 = loc3
4:      movl r2 = console_data
        st8 [r2] = loc4, 8
        st8 [r2] = loc5
        return

// Where the port space is: EFI memory type 12, else what the firmware left in AR.K0.
        function find_ports, 0, 0
        mov r8 = ar.k0
        movl r2 = boot_parameters
        ld8 r2 = [r2]
        movl r3 = CACHED
        add r2 = 16, r2
        or r2 = r2, r3
        ld8 r14 = [r2], 8               // memory map, size, size of a descriptor
        ld8 r15 = [r2], 8
        ld8 r16 = [r2]
        or r14 = r14, r3
        add r15 = r14, r15
1:      cmp.geu p6, p0 = r14, r15
  (p6)  br.cond.spnt.many 2f
        ld4 r17 = [r14]
        add r18 = 8, r14
        cmp.ne p7, p8 = 12, r17
        add r14 = r14, r16
  (p7)  br.cond.sptk.many 1b
        ld8 r8 = [r18]
2:      movl r2 = port_space
        movl r3 = UNCACHED
        or r8 = r8, r3
        st8 [r2] = r8
        return

// The uncacheable address of I/O port in0: four ports to a page (Volume 2, section 10.7).
        function port_address, 1, 0
        movl r2 = port_space
        ld8 r2 = [r2]
        shr.u r3 = in0, 2
        shl r3 = r3, 12
        extr.u r8 = in0, 0, 12
        or r8 = r8, r3
        add r8 = r8, r2
        return

// Writes the character in0; a line feed gets its carriage return.
        function putc, 1, 1
        cmp.ne p6, p0 = 0x0A, in0
        mov loc2 = 0x0D
  (p6)  br.cond.sptk.many 2f
1:      movl r2 = console_data
        ld8 r3 = [r2], 8
        ld8 r14 = [r2]
3:      ld1 r15 = [r14]                 // line status: transmitter holding register empty
        tbit.z p6, p0 = r15, 5
  (p6)  br.cond.spnt.many 3b
        st1.rel [r3] = loc2
        mf
        cmp.eq p6, p0 = loc2, in0
  (p6)  br.cond.sptk.many 4f
2:      mov loc2 = in0
        br.cond.sptk.many 1b
4:      return

// Reads a character.
        function getc, 0, 0
        movl r2 = console_data
        ld8 r3 = [r2], 8
        ld8 r14 = [r2]
1:      ld1 r15 = [r14]                 // line status: data ready
        tbit.z p6, p0 = r15, 0
  (p6)  br.cond.spnt.many 1b
        ld1.acq r8 = [r3]
        return

// Waits until the last character has left.
        function flush_console, 0, 0
        movl r2 = console_data + 8
        ld8 r2 = [r2]
1:      ld1 r3 = [r2]                   // line status: transmitter empty
        tbit.z p6, p0 = r3, 6
  (p6)  br.cond.spnt.many 1b
        return

// Writes the text at in0, which ends with a zero byte.
        function puts, 1, 0
1:      ld1 out0 = [in0], 1
        cmp.eq p6, p0 = 0, out0
  (p6)  br.cond.spnt.many 2f
        call putc
        br.cond.sptk.many 1b
2:      return

// Writes in1 characters of the text at in0.
        function put_text, 2, 0
1:      cmp.eq p6, p0 = 0, in1
  (p6)  br.cond.spnt.many 2f
        ld1 out0 = [in0], 1
        add in1 = -1, in1
        call putc
        br.cond.sptk.many 1b
2:      return

// Writes in0 in hexadecimal, with 0x and at least in1 digits.
        function put_hex, 2, 2
        mov out0 = '0'
        call putc
        mov out0 = 'x'
        call putc
        mov loc2 = 60                   // shift of the digit
1:      shr.u loc3 = in0, loc2
        shr.u r2 = loc2, 2
        cmp.ne p6, p0 = 0, loc3
        cmp.gtu p9, p0 = in1, r2
  (p9)  cmp.eq p6, p0 = r0, r0
        extr.u r3 = loc3, 0, 4
        cmp.gtu p7, p8 = 10, r3
  (p7)  add out0 = '0', r3
  (p8)  add out0 = 'a' - 10, r3
        call putc, p6
        add loc2 = -4, loc2
        cmp.le p6, p0 = 0, loc2
  (p6)  br.cond.sptk.many 1b
        return

// Writes in0 in decimal: subtracts powers of ten.
        function put_decimal, 1, 3
        movl loc2 = powers
        mov loc4 = 0                    // whether a digit was written
1:      ld8 r2 = [loc2], 8
        mov r3 = 0
        cmp.eq p6, p0 = 0, r2
  (p6)  br.cond.spnt.many 4f
2:      cmp.leu p6, p7 = r2, in0
  (p6)  sub in0 = in0, r2
  (p6)  add r3 = 1, r3
  (p6)  br.cond.sptk.many 2b
        or loc4 = loc4, r3
        cmp.eq p6, p0 = 1, r2           // the last digit is written even if it is 0
        cmp.ne.or p6, p0 = 0, loc4
        add out0 = '0', r3
        call putc, p6
        br.cond.sptk.many 1b
4:      return

        .rodata
powers:
        data8 10000000000000000000, 1000000000000000000, 100000000000000000, 10000000000000000, 1000000000000000
        data8 100000000000000, 10000000000000, 1000000000000, 100000000000, 10000000000, 1000000000, 100000000
        data8 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1, 0
legacy_address:
        data1 1, 8, 0, 1
        data4 0x3F8, 0
name_pcdp:
        .asciz "PCDP"
name_spcr:
        .asciz "SPCR"
name_legacy:
        .asciz "the usual port"

        .data
        .balign 8
console_data:
        data8 0, 0                      // transmitter holding register, line status register
port_space:
        data8 0
        .global console_name
console_name:
        data8 0
