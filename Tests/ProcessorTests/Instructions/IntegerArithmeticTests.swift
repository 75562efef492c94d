import Testing

/// A1...A5 and the shifts by a register: the pseudo-code of Volume 3, pages add, addp4, and, andcm, or, shl, shladd, shladdp4, shr, sub, xor.
@Suite("Integer arithmetic")
struct IntegerArithmeticTests {
  /// Result of addp4 and shladdp4: 32 bits, and bits 31:30 of r3 at 62:61.
  private static func pointer(_ sum: UInt64, _ r3: UInt64) -> UInt64 { sum & 0xFFFF_FFFF | (r3 >> 30 & 3) << 61 }

  @Test func threeRegisters() throws {
    let operations: [(String, String, (UInt64, UInt64) -> UInt64)] = [
      ("add", "", { $0 &+ $1 }), ("add", ",1", { $0 &+ $1 &+ 1 }), ("sub", "", { $0 &- $1 }), ("sub", ",1", { $0 &- $1 &- 1 }),
      ("addp4", "", { Self.pointer($0 &+ $1, $1) }), ("and", "", { $0 & $1 }), ("andcm", "", { $0 & ~$1 }), ("or", "", { $0 | $1 }),
      ("xor", "", { $0 ^ $1 }),
    ]
    for (name, suffix, value) in operations {
      try InstructionRun.check(name + suffix) { random in
        let (d, a, b) = (random.target(), random.source(), random.source())
        return .result("\(name) r\(d)=r\(a),r\(b)\(suffix)", d, [a, b]) { value($0[0], $0[1]) }
      }
    }
  }

  @Test func immediates() throws {
    let operations: [(String, Int, (UInt64, UInt64) -> UInt64)] = [
      ("sub", 8, { $0 &- $1 }), ("and", 8, { $0 & $1 }), ("andcm", 8, { $0 & ~$1 }), ("or", 8, { $0 | $1 }),
      ("xor", 8, { $0 ^ $1 }),
      ("adds", 14, { $0 &+ $1 }), ("addp4", 14, { Self.pointer($0 &+ $1, $1) }),
    ]
    for (name, width, value) in operations {
      try InstructionRun.check("\(name) imm\(width)") { random in
        let (d, immediate, b) = (random.target(), random.signed(width), random.source())
        return .result("\(name) r\(d)=\(immediate),r\(b)", d, [b]) { value(UInt64(bitPattern: Int64(immediate)), $0[0]) }
      }
    }
    try InstructionRun.check("addl") { random in
      let (d, immediate, b) = (random.target(), random.signed(22), random.number(0...3))
      return .result("addl r\(d)=\(immediate),r\(b)", d, [b]) { UInt64(bitPattern: Int64(immediate)) &+ $0[0] }
    }
    try InstructionRun.check("movl") { random in
      let (d, immediate) = (random.target(), random.value())
      return .result("movl r\(d)=0x\(String(immediate, radix: 16))", d, []) { _ in immediate }
    }
  }

  @Test func shiftAndAdd() throws {
    for name in ["shladd", "shladdp4"] {
      try InstructionRun.check(name) { random in
        let (d, a, b, n) = (random.target(), random.source(), random.source(), random.number(1...4))
        return .result("\(name) r\(d)=r\(a),\(n),r\(b)", d, [a, b]) {
          let sum = $0[0] << UInt64(n) &+ $0[1]
          return name == "shladd" ? sum : Self.pointer(sum, $0[1])
        }
      }
    }
  }

  /// Counts above 63 leave nothing, or the sign.
  @Test func shiftsByRegister() throws {
    let operations: [(String, (UInt64, UInt64) -> UInt64)] = [
      ("shl", { $1 > 63 ? 0 : $0 << $1 }), ("shr.u", { $1 > 63 ? 0 : $0 >> $1 }),
      ("shr", { UInt64(bitPattern: Int64(bitPattern: $0) >> Int64(min($1, 63))) }),
    ]
    for (name, value) in operations {
      try InstructionRun.check(name) { random in
        let (d, a, n) = (random.target(), random.source(), random.source())
        return .result("\(name) r\(d)=r\(a),r\(n)", d, [a, n]) { value($0[0], $0[1]) }
      }
    }
  }
}
