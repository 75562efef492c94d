import Platform

/// The machine's ACPI tables (ACPI 3.0b), laid out from one address on; the FACS lies apart because the system may not reclaim it.
struct ACPITables {
  /// Where the root pointer is.
  let rootPointer: UInt64
  /// Everything but the FACS, to be placed at `base`.
  let bytes: [UInt8]
  let base: UInt64
  let facs: [UInt8]
  let facsAddress: UInt64
  /// Addresses by signature, for inspection.
  let addresses: [String: UInt64]

  /// `processors`: local SAPIC identifiers. `topology`: nil for a machine of one node.
  init(base: UInt64, facsAddress: UInt64, dsdt: [UInt8], processors: [LocalID], topology: NUMATopology? = nil) {
    var w = ByteWriter()
    var addresses: [String: UInt64] = [:]
    func place(_ name: String, _ table: [UInt8]) -> UInt64 {
      w.align(64)
      let address = base + UInt64(w.count)
      w.put(bytes: table)
      addresses[name] = address
      return address
    }
    let dsdtAddress = place("DSDT", dsdt)
    let fadt = place("FACP", Self.fixedDescription(dsdt: dsdtAddress, facs: facsAddress))
    var listed = [
      fadt,
      place("APIC", Self.multipleAPIC(processors)),
      place("SPCR", Self.serialConsole()),
      place("SSDT", Self.processorObjects(processors.count)),
    ]
    if let topology {
      listed.append(place("SRAT", Self.resourceAffinity(topology, processors: processors)))
      listed.append(place("SLIT", Self.localityDistances(topology)))
    }
    var root = ACPITable("XSDT", revision: 1)
    listed.forEach { root.put($0) }
    let xsdt = place("XSDT", root.bytes)
    rootPointer = place("RSD PTR ", Self.rootPointer(xsdt: xsdt))
    bytes = w.bytes
    self.base = base
    self.facsAddress = facsAddress
    self.addresses = addresses
    facs = Self.firmwareControl()
  }

  /// RSDP (section 5.2.5.3). There is no RSDT: 64-bit systems use the XSDT.
  static func rootPointer(xsdt: UInt64) -> [UInt8] {
    var w = ByteWriter()
    w.put("RSD PTR ", width: 8)
    w.put(UInt8(0))
    w.put(ACPITable.oem, width: 6)
    w.put(UInt8(2))
    w.put(UInt32(0))
    w.put(UInt32(36))
    w.put(xsdt)
    w.put(UInt8(0))
    w.zeros(3)
    w.checksum(at: 8, over: 0..<20)
    w.checksum(at: 32)
    return w.bytes
  }

  /// FACS (section 5.2.10).
  static func firmwareControl() -> [UInt8] {
    var w = ByteWriter()
    w.put("FACS", width: 4)
    w.put(UInt32(64))
    w.zeros(24)
    w.put(UInt8(1))  // version
    w.zeros(31)
    return w.bytes
  }

  /// MADT (section 5.2.11): one local SAPIC for each processor, one I/O SAPIC. No 8259s, hence no PCAT_COMPAT flag; the
  /// interrupts of the IDE channels are ISA's by their nature, so overrides say where 14 and 15 arrive.
  static func multipleAPIC(_ processors: [LocalID]) -> [UInt8] {
    var t = ACPITable("APIC", revision: 2)
    t.put(UInt32(MemoryMap.interruptBlock))
    t.put(UInt32(0))
    // I/O SAPIC structure
    t.put(UInt8(6))
    t.put(UInt8(16))
    t.put(UInt16(0))  // identifier, reserved
    t.put(UInt32(0))  // first global interrupt
    t.put(MemoryMap.ioSAPIC)
    for (index, processor) in processors.enumerated() {
      let name = Array(String(index).utf8) + [0]
      t.put(UInt8(7))
      t.put(UInt8(16 + name.count))
      t.put(UInt8(truncatingIfNeeded: index))
      t.put(processor.id)
      t.put(processor.eid)
      t.zeros(3)
      t.put(UInt32(1))  // enabled
      t.put(UInt32(index))
      t.put(bytes: name)
    }
    for source in [14, 15] as [UInt8] {
      t.put(UInt8(2))
      t.put(UInt8(10))
      t.put(UInt8(0))  // ISA
      t.put(source)
      t.put(UInt32(source))
      t.put(UInt16(0b0101))  // active high, edge-triggered
    }
    return t.bytes
  }

  /// SPCR: the serial console.
  static func serialConsole() -> [UInt8] {
    var t = ACPITable("SPCR", revision: 1)
    t.put(UInt8(0))  // 16550
    t.zeros(3)
    t.put(bytes: GenericAddress.port(MemoryMap.uartPort, bytes: 1, .undefined).bytes)
    t.put(UInt8(4))  // interrupt through the I/O SAPIC
    t.put(UInt8(0))
    t.put(UInt32(MemoryMap.uartGSI))
    t.put(UInt8(7))  // 115200 baud
    t.put(UInt8(0))  // no parity
    t.put(UInt8(1))  // one stop bit
    t.put(UInt8(0))  // no flow control
    t.put(UInt8(2))  // VT-UTF8
    t.put(UInt8(0))
    t.put(UInt16(0xFFFF))  // no PCI device
    t.put(UInt16(0xFFFF))
    t.zeros(3)
    t.put(UInt32(0))
    t.put(UInt8(0))
    t.put(UInt32(0))
    return t.bytes
  }
}

/// Identifier of a local SAPIC, as CR.LID and interrupt messages have it.
public struct LocalID: Sendable, Equatable {
  public var id: UInt8
  public var eid: UInt8
  public init(id: UInt8, eid: UInt8) { (self.id, self.eid) = (id, eid) }
  /// Value of CR.LID (Volume 2, section 5.8.3.1).
  public var register: UInt64 { UInt64(id) << 24 | UInt64(eid) << 16 }
}
