import Processor
import Testing

/// The control registers that an interruption writes, as its handler finds them (Volume 2, section 3.3.5 and table 5-3).
///
/// A test fills them with ``mark(_:)`` before the run; a register that delivery must leave alone then still holds ``unwritten``.
struct DeliveredInterruption: Equatable, CustomStringConvertible {
  var ipsr: UInt64
  var isr: UInt64
  var iip: UInt64
  var ifa: UInt64
  var itir: UInt64
  var iipa: UInt64
  var ifs: UInt64
  var iim: UInt64
  var iha: UInt64

  /// What ``mark(_:)`` puts into each register; no interruption writes it.
  static let unwritten: UInt64 = 0x5A5A_0000_0000_5A5A

  init(_ processor: LogicalProcessor) {
    let cr = processor.state.cr
    ipsr = cr[CR.ipsr]
    isr = cr[CR.isr]
    iip = cr[CR.iip]
    ifa = cr[CR.ifa]
    itir = cr[CR.itir]
    iipa = cr[CR.iipa]
    ifs = cr[CR.ifs]
    iim = cr[CR.iim]
    iha = cr[CR.iha]
  }

  /// What delivery with PSR.ic = 1 must write.
  ///
  /// - Parameters:
  ///   - psr: PSR at the time, without `ri`.
  ///   - resume: bundle and slot at which `rfi` would resume (IIP, IPSR.ri).
  ///   - isr: all of ISR but `ei`.
  ///   - slot: ISR.ei; by default the slot to resume at, as for a fault.
  ///   - previous: IIPA.
  init(
    psr: UInt64, resume: (bundle: UInt64, slot: UInt64), isr: UInt64, slot: UInt64? = nil, previous: UInt64,
    ifa: UInt64 = unwritten, itir: UInt64 = unwritten, iim: UInt64 = unwritten, iha: UInt64 = unwritten
  ) {
    ipsr = psr & ~PSR.riMask | resume.slot << PSR.riShift
    iip = resume.bundle
    self.isr = isr | (slot ?? resume.slot) << ISR.eiShift
    iipa = previous
    // IFS.v is cleared; the rest of IFS is undefined, and here zero.
    ifs = 0
    self.ifa = ifa
    self.itir = itir
    self.iim = iim
    self.iha = iha
  }

  /// Fills the registers with ``unwritten``.
  static func mark(_ machine: TestMachine) {
    for n in [CR.ipsr, CR.isr, CR.iip, CR.ifa, CR.itir, CR.iipa, CR.ifs, CR.iim, CR.iha] { machine[cr: n] = unwritten }
  }

  /// ISR.code, ISR.ei.
  var code: UInt64 { isr & 0xFFFF }
  var slot: UInt64 { isr >> ISR.eiShift & 3 }

  var description: String {
    let parts = [
      ("ipsr", ipsr), ("isr", isr), ("iip", iip), ("ifa", ifa), ("itir", itir), ("iipa", iipa), ("ifs", ifs), ("iim", iim),
      ("iha", iha),
    ]
    return parts.map { "\($0.0) " + ($0.1 == Self.unwritten ? "-" : String($0.1, radix: 16)) }.joined(separator: ", ")
  }
}
