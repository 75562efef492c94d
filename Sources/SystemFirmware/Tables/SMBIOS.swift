/// System Management BIOS tables (SMBIOS 2.4): who made the machine.
enum SMBIOS {
  /// Entry point followed by the structures, all to be placed at `base` (below 4 GiB).
  static func bytes(base: UInt64) -> [UInt8] {
    let entrySize = 32
    let (structures, count, longest) = structureTable()
    var w = ByteWriter()
    w.put("_SM_", width: 4)
    w.put(UInt8(0))  // checksum of the entry point
    w.put(UInt8(31))
    w.put(UInt8(2))
    w.put(UInt8(4))
    w.put(UInt16(longest))
    w.put(UInt8(0))
    w.zeros(5)
    w.put("_DMI_", width: 5)
    w.put(UInt8(0))  // checksum of the intermediate part
    w.put(UInt16(structures.count))
    w.put(UInt32(truncatingIfNeeded: base + UInt64(entrySize)))
    w.put(UInt16(count))
    w.put(UInt8(0x24))
    w.checksum(at: 21, over: 16..<31)
    w.checksum(at: 4, over: 0..<31)
    w.zeros(entrySize - w.count)
    w.put(bytes: structures)
    return w.bytes
  }

  private static func structureTable() -> (bytes: [UInt8], count: Int, longest: Int) {
    let all = [
      // BIOS information: vendor, version, segment, date, size, characteristics ("not supported"), two extension bytes, releases.
      structure(type: 0, handle: 0, strings: ["Epicure", "1.0", "07/18/2006"]) {
        $0.put(UInt8(1))
        $0.put(UInt8(2))
        $0.put(UInt16(0))
        $0.put(UInt8(3))
        $0.put(UInt8(0))
        $0.put(UInt64(1 << 3))
        $0.put(UInt8(1))  // ACPI
        $0.put(UInt8(0))
        $0.put(UInt8(1))
        $0.put(UInt8(0))
        $0.put(UInt8(0xFF))
        $0.put(UInt8(0xFF))
      },
      // System information: manufacturer, product, version, serial number, UUID, wake-up type (power switch), SKU, family.
      structure(type: 1, handle: 1, strings: ["Epicure", "Itanium 2 server"]) {
        $0.put(UInt8(1))
        $0.put(UInt8(2))
        $0.zeros(2)
        $0.zeros(16)
        $0.put(UInt8(6))
        $0.zeros(2)
      },
      // Chassis: manufacturer, main server chassis; states safe.
      structure(type: 3, handle: 3, strings: ["Epicure"]) {
        $0.put(UInt8(1))
        $0.put(UInt8(0x11))
        $0.zeros(3)
        $0.put(UInt8(3))
        $0.put(UInt8(3))
        $0.put(UInt8(3))
        $0.put(UInt8(3))
        $0.put(UInt32(0))
        $0.zeros(4)
      },
      structure(type: 127, handle: 127, strings: []) { _ in },
    ]
    return (all.flatMap { $0 }, all.count, all.map(\.count).max() ?? 0)
  }

  private static func structure(
    type: UInt8, handle: UInt16, strings: [String], _ body: (inout ByteWriter) -> Void
  ) -> [UInt8] {
    var w = ByteWriter()
    w.put(type)
    w.put(UInt8(0))
    w.put(handle)
    body(&w)
    w.set(UInt8(w.count), at: 1)
    for string in strings { w.put(bytes: Array(string.utf8) + [0]) }
    if strings.isEmpty { w.put(UInt8(0)) }
    w.put(UInt8(0))
    return w.bytes
  }
}
