// Calls of PAL and SAL, and what their tables say.
        .include "macros.inc"

        .text
// Finds PAL and SAL in the SAL system table of EFI system table in0, and pins PAL's page, as its callers in virtual mode must
// (Volume 2, section 11.10.1).
        function find_firmware, 1, 2
        mov out0 = in0                  // {eb9d2d32-2d88-11d3-9a16-0090273fc14d}
        movl out1 = 0x11D32D88EB9D2D32
        movl out2 = 0x4DC13F279000169A
        call find_table
        cmp.eq p6, p0 = 0, r8
  (p6)  br.cond.spnt.many 9f
        movl loc2 = CACHED
        or r8 = r8, loc2
        movl r2 = sal_table
        st8 [r2] = r8
        add r14 = 10, r8
        ld2 r15 = [r14]                 // number of entries
        add r16 = 96, r8
        movl r20 = entry_sizes
1:      cmp.eq p6, p0 = 0, r15
  (p6)  br.cond.spnt.many 9f
        ld1 r17 = [r16]
        add r15 = -1, r15
        cmp.eq p6, p0 = 0, r17
  (p6)  br.cond.spnt.many 2f
        add r18 = r20, r17
        ld1 r18 = [r18]
        add r16 = r16, r18
        br.cond.sptk.many 1b
2:      add r16 = 8, r16                // entry points: PAL, SAL, SAL's gp
        ld8 r17 = [r16], 8
        ld8 r18 = [r16], 8
        ld8 r19 = [r16]
        or r17 = r17, loc2
        or r18 = r18, loc2
        or r19 = r19, loc2
        movl r2 = pal_entry
        st8 [r2] = r17, 8
        st8 [r2] = r18, 8
        st8 [r2] = r19

        movl r2 = PTE_P + PTE_A + PTE_D + PTE_RWX
        dep.z r3 = r17, 0, 50
        dep r3 = 0, r3, 0, 24
        or r3 = r3, r2
        mov r14 = 24 << 2
        mov r15 = 1
        rsm PSR_IC
        serialize d
        mov cr.ifa = r17
        mov cr.itir = r14
        serialize d
        itr.i itr[r15] = r3
        ssm PSR_IC
        serialize i
9:      return

// PAL procedure in0 with two arguments, static calling convention: r8 to r11 are its results.
        function pal, 3, 0
        movl r2 = pal_entry
        ld8 r2 = [r2]
        mov b7 = r2
        mov r28 = in0
        mov r29 = in1
        mov r30 = in2
        mov r31 = 0
        movl r3 = 1f
        mov b0 = r3
        br.cond.sptk.many b7
1:      return

// SAL procedure in0 with one argument.
        function sal, 2, 1
        movl r2 = sal_entry
        ld8 r3 = [r2], 8
        ld8 r1 = [r2]
        mov b7 = r3
        alloc r2 = ar.pfs, 2, 3, 8, 0
        mov out0 = in0
        mov out1 = in1
        mov out2 = 0
        mov out3 = 0
        mov out4 = 0
        mov out5 = 0
        mov out6 = 0
        mov out7 = 0
        call b7
        return

// The physical address of the ACPI table with signature in1, or 0; in0 EFI system table.
        function find_acpi, 2, 3
        mov out0 = in0
        call acpi_tables
        mov loc2 = r8
        mov loc3 = r9
1:      cmp.eq p6, p0 = 0, loc3
        mov r8 = 0
  (p6)  br.cond.spnt.many 2f
        ld4 r14 = [loc2], 4             // entries are not aligned to eight bytes
        ld4 r15 = [loc2], 4
        add loc3 = -1, loc3
        shl r15 = r15, 32
        or r8 = r14, r15
        movl r2 = CACHED
        or r16 = r8, r2
        ld4 r17 = [r16]
        cmp.ne p6, p0 = r17, in1
  (p6)  br.cond.sptk.many 1b
2:      return

// The entries of the XSDT: r8 address, r9 number.
        function acpi_tables, 1, 0
        mov out0 = in0                  // ACPI 2.0: {8868e871-e4f1-11d3-bc22-0080c73c8881}
        movl out1 = 0x11D3E4F18868E871
        movl out2 = 0x81883CC7800022BC
        call find_table
        mov r9 = 0
        cmp.eq p6, p0 = 0, r8
  (p6)  br.cond.spnt.many 1f
        movl r2 = CACHED
        or r8 = r8, r2
        add r8 = 24, r8                 // the XSDT's address
        ld8 r8 = [r8]
        or r8 = r8, r2
        add r3 = 4, r8
        ld4 r9 = [r3]
        add r8 = 36, r8
        add r9 = -36, r9
        shr.u r9 = r9, 3
1:      return

        .rodata
entry_sizes:                            // of types 0 to 5
        data1 48, 32, 16, 32, 16, 16

        .data
        .balign 8
        .global pal_entry, sal_table
sal_table:
        data8 0
pal_entry:
        data8 0
sal_entry:
        data8 0, 0
