import IA64
import Processor
import Testing

/// What the tests of memory, the register stack and speculation add to the harness.
extension TestMachine {
  /// Everything translated, interruptions collected: how operating systems run.
  static let virtual: UInt64 = PSR.ic | PSR.it | PSR.dt | PSR.rt

  /// Base of region `n`.
  static func region(_ n: UInt64) -> UInt64 { n << 61 }

  /// Gives each region an address space of its own, pages of 16 KiB, no VHPT. The harness maps region 0, with identifier 0.
  func separateRegions() {
    each { p in
      for n in 0..<8 { p.state.rr[n] = UInt64(n) << 8 | 14 << 2 }
    }
  }

  static func level(_ cpl: UInt64) -> UInt64 { cpl << PSR.cplShift }

  /// Executes one instruction at privilege level 0, untranslated, with PSR.ic = 0, on both processors; IP, PSR and the registers named
  /// stay as they are. For what needs an instruction to set up: itc, itr, ptc, mov to indirect registers.
  func perform(_ text: String, _ registers: [Int: UInt64] = [:]) throws {
    let address: UInt64 = 0x3F_0000
    try place(text + " ;;", at: address)
    each { p in
      let s = p.state
      let (ip, psr) = (s.pointee.ip, s.pointee.psr)
      p.setPSR(psr & PSR.bn)
      let saved = registers.keys.map { ($0, s.gr[$0]) }
      for (n, value) in registers { s.gr[n] = value }
      s.pointee.ip = address
      _ = p.step()
      for (n, value) in saved { s.gr[n] = value }
      s.pointee.ip = ip
      p.setPSR(psr)
    }
  }

  /// The first operand word of an insert (Volume 2, figure 4-5).
  struct Insert {
    var present = true
    var attribute: UInt64 = 0
    var accessed = true
    var dirty = true
    var level: UInt64 = 3
    var rights: UInt64 = 3
    var physical: UInt64 = 0
    var ed = false
    var word: UInt64 {
      (present ? 1 : 0) | attribute << 2 | (accessed ? 1 << 5 : 0) | (dirty ? 1 << 6 : 0) | level << 7 | rights << 9 | physical
        | (ed ? 1 << 52 : 0)
    }
  }

  /// itc.d or itc.i with everything that it takes.
  func insert(
    _ entry: Insert, at virtual: UInt64, shift: UInt64 = 14, key: UInt64 = 0, instruction: Bool = false
  ) throws {
    let (ifa, itir) = (self[cr: CR.ifa], self[cr: CR.itir])
    self[cr: CR.ifa] = virtual
    self[cr: CR.itir] = key << 8 | shift << 2
    try perform(instruction ? "itc.i r8" : "itc.d r8", [8: entry.word])
    self[cr: CR.ifa] = ifa
    self[cr: CR.itir] = itir
  }

  /// Maps `virtual` to the data area with a page of 16 KiB.
  func insertData(_ change: (inout Insert) -> Void = { _ in }, at virtual: UInt64 = TestMachine.region(1), key: UInt64 = 0) throws {
    var entry = Insert(physical: Self.data)
    change(&entry)
    try insert(entry, at: virtual, key: key)
  }

  /// Back to the first instruction.
  func restart(psr: UInt64) {
    each { p in
      p.setPSR(psr)
      p.state.pointee.ip = Self.code
    }
  }

  /// The code's 1 MiB page says that there is recovery code (ITLB.ed).
  func markRecoverable() {
    map(instruction: true, virtual: Self.code, physical: Self.code, shift: 20, ed: true)
  }
}
