import Foundation
import Testing

/// General registers with their NaT bits and predicates, as the model of a test sees them.
struct RegisterModel {
  var gr = [UInt64](repeating: 0, count: 128)
  var nat = [Bool](repeating: false, count: 128)
  var pr = [Bool](repeating: false, count: 64)

  func isNaT(_ registers: [Int]) -> Bool { registers.contains { nat[$0] } }

  /// Writes a predicate; p0 stays true.
  mutating func setPredicate(_ n: Int, _ value: Bool) { if n != 0 { pr[n] = value } }
}

/// One instruction of a test: what is assembled, and what the manual says it does.
struct ModelledInstruction {
  /// Without the qualifying predicate.
  var text: String
  /// Runs if the qualifying predicate is 1.
  var effect: (inout RegisterModel) -> Void
  /// Runs if it is 0: the `unc` forms.
  var otherwise: (inout RegisterModel) -> Void = { _ in }

  /// An instruction that writes one general register from others; its NaT bit is the union of the sources' (Volume 1, section 4.4.5.1).
  static func result(
    _ text: String, _ target: Int, _ sources: [Int], _ value: @escaping ([UInt64]) -> UInt64
  ) -> ModelledInstruction {
    ModelledInstruction(text: text) { model in
      let nat = model.isNaT(sources)
      model.gr[target] = value(sources.map { model.gr[$0] })
      model.nat[target] = nat
    }
  }
}

/// Makes one instruction with random operands.
typealias InstructionMaker = (inout OperandSource) -> ModelledInstruction

/// Seeded source of registers, immediates and values. The seed is EPICURE_SEED, or fixed.
struct OperandSource {
  static var seed: UInt64 { ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 0x0123_4567 }
  static var isComplete: Bool { ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" }

  private var state: UInt64

  init(_ name: String, round: Int = 0) {
    // FNV-1a of the name, so that each instruction has its own sequence.
    state = name.utf8.reduce(0xCBF2_9CE4_8422_2325 &+ Self.seed &+ UInt64(round)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  /// SplitMix64.
  mutating func bits() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
  mutating func number(_ range: ClosedRange<Int>) -> Int { range.lowerBound + Int(bits() % UInt64(range.count)) }
  mutating func pick<T>(_ choices: [T]) -> T { choices[number(0...choices.count - 1)] }
  mutating func chance(_ percent: Int) -> Bool { number(0...99) < percent }

  /// r4...r31 and r32...r47, the frame of the test machine.
  mutating func target() -> Int { number(4...47) }
  mutating func source() -> Int { chance(8) ? 0 : number(2...47) }
  mutating func signed(_ width: Int) -> Int {
    let limit = 1 << (width - 1)
    return chance(25) ? pick([0, 1, -1, limit - 1, -limit]) : number(-limit...limit - 1)
  }
  /// Two different predicates.
  mutating func predicates() -> (Int, Int) {
    let first = number(0...63)
    let second = (first + number(1...63)) % 64
    return (first, second)
  }

  private static let corners: [UInt64] = [
    0, 1, 2, .max, .max - 1, 1 << 63, 1 << 63 - 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 0x8000_8000_8000_8000,
    0x7FFF_7FFF_7FFF_7FFF, 0x7F7F_7F7F_7F7F_7F7F, 0x8080_8080_8080_8080, 0xFF00_FF00_FF00_FF00, 0x00FF_00FF_00FF_00FF, 15, 16, 17,
    31,
    32, 33, 63, 64, 65, 0xC000_0000, 0x4000_0000_0000_0000,
  ]
  mutating func value() -> UInt64 {
    switch number(0...9) {
    case 0...2: pick(Self.corners)
    case 3: bits() >> UInt64(number(1...63))
    case 4: ~(bits() >> UInt64(number(1...63)))
    default: bits()
    }
  }
}
