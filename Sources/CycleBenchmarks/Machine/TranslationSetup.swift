/// The code that switches data translation on, in front of a benchmark's own setup.
///
/// Instructions stay physical: the instruction TLBs then have no part in what the data side costs.
enum TranslationSetup {
  /// The walker's table in physical memory, and where region 1 shows it.
  static let table: UInt64 = 0xC0_0000
  private static let tableOffset: UInt64 = 0x40_0000_0000
  /// 16 KB: what the published figures of memory latency were measured with.
  static let pageShift: UInt64 = 14
  /// Present, accessed, dirty, write-back, level 0, read and write.
  static let attributes: UInt64 = 1 | 1 << 5 | 1 << 6 | 2 << 9

  static func text(_ translation: Code.Translation) -> String {
    switch translation {
    case .physical: ""
    case .register: insert(slot: 0, virtual: Registers.region, physical: 0, shift: 28) + switchOn
    case .walked:
      insert(slot: 0, virtual: Registers.region | tableOffset, physical: table, shift: 18)
        // Short format, 128 KB, walker enabled.
        + Text.alone("movl r2=0x\(String(tableOffset | 17 << 2 | 1, radix: 16))") + Text.alone("mov cr.pta=r2")
        + Text.alone("srlz.d") + switchOn
    }
  }

  private static func insert(slot: Int, virtual: UInt64, physical: UInt64, shift: UInt64) -> String {
    [
      "movl r2=0x\(String(virtual, radix: 16))", "mov cr.ifa=r2", "movl r2=\(shift << 2)", "mov cr.itir=r2",
      "movl r2=0x\(String(physical | attributes, radix: 16))", "mov r3=\(slot)", "itr.d dtr[r3]=r2", "srlz.d",
    ].map(Text.alone).joined()
  }

  /// PSR.dt.
  private static let switchOn = Text.alone("ssm 0x20000") + Text.alone("srlz.d")
}
