// Prints what machine this is.
        .include "macros.inc"

// A PAL procedure without arguments: they are reserved, and must be zero.
        .macro call_pal number
        mov out0 = \number
        mov out1 = 0
        mov out2 = 0
        call pal
        .endm

        .text
        .global report
        function report, 1, 4
        say "Epicure self-test guest for IA-64\n"
        say "console: "
        movl r2 = console_name
        ld8 out0 = [r2]
        call puts

// CPUID (Volume 1, section 3.1.11).
        say "\nprocessor: "
        mov r2 = 0
        mov r3 = cpuid[r2]
        mov r2 = 1
        mov r14 = cpuid[r2]
        movl r15 = text
        st8 [r15] = r3, 8
        st8 [r15] = r14, 8
        st1 [r15] = r0
        movl out0 = text
        call puts
        mov r2 = 3
        mov loc2 = cpuid[r2]
        say " family "
        extr.u out0 = loc2, 24, 8
        mov out1 = 1
        call put_hex
        say " model "
        extr.u out0 = loc2, 16, 8
        mov out1 = 1
        call put_hex
        say " revision "
        extr.u out0 = loc2, 8, 8
        mov out1 = 1
        call put_hex
        say " features "
        mov r2 = 4
        mov out0 = cpuid[r2]
        mov out1 = 1
        call put_hex

// Versions. PAL_VERSION: B version in bits 15:0, A version in bits 47:32, binary-coded decimals.
        call_pal 20
        mov loc2 = r10
        say "\nfirmware: PAL_A "
        extr.u out0 = loc2, 32, 16
        call put_version
        say ", PAL_B "
        extr.u out0 = loc2, 0, 16
        call put_version
        say ", SAL "
        movl r2 = sal_table
        ld8 r2 = [r2]
        add r2 = 8, r2
        ld2 out0 = [r2]
        call put_version
        say ", EFI "
        movl r2 = CACHED
        add r3 = 8, in0                 // revision: major in the upper half, minor in the lower in hundredths
        or r3 = r3, r2
        ld4 loc2 = [r3]
        extr.u out0 = loc2, 16, 16
        call put_decimal
        mov out0 = '.'
        call putc
        extr.u out0 = loc2, 0, 16
        call put_decimal

// Frequencies: SAL_FREQ_BASE gives the platform's, PAL_FREQ_RATIOS what the others are to it.
        movl out0 = 0x01000012
        mov out1 = 0
        call sal
        mov loc2 = r9
        say "\nfrequencies: base "
        mov out0 = loc2
        call put_decimal
        call_pal 14
        mov loc3 = r9
        mov loc4 = r10
        mov loc5 = r11
        say " Hz, processor "
        mov out0 = loc2
        mov out1 = loc3
        call put_ratio
        say " Hz, bus "
        mov out0 = loc2
        mov out1 = loc4
        call put_ratio
        say " Hz, interval timer "
        mov out0 = loc2
        mov out1 = loc5
        call put_ratio
        say " Hz"
        call report_memory_model
        call report_time
        mov out0 = in0
        call report_tables
        return

// PAL_VM_SUMMARY, PAL_CACHE_SUMMARY, PAL_RSE_INFO.
        function report_memory_model, 0, 4
        call_pal 8
        mov loc2 = r9
        mov loc3 = r10
        say "\ntranslation: "
        extr.u out0 = loc3, 0, 8
        add out0 = 1, out0              // bit 60 implemented: 61 bits, and three of the region
        call put_decimal
        say " virtual address bits in a region, "
        extr.u out0 = loc2, 1, 7
        call put_decimal
        say " physical, "
        extr.u out0 = loc3, 8, 8
        call put_decimal
        say " of region identifiers, "
        extr.u out0 = loc2, 8, 8
        call put_decimal
        say " of keys; "
        extr.u out0 = loc2, 16, 8
        add out0 = 1, out0
        call put_decimal
        say " protection keys, "
        extr.u out0 = loc2, 40, 8
        add out0 = 1, out0
        call put_decimal
        say " + "
        extr.u out0 = loc2, 32, 8
        add out0 = 1, out0
        call put_decimal
        say " translation registers\n"
        call_pal 4
        mov loc2 = r9
        mov loc3 = r10
        say "caches: "
        mov out0 = loc3
        call put_decimal
        say " on "
        mov out0 = loc2
        call put_decimal
        say " levels\n"
        call_pal 19
        mov loc2 = r9
        say "register stack: "
        mov out0 = loc2
        call put_decimal
        say " physical registers\n"
        return

// The EFI memory map's total, and the ACPI tables.
        function report_tables, 1, 3
        say "usable memory: "
        call usable_memory
        shr.u out0 = r8, 20
        call put_decimal
        say " MiB\nACPI tables:"
        mov out0 = in0
        call acpi_tables
        mov loc2 = r8
        mov loc3 = r9
1:      cmp.eq p6, p0 = 0, loc3
  (p6)  br.cond.spnt.many 2f
        mov out0 = ' '
        call putc
        ld4 r14 = [loc2], 4
        ld4 r15 = [loc2], 4
        add loc3 = -1, loc3
        shl r15 = r15, 32
        or r14 = r14, r15
        movl r2 = CACHED
        or out0 = r14, r2
        mov out1 = 4
        call put_text
        br.cond.sptk.many 1b
2:      mov out0 = '\n'
        call putc
        return

// Bytes of memory that the operating system may use: loader (1, 2), boot services (3, 4), conventional (7).
        function usable_memory, 0, 0
        movl r2 = boot_parameters
        ld8 r2 = [r2]
        movl r3 = CACHED
        add r2 = 16, r2
        or r2 = r2, r3
        ld8 r14 = [r2], 8
        ld8 r15 = [r2], 8
        ld8 r16 = [r2]
        or r14 = r14, r3
        add r15 = r14, r15
        mov r8 = 0
        mov r20 = 0x9E
1:      cmp.geu p6, p0 = r14, r15
  (p6)  br.cond.spnt.many 2f
        ld4 r17 = [r14]
        add r18 = 24, r14               // number of 4 KiB pages
        ld8 r18 = [r18]
        add r14 = r14, r16
        shr.u r19 = r20, r17
        shl r18 = r18, 12
        tbit.nz p6, p0 = r19, 0
  (p6)  add r8 = r8, r18
        br.cond.sptk.many 1b
2:      return

// Two digits, a point, two digits.
        function put_version, 1, 0
        extr.u r2 = in0, 12, 4
        add out0 = '0', r2
        call putc
        extr.u r2 = in0, 8, 4
        add out0 = '0', r2
        call putc
        mov out0 = '.'
        call putc
        extr.u r2 = in0, 4, 4
        add out0 = '0', r2
        call putc
        extr.u r2 = in0, 0, 4
        add out0 = '0', r2
        call putc
        return

// in0 times the ratio in1: numerator in the upper half, denominator in the lower.
        function put_ratio, 2, 0
        extr.u r2 = in1, 32, 32
        extr.u r3 = in1, 0, 32
        setf.sig f6 = in0
        setf.sig f7 = r2
        xmpy.l f6 = f6, f7
        getf.sig r8 = f6
        mov out0 = 0
        cmp.eq p6, p0 = 0, r3
  (p6)  br.cond.spnt.many 2f
        setf.sig f7 = r3
        fcvt.xf f6 = f6
        fcvt.xf f7 = f7
        frcpa.s0 f8, p6 = f6, f7        // quotient of small integers: exact after the usual iterations
  (p6)  fnma.s1 f9 = f7, f8, f1
  (p6)  fma.s1 f8 = f9, f8, f8
  (p6)  fmpy.s1 f9 = f9, f9
  (p6)  fma.s1 f8 = f9, f8, f8
  (p6)  fmpy.s1 f9 = f9, f9
  (p6)  fma.s1 f8 = f9, f8, f8
  (p6)  fmpy.s1 f10 = f6, f8
  (p6)  fnma.s1 f11 = f7, f10, f6
  (p6)  fma.s1 f8 = f11, f8, f10
        fcvt.fxu.trunc.s1 f8 = f8
        getf.sig out0 = f8
2:      call put_decimal
        return

        .bss
        .balign 8
text:   .skip 24
