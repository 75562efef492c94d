import Platform

extension ACPITables {
  /// FADT (ACPI 2.0c, section 5.2.8). Revision 3, as the machines of this architecture have it: Linux registers the SCI of no other,
  /// and later revisions differ in nothing that is used here.
  static func fixedDescription(dsdt: UInt64, facs: UInt64) -> [UInt8] {
    var t = ACPITable("FACP", revision: 3)
    t.put(UInt32(facs))
    t.put(UInt32(dsdt))
    t.put(UInt8(0))
    t.put(UInt8(4))  // preferred profile: enterprise server
    t.put(UInt16(MemoryMap.sciGSI))
    // No SMI command port: the machine has no other mode than ACPI.
    t.put(UInt32(0))
    t.zeros(4)
    t.put(UInt32(MemoryMap.pm1EventPort))
    t.put(UInt32(0))
    t.put(UInt32(MemoryMap.pm1ControlPort))
    t.put(UInt32(0))
    t.put(UInt32(0))  // PM2 control
    t.put(UInt32(MemoryMap.pmTimerPort))
    t.put(UInt32(MemoryMap.gpe0Port))
    t.put(UInt32(0))
    t.put(UInt8(4))  // lengths: PM1 event, PM1 control, PM2, timer, GPE0, GPE1
    t.put(UInt8(2))
    t.put(UInt8(0))
    t.put(UInt8(4))
    t.put(UInt8(8))
    t.put(UInt8(0))
    t.put(UInt8(0))  // first GPE of block 1
    t.put(UInt8(0))
    t.put(UInt16(101))  // C2 and C3 not supported
    t.put(UInt16(1001))
    t.put(UInt16(0))
    t.put(UInt16(0))
    t.zeros(2)  // duty cycle
    t.zeros(3)  // real-time clock alarm: none
    t.put(UInt16(0))  // IA-PC boot flags: no legacy devices, no keyboard controller
    t.put(UInt8(0))
    t.put(Flags.all)
    t.put(bytes: GenericAddress.port(MemoryMap.resetPort, bytes: 1, .byte).bytes)
    t.put(MemoryMap.resetValue)
    t.zeros(3)
    t.put(facs)
    t.put(dsdt)
    t.put(bytes: GenericAddress.port(MemoryMap.pm1EventPort, bytes: 4, .word).bytes)
    t.put(bytes: GenericAddress.none)
    t.put(bytes: GenericAddress.port(MemoryMap.pm1ControlPort, bytes: 2, .word).bytes)
    t.put(bytes: GenericAddress.none)
    t.put(bytes: GenericAddress.none)
    t.put(bytes: GenericAddress.port(MemoryMap.pmTimerPort, bytes: 4, .doubleWord).bytes)
    t.put(bytes: GenericAddress.port(MemoryMap.gpe0Port, bytes: 8, .byte).bytes)
    t.put(bytes: GenericAddress.none)
    return t.bytes
  }

  /// Feature flags of the FADT (table 5-10). The power button is fixed hardware (its flag, bit 4, is clear); a sleep button is not
  /// there (bit 5), nor a wake-up alarm in the fixed registers (bit 6).
  private enum Flags {
    static let wbinvd: UInt32 = 1 << 0
    static let c1: UInt32 = 1 << 2
    static let noSleepButton: UInt32 = 1 << 5
    static let noFixedAlarm: UInt32 = 1 << 6
    static let timerIs32Bits: UInt32 = 1 << 8
    static let resetRegister: UInt32 = 1 << 10
    static let all = wbinvd | c1 | noSleepButton | noFixedAlarm | timerIs32Bits | resetRegister
  }

  /// An SSDT that declares the processors, because the DSDT is compiled before their number is known. Processor objects of
  /// ACPI 1.0 style, which every operating system for this architecture knows.
  static func processorObjects(_ count: Int) -> [UInt8] {
    var objects: [UInt8] = []
    for index in 0..<count {
      let digits = Array(String(index, radix: 16, uppercase: true).utf8)
      let name = Array("CPU".utf8.prefix(4 - digits.count)) + digits
      // DefProcessor: 5B 83 PkgLength NameSeg ProcID PblkAddr PblkLen
      objects += [0x5B, 0x83] + packageLength(name.count + 6) + name + [UInt8(truncatingIfNeeded: index), 0, 0, 0, 0, 0]
    }
    // DefScope: 10 PkgLength \_SB
    let scope = Array("\\_SB_".utf8) + objects
    var t = ACPITable("SSDT", revision: 2)
    t.put(bytes: [0x10] + packageLength(scope.count) + scope)
    return t.bytes
  }

  /// AML PkgLength (section 19.2.4): counts itself. One byte up to 63, else the number of further bytes in bits 7:6, four bits of
  /// the length, and eight in each further byte.
  static func packageLength(_ contents: Int) -> [UInt8] {
    if contents + 1 < 64 { return [UInt8(contents + 1)] }
    for further in 1...3 {
      let length = contents + 1 + further
      guard length < 1 << (4 + 8 * further) else { continue }
      return [UInt8(further << 6 | length & 0xF)] + (0..<further).map { UInt8(truncatingIfNeeded: length >> (4 + 8 * $0)) }
    }
    return []
  }
}
