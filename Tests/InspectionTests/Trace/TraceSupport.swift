import Inspection

/// Steele, Lea and Flood's SplitMix64.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// A trace file in memory.
final class TraceInMemory {
  private(set) var bytes: [UInt8] = []
  private(set) var writer: TraceWriter!

  init(frequency: UInt64 = 1_600_000_000, timing: String = "cycle") {
    writer = TraceWriter(
      TraceDescription(
        frequency: frequency, timing: timing, virtualization: "hvm", processors: 2, kernel: "vmlinux",
        domains: [.init(number: 1, name: "guest")]),
      sink: { [unowned self] in bytes += $0 })
  }

  func finished(_ records: [TraceRecord]) -> [UInt8] {
    for record in records { writer.append(record) }
    writer.finish()
    return bytes
  }
}

extension TraceRecord {
  static func exit(
    _ cause: UInt16, at cycle: UInt64, cost: UInt64 = 0, ip: UInt64 = 0, detail: UInt64 = 0, processor: UInt8 = 0,
    kind: TraceKind = .exit
  ) -> TraceRecord {
    var r = TraceRecord(cycle: cycle, kind: kind)
    (r.domain, r.processor, r.physical, r.cause, r.cost, r.ip, r.detail) = (1, processor, processor, cause, cost, ip, detail)
    return r
  }

  /// Numbers of all lengths.
  static func random(_ generator: inout SplitMix) -> TraceRecord {
    func number() -> UInt64 { generator.next() >> UInt64.random(in: 0...64, using: &generator) }
    var r = TraceRecord(cycle: number(), kind: TraceKind.allCases.randomElement(using: &generator) ?? .exit)
    r.domain = UInt16(truncatingIfNeeded: number())
    r.processor = UInt8(truncatingIfNeeded: number())
    r.physical = UInt8(truncatingIfNeeded: number())
    r.cause = UInt16(truncatingIfNeeded: number())
    (r.ip, r.detail, r.a, r.b, r.c, r.cost) = (number(), number(), number(), number(), number(), number())
    return r
  }
}

extension TraceReader {
  var records: [TraceRecord] {
    var all: [TraceRecord] = []
    forEach { all.append($0) }
    return all
  }
}
