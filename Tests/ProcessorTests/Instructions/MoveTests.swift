import Processor
import TestSupport
import Testing

/// I21...I28, M29...M31: the pseudo-code of Volume 3, pages mov ar, mov br, mov ip, mov pr.
@Suite("Moves", .ends(withinMinutes: 5))
struct MoveTests {
  /// Runs one instruction that must raise a fault on its first execution.
  private func fault(
    _ text: String, _ vector: Vector, code: UInt64, _ prepare: (TestMachine) -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let machine = try TestMachine(text, sourceLocation: sourceLocation)
    prepare(machine)
    #expect(machine.run() == .interruption(vector), "\(text)", sourceLocation: sourceLocation)
    #expect(machine.interruption.code == code, "\(text)", sourceLocation: sourceLocation)
    #expect(machine.interruption.iip == TestMachine.code, "\(text)", sourceLocation: sourceLocation)
  }

  @Test func branchRegisters() throws {
    for b in 0..<8 {
      let machine = try TestMachine("mov b\(b)=r4 ;;\n(p06) mov b\(b)=r5 ;;\nmov r6=b\(b)\n(p07) mov r7=b\(b)")
      machine[gr: 4] = 0xFEDC_BA98_7654_3213
      machine[gr: 7] = 77
      machine[nat: 6] = true
      machine[nat: 5] = true
      #expect(machine.run() == .done)
      #expect(machine[br: b] == 0xFEDC_BA98_7654_3213)
      #expect(machine[gr: 6] == 0xFEDC_BA98_7654_3213)
      #expect(!machine[nat: 6])
      #expect(machine[gr: 7] == 77)
      try fault("mov b\(b)=r4", .natConsumption, code: 0x10) { $0[nat: 4] = true }
    }
  }

  @Test func instructionPointer() throws {
    let machine = try TestMachine("nop.m 0\n{ .mii\n nop 0\n nop 0\n mov r4=ip\n }")
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == TestMachine.code + 16)
  }

  /// Mask bit n selects PR n for 1...15, bit 16 all rotating ones; the moves see the predicates without rotation (pr_phys_to_virt).
  @Test func predicates() throws {
    var random = OperandSource("mov pr")
    for rotation in [0, 1, 17, 47] {
      for _ in 0..<8 {
        let (value, before) = (random.bits(), random.bits())
        let mask = random.bits() & 0x1FFFE
        let signed = mask & 0x10000 != 0 ? "-0x\(String(0x20000 - mask, radix: 16))" : "0x\(String(mask, radix: 16))"
        let rot = random.bits() & 0x7FF_FFFF_0000
        let machine = try TestMachine("mov pr=r4,\(signed) ;;\nmov r5=pr ;;\nmov pr.rot=0x\(String(rot, radix: 16)) ;;\nmov r6=pr")
        machine.each { p in p.setCFM(p.cfm | UInt64(rotation) << 32) }
        // PR virtual n shows physical 16 + (n - 16 + rrb) mod 48.
        for n in 1..<64 {
          let physical = n < 16 ? n : 16 + (n - 16 + rotation) % 48
          machine[pr: n] = before >> UInt64(physical) & 1 != 0
        }
        machine[gr: 4] = value
        #expect(machine.run() == .done)
        let wide = mask & 0xFFFE | (mask & 0x10000 != 0 ? ~0xFFFF : 0)
        let first = before & ~wide & ~1 | value & wide | 1
        #expect(machine[gr: 5] == first, "mask \(signed), rotation \(rotation), seed \(OperandSource.seed)")
        #expect(machine[gr: 6] == first & 0xFFFF | rot, "pr.rot, rotation \(rotation), seed \(OperandSource.seed)")
      }
    }
    try fault("mov pr=r4,-2", .natConsumption, code: 0x10) { $0[nat: 4] = true }
  }

  /// Registers that are storage; EC has six bits, the rest is ignored (Volume 1, section 3.1.8).
  @Test func applicationRegisters() throws {
    let registers: [(String, String, UInt64)] = [
      ("m", "ar.ccv", .max), ("m", "ar.unat", .max), ("m", "ar25", .max), ("m", "ar.k0", .max), ("m", "ar.k7", .max),
      ("i", "ar.lc", .max), ("i", "ar.ec", 0x3F),
    ]
    for (unit, name, mask) in registers {
      let machine = try TestMachine(
        "mov.\(unit) \(name)=r4 ;;\nmov.\(unit) r5=\(name) ;;\nmov.\(unit) \(name)=-77 ;;\nmov.\(unit) r6=\(name) ;;\n(p06) mov.\(unit) \(name)=r4 ;;\nmov.\(unit) r7=\(name)"
      )
      machine[gr: 4] = 0x8765_4321_0FED_CBA9
      #expect(machine.run() == .done, "\(name)")
      #expect(machine[gr: 5] == 0x8765_4321_0FED_CBA9 & mask, "\(name)")
      #expect(machine[gr: 6] == UInt64(bitPattern: -77) & mask, "\(name)")
      #expect(machine[gr: 7] == machine[gr: 6], "\(name)")
      try fault("mov.\(unit) \(name)=r4", .natConsumption, code: 0x10) { $0[nat: 4] = true }
    }
  }

  /// Faults in the order of the pseudo-code: the wrong unit or register, then the NaT, then reserved fields, then privilege.
  @Test func applicationRegisterFaults() throws {
    for text in [
      "mov.m ar.lc=r4", "mov.m r4=ar.lc", "mov.i ar.ccv=r4", "mov.i r4=ar.ccv", "mov.m ar.bsp=r4", "mov.m ar8=r4", "mov.m r4=ar8",
    ] {
      try fault(text, .generalException, code: 0) { $0[nat: 4] = true }
    }
    for name in ["ar.bspstore", "ar.rnat"] {
      try fault("mov.m \(name)=r4", .generalException, code: 0) {
        $0[ar: AR.rsc] = 3
        $0[nat: 4] = true
      }
      try fault("mov.m r4=\(name)", .generalException, code: 0) { $0[ar: AR.rsc] = 1 }
    }
    let reserved: [(String, UInt64)] = [
      ("mov.m ar.rsc=r4", 1 << 5), ("mov.m ar.rsc=r4", 1 << 30), ("mov.m ar.fpsr=r4", 1 << 58), ("mov.m ar.fpsr=r4", 1 << 12),
      ("mov.m ar.fpsr=r4", 1 << 8), ("mov.m ar.fpsr=r4", 1 << 47), ("mov.i ar.pfs=r4", 1 << 38), ("mov.i ar.pfs=r4", 1 << 51),
      ("mov.i ar.pfs=r4", 1 << 58), ("mov.i ar.pfs=r4", 1 << 61), ("mov.i ar.pfs=r4", 97), ("mov.i ar.pfs=r4", 8 << 7 | 7),
      ("mov.i ar.pfs=r4", 2 << 14 | 15),
    ]
    for (text, value) in reserved {
      try fault(text, .generalException, code: 0x30) { $0[gr: 4] = value }
      try fault(text, .natConsumption, code: 0x10) {
        $0[gr: 4] = value
        $0[nat: 4] = true
      }
    }
    let user = PSR.ic | 3 << PSR.cplShift
    for name in ["ar.k0", "ar.k7", "ar.itc"] {
      let machine = try TestMachine("mov.m \(name)=r4", psr: user)
      #expect(machine.run() == .interruption(.generalException), "\(name)")
      #expect(machine.interruption.code == 0x20, "\(name)")
    }
    for (si, expected) in [(0, TestMachine.Outcome.done), (PSR.si, .interruption(.generalException))] {
      #expect(try TestMachine("mov.m r4=ar.itc", psr: user | si).run() == expected)
    }
  }

  /// The privilege level of the register stack does not become better than the current one.
  @Test func registerStackPrivilege() throws {
    for (level, wanted, result) in [(0, 0, 0), (3, 0, 3), (2, 3, 3), (2, 1, 2)] as [(UInt64, UInt64, UInt64)] {
      let machine = try TestMachine("mov.m ar.rsc=r4 ;;\nmov.m r5=ar.rsc", psr: PSR.ic | level << PSR.cplShift)
      machine[gr: 4] = 0x3FFF_0010 | wanted << 2
      #expect(machine.run() == .done)
      #expect(machine[gr: 5] == 0x3FFF_0010 | result << 2)
    }
  }
}
