import Arithmetic
import Processor

/// Everything of an interrupted image that notification functions may change; the stub has covered its frame.
struct InterruptedContext: Sendable, Equatable, Codable {
  private var generals: [UInt64]
  private var otherBank: [UInt64]
  private var nats: UInt64
  private var otherNaTs: UInt64
  private var branches: [UInt64]
  private var predicates: [UInt8]
  private var floats: [UInt64]
  private var applications: [UInt64]
  private var controls: [UInt64]
  private var psr: UInt64

  private static let applicationRegisters = [AR.rsc, AR.csd, AR.ssd, AR.ccv, AR.unat, AR.fpsr, AR.pfs, AR.lc, AR.ec]
  private static let controlRegisters = [CR.ipsr, CR.iip, CR.ifs, CR.iipa, CR.isr]

  init(_ s: State) {
    generals = (0..<32).map { s.gr[$0] }
    otherBank = (0..<16).map { s.otherBank[$0] }
    nats = s.pointee.natLow & 0xFFFF_FFFF
    otherNaTs = s.pointee.otherBankNaT
    branches = (0..<8).map { s.br[$0] }
    predicates = (0..<64).map { s.pr[$0] }
    floats = (0..<128).flatMap { [s.f($0).value.significand, s.f($0).value.signExponent] }
    applications = Self.applicationRegisters.map { s.ar[$0] }
    controls = Self.controlRegisters.map { s.cr[$0] }
    psr = s.pointee.psr & ~PSR.riMask
  }

  /// PSR of the interrupted image.
  var interruptedPSR: UInt64 { controls[0] }

  /// Back to the state in which `rfi` resumes the image.
  func restore(to processor: LogicalProcessor) {
    let s = processor.state
    processor.setPSR(psr)
    for n in 1..<32 { s.gr[n] = generals[n] }
    for n in 0..<16 { s.otherBank[n] = otherBank[n] }
    s.pointee.natLow = s.pointee.natLow & ~0xFFFF_FFFF | nats
    s.pointee.otherBankNaT = otherNaTs
    for n in 0..<8 { s.br[n] = branches[n] }
    for n in 1..<64 { s.pr[n] = predicates[n] }
    for n in 2..<128 as Range<Int> {
      s.f(UInt8(n)).value = FloatRegister(significand: floats[2 * n], signExponent: floats[2 * n + 1])
    }
    for (n, register) in Self.applicationRegisters.enumerated() { s.ar[register] = applications[n] }
    for (n, register) in Self.controlRegisters.enumerated() { s.cr[register] = controls[n] }
  }
}
