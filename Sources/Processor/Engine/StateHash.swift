/// One number for all that a processor is: two runs that are alike have the same at the same moment.
extension LogicalProcessor {
  /// Of the state that ``difference(from:)`` compares: registers that have no value, and the host's addresses, are left out. Between turns
  /// only.
  public func mixState(into hash: inout StateHash) {
    let s = state
    hash.mix(s.pointee.ip, s.pointee.psr, s.pointee.instructions, s.pointee.idleCycles, engine.pointee.interruptions, cfm)
    hash.mix(s.pointee.bsp, s.pointee.bspStore, s.pointee.rnat, s.pointee.itcOffset, s.pointee.natLow, s.pointee.natHigh)
    hash.mix(s.pointee.otherBankNaT, s.pointee.halted ? 1 : 0, s.pointee.interruptPending ? 1 : 0, s.pointee.pausedUntil)
    hash.mix(s.gr, 32 + s.pointee.sof)
    for (registers, count) in [
      (s.br, 8), (s.ar, 128), (s.cr, 128), (s.otherBank, 16), (s.rr, 8), (s.pkr, 16), (s.dbr, 8), (s.ibr, 8),
    ] { hash.mix(registers, count) }
    for i in 0..<64 { hash.mix(UInt64(s.pr[i])) }
    for n in 0..<128 as Range<UInt8> {
      let register = s.f(n).value
      hash.mix(UInt64(register.signExponent), register.significand)
    }
    // Registers of older frames, as far as they are not in memory.
    let below = max(0, s.pointee.dirty)
    for distance in 1...96 where distance <= below {
      hash.mix(s.stacked[(s.pointee.bottomOfFrame - distance + 192) % 96])
    }
    for i in 0..<4 { hash.mix(s.pointee.interruptRequest[i], s.pointee.interruptInService[i]) }
  }
}

/// Words, mixed into one. For comparing what should be the same; nobody is kept from making two that are.
public struct StateHash: Sendable, Equatable {
  public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  public init() {}

  public mutating func mix(_ words: UInt64...) { for word in words { mix(word) } }

  public mutating func mix(_ word: UInt64) {
    value = (value ^ word) &* 0x9E37_79B9_7F4A_7C15
    value ^= value >> 29
  }

  mutating func mix(_ words: UnsafePointer<UInt64>, _ count: Int) { for i in 0..<count { mix(words[i]) } }

  /// Bytes, eight to a word; the last one is filled up with zeros.
  public mutating func mix(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset + 8 <= bytes.count {
      mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset += 8
    }
    guard offset < bytes.count else { return }
    var last: UInt64 = 0
    for (n, byte) in bytes[offset...].enumerated() { last |= UInt64(byte) << UInt64(8 * n) }
    mix(last)
  }
}
