import Processor

/// What PAL reports of the processor: an Itanium 2 of the Montecito generation.
enum ProcessorModel {
  /// No longer than 127 bytes.
  static let brand = "Intel(R) Itanium(R) 2 processor 1.60GHz"

  // MARK: Frequencies

  /// Hz; what SAL_FREQ_BASE reports.
  static let platformBase: UInt64 = 200_000_000
  /// Numerator in bits 63:32, denominator in bits 31:0.
  static var processorRatio: UInt64 { ratio(LogicalProcessor.frequency, platformBase) }
  static let busRatio: UInt64 = 2 << 32 | 1
  static var itcRatio: UInt64 { ratio(LogicalProcessor.frequency, LogicalProcessor.cyclesPerITCTick * platformBase) }

  private static func ratio(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return (a / x) << 32 | (b / x)
  }

  // MARK: Virtual memory

  /// Write-back, uncacheable, uncacheable exported, write coalescing, NaTPage: bit n stands for memory attribute n.
  static let memoryAttributes: UInt64 = 0xF1

  /// PAL_VM_SUMMARY, first word: VHPT walker, physical address bits, key bits, last protection key register, hash tag, last data and
  /// instruction translation register, unique translation caches, levels.
  static let vmSummary1: UInt64 = {
    let registers: UInt64 = 63
    let low: UInt64 =
      1 | (Implementation.physicalMSB + 1) << 1 | 24 << 8
      | UInt64(Implementation.protectionKeyRegisters - 1) << 16
    return low | 2 << 24 | registers << 32 | registers << 40 | 4 << 48 | 2 << 56
  }()
  /// Second word: last virtual address bit, region identifier bits, simultaneous global purges. A guest has fewer of both bits.
  static func vmSummary2(isVirtual: Bool) -> UInt64 {
    isVirtual
      ? GuestContext.virtualMSB | GuestContext.regionIdentifierBits << 8 | 1 << 16 : Implementation.virtualMSB | 24 << 8 | 1 << 16
  }

  /// PAL_VM_INFO: fully associative caches of 32 and 128 entries, for instructions (type 1) and data (type 2).
  static func vmInfo(level: UInt64, type: UInt64) -> PALResult {
    guard level <= 1, 1...2 ~= type else { return .failure(PALStatus.invalidArgument) }
    let entries: UInt64 = level == 0 ? 32 : 128
    // Translation registers take entries of the second level (bit 34).
    let reduced: UInt64 = level == 1 ? 1 << 34 : 0
    return .values(1 | entries << 8 | entries << 16 | reduced, Implementation.insertablePages)
  }

  // MARK: Caches

  private struct Cache {
    var unified = false
    var writeBack = false
    var ways: UInt64
    var lineShift: UInt64
    var storeLatency: UInt64
    var loadLatency: UInt64
    var size: UInt64
    /// Lowest address bit of the tag.
    var tagLow: UInt64
  }

  /// nil where a level has no such cache; level 3 is unified and found by type 2.
  private static func cache(level: UInt64, type: UInt64) -> Cache? {
    switch (level, type) {
    case (0, 1): Cache(ways: 4, lineShift: 6, storeLatency: 0xFF, loadLatency: 1, size: 16 << 10, tagLow: 12)
    case (0, 2): Cache(ways: 4, lineShift: 6, storeLatency: 0xFF, loadLatency: 1, size: 16 << 10, tagLow: 12)
    case (1, 1): Cache(ways: 8, lineShift: 7, storeLatency: 0xFF, loadLatency: 7, size: 1 << 20, tagLow: 17)
    case (1, 2): Cache(writeBack: true, ways: 8, lineShift: 7, storeLatency: 7, loadLatency: 5, size: 256 << 10, tagLow: 15)
    case (2, 2):
      Cache(unified: true, writeBack: true, ways: 12, lineShift: 7, storeLatency: 7, loadLatency: 14, size: 12 << 20, tagLow: 20)
    default: nil
    }
  }

  static func hasCache(level: UInt64, type: UInt64) -> Bool { cache(level: level, type: type) != nil }

  /// Stride for flushing: `fc` takes a line of the second level wherever the data are.
  private static let strideShift: UInt64 = 7

  /// PAL_CACHE_INFO.
  static func cacheInfo(level: UInt64, type: UInt64) -> PALResult {
    guard let c = cache(level: level, type: type) else { return .failure(PALStatus.invalidArgument) }
    var first: UInt64 = (c.unified ? 1 : 0) | (c.writeBack ? 1 : 0) << 1
    first |= c.ways << 8 | c.lineShift << 16 | strideShift << 24 | c.storeLatency << 32 | c.loadLatency << 40
    // Hints: stores temporal and non-temporal in all levels; loads also non-temporal in level 1.
    first |= 0x09 << 48 | 0x0B << 56
    let second = c.size | 12 << 32 | c.tagLow << 40 | Implementation.physicalMSB << 48
    return .values(first, second)
  }

  /// PAL_CACHE_PROT_INFO: six 32-bit elements, of which data and tag are used. Parity in level 1, ECC elsewhere.
  static func cacheProtection(level: UInt64, type: UInt64) -> PALResult {
    guard let c = cache(level: level, type: type) else { return .failure(PALStatus.invalidArgument) }
    let method: UInt64 = level == 0 ? 1 : 3
    let dataBits: UInt64 = level == 0 ? 8 : 64
    let protectionBits: UInt64 = level == 0 ? 1 : 8
    let data = dataBits | protectionBits << 20 | method << 26
    let tag = c.tagLow << 8 | Implementation.physicalMSB << 14 | 1 << 20 | 1 << 26 | 1 << 30
    return .values(data | tag << 32)
  }

  // MARK: Performance monitors

  /// Twelve generic counters of 47 bits; event 0x12 counts cycles, 0x08 retired instructions.
  static let performanceMonitorSummary: UInt64 = 12 | 47 << 8 | 0x12 << 16 | 0x08 << 24
  /// Four masks of 256 bits: PMCs, PMDs, counters that can count cycles, counters that can count retired instructions.
  static let performanceMonitorMasks: [UInt64] = {
    let counters: UInt64 = 0xFFF0
    let controls: UInt64 = 0xF | counters | 0x7FF << 32
    let data: UInt64 = counters | 0xFF << 32 | 0xFFFF << 48
    return [controls, 0, 0, 0, data, 0, 0, 0, counters, 0, 0, 0, counters, 0, 0, 0]
  }()

  // MARK: Registers

  private static func mask(_ registers: some Sequence<Int>) -> (low: UInt64, high: UInt64) {
    var result: (low: UInt64, high: UInt64) = (0, 0)
    for n in registers {
      if n < 64 { result.low |= 1 << UInt64(n) } else { result.high |= 1 << UInt64(n - 64) }
    }
    return result
  }

  private static let applicationRegisters = mask(
    [
      Array(0...7), [AR.rsc, AR.bsp, AR.bspstore, AR.rnat, AR.fcr], [AR.eflag, AR.csd, AR.ssd, AR.cflg, AR.fsr, AR.fir, AR.fdr],
      [AR.ccv, AR.unat, AR.fpsr, AR.itc, AR.ruc, AR.pfs, AR.lc, AR.ec],
    ].joined())
  private static let controlRegisters = mask(
    [
      [CR.dcr, CR.itm, CR.iva, CR.pta, CR.ipsr, CR.isr, CR.iip, CR.ifa, CR.itir, CR.iipa, CR.ifs, CR.iim, CR.iha],
      [CR.lid, CR.ivr, CR.tpr, CR.eoi], Array(CR.irr0..<CR.irr0 + 4), [CR.itv, CR.pmv, CR.cmcv, CR.lrr0, CR.lrr1],
    ].joined())

  /// PAL_REGISTER_INFO: implemented and harmlessly readable application and control registers.
  static func registerInfo(_ request: UInt64) -> PALResult {
    switch request {
    case 0, 1: .values(applicationRegisters.low, applicationRegisters.high)
    case 2: .values(controlRegisters.low, controlRegisters.high)
    // Reading IVR acknowledges an interrupt.
    case 3: .values(controlRegisters.low, controlRegisters.high & ~(1 << UInt64(CR.ivr - 64)))
    default: .failure(PALStatus.invalidArgument)
    }
  }

  /// PAL_VERSION: PAL_A 1.00, PAL_B 7.12, vendor Intel.
  static let palVersion: UInt64 = 0x12 | 0x07 << 8 | 0x00 << 24 | 0x00 << 32 | 0x01 << 40
}
