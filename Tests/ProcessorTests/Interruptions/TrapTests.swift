import Arithmetic
import IA64
import Processor
import Testing

/// Traps: after the instruction, with ISR.ei its slot, IIPA its bundle, IIP and IPSR.ri the next (Volume 2, chapter 8).
@Suite("Traps")
struct TrapTests {
  static let code = TestMachine.code

  // MARK: Single step

  @Test("Single Step Trap after each slot, the predicated-off ones too") func singleStep() throws {
    for (slot, next) in [(0, (Self.code, 1)), (1, (Self.code, 2)), (2, (Self.code + 16, 0))] as [(UInt64, (UInt64, UInt64))] {
      let machine = try TestMachine("{ .mii\n adds r4=1,r4\n (p6) adds r4=1,r4\n adds r4=1,r4\n }\nnop.m 0")
      let psr = PSR.ic | PSR.ss | slot << PSR.riShift
      machine.psr = psr
      machine.expect(
        .singleStep, DeliveredInterruption(psr: psr, resume: next, isr: 8, slot: slot, previous: Self.code))
      #expect(machine[gr: 4] == (slot == 1 ? 0 : 1))
    }
  }

  @Test("Single Step Trap after a long instruction: it is slot 1, the next bundle follows") func singleStepLong() throws {
    let machine = try TestMachine("{ .mlx\n nop 0\n movl r4=0x1122334455667788\n }", psr: PSR.ic | PSR.ss | 1 << PSR.riShift)
    machine.expect(
      .singleStep, DeliveredInterruption(psr: PSR.ic | PSR.ss, resume: (Self.code + 16, 0), isr: 8, slot: 1, previous: Self.code))
    #expect(machine[gr: 4] == 0x1122_3344_5566_7788)
  }

  @Test("A fault takes the place of the single step") func faultInsteadOfStep() throws {
    let machine = try TestMachine("break.m 5", psr: PSR.ic | PSR.ss)
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine.interruption.ipsr == PSR.ic | PSR.ss)
  }

  // MARK: Taken branches

  /// Every kind of transfer, with what it needs.
  static let branches: [(source: String, slot: UInt64)] = [
    ("{ .mib\n nop 0\n nop 0\n br.cond.sptk.many there\n }", 2), ("{ .mib\n nop 0\n nop 0\n (p6) br.cond.sptk.many there\n }", 2),
    ("{ .bbb\n br.call.sptk.many b0=there\n nop 0\n nop 0\n }", 0), ("{ .mbb\n nop 0\n br.cond.sptk.many b7\n nop 0\n }", 1),
    ("{ .mib\n nop 0\n nop 0\n br.ret.sptk.many b7\n }", 2), ("{ .mib\n nop 0\n nop 0\n br.call.sptk.many b0=b7\n }", 2),
    ("{ .mib\n nop 0\n nop 0\n br.cloop.sptk.many there\n }", 2), ("{ .mib\n nop 0\n nop 0\n br.ctop.sptk.many there ;;\n }", 2),
    ("{ .mib\n nop 0\n nop 0\n (p6) br.wtop.sptk.many there ;;\n }", 2), ("{ .mlx\n nop 0\n brl.cond.sptk.many there ;;\n }", 1),
    ("{ .mlx\n nop 0\n brl.call.sptk.many b0=there ;;\n }", 1), ("{ .mii\n chk.a.nc r4,there\n nop 0\n nop 0\n }", 0),
    ("{ .mii\n nop 0\n chk.s r9,there\n nop 0\n }", 1), ("{ .mfi\n nop 0\n fchkf.s1 there\n nop 0\n }", 1),
  ]

  private func branchMachine(_ source: String, psr: UInt64) throws -> TestMachine {
    let machine = try TestMachine("nop.m 0\n\(source)\nnop.m 0\nthere: nop.m 1", psr: psr)
    machine[br: 7] = machine.labels["there"] ?? 0
    machine[pr: 6] = true
    machine[ar: AR.lc] = 3
    machine[nat: 9] = true
    // Status field 1 has a flag that field 0 has not: fchkf branches.
    machine[ar: AR.fpsr] = 0x9804_C027_0033F | 1 << (6 + 13 + 7)
    return machine
  }

  @Test("Taken Branch Trap: every kind of branch and check", arguments: branches)
  func takenBranch(_ branch: (source: String, slot: UInt64)) throws {
    let psr = PSR.ic | PSR.tb
    let machine = try branchMachine(branch.source, psr: psr)
    let there = try #require(machine.labels["there"])
    machine.expect(
      .takenBranch, DeliveredInterruption(psr: psr, resume: (there, 0), isr: 4, slot: branch.slot, previous: Self.code + 16))
  }

  @Test("Taken branch and single step together: one trap with both bits, on the vector of the taken branch", arguments: branches)
  func takenBranchAndStep(_ branch: (source: String, slot: UInt64)) throws {
    let psr = PSR.ic | PSR.tb | PSR.ss | branch.slot << PSR.riShift
    let machine = try branchMachine(branch.source, psr: psr)
    let there = try #require(machine.labels["there"])
    machine.each { $0.state.pointee.ip = Self.code + 16 }
    machine.expect(
      .takenBranch, DeliveredInterruption(psr: psr, resume: (there, 0), isr: 0xC, slot: branch.slot, previous: Self.code + 16))
  }

  @Test("A branch that is not taken does not trap") func notTaken() throws {
    let machine = try TestMachine(
      """
      { .mib
        nop.m 0
        nop.i 0
        (p7) br.cond.sptk.few done
      }
      chk.a.nc r0,done
      break.m 7
      done: { .bbb
        nop 0
        nop 0
        br.cond.sptk.many done
      }
      """, psr: PSR.ic | PSR.tb)
    machine.each { $0.state.pointee.ip = Self.code }
    #expect(machine.run() == .interruption(.takenBranch))
    // The first transfer is the check, whose entry is not in the ALAT.
    #expect(machine.interruption.iipa == Self.code + 16)
  }

  @Test("A br.ret to the very next bundle is a taken branch, privilege change or not") func returnToNext() throws {
    for level in [0, 3] as [UInt64] {
      let machine = try TestMachine("{ .mib\n nop 0\n nop 0\n br.ret.sptk.many b6\n }\nnop.m 0", psr: PSR.ic | PSR.tb)
      machine[br: 6] = Self.code + 16
      machine[ar: AR.pfs] = level << 62
      machine.expect(
        .takenBranch,
        DeliveredInterruption(
          psr: PSR.ic | PSR.tb | level << PSR.cplShift, resume: (Self.code + 16, 0), isr: 4, slot: 2, previous: Self.code))
    }
  }

  // MARK: Lower privilege

  @Test("Lower-Privilege Transfer Trap: code lp; merged with tb and ss; priority lp, tb, ss") func lowerPrivilege() throws {
    let cases: [(UInt64, Vector, UInt64)] = [
      (PSR.lp, .lowerPrivilegeTransfer, 2), (PSR.lp | PSR.tb, .lowerPrivilegeTransfer, 6),
      (PSR.lp | PSR.ss, .lowerPrivilegeTransfer, 0xA), (PSR.lp | PSR.tb | PSR.ss, .lowerPrivilegeTransfer, 0xE),
      (PSR.tb | PSR.ss, .takenBranch, 0xC),
    ]
    for (bits, vector, code) in cases {
      let psr = PSR.ic | bits | 2 << PSR.riShift
      let machine = try TestMachine("{ .mib\n nop 0\n nop 0\n br.ret.sptk.many b6\n }\nnop.m 0\nnop.m 0", psr: psr)
      machine[br: 6] = Self.code + 32
      machine[ar: AR.pfs] = 2 << 62
      machine.expect(
        vector,
        DeliveredInterruption(
          psr: psr | 2 << PSR.cplShift, resume: (Self.code + 32, 0), isr: code, slot: 2, previous: Self.code))
    }
  }

  @Test("No Lower-Privilege trap when br.ret keeps or would raise privilege") func privilegeKept() throws {
    for (level, ppl) in [(0, 0), (3, 3), (3, 0), (2, 1)] as [(UInt64, UInt64)] {
      let machine = try TestMachine("br.ret.sptk.many b6", psr: PSR.ic | PSR.lp | level << PSR.cplShift)
      machine[br: 6] = machine.labels["done"] ?? 0
      machine[ar: AR.pfs] = ppl << 62
      #expect(machine.run() == .done)
      #expect(PSR.cpl(machine.psr) == level)
    }
  }

  // MARK: Floating point

  @Test("Floating-point trap and single step: fp outranks ss, both are reported") func floatingPointAndStep() throws {
    let machine = try TestMachine("{ .mfi\n nop 0\n fma.d.s0 f4=f6,f1,f7\n nop 0\n }", psr: PSR.ic | PSR.ss | 1 << PSR.riShift)
    machine[fr: 6] = .one
    machine[fr: 7] = FloatRegister(significand: 1 << 63, signExponent: 0xFFFF - 70)
    machine[ar: AR.fpsr] = 0x9804_C027_0033F & ~(1 << 5)
    machine.expect(
      .floatingPointTrap,
      DeliveredInterruption(
        psr: PSR.ic | PSR.ss | PSR.mfl, resume: (Self.code, 2), isr: 0x2009, slot: 1, previous: Self.code))
  }

  // MARK: rfi

  @Test("rfi takes no trap at all: neither with PSR.tb, lp, ss before nor after it") func rfiTakesNoTrap() throws {
    for bits in [PSR.tb, PSR.lp, PSR.ss, PSR.tb | PSR.lp | PSR.ss] {
      let machine = try TestMachine("rfi ;;", psr: bits | 2 << PSR.riShift)
      machine[cr: CR.ipsr] = PSR.ic | bits | 3 << PSR.cplShift
      machine[cr: CR.iip] = TestMachine.data
      try machine.place("{ .mii\n nop 0\n nop 0\n nop 0\n }\nbreak.m 9", at: TestMachine.data)
      let expected: Vector = bits & PSR.ss != 0 ? .singleStep : .breakInstruction
      #expect(machine.run() == .interruption(expected))
      // The first trap is that of the instruction at the target.
      if bits & PSR.ss != 0 {
        #expect(machine.interruption.iip == TestMachine.data)
        #expect(machine.interruption.ipsr >> 41 & 3 == 1)
        #expect(machine.interruption.isr == 8)
      }
    }
  }

  @Test("Unimplemented target of a traced branch: the branch's traps come first, then the fault") func tracedUnimplemented() throws
  {
    let machine = try TestMachine(
      "br.cond.sptk.many b6", psr: PSR.ic | PSR.tb,
      handlers: [.takenBranch: "mov r20=cr.iip\nmov r21=cr.isr\nmov cr.ipsr=r22 ;;\nrfi ;;"])
    machine[br: 6] = 1 << 57
    machine.each { $0.state.otherBank[6] = PSR.ic }
    machine.each {
      // Bank 0 is the handler's.
      $0.state.gr[22] = PSR.ic
    }
    #expect(machine.run() == .interruption(.lowerPrivilegeTransfer))
    #expect(machine[gr: 20] == 1 << 57)
    #expect(machine[gr: 21] == 4 | 2 << ISR.eiShift)
    #expect(machine.interruption.isr == 0x10)
    #expect(machine.interruption.ifa == 1 << 57)
  }
}
