import Arithmetic
import Processor

/// What Exit needs to continue behind a call whose frames below are all in memory: the stacks, and the registers that a procedure
/// preserves (Itanium software conventions, chapter 5).
struct CallMark: Sendable, Equatable, Codable {
  var backingStore: UInt64
  var nats: UInt64
  var previousFrame: UInt64
  var link: UInt64
  var stackPointer: UInt64
  var stackConfiguration: UInt64
  private var generals: [UInt64]
  private var branches: [UInt64]
  private var predicates: [UInt8]
  private var floats: [UInt64]
  private var loopCount: UInt64
  private var userNaTs: UInt64
  private var floatStatus: UInt64

  private static let preservedFloats = Array(2...5) + Array(16...31) as [UInt8]

  init(_ s: State) {
    backingStore = s.pointee.bsp
    nats = s.pointee.rnat
    previousFrame = s.ar[AR.pfs]
    link = s.br[0]
    stackPointer = s.gr[12]
    stackConfiguration = s.ar[AR.rsc]
    generals = (4...7).map { s.gr[$0] }
    branches = (1...5).map { s.br[$0] }
    predicates = (0..<64).map { s.pr[$0] }
    floats = Self.preservedFloats.flatMap { [s.f($0).value.significand, s.f($0).value.signExponent] }
    loopCount = s.ar[AR.lc]
    userNaTs = s.ar[AR.unat]
    floatStatus = s.ar[AR.fpsr]
  }

  /// Sets the preserved registers, and what the stub `unwind` takes to set the rest.
  func restore(to s: State) {
    for (n, value) in generals.enumerated() {
      s.gr[4 + n] = value
      s.setNaT(UInt8(4 + n), false)
    }
    for (n, value) in branches.enumerated() { s.br[1 + n] = value }
    for n in 1..<64 { s.pr[n] = predicates[n] }
    for (n, register) in Self.preservedFloats.enumerated() {
      s.f(register).value = FloatRegister(significand: floats[2 * n], signExponent: floats[2 * n + 1])
    }
    s.ar[AR.lc] = loopCount
    s.ar[AR.unat] = userNaTs
    s.ar[AR.fpsr] = floatStatus
    let scratch = [backingStore, nats, previousFrame, link, stackPointer, stackConfiguration]
    for (n, value) in scratch.enumerated() {
      s.gr[14 + n] = value
      s.setNaT(UInt8(14 + n), false)
    }
  }
}
