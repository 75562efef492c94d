import IA64
import Processor
import Testing

/// Moves to and from application registers (Volume 1, table 3-3; Volume 3, mov ar): which exist, in which unit, at which level, and
/// which fields are checked, ignored or clamped.
@Suite("Application registers")
struct ApplicationRegisterTests {
  /// Registers of the M unit, of the I unit, and those that both ignore. AR45 (RUC) came after the Montecito.
  static let memoryUnit = Set(Array(0...7) + [16, 17, 18, 19, 21] + Array(24...30) + [32, 36, 40, 44])
  static let integerUnit: Set = [64, 65, 66]
  static let ignored = Set(Array(48...63) + Array(112...127))

  private func outcome(_ text: String, psr: UInt64 = PSR.ic, _ prepare: (TestMachine) -> Void = { _ in }) throws -> TestMachine {
    let machine = try TestMachine("\(text) ;;", psr: psr)
    prepare(machine)
    machine.run()
    return machine
  }

  private func fault(_ machine: TestMachine) -> UInt64? {
    machine.ip == TestMachine.handlers + 0x5400 ? machine.interruption.isr & 0xFF : nil
  }

  @Test("Existence and unit: anything else is an Illegal Operation") func existence() throws {
    for number in 0..<128 {
      let both = Self.ignored.contains(number)
      for (unit, exists) in [("m", both || Self.memoryUnit.contains(number)), ("i", both || Self.integerUnit.contains(number))] {
        let read = try outcome("mov.\(unit) r4=ar\(number)")
        #expect(fault(read) == (exists ? nil : 0), "mov.\(unit) from ar\(number)")
        if both { #expect(read[gr: 4] == 0) }
        // 0 is legal in every register but BSP, which is read-only.
        let write = try outcome("mov.\(unit) ar\(number)=r0")
        #expect(fault(write) == (exists && number != 17 ? nil : 0), "mov.\(unit) to ar\(number)")
        let immediate = try outcome("mov.\(unit) ar\(number)=0")
        #expect(fault(immediate) == (exists && number != 17 ? nil : 0), "mov.\(unit) to ar\(number), immediate")
      }
    }
  }

  @Test("Plain registers hold 64 bits; immediates are sign-extended") func storage() throws {
    for name in ["k0", "k7", "csd", "ssd", "ccv", "unat", "lc", "eflag", "fcr", "fsr", "fir", "fdr", "cflg"] {
      let machine = try outcome("mov ar.\(name)=r5 ;;\nmov r4=ar.\(name)") { $0[gr: 5] = 0x8123_4567_89AB_CDEF }
      #expect(machine[gr: 4] == 0x8123_4567_89AB_CDEF, "ar.\(name)")
    }
    let machine = try outcome("mov.m ar.ccv=-2 ;;\nmov.m r4=ar.ccv")
    #expect(machine[gr: 4] == UInt64.max - 1)
  }

  @Test("Kernel registers: read at every level, written at level 0 only; ITC the same") func kernelRegisters() throws {
    for level in 1...3 as ClosedRange<UInt64> {
      for name in (0..<8).map({ "k\($0)" }) + ["itc"] {
        #expect(fault(try outcome("mov r4=ar.\(name)", psr: PSR.ic | level << PSR.cplShift)) == nil)
        let machine = try outcome("mov ar.\(name)=r5", psr: PSR.ic | level << PSR.cplShift)
        #expect(fault(machine) == 0x20, "ar.\(name)")
        #expect(machine.interruption.isr & ~0xFF == 0)
      }
    }
  }

  @Test("PSR.si hides ITC below level 0") func secureInterval() throws {
    #expect(fault(try outcome("mov r4=ar.itc", psr: PSR.ic | PSR.si)) == nil)
    #expect(fault(try outcome("mov r4=ar.itc", psr: PSR.ic | PSR.si | 1 << PSR.cplShift)) == 0x20)
  }

  @Test("BSPSTORE and RNAT are out of reach while RSC.mode is not 0, at every level and before all other checks")
  func stackRegisters() throws {
    for mode in 0...3 as ClosedRange<UInt64> {
      for text in ["mov r4=ar.bspstore", "mov ar.bspstore=r5", "mov r4=ar.rnat", "mov ar.rnat=r5"] {
        for nat in [false, true] {
          let machine = try outcome(text) {
            $0[ar: AR.rsc] = mode
            $0[gr: 5] = TestMachine.backingStore
            $0[nat: 5] = nat
          }
          if mode != 0 {
            #expect(fault(machine) == 0, "\(text) in mode \(mode)")
          } else if nat && text.hasSuffix("r5") {
            #expect(machine.ip == TestMachine.handlers + 0x5600)
          } else {
            #expect(fault(machine) == nil, "\(text)")
          }
        }
      }
    }
  }

  @Test("mov to a reserved or read-only register is illegal, NaT or not") func natSource() throws {
    for text in ["mov.m ar8=r5", "mov.m ar17=r5", "mov.i ar67=r5", "mov.i ar32=r5"] {
      #expect(fault(try outcome(text) { $0[nat: 5] = true }) == 0, "\(text)")
    }
  }

  @Test("RSC: reserved fields; pl is raised to the current level") func stackConfiguration() throws {
    for bit in 0..<64 as Range<UInt64> {
      let legal = bit < 5 || (16..<30).contains(bit)
      #expect(fault(try outcome("mov ar.rsc=r5") { $0[gr: 5] = 1 << bit }) == (legal ? nil : 0x30), "bit \(bit)")
    }
    for level in 0...3 as ClosedRange<UInt64> {
      for wanted in 0...3 as ClosedRange<UInt64> {
        let machine = try outcome("mov ar.rsc=r5 ;;\nmov r4=ar.rsc", psr: PSR.ic | level << PSR.cplShift) {
          $0[gr: 5] = wanted << 2 | 3
        }
        #expect(machine[gr: 4] == max(wanted, level) << 2 | 3)
      }
    }
  }

  @Test("FPSR: bits 63:58, sf0.td and precision 1 are reserved") func floatStatus() throws {
    let usual: UInt64 = 0x9804_C027_0033F
    for bit in 58..<64 as Range<UInt64> { #expect(fault(try outcome("mov ar.fpsr=r5") { $0[gr: 5] = usual | 1 << bit }) == 0x30) }
    #expect(fault(try outcome("mov ar.fpsr=r5") { $0[gr: 5] = usual | 1 << 12 }) == 0x30)
    for field in 0..<4 as Range<UInt64> {
      for precision in 0..<4 as Range<UInt64> {
        let shift = 6 + 13 * field + 2
        let machine = try outcome("mov ar.fpsr=r5 ;;\nmov r4=ar.fpsr") { $0[gr: 5] = usual & ~(3 << shift) | precision << shift }
        #expect(fault(machine) == (precision == 1 ? 0x30 : nil), "sf\(field).pc = \(precision)")
        if precision != 1 { #expect(machine[gr: 4] == machine[gr: 5]) }
      }
    }
  }

  @Test("PFS: impossible frames and reserved bits") func previousState() throws {
    let cases: [(UInt64, Bool)] = [
      (96, true), (97, false), (96 | 96 << 7, true), (10 | 11 << 7, false), (16 | 2 << 14, true), (15 | 2 << 14, false),
      (16 | 2 << 14 | 15 << 18, true), (16 | 2 << 14 | 16 << 18, false), (16 | 1 << 18, false), (95 << 25, true), (96 << 25, false),
      (47 << 32, true), (48 << 32, false), (1 << 38, false), (1 << 51, false), (63 << 52, true), (1 << 58, false), (1 << 61, false),
      (3 << 62, true),
    ]
    for (value, legal) in cases {
      for (text, setup) in [("mov ar.pfs=r5", false), ("mov.i ar.pfs=r5", true)] {
        let machine = try outcome("\(text) ;;\nmov r4=ar.pfs") {
          $0[gr: 5] = value
          if setup { $0[nat: 60] = true }
        }
        #expect(fault(machine) == (legal ? nil : 0x30), "0x\(String(value, radix: 16))")
        if legal { #expect(machine[gr: 4] == value) }
      }
    }
  }

  @Test("EC has six bits; RNAT{63} is ignored; BSP counts NaT collections") func shortRegisters() throws {
    let ec = try outcome("mov ar.ec=r5 ;;\nmov r4=ar.ec") { $0[gr: 5] = 0xFFFF_FFFF_FFFF_FFEA }
    #expect(ec[gr: 4] == 0x2A)
    let rnat = try outcome("mov ar.rnat=r5 ;;\nmov r4=ar.rnat") { $0[gr: 5] = UInt64.max }
    #expect(rnat[gr: 4] == UInt64.max >> 1)
    let bsp = try outcome("mov ar.bspstore=r5 ;;\nmov r4=ar.bsp\nmov r6=ar.bspstore") {
      $0[gr: 5] = TestMachine.backingStore + 0x107
    }
    #expect(bsp[gr: 4] == TestMachine.backingStore + 0x100)
    #expect(bsp[gr: 6] == TestMachine.backingStore + 0x100)
  }

  @Test("Order: NaT before Reserved Field before Privileged Register") func order() throws {
    let both = try outcome("mov ar.fpsr=r5") {
      $0[gr: 5] = UInt64.max
      $0[nat: 5] = true
    }
    #expect(both.ip == TestMachine.handlers + 0x5600)
    let privileged = try outcome("mov ar.k1=r5", psr: PSR.ic | 2 << PSR.cplShift) { $0[nat: 5] = true }
    #expect(privileged.ip == TestMachine.handlers + 0x5600)
  }

  @Test("ITC counts a quarter of the cycles from what was written") func intervalTimeCounter() throws {
    let machine = try TestMachine("mov ar.itc=r5 ;;\nnop.m 0\nnop.m 0\nnop.m 0\nmov r4=ar.itc ;;")
    machine[gr: 5] = 0x1000
    #expect(machine.run() == .done)
    // Twelve slots lie between the write and the read.
    #expect(machine[gr: 4] == 0x1003)
  }
}
