/// Small programs for Linux/ia64, in words as GNU as assembled them (`ia64-linux-gnu-as -x`, linked at the address of
/// ``SmallProgram``). Each is preceded by its source.
enum RunPrograms {
  /// Exits with status 42.
  /// ```
  ///     alloc r2=ar.pfs,0,0,1,0
  ///     mov r15=1025
  ///     mov r32=42 ;;
  ///     break 0x100000 ;;
  /// ```
  static let exits: [UInt64] = [
    0x08F0_0580_0004_1001, 0x9000_02A4_0048_1000, 0x0000_0200_0000_0001, 0x0004_0000_0000_0200,
  ]

  /// Unaligned stores and loads of several sizes; exits with the low byte of what it has read, 0x44.
  /// ```
  ///     alloc r2=ar.pfs,0,0,1,0
  ///     movl r3=0x1122334455667788
  ///     adds r14=-63,r12 ;;
  ///     st8 [r14]=r3
  ///     adds r16=4,r14 ;;
  ///     ld4 r32=[r16],-3 ;;
  ///     ld2 r17=[r16] ;;
  ///     ldf8 f6=[r14] ;;
  ///     getf.sig r18=f6
  ///     mov r19=0x6677
  ///     mov r15=1025 ;;
  ///     cmp.ne p6,p0=r18,r3
  ///     cmp.ne p7,p0=r17,r19 ;;
  /// (p6)    mov r32=1 ;;
  /// (p7)    mov r32=2
  ///     break 0x100000 ;;
  /// ```
  static let unaligned: [UInt64] = [
    0x4455_4580_0004_1004, 0x63BC_D080_6011_2233, 0x1800_233F_1904_700B, 0x8400_7042_0023_3038,
    0x0110_1611_21F5_000B, 0x0004_0000_0020_1040, 0x3120_1808_1C00_300A, 0x9330_0772_6021_C200,
    0x9000_2408_0004_780B, 0xE01C_9910_0070_0C0C, 0x1201_E400_0005_00CB, 0x0800_0000_0048_0000,
  ]

  /// Installs a handler for SIGSEGV, stores to address 8; the handler checks si_addr and makes sc_ip skip the bundle. Exits with
  /// 55 + 77 - 100 = 32, which only comes out if the frame has survived.
  /// ```
  ///     alloc r2=ar.pfs,0,2,4,0
  ///     adds r14=-128,r12
  ///     mov r33=77 ;;
  ///     movl r3=descriptor ;;
  ///     st8 [r14]=r3,8
  ///     mov r4=4 ;;
  ///     st8 [r14]=r4,8 ;;
  ///     st8 [r14]=r0,-16
  ///     mov r34=11 ;;
  ///     mov r35=r14
  ///     mov r36=0
  ///     mov r37=8
  ///     mov r15=1177 ;;
  ///     break 0x100000 ;;
  ///     mov r32=55
  ///     mov r5=8
  ///     cmp.ne p6,p0=r8,r0 ;;
  ///     { .mmi
  ///     st8 [r5]=r5
  ///     nop.m 0
  ///     nop.i 0 ;;
  ///     }
  ///     add r32=r32,r33
  ///     mov r15=1025 ;;
  ///     adds r34=-100,r32 ;;
  /// (p6)    mov r34=99 ;;
  ///     break 0x100000 ;;
  /// handler:
  ///     alloc r2=ar.pfs,3,0,0,0
  ///     adds r14=40,r34
  ///     adds r15=16,r33 ;;
  ///     ld8 r16=[r14]
  ///     ld8 r17=[r15] ;;
  ///     adds r16=16,r16
  ///     cmp.eq p6,p7=8,r17 ;;
  ///     and r16=-4,r16 ;;
  /// (p6)    st8 [r14]=r16
  ///     br.ret.sptk.many b0 ;;
  ///     .align 16
  /// descriptor:
  ///     data8 handler, 0
  /// ```
  static let signal: [UInt64] = [
    0x00E0_0580_0418_1001, 0x9000_04D4_2046_7E30, 0x0000_0001_0000_0005, 0x6008_2600_6040_0000,
    0x2040_1598_1C0C_4002, 0x0004_0000_0048_0000, 0x0700_1598_1C10_400B, 0x9000_00B4_402F_3238,
    0x0240_2100_1C01_1800, 0x9000_0084_A048_0000, 0x0000_2409_0064_780B, 0x0004_0000_0004_0000,
    0x4050_2400_00DD_0001, 0xE018_0080_0048_0000, 0x0000_1198_0A14_0009, 0x0004_0000_0000_0200,
    0x08F0_2000_4281_0003, 0x8CFD_01C4_4048_1000, 0x0000_2400_018D_10CB, 0x0004_0000_0004_0000,
    0x40E0_0580_060C_1001, 0x8401_0901_E042_0089, 0x0110_1018_1C00_8009, 0x0004_0000_0020_303C,
    0x4060_2100_2040_8003, 0x88B0_87C2_0072_0E44, 0x0000_1198_1C40_00D1, 0x0084_0008_8000_0200,
    0x4000_0000_0001_0120, 0x0000_0000_0000_0000,
  ]

  /// Loads from address 0.
  /// ```
  ///     alloc r2=ar.pfs,0,0,1,0
  ///     mov r14=r0 ;;
  ///     ld8 r14=[r14] ;;
  /// ```
  static let fault: [UInt64] = [
    0x00E0_0580_0004_1002, 0x0004_0000_0042_0000, 0x0000_1018_1C00_7001, 0x0004_0000_0000_0200,
  ]

  /// `break 1`: the software convention for a division by zero.
  /// ```
  ///     break.m 1 ;;
  /// ```
  static let divide: [UInt64] = [
    0x0000_0000_0000_0801, 0x0004_0000_0000_0200,
  ]

  /// A privileged instruction.
  /// ```
  ///     mov cr.iva=r0 ;;
  /// ```
  static let illegal: [UInt64] = [
    0x0000_042C_0400_0001, 0x0004_0000_0000_0200,
  ]

  /// System call 1267 (kexec_load), which is not served; exits with the error number.
  /// ```
  ///     alloc r2=ar.pfs,0,0,1,0
  ///     mov r15=1267 ;;
  ///     break 0x100000 ;;
  ///     mov r32=r8
  ///     mov r15=1025 ;;
  ///     break 0x100000 ;;
  /// ```
  static let unknown: [UInt64] = [
    0x98F0_0580_0004_1003, 0x0800_0000_0048_1203, 0x08F0_2100_1001_0003, 0x0800_0000_0048_1000,
  ]
}
