import IA64
import Processor
import Testing

/// Moves to and from control registers (Volume 2, tables 3-3, 5-8 and section 3.3; Volume 3, mov cr).
@Suite("Control registers")
struct ControlRegisterTests {
  /// Registers 26 and 27 (IIB) and 4 and 9 are of revision 2.3 and optional; the Montecito has none of them.
  static let existing = Set([0, 1, 2, 8, 16, 17] + Array(19...25) + Array(64...74) + [80, 81])
  static let interruption = 16...27
  static let readOnly: Set = [65, 68, 69, 70, 71]

  private func run(_ text: String, psr: UInt64 = 0, _ prepare: (TestMachine) -> Void = { _ in }) throws -> TestMachine {
    let machine = try TestMachine("\(text) ;;", psr: psr)
    prepare(machine)
    machine.run()
    return machine
  }

  private func fault(_ machine: TestMachine) -> UInt64? {
    machine.ip == TestMachine.handlers + 0x5400 ? machine.interruption.isr & 0xFF : nil
  }

  @Test("Existence, PSR.ic, read-only, privilege: in this order") func existence() throws {
    for number in 0..<128 {
      let exists = Self.existing.contains(number)
      for psr in [0, PSR.ic, 3 << PSR.cplShift, PSR.ic | 3 << PSR.cplShift] {
        let illegal = !exists || (Self.interruption.contains(number) && psr & PSR.ic != 0)
        let privileged = PSR.cpl(psr) != 0
        let read = try run("mov r4=cr\(number)", psr: psr)
        #expect(fault(read) == (illegal ? 0 : privileged ? 0x10 : nil), "read cr\(number)")
        // 32 KiB is the least table size of PTA; 0 is legal everywhere else.
        let write = try run("mov cr\(number)=r5", psr: psr) { $0[gr: 5] = number == CR.pta ? 15 << 2 : 0 }
        #expect(
          fault(write) == (illegal || Self.readOnly.contains(number) ? 0 : privileged ? 0x10 : nil), "write cr\(number)")
      }
    }
  }

  @Test("A NaT source comes behind Illegal and Privileged Operation") func natSource() throws {
    let nat = { (machine: TestMachine) in machine[nat: 5] = true }
    #expect(fault(try run("mov cr3=r5", nat)) == 0)
    #expect(fault(try run("mov cr.irr0=r5", nat)) == 0)
    #expect(fault(try run("mov cr.iip=r5", psr: PSR.ic, nat)) == 0)
    #expect(fault(try run("mov cr.iva=r5", psr: 1 << PSR.cplShift, nat)) == 0x10)
    #expect(try run("mov cr.dcr=r5", nat).ip == TestMachine.handlers + 0x5600)
  }

  /// Bit by bit: what a register keeps, and which bits are reserved.
  static let fields: [(name: String, base: UInt64, kept: UInt64, reserved: UInt64)] = [
    ("dcr", 0, 0x7F07, ~0x7F07), ("itm", 0, ~0, 0), ("iva", 0, ~0x7FFF, 0), ("pta", 15 << 2, ~0x7FFF | 0x1FD, 0x7E02),
    ("iip", 0, ~0, 0), ("ifa", 0, ~0, 0), ("itir", 0, 0xFFFF_FFFC, 0xFFFF_FFFF_0000_0003), ("iipa", 0, ~0, 0), ("iim", 0, ~0, 0),
    ("iha", 0, ~3, 0), ("ifs", 0, 1 << 63 | 0x3F_FFFF_FFFF, 0x7FFF_FFC0_0000_0000),
    ("isr", 0, 0x0FFF_00FF_FFFF, 0xFFFF_F000_FF00_0000), ("ipsr", 0, 0x7FFF_0FFE_E03E, ~0x7FFF_0FFE_E03E),
    ("lid", 0, 0xFFFF_0000, 0xFFFF),
    ("tpr", 0, 0x1_00F0, 0xFF00), ("itv", 0x10, 0x1_00FF, 0xEF00), ("pmv", 0x10, 0x1_00FF, 0xEF00),
    ("cmcv", 0x10, 0x1_00FF, 0xEF00),
  ]

  @Test("Fields: kept, ignored, reserved", arguments: fields)
  func fieldRules(_ register: (name: String, base: UInt64, kept: UInt64, reserved: UInt64)) throws {
    for bit in 0..<64 as Range<UInt64> {
      // Bits that make a size or frame impossible are tested apart.
      if register.name == "pta" && (2...7).contains(bit) { continue }
      if register.name == "ifs" && bit == 63 { continue }
      let value = register.base | 1 << bit
      let machine = try run("mov cr.\(register.name)=r5 ;;\nmov r4=cr.\(register.name)") { $0[gr: 5] = value }
      if register.reserved >> bit & 1 != 0 {
        #expect(fault(machine) == 0x30, "cr.\(register.name) bit \(bit)")
      } else {
        #expect(fault(machine) == nil, "cr.\(register.name) bit \(bit)")
        #expect(machine[gr: 4] == value & register.kept, "cr.\(register.name) bit \(bit)")
      }
    }
  }

  @Test("Values that do not go together") func combinations() throws {
    func legal(_ name: String, _ value: UInt64) throws -> Bool { fault(try run("mov cr.\(name)=r5") { $0[gr: 5] = value }) == nil }
    // PTA.size 15...61.
    for (size, good) in [(0, false), (14, false), (15, true), (61, true), (62, false), (63, false)] as [(UInt64, Bool)] {
      #expect(try legal("pta", size << 2) == good)
    }
    // Vectors 1 and 3...15 are reserved.
    for vector in 0..<256 as Range<UInt64> {
      #expect(try legal("itv", vector) == (vector == 0 || vector == 2 || vector >= 16))
    }
    // Slot 3 does not exist.
    #expect(try !legal("ipsr", 3 << 41))
    #expect(try !legal("isr", 3 << 41))
    // A valid IFS holds a frame that fits together; an invalid one anything.
    for (ifm, good) in [(96, true), (97, false), (127, false), (10 | 11 << 7, false), (15 | 2 << 14, false), (48 << 32, false)]
      as [(UInt64, Bool)]
    {
      #expect(try legal("ifs", 1 << 63 | ifm) == good)
      #expect(try legal("ifs", ifm))
    }
    // LRR.dm: INT, PMI, NMI, INIT and ExtINT exist.
    for mode in 0..<8 as Range<UInt64> {
      #expect(try legal("lrr0", mode << 8 | 1 << 16) == [0, 2, 4, 5, 7].contains(mode))
      #expect(try legal("lrr1", mode << 8 | 1 << 16) == [0, 2, 4, 5, 7].contains(mode))
    }
  }

  @Test("IVA selects the table; its low 15 bits are ignored") func vectorTable() throws {
    let machine = try TestMachine("mov cr.iva=r5 ;;\nsrlz.i ;;\nbreak.m 1", psr: PSR.ic)
    machine[gr: 5] = 0x4_7FFF
    try machine.park(0x4_2C00)
    machine.run()
    #expect(machine.ip == 0x4_2C00)
  }

  @Test("CPUID: five registers, the same at every level; more is a Reserved Register/Field fault") func identification() throws {
    for level in [0, 3] as [UInt64] {
      let machine = try TestMachine(
        "mov r4=cpuid[r0]\nmov r6=cpuid[r5]\nmov r8=cpuid[r7]\nmov r10=cpuid[r9]\nmov r14=cpuid[r11]",
        psr: PSR.ic | level << PSR.cplShift)
      for (register, index) in [(5, 1), (7, 2), (9, 3), (11, 4)] { machine[gr: register] = UInt64(index) | 0xABCD00 }
      #expect(machine.run() == .done)
      let vendor = Array("GenuineIntel\0\0\0\0".utf8)
      for (register, start) in [(4, 0), (6, 8)] {
        #expect((0..<8).reduce(UInt64(0)) { $0 | UInt64(vendor[start + $1]) << UInt64(8 * $1) } == machine[gr: register])
      }
      // Family 0x20 (Itanium 2), model 0 (Montecito), highest index 4; brl and 16-byte atomic operations.
      #expect(machine[gr: 10] & 0xFF_FFFF_00FF == 0x2000_0004)
      #expect(machine[gr: 14] == 5)
    }
    #expect(fault(try run("mov r4=cpuid[r5]", psr: PSR.ic) { $0[gr: 5] = 5 }) == 0x30)
  }
}
