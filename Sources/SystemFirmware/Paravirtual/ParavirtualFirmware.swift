import IA64
import Platform
import Processor

/// What a paravirtualized guest finds at guest-physical addresses 0 to 0x2FFF: stubs that turn calls of PAL, SAL and EFI into hypercalls, ACPI
/// tables, and EFI's and SAL's (`xen/include/asm-ia64/dom_fw.h`, `dom_fw_common.c`, `dom_fw_domu.c`).
public enum ParavirtualFirmware {
  /// Bytes.
  public static let size: UInt64 = 0x3000
  /// The vector by which one processor starts another.
  public static let wakeUpVector: UInt8 = 0xF3

  /// Guest-physical addresses.
  public enum Layout {
    static let efiStubs: UInt64 = 0x100
    static let pal: UInt64 = 0x800
    static let sal: UInt64 = 0x820
    /// Where a processor that SAL has started returns to.
    public static let salReturn: UInt64 = 0x840
    static let assistDescriptor: UInt64 = 0x900
    static let assist: UInt64 = 0x910
    static let acpi: UInt64 = 0x1000
    public static let systemTable: UInt64 = 0x2000
    static let runtimeServices: UInt64 = 0x2078
    static let configurationTables: UInt64 = 0x20E8
    static let salTable: UInt64 = 0x2178
    /// fpswa_interface_t: what a kernel's boot parameters point to.
    public static let assistInterface: UInt64 = 0x2218
    static let descriptors: UInt64 = 0x2228
    static let vendor: UInt64 = 0x2340
    public static let memoryMap: UInt64 = 0x2380
  }

  /// Numbers of hypercalls (r2).
  public enum Call {
    public static let efi: UInt64 = 0x300
    public static let efiCount: UInt64 = 10
    public static let pal: UInt64 = 0x1000
    public static let sal: UInt64 = 0x1100
    public static let salReturn: UInt64 = 0x1200
    public static let assist: UInt64 = 0x501
  }

  /// One entry of the EFI memory map.
  struct MemoryRange {
    var type: EFIMemoryType
    var range: Range<UInt64>
    var attribute: UInt64
  }

  /// The port space that domains are told of; nothing is there.
  private static let portSpace: Range<UInt64> = 0xFFF_FC00_0000..<0x1000_0000_0000

  private static func ranges(memoryEnd: UInt64) -> [MemoryRange] {
    let writeBack = EFIMemoryAttribute.writeBack
    let runtime = writeBack | EFIMemoryAttribute.runtime
    let special = (memoryEnd - 4) << 14
    return [
      MemoryRange(type: .palCode, range: 0..<0x1000, attribute: runtime),
      MemoryRange(type: .acpiNVS, range: 0x1000..<0x2000, attribute: runtime),
      MemoryRange(type: .runtimeServicesData, range: 0x2000..<0x3000, attribute: runtime),
      MemoryRange(type: .conventional, range: 0x3000..<special, attribute: writeBack),
      MemoryRange(type: .runtimeServicesData, range: special..<(memoryEnd << 14), attribute: writeBack),
      MemoryRange(type: .portSpace, range: portSpace, attribute: EFIMemoryAttribute.uncacheable),
    ]
  }

  /// The EFI memory map of a domain of `frames` frames of 16 KiB, of which the last four are the hypervisor's: descriptors of 40 bytes.
  public static func memoryMap(frames: UInt64) -> [UInt8] {
    ranges(memoryEnd: frames).flatMap {
      EFIMemoryDescriptor($0.type, $0.range, $0.attribute).bytes.prefix(EFIMemoryDescriptor.minimumSize)
    }
  }

  /// The three pages. `frames` as in ``memoryMap(frames:)``.
  public static func image(frames: UInt64, processors: Int) throws -> [UInt8] {
    var w = ByteWriter()
    w.zeros(Int(size))
    func place(_ bytes: [UInt8], _ address: UInt64) {
      for (offset, byte) in bytes.enumerated() { w.set(byte, at: Int(address) + offset) }
    }
    for n in 0..<Call.efiCount { place(try stub(Call.efi + n), Layout.efiStubs + n * 16) }
    place(try palStub(), Layout.pal)
    place(try stub(Call.sal), Layout.sal)
    place(try stub(Call.salReturn, "br.cond.sptk.many rp"), Layout.salReturn)
    place(words([Layout.assist, 0]), Layout.assistDescriptor)
    place(try assistStub(), Layout.assist)
    place(words([UInt64(ParavirtualAssist.revision), Layout.assistDescriptor]), Layout.assistInterface)
    place(try ParavirtualACPI.tables(processors: processors), Layout.acpi)
    place(systemTable(), Layout.systemTable)
    place(runtimeTable(), Layout.runtimeServices)
    place(configuration(), Layout.configurationTables)
    place(salTable(), Layout.salTable)
    for n in 0..<Call.efiCount { place(words([Layout.efiStubs + n * 16, 0]), Layout.descriptors + n * 16) }
    place(vendor, Layout.vendor)
    place(memoryMap(frames: frames), Layout.memoryMap)
    return w.bytes
  }

  // MARK: Stubs

  private static func bytes(_ bundles: [Bundle]) -> [UInt8] { words(bundles.flatMap { [$0.low, $0.high] }) }

  private static func words(_ words: [UInt64]) -> [UInt8] {
    words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
  }

  private static func stub(_ call: UInt64, _ back: String = "br.ret.sptk.many rp") throws -> [UInt8] {
    bytes([try Assembler.bundle("mib", ["addl r2=\(call),r0", "break.i 0x1000", back + " ;;"])])
  }

  /// Stacked calls come from `br.call`, static ones by a branch.
  private static func palStub() throws -> [UInt8] {
    bytes([
      try Assembler.bundle("mii", ["addl r2=\(Call.pal),r0", "mov r9=256 ;;", "cmp.ltu p7,p8=r28,r9 ;;"]),
      try Assembler.bundle("mbb", ["break.m 0x1000", "(p7) br.cond.sptk.many rp", "(p8) br.ret.sptk.many rp ;;"]),
    ])
  }

  /// Software assistance: what the arguments point to goes into registers (``ParavirtualAssist``), and comes back from there.
  private static func assistStub() throws -> [UInt8] {
    bytes([
      try Assembler.bundle("mmi", ["ld8 r15=[r33],8", "ld8 r22=[r39],8", "mov r14=r32 ;;"]),
      try Assembler.bundle("mmi", ["ld8 r16=[r33]", "ld8 r23=[r39],8", "nop.i 0 ;;"]),
      try Assembler.bundle("mmi", ["ld8 r17=[r34]", "ld8 r24=[r39],8", "nop.i 0 ;;"]),
      try Assembler.bundle("mmi", ["ld8 r18=[r35]", "ld8 r25=[r39],8", "nop.i 0 ;;"]),
      try Assembler.bundle("mmi", ["ld8 r19=[r36]", "ld8 r26=[r39],8", "cmp.ne p6,p0=r24,r0 ;;"]),
      try Assembler.bundle("mmi", ["ld8 r20=[r37]", "ld8 r27=[r39]", "cmp.ne p7,p0=r25,r0 ;;"]),
      try Assembler.bundle("mmi", ["ld8 r21=[r38]", "(p6) tpa r24=r24", "cmp.ne p8,p0=r26,r0 ;;"]),
      try Assembler.bundle("mmi", ["(p7) tpa r25=r25", "(p8) tpa r26=r26", "cmp.ne p9,p0=r27,r0 ;;"]),
      try Assembler.bundle("mmi", ["(p9) tpa r27=r27", "nop.m 0", "addl r2=\(Call.assist),r0 ;;"]),
      try Assembler.bundle("mii", ["break.m 0x1000", "nop.i 0", "nop.i 0 ;;"]),
      try Assembler.bundle("mmi", ["st8 [r34]=r17", "st8 [r35]=r18", "nop.i 0"]),
      try Assembler.bundle("mmi", ["st8 [r36]=r19", "st8 [r37]=r20", "nop.i 0"]),
      try Assembler.bundle("mib", ["st8 [r38]=r21", "nop.i 0", "br.ret.sptk.many rp ;;"]),
    ])
  }

  // MARK: EFI and SAL tables

  private static let vendor: [UInt8] = "Xen/ia64".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] } + [0, 0]

  private static func systemTable() -> [UInt8] {
    var w = ByteWriter()
    w.put(0x5453_5953_2049_4249 as UInt64)
    w.put(0x10000 as UInt32)
    w.put(24 as UInt32)
    w.zeros(8)
    w.put(Layout.vendor)
    w.put(1 as UInt32)
    w.zeros(4)
    // No consoles.
    w.zeros(0x30)
    w.put(Layout.runtimeServices)
    // No boot services: the domain builder has been the loader.
    w.put(0 as UInt64)
    w.put(6 as UInt64)
    w.put(Layout.configurationTables)
    return w.bytes
  }

  private static func runtimeTable() -> [UInt8] {
    var w = ByteWriter()
    // As Xen has it in both tools and kernel: not the specification's signature, "RUNTSERV".
    w.put(0x0565_2453_544E_5552 as UInt64)
    w.put(0x10000 as UInt32)
    w.put(0x70 as UInt32)
    w.zeros(8)
    // GetTime, SetTime, GetWakeupTime, SetWakeupTime, SetVirtualAddressMap; ConvertPointer is not there; then variables, count, reset.
    for n: UInt64? in [0, 1, 2, 3, 4, nil, 5, 6, 7, 8, 9] { w.put(n.map { Layout.descriptors + $0 * 16 } ?? 0) }
    return w.bytes
  }

  private static func configuration() -> [UInt8] {
    var w = ByteWriter()
    w.put(bytes: GUID.salSystemTable.bytes)
    w.put(Layout.salTable)
    w.put(bytes: GUID.acpi20Table.bytes)
    w.put(Layout.acpi)
    w.zeros(4 * 24)
    return w.bytes
  }

  private static func salTable() -> [UInt8] {
    var w = ByteWriter()
    w.put("SST_", width: 4)
    w.put(0x60 as UInt32)
    w.put(1 as UInt8)
    w.put(0 as UInt8)
    w.put(2 as UInt16)
    w.put(0 as UInt8)
    w.zeros(0x18 - 0xD)
    w.put("Xen/ia64", width: 32)
    w.put("Xen/ia64", width: 32)
    w.zeros(0x60 - w.count)
    // Entry points.
    w.put(0 as UInt8)
    w.zeros(7)
    w.put(Layout.pal)
    w.put(Layout.sal)
    w.put(0 as UInt64)
    w.zeros(16)
    // How other processors are woken: by an external interrupt.
    w.put(5 as UInt8)
    w.put(0 as UInt8)
    w.zeros(6)
    w.put(UInt64(wakeUpVector))
    w.checksum(at: 0xC)
    return w.bytes
  }

  /// The stubs are somewhere else for whoever calls them through the functions' descriptors.
  public static func moveFunctions(in memory: any GuestMemory, from: UInt64, to: UInt64) {
    for n in 0..<Call.efiCount {
      let descriptor = Layout.descriptors + n * 16
      if let stub: UInt64 = memory.load(descriptor) { memory.store(descriptor, stub &- from &+ to) }
    }
    // Kernels call software assistance by the interface's pointer as it is.
    memory.store(Layout.assistDescriptor, Layout.assist &- from &+ to)
    memory.store(Layout.assistInterface + 8, Layout.assistDescriptor &- from &+ to)
  }

  // MARK: Calls

  /// EFI_TIME of a moment: `seconds` since 1970.
  public static func time(seconds: Int64, nanoseconds: UInt32) -> [UInt8] {
    CalendarTime(unixTime: seconds).encoded(nanoseconds: nanoseconds).bytes
  }

  /// Hz of the platform's clock (SAL_FREQ_BASE).
  public static var platformFrequency: UInt64 { ProcessorModel.platformBase }
}
