import IA64
import Processor
import Testing

/// Illegal Operation, Privileged Operation, Register NaT Consumption, Reserved Register/Field, Virtualization: in this order (Volume 3, the
/// pseudo-code of each instruction).
@Suite("Order of a guest's faults")
struct FaultOrderTests {
  private func expect(
    _ vector: Vector, _ isr: UInt64, _ text: String, psr: UInt64 = GuestMachine.psr,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ prepare: (TestMachine) -> Void = { _ in }
  ) throws {
    let machine = try GuestMachine.make("\(text) ;;", vac: .implemented, psr: psr, sourceLocation: sourceLocation)
    machine[gr: 4] = 0
    machine[gr: 5] = 0
    prepare(machine)
    #expect(machine.run() == .interruption(vector), "\(text)", sourceLocation: sourceLocation)
    #expect(machine.interruption.isr & ~(3 << ISR.eiShift) == isr, "\(text)", sourceLocation: sourceLocation)
    #expect(machine.interruption.ipsr & PSR.vm != 0, "\(text)", sourceLocation: sourceLocation)
  }

  private static let level3 = GuestMachine.psr | 3 << PSR.cplShift

  @Test("A register or target that does not exist comes before the privilege") func illegal() throws {
    for text in [
      "mov r48=cr.dcr", "mov r0=cr.dcr", "mov r48=psr", "mov r48=rr[r5]", "mov r48=cpuid[r5]", "tpa r48=r5", "tak r0=r5",
      "thash r48=r5",
      "ttag r0=r5", "mov r6=cr3", "mov cr3=r4", "mov r6=cr26", "mov cr.ivr=r4", "mov cr.irr0=r4",
    ] {
      try expect(.generalException, 0, text)
      try expect(.generalException, 0, text, psr: Self.level3)
    }
    // CR4 is there only in environments with the ITC acceleration.
    try expect(.generalException, 0, "mov r6=cr4")
    try expect(.generalException, 0, "mov cr4=r4")
  }

  @Test("PSR.ic = 1 is the host's: neither interruption registers nor inserts are illegal for it") func collecting() throws {
    for text in ["mov r6=cr.iip", "mov cr.iip=r4", "itc.d r4", "itc.i r4", "itr.d dtr[r5]=r4", "itr.i itr[r5]=r4"] {
      try expect(.virtualization, 0, text) { $0.vpsr = PSR.ic }
      // Below level 0 it is the privilege that is missing.
      try expect(.generalException, 0x10, text, psr: Self.level3)
    }
  }

  @Test("Privilege before NaT") func privilegeBeforeNaT() throws {
    for text in [
      "mov psr.l=r4", "mov cr.dcr=r4", "mov rr[r5]=r4", "itc.d r4", "itr.d dtr[r5]=r4", "ptc.l r5,r4", "ptc.e r4", "tpa r6=r4",
    ] {
      try expect(.generalException, 0x10, text, psr: Self.level3) { $0[nat: 4] = true }
    }
  }

  @Test("NaT before reserved fields and before the intercept") func natBeforeReserved() throws {
    for text in [
      "mov psr.l=r4", "mov cr.dcr=r4", "mov cr.iip=r4", "mov rr[r5]=r4", "mov pkr[r5]=r4", "mov dbr[r5]=r4", "mov pmc[r5]=r4",
      "itc.d r4",
      "itc.i r4", "itr.d dtr[r5]=r4", "itr.i itr[r5]=r4", "ptc.l r5,r4", "ptc.g r5,r4", "ptc.ga r5,r4", "ptr.d r5,r4",
      "ptr.i r5,r4",
      "ptc.e r4", "mov r6=rr[r4]", "mov r6=cpuid[r4]", "mov.m ar.itc=r4",
    ] {
      try expect(.natConsumption, 0x10, text) {
        $0[gr: 4] = .max
        $0[nat: 4] = true
      }
    }
    try expect(.natConsumption, 0x10 | ISR.na | ISR.r, "tpa r6=r4") { $0[nat: 4] = true }
    try expect(.natConsumption, 0x13 | ISR.na | ISR.r, "tak r6=r4") { $0[nat: 4] = true }
  }

  @Test("thash and ttag never fault for a NaT") func hashes() throws {
    for text in ["thash r6=r4", "ttag r6=r4"] { try expect(.virtualization, 0, text) { $0[nat: 4] = true } }
  }

  @Test("Reserved registers and fields before the intercept") func reservedBeforeIntercept() throws {
    let cases: [(String, UInt64)] = [
      ("mov psr.l=r4", 1 << 16), ("mov psr.l=r4", 1 << 6), ("mov cr.dcr=r4", 1 << 3), ("mov cr.pta=r4", 1 << 1),
      ("mov cr.lid=r4", 1),
      ("mov cr.tpr=r4", 1 << 8), ("mov cr.itv=r4", 1 << 8), ("mov cr.ipsr=r4", 1 << 47), ("mov cr.itir=r4", 1 << 32),
      ("mov rr[r5]=r4", 1 << 1), ("mov rr[r5]=r4", 5 << 2), ("mov pkr[r5]=r4", 1 << 4), ("mov pkr[r4]=r5", 16),
      ("mov dbr[r4]=r5", 8),
      ("mov ibr[r4]=r5", 8), ("mov r6=pkr[r4]", 16), ("mov r6=dbr[r4]", 8), ("mov r6=ibr[r4]", 8), ("mov r6=cpuid[r4]", 5),
      ("itc.d r4", 3), ("itc.i r4", 1 | 2 << 2), ("itr.d dtr[r5]=r4", 1 | 1 << 50), ("itr.i itr[r4]=r5", 64),
      ("itr.d dtr[r4]=r5", 0xFF),
      ("ptc.l r5,r4", 5 << 2), ("ptc.g r5,r4", 11 << 2), ("ptc.ga r5,r4", 33 << 2), ("ptr.d r5,r4", 0), ("ptr.i r5,r4", 63 << 2),
    ]
    for (text, value) in cases { try expect(.generalException, 0x30, text) { $0[gr: 4] = value } }
    for text in ["ssm 0x10000", "rsm 0x40"] { try expect(.generalException, 0x30, text) }
  }

  @Test("An insert's page size is not looked at: CR.ITIR is the host's") func hostITIR() throws {
    try expect(.virtualization, 0, "itc.d r4") {
      $0[gr: 4] = 1
      $0[cr: CR.itir] = .max
    }
  }

  @Test("A write of ITC: Privileged Register before the intercept") func itcPrivilege() throws {
    try expect(.generalException, 0x20, "mov.m ar.itc=r4", psr: Self.level3)
    try expect(.generalException, 0x20, "mov.m ar.itc=5", psr: Self.level3)
  }
}
