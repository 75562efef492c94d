import Platform
import Processor

/// What guests ask to be told of, or reminded of, at a time: vcpu_op's timers, the end of a poll, and the watchdogs, which end the domain.
final class HypercallTimers {
  private unowned let domain: Domain
  private let periodic: EventHandlerID
  private let single: EventHandlerID
  private let poll: EventHandlerID
  private let watchdog: EventHandlerID
  /// Cycles between two VIRQ_TIMER of a processor.
  private var periods: [UInt64: UInt64] = [:]
  /// The two watchdogs that a domain may have: their generation, while they run.
  private var watchdogs: [UInt64?] = [nil, nil]
  private var watchdogCount: UInt64 = 0

  static let shortestPeriod: UInt64 = 1_000_000

  init(_ domain: Domain) {
    self.domain = domain
    // The handlers need an instance, which does not exist yet.
    final class Box { weak var timers: HypercallTimers? }
    let box = Box()
    let events = domain.machine.events
    periodic = events.register { cycle, tag in box.timers?.periodicIsDue(cycle, tag) }
    single = events.register { _, tag in box.timers?.singleIsDue(tag) }
    poll = events.register { _, tag in box.timers?.pollIsOver(tag) }
    watchdog = events.register { _, tag in box.timers?.watchdogIsDue(tag) }
    box.timers = self
  }

  private var events: EventQueue { domain.machine.events }

  /// System time of the domain: nanoseconds of its machine's clock.
  var now: UInt64 { Cycles.nanoseconds(domain.machine.now) }

  private func raise(_ processor: UInt64) {
    domain.services.events.raise(VirtualInterrupt.timer, in: domain.domainNumber, processor: Int(processor))
  }

  // MARK: VIRQ_TIMER

  /// `nanoseconds` 0 stops it.
  func setPeriod(_ processor: Int, nanoseconds: UInt64) throws(XenError) {
    let tag = UInt64(processor)
    events.cancel(periodic, tag: tag)
    guard nanoseconds != 0 else { return periods[tag] = nil }
    guard nanoseconds >= Self.shortestPeriod else { throw .invalid }
    periods[tag] = Cycles.from(nanoseconds: nanoseconds)
    scheduleNext(domain.machine.now, tag)
  }

  private func scheduleNext(_ cycle: UInt64, _ tag: UInt64) {
    guard let period = periods[tag] else { return }
    let (next, overflow) = cycle.addingReportingOverflow(period)
    if !overflow { events.schedule(periodic, tag: tag, at: next) }
  }

  private func periodicIsDue(_ cycle: UInt64, _ tag: UInt64) {
    raise(tag)
    scheduleNext(cycle, tag)
  }

  func setSingle(_ processor: Int, at nanoseconds: UInt64) {
    events.cancel(single, tag: UInt64(processor))
    events.schedule(single, tag: UInt64(processor), at: max(Cycles.from(nanoseconds: nanoseconds), domain.machine.now))
  }
  func stopSingle(_ processor: Int) { events.cancel(single, tag: UInt64(processor)) }
  private func singleIsDue(_ tag: UInt64) { raise(tag) }

  // MARK: Polls

  /// `nanoseconds` 0: none.
  func setPollTimeout(_ processor: Int, nanoseconds: UInt64) {
    events.cancel(poll, tag: UInt64(processor))
    guard nanoseconds != 0 else { return }
    events.schedule(poll, tag: UInt64(processor), at: max(Cycles.from(nanoseconds: nanoseconds), domain.machine.now))
  }

  private func pollIsOver(_ tag: UInt64) {
    let processor = Int(tag)
    guard domain.services.events.isPolling(processor, in: domain.domainNumber) else { return }
    domain.services.events.stopPolling(processor, in: domain.domainNumber)
    domain.upcall(processor)
  }

  // MARK: Watchdogs

  /// `id` 0 asks for a new one, whose number is the result; seconds 0 stops one.
  func setWatchdog(_ id: UInt32, seconds: UInt32) throws(XenError) -> UInt64 {
    guard id <= watchdogs.count else { throw .invalid }
    if id == 0 {
      guard seconds != 0 else { throw .invalid }
      guard let free = watchdogs.firstIndex(where: { $0 == nil }) else { throw .exists }
      start(free, seconds)
      return UInt64(free + 1)
    }
    let index = Int(id) - 1
    guard watchdogs[index] != nil else { throw .invalid }
    watchdogs[index] = nil
    if seconds != 0 { start(index, seconds) }
    return 0
  }

  private func start(_ index: Int, _ seconds: UInt32) {
    watchdogCount += 1
    watchdogs[index] = watchdogCount
    events.schedule(watchdog, tag: watchdogCount, at: domain.machine.now &+ UInt64(seconds) * Cycles.perSecond)
  }

  private func watchdogIsDue(_ tag: UInt64) {
    if watchdogs.contains(tag) { domain.shutDown(.watchdog) }
  }
}
