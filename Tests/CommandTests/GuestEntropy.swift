/// A program that gives the guest's random number generator its seed, as an operating system does that kept one from the last time.
///
/// Without one, Linux collects entropy from its timer when something reads /dev/urandom first (`try_to_generate_entropy`): a second of
/// the guest's time in which it does nothing but work, in every test that makes a file system.
enum GuestEntropy {
  /// In words as GNU as assembled them, linked at the address of ``SmallProgram``. RNDADDENTROPY adds 256 bits.
  /// ```
  /// start:
  ///     alloc r2=ar.pfs,0,0,3,0
  ///     mov r4=ip ;;
  ///     adds r32=path-start,r4
  ///     mov r33=1
  ///     mov r34=0
  ///     mov r15=1028 ;;
  ///     break 0x100000 ;;
  ///     mov r32=r8
  ///     movl r33=0x40085203
  ///     adds r34=seed-start,r4
  ///     mov r15=1065 ;;
  ///     break 0x100000 ;;
  ///     and r32=1,r10
  ///     mov r15=1025 ;;
  ///     break 0x100000 ;;
  ///     .align 16
  /// path: stringz "/dev/urandom"
  ///     .align 8
  /// seed: data4 256, 32
  ///     data8 0x0123456789abcdef, 0x123456789abcdef0, 0x23456789abcdef01, 0x3456789abcdef012
  /// ```
  private static let words: [UInt64] = [
    0x0040_0580_000C_1002, 0x8400_2604_0000_6000, 0x0220_2400_0005_0801, 0x9020_0041_E048_0000,
    0x0200_0200_0000_000A, 0x0004_0000_0042_0020, 0x0040_0001_0000_0004, 0x6291_0034_2000_0000,
    0x48F0_2100_09C1_1003, 0x0800_0000_0048_1001, 0x08F0_202C_1405_0003, 0x0800_0000_0048_1000,
    0x6172_752F_7665_642F, 0x0000_0000_6D6F_646E, 0x0000_0020_0000_0100, 0x0123_4567_89AB_CDEF,
    0x1234_5678_9ABC_DEF0, 0x2345_6789_ABCD_EF01, 0x3456_789A_BCDE_F012,
  ]
  static let program = SmallProgram(code: words).bytes
}
