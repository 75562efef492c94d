import Platform

/// How fast a front end may send: so many bytes in each window of time, and always at least one packet.
public struct TransmitCredit: Equatable, Sendable {
  public let bytes: UInt64
  public let microseconds: UInt64
  private var left: UInt64
  private var windowEnd: UInt64 = 0

  private static let largestPacket: UInt64 = 131_072

  /// `rate`: "bytes,usec" as in XenStore. Nil: it is not that.
  public init?(rate: String) {
    let parts = rate.split(separator: ",", omittingEmptySubsequences: false).map { UInt64($0) }
    guard parts.count == 2, let bytes = parts[0], let microseconds = parts[1], bytes > 0, microseconds > 0,
      microseconds < UInt64(UInt32.max)
    else { return nil }
    (self.bytes, self.microseconds, left) = (bytes, microseconds, bytes)
  }

  /// Takes a packet's bytes; the cycle at which to try again if there is not enough.
  mutating func take(_ count: UInt64, at now: UInt64) -> UInt64? {
    if now >= windowEnd {
      // As in netback: what is left of a window is not lost if the next packet is larger than a window's worth.
      let burst = max(min(count, Self.largestPacket), bytes)
      left = min(left + bytes, burst)
      windowEnd = now + Cycles.from(nanoseconds: microseconds * 1000)
    }
    guard count > left else {
      left -= count
      return nil
    }
    return windowEnd
  }
}
