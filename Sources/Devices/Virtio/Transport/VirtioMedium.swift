import Platform

/// When a medium behind a virtio device has done what it was asked for: one without mechanics on a link of its own. Requests find their
/// places side by side and share the link.
struct VirtioMedium: Sendable, Equatable, Codable {
  /// Cycle at which the link is free.
  private(set) var busyUntil: UInt64 = 0

  /// From a request to its first data.
  static let accessTime = Cycles.from(nanoseconds: 20_000)
  /// Requests that touch no data.
  static let answerTime = Cycles.from(nanoseconds: 5_000)
  static let bytesPerSecond: UInt64 = 500_000_000
  /// Bytes that are on their way between medium and memory at once.
  static let chunk = 64 << 10

  /// The end of a request that begins now.
  mutating func access(_ bytes: Int, now: UInt64) -> UInt64 {
    let start = max(now + Self.accessTime, busyUntil)
    busyUntil = start + Cycles.reaching(ticks: UInt64(bytes), frequency: Self.bytesPerSecond)
    return busyUntil
  }
}
