import IA64
import Processor
import Testing

/// Breakpoints (Volume 2, section 7.1): IBR and DBR pairs, their masks, levels and kinds of reference, PSR.db, id and dd.
@Suite("Debug registers")
struct DebugRegisterTests {
  static let exact: UInt64 = 0x00FF_FFFF_FFFF_FFFF
  static let code = TestMachine.code

  static func level(_ cpl: UInt64) -> UInt64 { 1 << (56 + cpl) }

  // MARK: Instruction breakpoints

  private func instructionMachine(
    _ address: UInt64, control: UInt64, pair: Int = 0, psr: UInt64 = PSR.ic | PSR.db
  ) throws -> TestMachine {
    let machine = try TestMachine("nop.m 0\nnop.m 1\nnop.m 2\nnop.m 3", psr: psr)
    machine.each {
      $0.state.ibr[2 * pair] = address
      $0.state.ibr[2 * pair + 1] = control
    }
    return machine
  }

  @Test("Each pair matches a bundle, in blocks and steps; ISR.x, IFA, no ITIR; addr{3:0} is ignored") func instruction() throws {
    for pair in 0..<4 {
      for low in [0, 0xF] as [UInt64] {
        let machine = try instructionMachine(Self.code + 32 + low, control: 1 << 63 | Self.level(0) | Self.exact, pair: pair)
        machine.expect(
          .debug,
          DeliveredInterruption(
            psr: PSR.ic | PSR.db, resume: (Self.code + 32, 0), isr: ISR.x, previous: Self.code + 16, ifa: Self.code + 32))
      }
    }
  }

  @Test("No match without x, on another level, with PSR.db = 0, by bits that the mask leaves out") func instructionMisses() throws {
    let all = Self.level(0) | Self.level(1) | Self.level(2) | Self.level(3)
    for (address, control, psr) in [
      (Self.code + 32, all | Self.exact, PSR.ic | PSR.db), (Self.code + 32, 1 << 63 | Self.level(1) | Self.exact, PSR.ic | PSR.db),
      (Self.code + 32, 1 << 63 | all | Self.exact, PSR.ic),
      (Self.code + 32, 1 << 63 | Self.level(0) | Self.exact, PSR.ic | PSR.db | 3 << 32),
      (Self.code + 0x1000, 1 << 63 | all | Self.exact, PSR.ic | PSR.db),
      // Address bits 63:56 have no mask bits and always count.
      (1 << 60 | Self.code + 32, 1 << 63 | all, PSR.ic | PSR.db),
    ] as [(UInt64, UInt64, UInt64)] {
      #expect(try instructionMachine(address, control: control, psr: psr).run() == .done)
    }
    let masked = try instructionMachine(Self.code | 0x05_6720, control: 1 << 63 | all | Self.exact & ~0x3F_FFC0)
    #expect(masked.run() == .interruption(.debug))
    #expect(masked.interruption.iip == Self.code + 32)
  }

  @Test("Any slot of the bundle: the fault repeats for the next slot unless PSR.id is set for one instruction") func slots() throws
  {
    let machine = try instructionMachine(
      Self.code + 16, control: 1 << 63 | Self.level(0) | Self.exact, psr: PSR.ic | PSR.db | PSR.id)
    machine.each { $0.state.pointee.ip = Self.code + 16 }
    // The first instruction is exempt; the second, in the same bundle, is not.
    machine.expect(
      .debug,
      DeliveredInterruption(
        psr: PSR.ic | PSR.db, resume: (Self.code + 16, 1), isr: ISR.x, previous: Self.code + 16, ifa: Self.code + 16))
  }

  @Test("A breakpoint written by the program holds behind srlz.i") func writtenByProgram() throws {
    let machine = try TestMachine(
      "mov ibr[r4]=r5 ;;\nmov ibr[r6]=r7 ;;\nssm 0x800000 ;;\nmov psr.l=r8 ;;\nsrlz.i ;;\nnop.m 5\nnop.m 6".replacing(
        "ssm 0x800000 ;;\n", by: ""))
    machine[gr: 4] = 2
    machine[gr: 5] = Self.code + 5 * 16
    machine[gr: 6] = 3
    machine[gr: 7] = 1 << 63 | Self.level(0) | Self.exact
    machine[gr: 8] = PSR.ic | PSR.db
    #expect(machine.run() == .interruption(.debug))
    #expect(machine.interruption.iip == Self.code + 5 * 16)
  }

  // MARK: Data breakpoints

  private func dataMachine(
    _ instruction: String, at offset: UInt64 = 0, control: UInt64, psr: UInt64 = PSR.ic | PSR.db, pair: Int = 0
  ) throws -> TestMachine {
    // The first reference warms the engine's own caches up: a match must be noticed all the same.
    let machine = try TestMachine("nop.m 0\nld8 r3=[r9]\nst8 [r9]=r3\n\(instruction) ;;", psr: psr)
    machine.each {
      $0.state.dbr[2 * pair] = TestMachine.data + offset
      $0.state.dbr[2 * pair + 1] = control
    }
    machine[gr: 5] = TestMachine.data
    machine[gr: 9] = TestMachine.data + 0x800
    return machine
  }

  @Test(
    "Kinds of reference: r and w",
    arguments: [
      ("ld8 r4=[r5]", true, false), ("ld1.a r4=[r5]", true, false), ("st4 [r5]=r6", false, true), ("xchg8 r4=[r5],r6", true, true),
      ("cmpxchg8.acq r4=[r5],r6", true, true), ("fetchadd4.acq r4=[r5],1", true, true), ("ldfd f4=[r5]", true, false),
      ("stfs [r5]=f1", false, true), ("ldfpd f4,f5=[r5]", true, false), ("lfetch.fault [r5]", true, false),
      ("probe.r.fault r5,0", true, false), ("probe.w.fault r5,0", false, true), ("probe.rw.fault r5,0", true, true),
      ("ld8.fill r4=[r5]", true, false), ("st8.spill [r5]=r6", false, true), ("ld16 r4=[r5]", true, false),
      // Neither flushes nor plain probes and prefetches match (Volume 2, Debug vector).
      ("fc r5", false, false), ("lfetch [r5]", false, false),
    ] as [(String, Bool, Bool)]) func data(_ instruction: String, _ reads: Bool, _ writes: Bool) throws
  {
    for (r, w) in [(true, false), (false, true), (true, true), (false, false)] {
      let control = (r ? UInt64(1) << 63 : 0) | (w ? 1 << 62 : 0) | Self.level(0) | Self.exact
      let machine = try dataMachine(instruction, control: control, pair: 3)
      let matches = reads && r || writes && w
      #expect(machine.run() == (matches ? .interruption(.debug) : .done), "\(instruction) r \(r) w \(w)")
      if matches {
        #expect(machine.interruption.ifa == TestMachine.data)
        #expect(machine.interruption.isr & (ISR.r | ISR.w | ISR.x) == (reads ? ISR.r : 0) | (writes ? ISR.w : 0))
        #expect(machine.interruption.iip == Self.code + 48)
      }
    }
  }

  @Test("Any byte of the reference counts, and the mask") func bytes() throws {
    let control = 1 << 63 | Self.level(0)
    for (offset, mask, matches) in [
      (0, Self.exact, true), (7, Self.exact, true), (8, Self.exact, false), (0x38, Self.exact & ~0x3F, true),
      (0x40, Self.exact & ~0x3F, false),
      (0, 0, true), (1 << 57, 0, false),
    ] as [(UInt64, UInt64, Bool)] {
      #expect(
        try dataMachine("ld8 r4=[r5]", at: offset, control: control | mask).run() == (matches ? .interruption(.debug) : .done))
    }
  }

  @Test("Levels; PSR.db; PSR.dd for one instruction") func conditions() throws {
    let control = 1 << 63 | Self.level(2) | Self.exact
    #expect(try dataMachine("ld8 r4=[r5]", control: control).run() == .done)
    #expect(try dataMachine("ld8 r4=[r5]", control: control, psr: PSR.ic | PSR.db | 2 << 32).run() == .interruption(.debug))
    #expect(try dataMachine("ld8 r4=[r5]", control: control, psr: PSR.ic | 2 << 32).run() == .done)
    let first = try dataMachine("ld8 r4=[r5]\nld8 r6=[r5]", control: 1 << 63 | Self.level(0) | Self.exact)
    first.psr = PSR.ic | PSR.db | PSR.dd
    first.each { $0.state.pointee.ip = Self.code + 48 }
    #expect(first.run() == .interruption(.debug))
    #expect(first.interruption.iip == Self.code + 64)
    #expect(first.interruption.ipsr == PSR.ic | PSR.db)
  }

  @Test("A predicated-off reference does not match") func predicatedOff() throws {
    #expect(try dataMachine("(p6) ld8 r4=[r5]", control: 1 << 63 | Self.level(0) | Self.exact).run() == .done)
  }

  @Test("Mandatory register stack references match; PSR.dd holds for one of them") func registerStack() throws {
    for (exempt, slot) in [(0, 0x18), (PSR.dd, 0x10)] as [(UInt64, UInt64)] {
      let machine = try TestMachine("rfi ;;", psr: 0)
      machine[cr: CR.ipsr] = PSR.ic | PSR.db | exempt
      machine[cr: CR.iip] = TestMachine.data
      machine[cr: CR.ifs] = 1 << 63 | 4
      machine.each {
        $0.setCFM(0)
        $0.state.pointee.bsp = TestMachine.backingStore + 0x20
        $0.state.pointee.bspStore = TestMachine.backingStore + 0x20
        $0.state.dbr[0] = TestMachine.backingStore
        $0.state.dbr[1] = 1 << 63 | Self.level(0) | Self.exact & ~0xFF
      }
      // Loads come from the top down.
      #expect(machine.run() == .interruption(.debug))
      #expect(machine.interruption.ifa == TestMachine.backingStore + slot)
      #expect(machine.interruption.isr == ISR.r | ISR.rs | ISR.ir)
      #expect(machine.interruption.ipsr == PSR.ic | PSR.db)
    }
  }

  @Test("Deferral of a speculative load: with DCR.dd on a page with ed, else the fault shows sp and ed") func deferral() throws {
    let psr = PSR.ic | PSR.it | PSR.dt | PSR.rt | PSR.db
    for (ed, dd) in [(false, false), (false, true), (true, false), (true, true)] {
      let machine = try TestMachine("ld8.s r4=[r5] ;;", psr: psr)
      machine.mapMemory()
      machine.map(instruction: true, virtual: Self.code, physical: Self.code, shift: 14, ed: ed)
      machine[gr: 5] = TestMachine.data
      machine[cr: CR.dcr] = dd ? DCR.dd : 0
      machine.each {
        $0.state.dbr[0] = TestMachine.data
        $0.state.dbr[1] = 1 << 63 | Self.level(0) | Self.exact
      }
      if ed && dd {
        #expect(machine.run() == .done)
        #expect(machine[nat: 4])
      } else {
        #expect(machine.run() == .interruption(.debug))
        #expect(machine.interruption.isr == ISR.r | ISR.sp | (ed ? ISR.ed : 0))
      }
    }
  }
}
