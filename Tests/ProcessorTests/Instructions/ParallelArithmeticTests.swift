import Testing

/// A9, A10, I1, I2 through the processor: the pseudo-code of Volume 3, pages padd, pavg, pavgsub, pcmp, pmax, pmin, pmpy, pmpyshr, psad,
/// pshladd, pshradd, psub. The arithmetic itself is tested in all its corners by ArithmeticTests.
@Suite("Parallel arithmetic")
struct ParallelArithmeticTests {
  private typealias Element = (Int, Int) -> Int

  private func check(_ name: String, _ value: @escaping (UInt64, UInt64) -> UInt64) throws {
    try InstructionRun.check(name) { random in
      let (d, a, b) = (random.target(), random.source(), random.source())
      return .result("\(name) r\(d)=r\(a),r\(b)", d, [a, b]) { value($0[0], $0[1]) }
    }
  }
  /// An instruction on pairs of unsigned elements.
  private func unsigned(_ name: String, _ size: Int, _ element: @escaping Element) throws {
    try check(name) { a, b in Lanes.join(zip(Lanes.split(a, size), Lanes.split(b, size)).map(element), size) }
  }
  private func signed(_ name: String, _ size: Int, _ element: @escaping Element) throws {
    try check(name) { a, b in Lanes.join(zip(Lanes.signed(a, size), Lanes.signed(b, size)).map(element), size) }
  }

  @Test func addAndSubtract() throws {
    let operations: [(String, Element)] = [("padd", { $0 + $1 }), ("psub", { $0 - $1 })]
    for (name, operation) in operations {
      for size in [1, 2, 4] { try unsigned("\(name)\(size)", size, operation) }
      for size in [1, 2] {
        try signed("\(name)\(size).sss", size) { Lanes.clamp(operation($0, $1), Lanes.signedRange(size)) }
        try unsigned("\(name)\(size).uuu", size) { Lanes.clamp(operation($0, $1), Lanes.unsignedRange(size)) }
        // The second operand is signed.
        try unsigned("\(name)\(size).uus", size) { Lanes.clamp(operation($0, Lanes.sign($1, size)), Lanes.unsignedRange(size)) }
      }
    }
  }

  @Test func averages() throws {
    for size in [1, 2] {
      try unsigned("pavg\(size)", size) { ($0 + $1) >> 1 | ($0 + $1) & 1 }
      try unsigned("pavg\(size).raz", size) { ($0 + $1 + 1) >> 1 }
      try unsigned("pavgsub\(size)", size) { ($0 - $1) >> 1 | ($0 - $1) & 1 }
    }
  }

  @Test func compares() throws {
    for size in [1, 2, 4] {
      try signed("pcmp\(size).eq", size) { $0 == $1 ? -1 : 0 }
      try signed("pcmp\(size).gt", size) { $0 > $1 ? -1 : 0 }
    }
    try unsigned("pmin1.u", 1, min)
    try unsigned("pmax1.u", 1, max)
    try signed("pmin2", 2, min)
    try signed("pmax2", 2, max)
    try check("psad1") { a, b in UInt64(zip(Lanes.split(a, 1), Lanes.split(b, 1)).reduce(0) { $0 + abs($1.0 - $1.1) }) }
  }

  @Test func products() throws {
    for (name, first) in [("pmpy2.r", 0), ("pmpy2.l", 1)] {
      try check(name) { a, b in
        let (x, y) = (Lanes.signed(a, 2), Lanes.signed(b, 2))
        return Lanes.join([first, first + 2].map { x[$0] * y[$0] }, 4)
      }
    }
    for name in ["pmpyshr2", "pmpyshr2.u"] {
      try InstructionRun.check(name) { random in
        let (d, a, b, n) = (random.target(), random.source(), random.source(), random.pick([0, 7, 15, 16]))
        return .result("\(name) r\(d)=r\(a),r\(b),\(n)", d, [a, b]) {
          let elements = name == "pmpyshr2" ? Lanes.signed : Lanes.split
          return Lanes.join(zip(elements($0[0], 2), elements($0[1], 2)).map { ($0 * $1) >> n }, 2)
        }
      }
    }
  }

  /// The shifted operand saturates by itself; then nothing is added to it.
  @Test func shiftAndAdd() throws {
    let range = Lanes.signedRange(2)
    for name in ["pshladd2", "pshradd2"] {
      try InstructionRun.check(name) { random in
        let (d, a, b, n) = (random.target(), random.source(), random.source(), random.number(1...3))
        return .result("\(name) r\(d)=r\(a),\(n),r\(b)", d, [a, b]) {
          Lanes.join(
            zip(Lanes.signed($0[0], 2), Lanes.signed($0[1], 2)).map {
              let shifted = name == "pshladd2" ? $0 << n : $0 >> n
              return range.contains(shifted) ? Lanes.clamp(shifted + $1, range) : Lanes.clamp(shifted, range)
            }, 2)
        }
      }
    }
  }
}
