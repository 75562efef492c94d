/// Everything outside the machine, in one place that can be looked at, and waited for.
///
/// A busy guest's owner looks from time to time (``look()``); when the guest is idle it waits here (``wait(nanoseconds:now:until:)``),
/// which makes idle time pass at the host's pace while any source may deliver something.
public final class OutsideWorld {
  /// Those who use a source own it; when they are gone it is no longer looked at.
  private var entries: [Entry] = []
  private struct Entry { weak var source: (any OutsideSource)? }
  private var sources: [any OutsideSource] { entries.compactMap(\.source) }
  /// Guest time and host time, in nanoseconds, that are taken as the same moment.
  private var anchor: (guest: UInt64, host: ContinuousClock.Instant) = (0, .now)
  /// While waiting: when that began, so that ``time`` goes on.
  private var waiting: (guest: UInt64, host: ContinuousClock.Instant, limit: UInt64)?
  /// Nanoseconds of guest time while the guest runs.
  public var clock: () -> UInt64 = { 0 }
  /// Called when there is reason to look again soon: the guest has sent something.
  public var expectsAnswer: (() -> Void)?

  /// A guest that was busy lags behind; it may make up for so much idle time at most.
  private static let largestLag = Duration.milliseconds(50)

  public init() {}

  public func add(_ source: any OutsideSource) {
    entries.removeAll { $0.source == nil }
    entries.append(Entry(source: source))
  }

  public var isEmpty: Bool { sources.isEmpty }

  /// Something may come from outside.
  public var mayDeliver: Bool { sources.contains { $0.mayDeliver } }

  /// Nanoseconds of guest time. They go on while the guest is idle and the host waits.
  public var time: UInt64 {
    guard let waiting else { return clock() }
    return waiting.guest &+ min(waiting.limit, Self.nanoseconds(.now - waiting.host))
  }

  /// Takes what is there, after waiting so long for it at most. True if the guest may notice something.
  @discardableResult
  public func look(waiting milliseconds: UInt32 = 0) -> Bool { poll(timeout: milliseconds) }

  private func poll(timeout: UInt32?) -> Bool {
    let sources = self.sources
    var set = PollSet(timeout: timeout)
    for source in sources { source.prepare(&set) }
    if set.isEmpty && set.timeout == 0 {
      // No system call for nothing, but timers may be due.
    } else {
      _ = set.wait()
    }
    var found = false
    for source in sources where source.collect(set) { found = true }
    return found
  }

  /// The guest is idle from `now` on, for `nanoseconds`, or, if that is nil, until something happens. Waits at the host's pace until
  /// that time has passed, or until a source has something for the guest or `isOver` says so. Returns
  /// the nanoseconds that passed; nil: all of them.
  public func wait(nanoseconds: UInt64?, now: UInt64, isOver: () -> Bool) -> UInt64? {
    // What is there already, and what the guest has sent.
    if !sources.isEmpty && look() { return 0 }
    if isOver() { return 0 }
    guard mayDeliver else { return nil }
    if let nanoseconds {
      // Where the guest's clock will be, against where the host's is.
      let lead = Self.duration(now &+ nanoseconds &- anchor.guest) - (.now - anchor.host)
      if lead < .zero - Self.largestLag {
        anchor = (now &+ nanoseconds, .now - Self.largestLag)
        return nil
      }
    } else if Self.duration(now &- anchor.guest) - (.now - anchor.host) < .zero - Self.largestLag {
      anchor = (now, .now - Self.largestLag)
    }
    // Guest time of the present moment, if it went on since the anchor as the host's time did.
    func reached() -> UInt64 {
      let guest = anchor.guest &+ Self.nanoseconds(.now - anchor.host)
      return guest > now ? guest - now : 0
    }
    waiting = (now, .now, nanoseconds ?? .max)
    defer { waiting = nil }
    while true {
      let passed = reached()
      let left = nanoseconds.map { $0 > passed ? $0 - passed : 0 }
      // Less than a millisecond is not waited for.
      let milliseconds = left.map { UInt32(clamping: $0 / 1_000_000) }
      if poll(timeout: milliseconds) || isOver() {
        let passed = reached()
        return nanoseconds.map { min($0, passed) } ?? passed
      }
      if milliseconds == 0 { return nil }
      // The last source may have gone: nothing will come.
      if !mayDeliver { return nil }
    }
  }

  private static func nanoseconds(_ duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    return seconds < 0 ? 0 : UInt64(seconds) &* 1_000_000_000 &+ UInt64(max(0, attoseconds)) / 1_000_000_000
  }

  private static func duration(_ nanoseconds: UInt64) -> Duration { .nanoseconds(Int64(bitPattern: nanoseconds)) }
}
