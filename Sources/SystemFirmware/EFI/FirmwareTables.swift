import CZlib
import Platform
import Processor

/// The EFI and SAL tables in the firmware's memory: where each lies, and its bytes.
struct FirmwareTables {
  /// EFI system table.
  private(set) var systemTable: UInt64 = 0
  private(set) var runtimeServices: UInt64 = 0
  private(set) var bootServices: UInt64 = 0
  private(set) var configurationTable: UInt64 = 0
  /// Configuration table entries: vendor GUID and the table's physical address.
  private(set) var configuration: [(guid: GUID, address: UInt64)] = []
  /// Function descriptors of the firmware's protocols.
  private(set) var protocolFunctions: UInt64 = 0
  /// The FPSWA interface that boot parameters point to.
  private(set) var softwareAssistInterface: UInt64 = 0
  /// Eight-byte fields that hold physical addresses of the firmware and that SetVirtualAddressMap converts, with their values.
  private(set) var relocations: [(field: UInt64, value: UInt64)] = []
  private(set) var acpi: ACPITables?
  private var data = ByteWriter()

  static let systemTableSize = 120
  /// Entries that the configuration table has room for.
  static let maximumConfiguration = 32
  static let systemTableSignature: UInt64 = 0x5453_5953_2049_4249
  static let runtimeSignature: UInt64 = 0x5652_4553_544E_5552
  static let bootSignature: UInt64 = 0x5652_4553_544F_4F42
  /// EFI 1.10.
  static let revision: UInt32 = 0x0001_000A

  init() {}

  init(image: FirmwareImage, dsdt: [UInt8], localIDs: [LocalID], topology: NUMATopology? = nil) {
    let base = FirmwareLayout.base
    let acpi = ACPITables(
      base: FirmwareLayout.acpi, facsAddress: FirmwareLayout.acpiNVS, dsdt: dsdt, processors: localIDs, topology: topology)
    self.acpi = acpi

    // Function descriptors: entry point and global pointer (the image's first byte; the stubs do not use it).
    func descriptor(_ offset: UInt64) -> UInt64 { placeDescriptor(entry: base + offset, globalPointer: base) }
    let runtime = (0..<Gate.runtimeServiceCount).map { descriptor(image.runtimeServices + 16 * UInt64($0)) }
    let boot = (0..<Gate.bootServiceCount).map { descriptor(image.bootServices + 16 * UInt64($0)) }
    let assist = descriptor(image.softwareAssist)
    for n in 0..<UInt64(Gate.protocolFunctionCount) {
      let address = descriptor(image.protocolFunctions + 16 * n)
      if n == 0 { protocolFunctions = address }
    }

    softwareAssistInterface = place(alignment: 16) { w in
      w.put(UInt32(0x0001_0000))
      w.put(UInt32(0))
      w.put(assist)
    }
    relocations.append((softwareAssistInterface + 8, assist))

    runtimeServices = placeServices(Self.runtimeSignature, runtime)
    for (index, address) in runtime.enumerated() { relocations.append((runtimeServices + 24 + 8 * UInt64(index), address)) }
    // Boot services are over before an operating system runs: nothing of them is relocated.
    bootServices = placeServices(
      Self.bootSignature, boot.enumerated().map { $0.offset == BootService.reserved.rawValue ? 0 : $0.element })

    let domainAddress = next(16)
    let domain = SALSystemTable.coherenceDomain(processors: localIDs, base: domainAddress)
    let domains = place(alignment: 16) { $0.put(bytes: domain) }
    let sal = SALSystemTable.bytes(
      .init(
        palEntry: base + image.palEntry, salEntry: base + image.salEntry, salGlobalPointer: base, palCode: base,
        palCodeSize: image.palSize, coherenceDomains: domains))
    let salTable = place(alignment: 16) { $0.put(bytes: sal) }
    let smbiosBytes = SMBIOS.bytes(base: next(16))
    let smbios = place(alignment: 16) { $0.put(bytes: smbiosBytes) }
    let console = place(alignment: 16) { $0.put(bytes: ConsoleTable.bytes()) }

    configuration = [
      (.acpi20Table, acpi.rootPointer), (.salSystemTable, salTable), (.smbiosTable, smbios), (.consoleTable, console),
    ]
    let entries = configuration
    configurationTable = place(alignment: 16) { w in
      for entry in entries {
        w.put(bytes: entry.guid.bytes)
        w.put(entry.address)
      }
      w.zeros(24 * (Self.maximumConfiguration - entries.count))
    }
    let vendor = place(alignment: 16) { w in
      for unit in "Epicure".utf16 { w.put(unit) }
      w.put(UInt16(0))
    }
    placeSystemTable(vendor: vendor)
  }

  /// Where the next table with this alignment will lie.
  private func next(_ alignment: Int) -> UInt64 {
    FirmwareLayout.data + UInt64((data.count + alignment - 1) / alignment * alignment)
  }

  private mutating func place(alignment: Int, _ fill: (inout ByteWriter) -> Void) -> UInt64 {
    data.align(alignment)
    let address = FirmwareLayout.data + UInt64(data.count)
    fill(&data)
    return address
  }

  private mutating func placeDescriptor(entry: UInt64, globalPointer: UInt64) -> UInt64 {
    let address = place(alignment: 16) {
      $0.put(entry)
      $0.put(globalPointer)
    }
    relocations.append((address, entry))
    relocations.append((address + 8, globalPointer))
    return address
  }

  /// A table of services: header (EFI 1.10, section 4.2), then pointers to function descriptors.
  private mutating func placeServices(_ signature: UInt64, _ functions: [UInt64]) -> UInt64 {
    var w = Self.header(signature, size: 24 + 8 * functions.count)
    functions.forEach { w.put($0) }
    w.set(Self.crc(w.bytes), at: 16)
    return place(alignment: 16) { $0.put(bytes: w.bytes) }
  }

  private static func header(_ signature: UInt64, size: Int) -> ByteWriter {
    var w = ByteWriter()
    w.put(signature)
    w.put(revision)
    w.put(UInt32(size))
    w.put(UInt32(0))  // CRC
    w.put(UInt32(0))
    return w
  }

  /// The system table as ExitBootServices leaves it: no consoles, no boot services.
  private mutating func placeSystemTable(vendor: UInt64) {
    var w = Self.header(Self.systemTableSignature, size: Self.systemTableSize)
    w.put(vendor)
    w.put(UInt32(0x0001_0000))
    w.put(UInt32(0))
    w.zeros(48)
    w.put(runtimeServices)
    w.put(UInt64(0))
    w.put(UInt64(configuration.count))
    w.put(configurationTable)
    w.set(Self.crc(w.bytes), at: 16)
    systemTable = place(alignment: 16) { $0.put(bytes: w.bytes) }
    relocations += [(systemTable + 24, vendor), (systemTable + 88, runtimeServices), (systemTable + 112, configurationTable)]
  }

  // MARK: Boot services

  private func sealSystemTable(in memory: any GuestMemory) {
    memory.store(systemTable + 16, UInt32(0))
    if let bytes = memory.read(systemTable, count: Self.systemTableSize) { memory.store(systemTable + 16, Self.crc(bytes)) }
  }

  /// Consoles and boot services in the system table; all consoles are one handle.
  func beginBootServices(in memory: any GuestMemory, console: UInt64, input: UInt64, output: UInt64) {
    for (n, value) in [console, input, console, output, console, output].enumerated() {
      memory.store(systemTable + 40 + 8 * UInt64(n), value)
    }
    memory.store(systemTable + 96, bootServices)
    sealSystemTable(in: memory)
  }

  /// The system table as ExitBootServices leaves it.
  func endBootServices(in memory: any GuestMemory) {
    memory.clear(systemTable + 40, count: 48)
    memory.store(systemTable + 96, UInt64(0))
    sealSystemTable(in: memory)
  }

  /// Adds, changes or (with a null address) removes an entry of the configuration table.
  mutating func setConfiguration(_ guid: GUID, _ address: UInt64, in memory: any GuestMemory) -> EFIStatus {
    if let index = configuration.firstIndex(where: { $0.guid == guid }) {
      if address == 0 { configuration.remove(at: index) } else { configuration[index].address = address }
    } else {
      guard address != 0 else { return .notFound }
      guard configuration.count < Self.maximumConfiguration else { return .outOfResources }
      configuration.append((guid, address))
    }
    var w = ByteWriter()
    for entry in configuration {
      w.put(bytes: entry.guid.bytes)
      w.put(entry.address)
    }
    memory.write(configurationTable, w.bytes)
    memory.store(systemTable + 104, UInt64(configuration.count))
    sealSystemTable(in: memory)
    return .success
  }

  /// CRC-32 of EFI table headers; the CRC field itself counts as zero.
  static func crc(_ bytes: [UInt8]) -> UInt32 {
    UInt32(truncatingIfNeeded: bytes.withUnsafeBufferPointer { crc32(0, $0.baseAddress, UInt32($0.count)) })
  }

  func write(to memory: any GuestMemory) {
    memory.write(FirmwareLayout.data, data.bytes)
    if let acpi {
      memory.write(acpi.base, acpi.bytes)
      memory.write(acpi.facsAddress, acpi.facs)
    }
  }

  /// Writes every pointer of the tables anew, converted by `convert`, and the CRCs of the tables that changed.
  func relocate(in memory: any GuestMemory, _ convert: (UInt64) -> UInt64?) {
    for relocation in relocations {
      if let address = convert(relocation.value) { memory.store(relocation.field, address) }
    }
    for (table, size) in [(systemTable, Self.systemTableSize), (runtimeServices, 24 + 8 * Gate.runtimeServiceCount)] {
      memory.store(table + 16, UInt32(0))
      if let bytes = memory.read(table, count: size) { memory.store(table + 16, Self.crc(bytes)) }
    }
  }
}
