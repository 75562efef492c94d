/// How far one turn of the engine goes.
public enum Extent: Sendable {
  /// Blocks, as long as they lead to one another: the normal way.
  case chain
  /// One block.
  case block
  /// Single instructions, up to where another processor has come with one block.
  case steps(Goal)

  /// Where another processor stands after its turn.
  public struct Goal: Sendable {
    var instructions: UInt64
    var interruptions: UInt64
    /// Its turn ended with an interruption that the host handles.
    var interrupted: Bool

    public init(instructions: UInt64, interruptions: UInt64, interrupted: Bool = false) {
      (self.instructions, self.interruptions, self.interrupted) = (instructions, interruptions, interrupted)
    }
  }
}

/// Two processors side by side: one runs a block, the other one the same instructions one by one. Both are in the same state
/// afterwards, or one of them is wrong. What is due in time (timer, interrupts, events) is looked at once per turn, by both.
extension LogicalProcessor {
  /// One turn. Nil: nothing needs the caller.
  public func turn(_ extent: Extent, until cycle: UInt64) -> ExitReason? {
    engine.pointee.deadline = cycle
    engine.pointee.keepsPrevious = false
    comesToRun()
    let reason = turn(extent)
    leaveEngine()
    return reason
  }

  /// What another processor has to reach after a turn of this one that ended with `reason`.
  public func goal(after reason: ExitReason?) -> Extent.Goal {
    Extent.Goal(
      instructions: state.pointee.instructions, interruptions: engine.pointee.interruptions, interrupted: reason == .interruption)
  }

  /// The first part of the architectural state in which `other` differs, with both values; nil if there is none.
  ///
  /// Left out is what has no meaning: the part of the physical stacked registers that no frame owns, and the host's addresses in
  /// the ALAT.
  public func difference(from other: LogicalProcessor) -> String? {
    scalarDifference(other) ?? arrayDifference(other) ?? stackedDifference(other) ?? floatDifference(other)
      ?? interruptDifference(other) ?? alatDifference(other)
  }

  private func scalarDifference(_ other: LogicalProcessor) -> String? {
    let a = state
    let b = other.state
    // This is asked after every block: names are for the rare case.
    var d = a.pointee.ip ^ b.pointee.ip | a.pointee.psr ^ b.pointee.psr | a.pointee.instructions ^ b.pointee.instructions
    // Time is compared where both count it in the same way.
    let sameTime = followsModel == other.followsModel
    d |=
      (sameTime ? a.pointee.idleCycles ^ b.pointee.idleCycles : 0) | engine.pointee.interruptions
      ^ other.engine.pointee.interruptions
    d |= cfm ^ other.cfm | a.pointee.bsp ^ b.pointee.bsp | a.pointee.bspStore ^ b.pointee.bspStore
    d |= a.pointee.rnat ^ b.pointee.rnat | UInt64(a.pointee.bottomOfFrame ^ b.pointee.bottomOfFrame)
    d |= UInt64(bitPattern: Int64(a.pointee.dirty ^ b.pointee.dirty | a.pointee.clean ^ b.pointee.clean))
    d |= a.pointee.natLow ^ b.pointee.natLow | a.pointee.natHigh ^ b.pointee.natHigh
    d |= a.pointee.otherBankNaT ^ b.pointee.otherBankNaT | a.pointee.itcOffset ^ b.pointee.itcOffset
    d |= a.pointee.pausedUntil ^ b.pointee.pausedUntil | a.pointee.pauseRound ^ b.pointee.pauseRound
    if d == 0 && a.pointee.frameIncomplete == b.pointee.frameIncomplete && a.pointee.halted == b.pointee.halted
      && a.pointee.interruptPending == b.pointee.interruptPending
    {
      return nil
    }
    let values: [(String, UInt64, UInt64)] = [
      ("ip", a.pointee.ip, b.pointee.ip), ("psr", a.pointee.psr, b.pointee.psr),
      ("instructions", a.pointee.instructions, b.pointee.instructions),
      ("idle cycles", sameTime ? a.pointee.idleCycles : 0, sameTime ? b.pointee.idleCycles : 0),
      ("interruptions", engine.pointee.interruptions, other.engine.pointee.interruptions),
      ("cfm", cfm, other.cfm), ("bsp", a.pointee.bsp, b.pointee.bsp), ("bspstore", a.pointee.bspStore, b.pointee.bspStore),
      ("rnat", a.pointee.rnat, b.pointee.rnat),
      ("bottom of frame", UInt64(a.pointee.bottomOfFrame), UInt64(b.pointee.bottomOfFrame)),
      ("dirty", UInt64(bitPattern: Int64(a.pointee.dirty)), UInt64(bitPattern: Int64(b.pointee.dirty))),
      ("clean", UInt64(a.pointee.clean), UInt64(b.pointee.clean)),
      ("incomplete frame", a.pointee.frameIncomplete ? 1 : 0, b.pointee.frameIncomplete ? 1 : 0),
      ("NaT bits of r0 to r63", a.pointee.natLow, b.pointee.natLow),
      ("NaT bits of r64 to r127", a.pointee.natHigh, b.pointee.natHigh),
      ("NaT bits of the other bank", a.pointee.otherBankNaT, b.pointee.otherBankNaT),
      ("itc offset", a.pointee.itcOffset, b.pointee.itcOffset), ("halted", a.pointee.halted ? 1 : 0, b.pointee.halted ? 1 : 0),
      ("end of the pause", a.pointee.pausedUntil, b.pointee.pausedUntil),
      ("pauses of that kind", a.pointee.pauseRound, b.pointee.pauseRound),
      ("pending interrupt", a.pointee.interruptPending ? 1 : 0, b.pointee.interruptPending ? 1 : 0),
    ]
    return values.first { $0.1 != $0.2 }.map { Self.describe($0, $1, $2) }
  }

  private func arrayDifference(_ other: LogicalProcessor) -> String? {
    let a = state
    let b = other.state
    func differ(_ name: String, _ x: UnsafeMutablePointer<UInt64>, _ y: UnsafeMutablePointer<UInt64>, _ count: Int) -> String? {
      for i in 0..<count where x[i] != y[i] { return Self.describe(name + String(i), x[i], y[i]) }
      return nil
    }
    // Registers above the current frame have no value.
    if let found = differ("r", a.gr, b.gr, 32 + a.pointee.sof) ?? differ("b", a.br, b.br, 8) { return found }
    for i in 0..<64 where a.pr[i] != b.pr[i] { return Self.describe("p\(i)", UInt64(a.pr[i]), UInt64(b.pr[i])) }
    return differ("ar", a.ar, b.ar, 128) ?? differ("cr", a.cr, b.cr, 128) ?? differ("other bank r", a.otherBank, b.otherBank, 16)
      ?? differ("rr", a.rr, b.rr, 8) ?? differ("pkr", a.pkr, b.pkr, 16) ?? differ("dbr", a.dbr, b.dbr, 8)
      ?? differ("ibr", a.ibr, b.ibr, 8) ?? differ("pmc", a.pmc, b.pmc, 64) ?? differ("pmd", a.pmd, b.pmd, 64)
  }

  /// Registers of older frames: the dirty and the clean partition lie below the current frame, modulo their number.
  private func stackedDifference(_ other: LogicalProcessor) -> String? {
    let a = state
    let b = other.state
    let count = max(0, a.pointee.dirty) + a.pointee.clean
    for distance in 1...96 where distance <= count {
      let i = (a.pointee.bottomOfFrame - distance + 192) % 96
      if a.stacked[i] != b.stacked[i] { return Self.describe("register \(distance) below the frame", a.stacked[i], b.stacked[i]) }
      if a.stackedNaT[i] != b.stackedNaT[i] {
        return Self.describe("NaT bit \(distance) below the frame", UInt64(a.stackedNaT[i]), UInt64(b.stackedNaT[i]))
      }
    }
    return nil
  }

  private func floatDifference(_ other: LogicalProcessor) -> String? {
    for n in 0..<128 as Range<UInt8> {
      let (x, y) = (state.f(n).value, other.state.f(n).value)
      if x == y { continue }
      return Self.describe("f\(n) (sign and exponent)", x.signExponent, y.signExponent)
        + Self.describe(", significand", x.significand, y.significand)
    }
    return nil
  }

  private func interruptDifference(_ other: LogicalProcessor) -> String? {
    for i in 0..<4 {
      let (x, y) = (state.pointee.interruptRequest[i], other.state.pointee.interruptRequest[i])
      if x != y { return Self.describe("irr\(i)", x, y) }
      let (v, w) = (state.pointee.interruptInService[i], other.state.pointee.interruptInService[i])
      if v != w { return Self.describe("interrupts in service \(i)", v, w) }
    }
    return nil
  }

  /// Entries name host addresses, which say nothing; register and size must agree.
  private func alatDifference(_ other: LogicalProcessor) -> String? {
    for i in 0..<32 {
      let (x, y) = (state.pointee.alat.entries[i], other.state.pointee.alat.entries[i])
      if x.tag != y.tag { return Self.describe("register of ALAT entry \(i)", UInt64(x.tag), UInt64(y.tag)) }
      if x.tag != 0 && x.size != y.size { return Self.describe("size of ALAT entry \(i)", UInt64(x.size), UInt64(y.size)) }
    }
    return nil
  }

  private static func describe(_ name: String, _ x: UInt64, _ y: UInt64) -> String {
    "\(name) 0x\(String(x, radix: 16)), stepped 0x\(String(y, radix: 16))"
  }
}
