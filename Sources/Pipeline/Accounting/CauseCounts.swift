/// Cycles by what they were spent on.
public struct CauseCounts: Sendable {
  private var cycles = InlineArray<32, UInt64>(repeating: 0)

  public init() {}

  public subscript(cause: Cause) -> UInt64 {
    get { cycles[Int(cause.rawValue)] }
    set { cycles[Int(cause.rawValue)] = newValue }
  }

  public var total: UInt64 { Cause.allCases.reduce(0) { $0 &+ self[$1] } }

  /// Causes that took cycles, in the order of ``Cause``.
  public var entries: [(cause: Cause, cycles: UInt64)] {
    Cause.allCases.compactMap { self[$0] == 0 ? nil : ($0, self[$0]) }
  }

  public static func += (sum: inout CauseCounts, other: CauseCounts) {
    for index in sum.cycles.indices { sum.cycles[index] &+= other.cycles[index] }
  }
}

extension CauseCounts: Encodable {
  /// An object with a member for each cause that took cycles.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Dictionary(entries.map { ($0.cause.key, $0.cycles) }) { first, _ in first })
  }
}
