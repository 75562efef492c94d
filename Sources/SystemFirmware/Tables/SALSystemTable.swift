/// The SAL system table (SAL specification, chapter 3), by which an operating system finds PAL and SAL.
enum SALSystemTable {
  struct Contents {
    var palEntry: UInt64
    var salEntry: UInt64
    /// Global pointer for SAL; its code does not use it.
    var salGlobalPointer: UInt64
    var palCode: UInt64
    var palCodeSize: UInt64
    /// Address of ``coherenceDomain(processors:base:)``.
    var coherenceDomains: UInt64
  }

  /// External interrupt that wakes the processors that wait in SAL.
  static let wakeupVector: UInt8 = 0xFF

  static func bytes(_ contents: Contents) -> [UInt8] {
    var w = ByteWriter()
    w.put("SST_", width: 4)
    w.put(UInt32(0))
    w.put(UInt8(0x20))  // SAL specification 3.20, BCD
    w.put(UInt8(0x03))
    w.put(UInt16(5))
    w.put(UInt8(0))
    w.zeros(7)
    w.put(UInt16(0x0100))  // versions of SAL_A and SAL_B
    w.put(UInt16(0x0100))
    w.put("Epicure", width: 32)
    w.put("Itanium 2 server", width: 32)
    w.zeros(8)
    // 0: entry points
    w.put(UInt8(0))
    w.zeros(7)
    w.put(contents.palEntry)
    w.put(contents.salEntry)
    w.put(contents.salGlobalPointer)
    w.zeros(16)
    // 2: platform features: no bus lock, no interrupt redirection, interval timers that do not drift
    w.put(UInt8(2))
    w.put(UInt8(0))
    w.zeros(14)
    // 3: the translation register that PAL code wants: instruction register 0; page size as in ITIR
    w.put(UInt8(3))
    w.put(UInt8(0))
    w.put(UInt8(0))
    w.zeros(5)
    w.put(contents.palCode)
    w.put(UInt64(contents.palCodeSize.trailingZeroBitCount) << 2)
    w.zeros(8)
    // 4: purge translation cache coherence domains
    w.put(UInt8(4))
    w.zeros(3)
    w.put(UInt32(1))
    w.put(contents.coherenceDomains)
    // 5: wake-up of application processors by external interrupt
    w.put(UInt8(5))
    w.put(UInt8(0))
    w.zeros(6)
    w.put(UInt64(wakeupVector))
    w.set(UInt32(w.count), at: 4)
    w.checksum(at: 12)
    return w.bytes
  }

  /// One coherence domain with every processor: their number, a pointer to the list, the list. To be placed at `base`.
  static func coherenceDomain(processors: [LocalID], base: UInt64) -> [UInt8] {
    var w = ByteWriter()
    w.put(UInt64(processors.count))
    w.put(base + 16)
    for processor in processors { w.put(UInt64(processor.id) | UInt64(processor.eid) << 8) }
    return w.bytes
  }
}
