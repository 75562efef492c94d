import Processor

/// The page of code that the kernel lends to programs: where signal handlers return to.
///
/// It lies where Linux/ia64 has its gate area, so that unwinders know its frames. Assembled from:
/// ```
/// trampoline:                       // r14, r15, r16: the handler's arguments; b6: its code; r1: its gp
///   { .mib nop.m 0; nop.i 0; cover ;; }
///   { .mii alloc r8=ar.pfs,0,0,3,0; mov r32=r14; mov r33=r15 ;; }
///   { .mib mov r34=r16; nop.i 0; br.call.sptk.many b0=b6 ;; }
///   { .mmi mov r15=1181 ;; break.m 0x100000; nop.i 0 ;; }      // rt_sigreturn
/// return:                           // for the host alone: how the kernel would go back to the program
///   { .mib nop.m 0; nop.i 0; rfi ;; }
/// ```
enum GatePage {
  static let address: UInt64 = 0xA000_0000_0000_0000
  static let trampoline = address + 0x400
  /// Behind the `cover`.
  static let trampolineCall = trampoline + 0x10
  private static let returnOffset: UInt64 = 0x440

  private static let code: [UInt64] = [
    0x0000_0001_0000_0011, 0x0008_0000_0000_0200, 0x0200_0580_000C_4001, 0x8400_7804_2042_0038,
    0x0000_2100_2001_1011, 0x1080_0068_0000_0200, 0x0000_2409_0074_780B, 0x0004_0000_0004_0000,
    0x0000_0001_0000_0011, 0x0020_0000_0000_0200,
  ]

  static func map(into space: AddressSpace) throws(SystemError) {
    guard let page = space.pool.allocate(),
      space.map(Area(start: address, end: address + PagePool.pageSize, protection: [.read, .execute]))
    else { throw .noMemory }
    space.setPage(address >> PagePool.shift, page)
    for (index, word) in code.enumerated() {
      space.pool.memory.store(page + 0x400 + UInt64(index * 8), word)
    }
  }

  /// Physical address of the `rfi`.
  static func returnInstruction(in space: AddressSpace) -> UInt64? {
    space.pages[address >> PagePool.shift].map { $0 + returnOffset }
  }
}
