import Platform

/// The primary console and debug port table (DIG64 PCDP 2.0), by which an operating system finds its console without being told.
enum ConsoleTable {
  static func bytes() -> [UInt8] {
    var w = ByteWriter()
    w.put("PCDP", width: 4)
    w.put(UInt32(0))
    w.put(UInt8(3))
    w.put(UInt8(0))
    w.put(ACPITable.oem, width: 6, padding: 0x20)
    w.put(ACPITable.oemTable, width: 8, padding: 0x20)
    w.put(UInt32(1))
    w.put("EPIC", width: 4)
    w.put(UInt32(1))
    w.put(UInt32(1))  // one UART
    w.put(UInt8(0))  // console
    w.put(UInt8(8))
    w.put(UInt8(1))  // no parity
    w.put(UInt8(1))
    w.zeros(4)  // not a PCI device
    w.put(UInt64(115_200))
    w.put(bytes: GenericAddress.port(MemoryMap.uartPort, bytes: 1, .undefined).bytes)
    w.put(UInt16(0xFFFF))
    w.put(UInt16(0xFFFF))
    w.put(UInt32(MemoryMap.uartGSI))
    w.put(UInt32(0))  // the usual clock
    w.put(UInt8(0))
    w.put(Flags.edge | Flags.primary | Flags.interrupt)
    w.put(UInt16(0))  // index in the ConOut variable
    w.put(UInt32(0))
    w.set(UInt32(w.count), at: 4)
    w.checksum(at: 9)
    return w.bytes
  }

  private enum Flags {
    static let edge: UInt8 = 1 << 0
    static let primary: UInt8 = 1 << 2
    static let interrupt: UInt8 = 1 << 6
  }
}
