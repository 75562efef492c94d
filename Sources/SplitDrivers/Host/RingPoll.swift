import Platform

/// A back end that has just worked stays awake for a while: it looks at its rings again and again, and does not ask to be told meanwhile, so
/// that a front end with more work need not notify it, and waits for no processor of the host to wake up. Network drivers (NAPI) and busy
/// polling back ends (vhost's `busyloop_timeout`) do the same. How long it stays awake follows what comes, as KVM's polling before it halts
/// does: longer, if more comes soon after it has gone to sleep.
final class RingPoll {
  /// From one look to the next.
  static let interval = Cycles.from(nanoseconds: 1_000)
  /// Without work, until it sleeps: vhost's usual choice, and KVM's limit.
  static let shortest = Cycles.from(nanoseconds: 50_000)
  static let longest = Cycles.from(nanoseconds: 200_000)

  private unowned let backEnd: BackEnd
  private var host: DriverHost { backEnd.host }
  private let look: () -> Bool
  private let rest: () -> Void
  private var event: UInt64?
  private var patience = RingPoll.shortest
  private var lastWork: UInt64 = 0

  /// `look`: does what there is to do; false: nothing. `rest`: does the same, and asks to be told of what comes next.
  init(_ backEnd: BackEnd, look: @escaping () -> Bool, rest: @escaping () -> Void) {
    (self.backEnd, self.look, self.rest) = (backEnd, look, rest)
  }

  /// It looks by itself: nobody needs to be told.
  var isAwake: Bool { event != nil }

  /// There may be something to do.
  func wake() {
    guard event == nil else { return }
    // A little more patience would have spared it the sleep, or none would.
    patience = host.now - lastWork <= Self.longest ? min(2 * patience, Self.longest) : Self.shortest
    proceed()
  }

  func stop() {
    if let event { host.cancel(event) }
    event = nil
  }

  private func proceed() {
    if look() { lastWork = host.now }
    // What has been found may have been the end of the connection.
    guard backEnd.isConnected else { return }
    guard host.now < lastWork + patience else { return rest() }
    event = host.schedule(at: host.now + Self.interval) { [weak self] in
      self?.event = nil
      self?.backEnd.statistics.cyclesAwake += Self.interval
      self?.proceed()
    }
  }
}
