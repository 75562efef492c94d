import IA64
import Processor

/// An instruction that is intercepted with PSR.vm = 1 (Volume 2, table 3-10), with operands that it accepts, and the value that GR24 has
/// then (Volume 2, table 11-22: written down here as numbers, as monitors know them).
struct VirtualizedInstruction: Sendable, CustomStringConvertible {
  let text: String
  let cause: UInt64
  /// Privileged Operation below level 0; the others are intercepted at every level.
  var isPrivileged = true
  /// Non-access code of its Privileged Operation fault.
  var code: UInt64 = 0
  var unit: SlotUnit = .m
  /// Registers other than r4 = 0, r5 = 0.
  var registers: [Int: UInt64] = [:]
  var psr: UInt64 = 0

  var description: String { text }

  static let all: [VirtualizedInstruction] = [
    .init(text: "mov.m ar.itc=r4", cause: 1, isPrivileged: false),
    .init(text: "mov.m ar.itc=5", cause: 2, isPrivileged: false),
    .init(text: "mov.m r6=ar.itc", cause: 3, isPrivileged: false, psr: PSR.si),
    .init(text: "mov cr.dcr=r4", cause: 4), .init(text: "mov cr.itm=r4", cause: 4), .init(text: "mov cr.iva=r4", cause: 4),
    .init(text: "mov cr.pta=r4", cause: 4, registers: [4: 15 << 2]), .init(text: "mov cr.ipsr=r4", cause: 4),
    .init(text: "mov cr.isr=r4", cause: 4), .init(text: "mov cr.iip=r4", cause: 4), .init(text: "mov cr.ifa=r4", cause: 4),
    .init(text: "mov cr.itir=r4", cause: 4), .init(text: "mov cr.iipa=r4", cause: 4), .init(text: "mov cr.ifs=r4", cause: 4),
    .init(text: "mov cr.iim=r4", cause: 4), .init(text: "mov cr.iha=r4", cause: 4), .init(text: "mov cr.lid=r4", cause: 4),
    .init(text: "mov cr.tpr=r4", cause: 4), .init(text: "mov cr.eoi=r4", cause: 4), .init(text: "mov cr.itv=r4", cause: 4),
    .init(text: "mov cr.pmv=r4", cause: 4), .init(text: "mov cr.cmcv=r4", cause: 4), .init(text: "mov cr.lrr0=r4", cause: 4),
    .init(text: "mov cr.lrr1=r4", cause: 4),
    .init(text: "mov r6=cr.dcr", cause: 5), .init(text: "mov r6=cr.itm", cause: 5), .init(text: "mov r6=cr.iva", cause: 5),
    .init(text: "mov r6=cr.pta", cause: 5), .init(text: "mov r6=cr.ipsr", cause: 5), .init(text: "mov r6=cr.isr", cause: 5),
    .init(text: "mov r6=cr.iip", cause: 5), .init(text: "mov r6=cr.ifa", cause: 5), .init(text: "mov r6=cr.itir", cause: 5),
    .init(text: "mov r6=cr.iipa", cause: 5), .init(text: "mov r6=cr.ifs", cause: 5), .init(text: "mov r6=cr.iim", cause: 5),
    .init(text: "mov r6=cr.iha", cause: 5), .init(text: "mov r6=cr.lid", cause: 5), .init(text: "mov r6=cr.ivr", cause: 5),
    .init(text: "mov r6=cr.tpr", cause: 5), .init(text: "mov r6=cr.eoi", cause: 5), .init(text: "mov r6=cr.irr0", cause: 5),
    .init(text: "mov r6=cr.irr3", cause: 5), .init(text: "mov r6=cr.itv", cause: 5), .init(text: "mov r6=cr.pmv", cause: 5),
    .init(text: "mov r6=cr.cmcv", cause: 5), .init(text: "mov r6=cr.lrr0", cause: 5), .init(text: "mov r6=cr.lrr1", cause: 5),
    .init(text: "mov psr.l=r4", cause: 6), .init(text: "mov r6=psr", cause: 7),
    .init(text: "itc.d r4", cause: 8), .init(text: "itc.i r4", cause: 9),
    .init(text: "mov rr[r5]=r4", cause: 10, registers: [4: 14 << 2, 5: 5 << 61]), .init(text: "mov dbr[r5]=r4", cause: 11),
    .init(text: "mov ibr[r5]=r4", cause: 12), .init(text: "mov pkr[r5]=r4", cause: 13), .init(text: "mov pmc[r5]=r4", cause: 14),
    .init(text: "mov pmd[r5]=r4", cause: 15), .init(text: "itr.d dtr[r5]=r4", cause: 16),
    .init(text: "itr.i itr[r5]=r4", cause: 17),
    .init(text: "mov r6=rr[r5]", cause: 18), .init(text: "mov r6=dbr[r5]", cause: 19), .init(text: "mov r6=ibr[r5]", cause: 20),
    .init(text: "mov r6=pkr[r5]", cause: 21), .init(text: "mov r6=pmc[r5]", cause: 22),
    .init(text: "mov r6=cpuid[r5]", cause: 23, isPrivileged: false),
    .init(text: "ssm 0x4000", cause: 24), .init(text: "ssm 0x2000", cause: 24), .init(text: "ssm 0xa002", cause: 24),
    .init(text: "rsm 0x4000", cause: 25), .init(text: "rsm 0x6000", cause: 25),
    .init(text: "ptc.l r5,r4", cause: 26, registers: [4: 14 << 2]), .init(text: "ptc.g r5,r4", cause: 27, registers: [4: 14 << 2]),
    .init(text: "ptc.ga r5,r4", cause: 28, registers: [4: 14 << 2]), .init(text: "ptr.d r5,r4", cause: 29, registers: [4: 14 << 2]),
    .init(text: "ptr.i r5,r4", cause: 30, registers: [4: 14 << 2]),
    .init(text: "thash r6=r5", cause: 31, isPrivileged: false), .init(text: "ttag r6=r5", cause: 32, isPrivileged: false),
    .init(text: "tpa r6=r5", cause: 33), .init(text: "tak r6=r5", cause: 34, code: 3), .init(text: "ptc.e r5", cause: 35),
    .init(text: "cover", cause: 36, isPrivileged: false, unit: .b), .init(text: "rfi", cause: 37, unit: .b),
    .init(text: "bsw.0", cause: 38, unit: .b), .init(text: "bsw.1", cause: 39, unit: .b),
  ]

  func prepare(_ machine: TestMachine) {
    for n in 4...5 { machine[gr: n] = 0 }
    for (n, value) in registers { machine[gr: n] = value }
  }
}
