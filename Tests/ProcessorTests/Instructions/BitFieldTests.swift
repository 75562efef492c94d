import TestSupport
import Testing

/// I10...I15, I9 and I29: the pseudo-code of Volume 3, pages czx, dep, extr, popcnt, shrp, sxt, zxt.
@Suite("Bit fields", .ends(withinMinutes: 5))
struct BitFieldTests {
  private static func field(_ length: Int) -> UInt64 { length >= 64 ? .max : 1 << UInt64(length) - 1 }
  private static func extended(_ value: UInt64, _ width: Int) -> UInt64 {
    let unused = Int64(64 - width)
    return UInt64(bitPattern: Int64(bitPattern: value << UInt64(unused)) >> unused)
  }
  /// A position and a length that may reach beyond bit 63; the manual cuts it there.
  private static func place(_ random: inout OperandSource, longest: Int) -> (position: Int, length: Int, cut: Int) {
    let position = random.number(0...63)
    let length = random.number(1...longest)
    return (position, length, min(length, 64 - position))
  }

  @Test func extract() throws {
    for name in ["extr", "extr.u"] {
      try InstructionRun.check(name) { random in
        let (d, a) = (random.target(), random.source())
        let (position, length, cut) = Self.place(&random, longest: 64)
        return .result("\(name) r\(d)=r\(a),\(position),\(length)", d, [a]) {
          let bits = $0[0] >> UInt64(position) & Self.field(cut)
          return name == "extr" ? Self.extended(bits, cut) : bits
        }
      }
    }
  }

  @Test func deposit() throws {
    try InstructionRun.check("dep.z") { random in
      let (d, a) = (random.target(), random.source())
      let (position, length, cut) = Self.place(&random, longest: 64)
      return .result("dep.z r\(d)=r\(a),\(position),\(length)", d, [a]) { ($0[0] & Self.field(cut)) << UInt64(position) }
    }
    try InstructionRun.check("dep.z imm8") { random in
      let (d, immediate) = (random.target(), random.signed(8))
      let (position, length, cut) = Self.place(&random, longest: 64)
      return .result("dep.z r\(d)=\(immediate),\(position),\(length)", d, []) { _ in
        (UInt64(bitPattern: Int64(immediate)) & Self.field(cut)) << UInt64(position)
      }
    }
    try InstructionRun.check("dep imm1") { random in
      let (d, immediate, b) = (random.target(), random.pick([0, -1]), random.source())
      let (position, length, cut) = Self.place(&random, longest: 64)
      return .result("dep r\(d)=\(immediate),r\(b),\(position),\(length)", d, [b]) {
        let mask = Self.field(cut) << UInt64(position)
        return immediate == 0 ? $0[0] & ~mask : $0[0] | mask
      }
    }
    try InstructionRun.check("dep") { random in
      let (d, a, b) = (random.target(), random.source(), random.source())
      let (position, length, cut) = Self.place(&random, longest: 16)
      return .result("dep r\(d)=r\(a),r\(b),\(position),\(length)", d, [a, b]) {
        let mask = Self.field(cut) << UInt64(position)
        return $0[0] << UInt64(position) & mask | $0[1] & ~mask
      }
    }
  }

  @Test func shiftRightPair() throws {
    try InstructionRun.check("shrp") { random in
      let (d, a, b, n) = (random.target(), random.source(), random.source(), random.number(0...63))
      return .result("shrp r\(d)=r\(a),r\(b),\(n)", d, [a, b]) { n == 0 ? $0[1] : $0[1] >> UInt64(n) | $0[0] << UInt64(64 - n) }
    }
  }

  @Test func extendAndCount() throws {
    func zeroElement(_ value: UInt64, _ size: Int, left: Bool) -> UInt64 {
      let fromRight = Lanes.split(value, size)
      let elements = left ? fromRight.reversed() : fromRight
      return UInt64(elements.firstIndex(of: 0) ?? elements.count)
    }
    var operations: [(String, (UInt64) -> UInt64)] = [
      ("popcnt", { v in UInt64((0..<64).filter { v >> UInt64($0) & 1 != 0 }.count) })
    ]
    for size in [1, 2, 4] {
      operations.append(("sxt\(size)", { Self.extended($0 & Self.field(size * 8), size * 8) }))
      operations.append(("zxt\(size)", { $0 & Self.field(size * 8) }))
    }
    for size in [1, 2] {
      operations.append(("czx\(size).l", { zeroElement($0, size, left: true) }))
      operations.append(("czx\(size).r", { zeroElement($0, size, left: false) }))
    }
    for (name, value) in operations {
      try InstructionRun.check(name) { random in
        let (d, a) = (random.target(), random.source())
        return .result("\(name) r\(d)=r\(a)", d, [a]) { value($0[0]) }
      }
    }
  }
}
