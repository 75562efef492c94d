/// How often something happened, and how long it took: count, sum, extremes exactly; percentiles to 1/128 of their value.
///
/// A histogram of 128 buckets for each power of two, as HdrHistogram keeps it: what 10^9 records cost fits into some kilobytes.
public struct CostDistribution: Sendable {
  public private(set) var count: UInt64 = 0
  public private(set) var total: UInt64 = 0
  public private(set) var least: UInt64 = .max
  public private(set) var most: UInt64 = 0
  private var buckets: [Int: UInt64] = [:]

  private static let bits = 7

  public init() {}

  public mutating func add(_ cost: UInt64) {
    count += 1
    total &+= cost
    least = min(least, cost)
    most = max(most, cost)
    buckets[Self.bucket(of: cost), default: 0] += 1
  }

  public mutating func merge(_ other: Self) {
    count += other.count
    total &+= other.total
    least = min(least, other.least)
    most = max(most, other.most)
    buckets.merge(other.buckets, uniquingKeysWith: +)
  }

  public var mean: Double { count == 0 ? 0 : Double(total) / Double(count) }
  public var minimum: UInt64 { count == 0 ? 0 : least }

  /// The smallest cost that is not exceeded by `share` (0...1) of all; the middle of its bucket.
  public func quantile(_ share: Double) -> UInt64 {
    let wanted = UInt64(max(1, (share * Double(count)).rounded(.up)))
    var seen: UInt64 = 0
    for bucket in buckets.keys.sorted() {
      seen += buckets[bucket, default: 0]
      if seen >= wanted { return min(max(Self.middle(of: bucket), minimum), most) }
    }
    return most
  }

  /// Costs below 2^8 have buckets of their own; above, the highest eight bits count.
  private static func bucket(of cost: UInt64) -> Int {
    let excess = max(0, 64 - cost.leadingZeroBitCount - (bits + 1))
    return excess << (bits + 1) | Int(cost >> UInt64(excess))
  }

  private static func middle(of bucket: Int) -> UInt64 {
    let excess = UInt64(bucket >> (bits + 1))
    let first = UInt64(bucket & ((1 << (bits + 1)) - 1)) << excess
    return first + (excess == 0 ? 0 : 1 << (excess - 1))
  }
}
