import Arithmetic
import Foundation
import Testing

/// Compares implementation and oracle over many cases, and reports the first few differences.
struct Campaign {
  var differences = 0
  var cases = 0

  mutating func check(_ actual: FloatOutcome, _ expected: Expected, _ context: @autoclosure () -> String) {
    check(Expected(actual), expected, context())
  }

  mutating func check<T: Equatable>(_ actual: T, _ expected: T, _ context: @autoclosure () -> String) {
    cases += 1
    if actual == expected { return }
    differences += 1
    if differences <= 5 { Issue.record("\(context())\n got      \(actual)\n expected \(expected)") }
  }

  func finish(_ seed: UInt64? = nil) {
    #expect(differences == 0, "\(differences) of \(cases) cases differ; seed \(seed.map(String.init) ?? "none")")
    #expect(cases > 0)
    if ProcessInfo.processInfo.environment["EPICURE_FP_CASES"] != nil { print("\(cases) cases compared") }
  }

  /// Number of random cases: EPICURE_FP_CASES in all, spread over the tests by weight, or a fixed small number.
  static func count(_ small: Int, weight: Double) -> Int {
    guard let text = ProcessInfo.processInfo.environment["EPICURE_FP_CASES"], let total = Int(text) else {
      return small
    }
    return max(small, Int(Double(total) * weight))
  }

  /// EPICURE_FP_SEED, or a fixed seed so that a run can be repeated.
  static var seed: UInt64 {
    ProcessInfo.processInfo.environment["EPICURE_FP_SEED"].flatMap { UInt64($0) } ?? 0x1234_5678
  }
}

func show(_ f: FloatRegister) -> String {
  "\(f.signExponent >> 17):\(String(f.signExponent & 0x1FFFF, radix: 16)):\(String(f.significand, radix: 16))"
}

let allRelations: [FloatRelation] = [
  .equal, .less, .lessOrEqual, .unordered, .notEqual, .notLess, .notLessOrEqual, .ordered,
]
