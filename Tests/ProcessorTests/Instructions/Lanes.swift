/// Elements of a parallel operand, the least significant first.
enum Lanes {
  static func split(_ value: UInt64, _ size: Int) -> [Int] {
    (0..<8 / size).map { Int(truncatingIfNeeded: value >> UInt64($0 * size * 8) & (1 << UInt64(size * 8) - 1)) }
  }
  static func signed(_ value: UInt64, _ size: Int) -> [Int] { split(value, size).map { sign($0, size) } }
  static func sign(_ element: Int, _ size: Int) -> Int { element >= 1 << (size * 8 - 1) ? element - 1 << (size * 8) : element }

  static func join(_ elements: [Int], _ size: Int) -> UInt64 {
    elements.enumerated().reduce(0) {
      $0 | (UInt64(bitPattern: Int64($1.element)) & (1 << UInt64(size * 8) - 1)) << UInt64($1.offset * size * 8)
    }
  }
  static func clamp(_ value: Int, _ limits: ClosedRange<Int>) -> Int { min(max(value, limits.lowerBound), limits.upperBound) }
  static func signedRange(_ size: Int) -> ClosedRange<Int> { -(1 << (size * 8 - 1))...1 << (size * 8 - 1) - 1 }
  static func unsignedRange(_ size: Int) -> ClosedRange<Int> { 0...1 << (size * 8) - 1 }
}
