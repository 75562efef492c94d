import Platform

/// ACPI tables of a paravirtualized domain, at 0x1000: little more than the list of its processors (`dom_fw_common.c`). Offsets and contents
/// are Xen's.
enum ParavirtualACPI {
  private static let base: UInt64 = 0x1000
  private static let xsdt: UInt64 = 0x1024
  private static let fadt: UInt64 = 0x1058
  private static let facs: UInt64 = 0x114C
  private static let dsdt: UInt64 = 0x118C
  private static let madt: UInt64 = 0x1478
  /// Registers that are plain memory: whatever is written there has no effect.
  private static let pm1Event: UInt64 = 0x18E4
  private static let pm1Control: UInt64 = 0x18E8
  private static let timer: UInt64 = 0x18E9

  /// `processors`: up to 64, all listed; those beyond the domain's own are not enabled and outside of the table's length.
  static func tables(processors: Int) throws -> [UInt8] {
    var w = ByteWriter()
    w.zeros(0x1000)
    func place(_ bytes: [UInt8], _ address: UInt64) {
      for (offset, byte) in bytes.enumerated() { w.set(byte, at: Int(address - base) + offset) }
    }
    place(rootPointer(), base)
    place(
      table("XSDT", 1) {
        $0.put(fadt); $0.put(madt)
      }, xsdt)
    place(fixedDescription(), fadt)
    place(firmwareControl(), facs)
    place(differentiated(), dsdt)
    place(interrupts(processors), madt)
    return w.bytes
  }

  private static func table(_ signature: String, _ revision: UInt8, _ body: (inout ByteWriter) -> Void) -> [UInt8] {
    var w = ByteWriter()
    w.put(signature, width: 4)
    w.put(0 as UInt32)
    w.put(revision)
    w.put(0 as UInt8)
    w.put("XEN", width: 6)
    w.put("Xen/ia64", width: 8)
    w.put(1 as UInt32)
    w.put("XEN", width: 4)
    w.put(1 as UInt32)
    body(&w)
    w.set(UInt32(w.count), at: 4)
    w.checksum(at: 9)
    return w.bytes
  }

  private static func rootPointer() -> [UInt8] {
    var w = ByteWriter()
    w.put("RSD PTR ", width: 8)
    w.put(0 as UInt8)
    w.put("XEN", width: 6)
    w.put(2 as UInt8)
    w.put(0 as UInt32)
    w.put(0x24 as UInt32)
    w.put(xsdt)
    w.put(0 as UInt32)
    w.checksum(at: 8, over: 0..<20)
    w.checksum(at: 32)
    return w.bytes
  }

  private static func fixedDescription() -> [UInt8] {
    func register(_ address: UInt64) -> [UInt8] {
      GenericAddress(space: .memory, width: 8, access: .undefined, address: address).bytes
    }
    return table("FACP", 3) { w in
      w.zeros(0x58 - 0x24)
      // Lengths: PM1 event, PM1 control, PM2, timer.
      w.put(bytes: [4, 1, 0, 4])
      w.zeros(0x84 - 0x5C)
      w.put(facs)
      w.put(dsdt)
      w.put(bytes: register(pm1Event))
      w.put(bytes: GenericAddress.none)
      w.put(bytes: register(pm1Control))
      w.put(bytes: GenericAddress.none)
      w.put(bytes: GenericAddress.none)
      w.put(bytes: register(timer))
      w.zeros(0xF4 - w.count)
    }
  }

  private static func firmwareControl() -> [UInt8] {
    var w = ByteWriter()
    w.put("FACS", width: 4)
    w.put(0x40 as UInt32)
    w.zeros(0x20 - 8)
    w.put(1 as UInt8)
    w.zeros(0x40 - w.count)
    return w.bytes
  }

  /// Three processors, as in Xen, however many there are: systems go by the MADT.
  private static func differentiated() -> [UInt8] {
    var objects: [UInt8] = []
    for n in 0..<3 as Range<UInt8> {
      objects += [0x5B, 0x83, 0x0B] + Array("CPU".utf8) + [0x30 + n, n, 0, 0, 0, 0, 0]
    }
    let scope = Array("\\_SB_".utf8) + objects
    return table("DSDT", 1) { $0.put(bytes: [0x10] + ACPITables.packageLength(scope.count) + scope) }
  }

  /// Local SAPICs as ACPI 3.0 describes them: 17 bytes with an empty name.
  private static func interrupts(_ processors: Int) -> [UInt8] {
    func entry(_ n: Int) -> [UInt8] {
      [7, 17, UInt8(n), UInt8(n), 0, 0, 0, 0, n < processors ? 1 : 0, 0, 0, 0, 0, 0, 0, 0, 0]
    }
    let listed = table("APIC", 2) { w in
      w.zeros(8)
      for n in 0..<processors { w.put(bytes: entry(n)) }
    }
    return listed + (processors..<64).flatMap(entry)
  }
}
