import TestSupport
import Testing

/// I2...I8 through the processor: the pseudo-code of Volume 3, pages mix, mux, pack, pshl, pshr, unpack.
@Suite("Parallel shifts and permutations", .ends(withinMinutes: 5))
struct ParallelShiftTests {
  private func check(_ name: String, _ value: @escaping (UInt64, UInt64) -> UInt64) throws {
    try InstructionRun.check(name) { random in
      let (d, a, b) = (random.target(), random.source(), random.source())
      return .result("\(name) r\(d)=r\(a),r\(b)", d, [a, b]) { value($0[0], $0[1]) }
    }
  }

  @Test func interleave() throws {
    for size in [1, 2, 4] {
      for (name, odd) in [("mix\(size).l", 1), ("mix\(size).r", 0)] {
        try check(name) { a, b in
          let (x, y) = (Lanes.split(a, size), Lanes.split(b, size))
          return Lanes.join(stride(from: odd, to: 8 / size, by: 2).flatMap { [y[$0], x[$0]] }, size)
        }
      }
      for (name, half) in [("unpack\(size).h", 1), ("unpack\(size).l", 0)] {
        try check(name) { a, b in
          let (x, y) = (Lanes.split(a, size), Lanes.split(b, size))
          let first = half * (4 / size)
          return Lanes.join((first..<first + 4 / size).flatMap { [y[$0], x[$0]] }, size)
        }
      }
    }
  }

  @Test func pack() throws {
    let forms = [
      ("pack2.sss", 2, Lanes.signedRange(1)), ("pack2.uss", 2, Lanes.unsignedRange(1)), ("pack4.sss", 4, Lanes.signedRange(2)),
    ]
    for (name, size, range) in forms {
      try check(name) { a, b in
        Lanes.join((Lanes.signed(a, size) + Lanes.signed(b, size)).map { Lanes.clamp($0, range) }, size / 2)
      }
    }
  }

  @Test func permutations() throws {
    let orders = [
      "@brcst": [0, 0, 0, 0, 0, 0, 0, 0], "@mix": [0, 4, 2, 6, 1, 5, 3, 7], "@shuf": [0, 4, 1, 5, 2, 6, 3, 7],
      "@alt": [0, 2, 4, 6, 1, 3, 5, 7], "@rev": [7, 6, 5, 4, 3, 2, 1, 0],
    ]
    for (name, order) in orders {
      try InstructionRun.check("mux1 \(name)") { random in
        let (d, a) = (random.target(), random.source())
        return .result("mux1 r\(d)=r\(a),\(name)", d, [a]) { sources in
          Lanes.join(order.map { Lanes.split(sources[0], 1)[$0] }, 1)
        }
      }
    }
    try InstructionRun.check("mux2") { random in
      let (d, a, type) = (random.target(), random.source(), random.number(0...255))
      return .result("mux2 r\(d)=r\(a),\(type)", d, [a]) { sources in
        Lanes.join((0..<4).map { Lanes.split(sources[0], 2)[type >> (2 * $0) & 3] }, 2)
      }
    }
  }

  /// Counts that exceed the element leave nothing, or the sign.
  @Test func shifts() throws {
    func shifted(_ name: String, _ size: Int, _ value: UInt64, _ count: UInt64) -> UInt64 {
      let n = Int(min(count, 63))
      switch name {
      case "pshl": return Lanes.join(Lanes.split(value, size).map { n >= size * 8 ? 0 : $0 << n }, size)
      case "pshr.u": return Lanes.join(Lanes.split(value, size).map { $0 >> n }, size)
      default: return Lanes.join(Lanes.signed(value, size).map { $0 >> n }, size)
      }
    }
    for operation in ["pshl", "pshr", "pshr.u"] {
      for size in [2, 4] {
        let name = operation == "pshr.u" ? "pshr\(size).u" : "\(operation)\(size)"
        try check(name) { shifted(operation, size, $0, $1) }
        try InstructionRun.check("\(name) imm5") { random in
          let (d, a, n) = (random.target(), random.source(), random.number(0...31))
          return .result("\(name) r\(d)=r\(a),\(n)", d, [a]) { shifted(operation, size, $0[0], UInt64(n)) }
        }
      }
    }
  }
}
