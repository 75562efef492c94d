import Platform
import Processor

/// Virtual processors on physical ones: the loop that the credit scheduler decides for, on one virtual clock.
///
/// Time goes in windows of ``window`` cycles at most. In a window each physical processor runs the virtual one that it has been given, and
/// the events of all domains happen at their times; between windows virtual processors fall asleep, wake up, and change places. So a wake-up
/// is late by a window at most, and a physical processor whose guest has fallen asleep stays idle for the rest of one.
public final class Hypervisor {
  /// 5 µs at 1.6 GHz: what a frame spends in a bridge, so that none comes late to a domain on the same one.
  public static let window: UInt64 = 8000
  /// With several threads of the host, which must meet at the end of each.
  private static let parallelWindow: UInt64 = 4 * window
  private var window = Hypervisor.window
  private var parallel: (threads: HostThreads, lock: ExecutionLock)?

  public private(set) var now: UInt64 = 0
  public private(set) var scheduler: CreditScheduler

  private final class Member {
    let number: Int
    unowned let domain: any ScheduledDomain
    let handles: [CreditScheduler.Handle]
    /// As the scheduler knows it: not blocked. New ones sleep until it is seen that they have something to do.
    var isAwake: [Bool]
    var isPaused: Bool
    /// Its place among the members.
    var slot = 0
    init(_ number: Int, _ domain: any ScheduledDomain, _ handles: [CreditScheduler.Handle], isPaused: Bool) {
      (self.number, self.domain, self.handles, self.isPaused) = (number, domain, handles, isPaused)
      isAwake = Array(repeating: false, count: handles.count)
    }

    /// When it has something to do that none of its running processors brings about. What waits for a physical processor is not due: the
    /// scheduler knows when its time comes.
    var due: UInt64 {
      if isPaused { return .max }
      var next = domain.nextEvent
      for index in isAwake.indices where !isAwake[index] { next = min(next, domain.nextCycle(of: index) ?? .max) }
      return next
    }
  }
  /// In the order of their numbers.
  private var members: [Member] = []
  /// For each member ``Member/due``, and how many of its virtual processors run: looked at for each window, they lie close together.
  private var dues: [UInt64] = []
  private var runningCounts: [Int] = []
  private var byHandle: [CreditScheduler.Handle: (member: Member, index: Int)] = [:]

  /// What each physical processor runs, and until when at the latest.
  private var running: [(member: Member, index: Int, handle: CreditScheduler.Handle)?]
  private var until: [UInt64]
  /// Physical processors that must ask the scheduler before they go on.
  private var mustSchedule: CreditScheduler.ProcessorMask

  /// Told of every change of what a physical processor runs; nil runs nobody.
  public var observer: ((_ cpu: Int, _ new: (domain: Int, processor: Int)?, _ cycle: UInt64) -> Void)?

  public init(processors: Int, cyclesPerSecond: UInt64) throws(CreditScheduler.Failure) {
    scheduler = try CreditScheduler(processors: processors, cyclesPerSecond: cyclesPerSecond)
    running = Array(repeating: nil, count: processors)
    until = Array(repeating: .max, count: processors)
    mustSchedule = 0
  }

  // MARK: Domains

  /// `affinities`: for each virtual processor the physical ones it may run on; the last one counts for those that are missing.
  public func add(
    _ domain: any ScheduledDomain, number: Int, weight: Int = CreditScheduler.defaultWeight, cap: Int = 0,
    affinities: [CreditScheduler.ProcessorMask] = [], paused: Bool = false
  ) throws(CreditScheduler.Failure) {
    try scheduler.addDomain(number, weight: weight, cap: cap)
    var handles: [CreditScheduler.Handle] = []
    do throws(CreditScheduler.Failure) {
      for index in 0..<domain.virtualProcessorCount {
        let affinity = affinities.isEmpty ? .max : affinities[min(index, affinities.count - 1)]
        handles.append(try scheduler.addVirtualProcessor(to: number, affinity: affinity, now: now))
      }
      if paused { mustSchedule |= try scheduler.pauseDomain(number, now: now) }
    } catch {
      mustSchedule |= (try? scheduler.removeDomain(number, now: now)) ?? 0
      throw error
    }
    let member = Member(number, domain, handles, isPaused: paused)
    for (index, handle) in handles.enumerated() {
      byHandle[handle] = (member, index)
      domain.setMayRun(false, processor: index, at: now)
    }
    members.append(member)
    members.sort { $0.number < $1.number }
    arrange()
    domain.hasWork = { [unowned self, unowned member] cycle in
      if !member.isPaused { dues[member.slot] = min(dues[member.slot], cycle) }
    }
  }

  /// Members have come or gone.
  private func arrange() {
    for (slot, member) in members.enumerated() { member.slot = slot }
    dues = members.map(\.due)
    runningCounts = members.map { member in running.count { $0?.member === member } }
  }

  private func refresh(_ member: Member) { dues[member.slot] = member.due }

  public func remove(_ number: Int) throws(CreditScheduler.Failure) {
    mustSchedule |= try scheduler.removeDomain(number, now: now)
    for cpu in running.indices where running[cpu]?.member.number == number { running[cpu] = nil }
    byHandle = byHandle.filter { $0.value.member.number != number }
    if let member = member(number) {
      member.domain.hasWork = nil
      awakeCount -= member.isAwake.count { $0 }
    }
    members.removeAll { $0.number == number }
    arrange()
  }

  public func pause(_ number: Int) throws(CreditScheduler.Failure) {
    reschedule(try scheduler.pauseDomain(number, now: now))
    guard let member = member(number) else { return }
    member.isPaused = true
    refresh(member)
  }

  public func unpause(_ number: Int) throws(CreditScheduler.Failure) {
    reschedule(try scheduler.unpauseDomain(number, now: now))
    guard let member = member(number) else { return }
    member.isPaused = false
    refresh(member)
  }

  public func setWeight(_ weight: Int, of number: Int) throws(CreditScheduler.Failure) {
    try scheduler.setWeight(weight, ofDomain: number, now: now)
  }

  public func setCap(_ cap: Int, of number: Int) throws(CreditScheduler.Failure) {
    reschedule(try scheduler.setCap(cap, ofDomain: number, now: now))
  }

  public func setAffinity(_ mask: CreditScheduler.ProcessorMask, of number: Int, processor index: Int) throws(CreditScheduler
    .Failure)
  {
    guard let handle = handle(of: number, processor: index) else { throw .unknownDomain(number) }
    reschedule(try scheduler.setAffinity(mask, of: handle, now: now))
  }

  /// What the scheduler knows a virtual processor by; nil: there is none.
  public func handle(of number: Int, processor index: Int) -> CreditScheduler.Handle? {
    guard let member = member(number), member.handles.indices.contains(index) else { return nil }
    return member.handles[index]
  }

  private func member(_ number: Int) -> Member? { members.first { $0.number == number } }

  /// From now on domains run at the same time. `memory` is the one that all of them are in; their machines run in parallel as well
  /// (``Machine/runInParallel(on:)``), each by turns while others run.
  public func runInParallel(on threads: HostThreads, memory: PhysicalMemory) {
    parallel = (threads, memory.executionLock)
    window = Self.parallelWindow
  }

  // MARK: Time

  /// The cycle at which anything happens next; `UInt64.max`: nothing will, unless something comes from outside.
  public var nextActivity: UInt64 {
    running.contains(where: { $0 != nil }) ? now : max(nextWhileIdle, now)
  }

  /// The same while no physical processor runs anybody: events, ends of waits, and what the scheduler does for those that their domain's cap
  /// keeps waiting.
  private var nextWhileIdle: UInt64 {
    guard mustSchedule == 0 else { return now }
    return dues.reduce(awakeCount > 0 ? scheduler.nextTimer : .max, min)
  }
  /// Virtual processors that are not asleep.
  private var awakeCount = 0

  /// Runs all domains up to `limit`.
  public func advance(to limit: UInt64) {
    while now < limit {
      wakeDue()
      if now >= scheduler.nextTimer { reschedule(scheduler.timer(now: now)) }
      for cpu in running.indices where now >= until[cpu] { reschedule(1 << UInt64(cpu)) }
      chooseAll()
      let end = windowEnd(limit)
      advanceDomains(to: end)
      now = end
      putToSleep()
    }
  }

  /// Events of domains that run nothing happen as well.
  private func advanceDomains(to end: UInt64) {
    guard let parallel, runningCounts.count(where: { $0 > 0 }) > 1 else {
      for slot in dues.indices where dues[slot] < end || runningCounts[slot] > 0 {
        members[slot].domain.advance(to: end)
        refresh(members[slot])
      }
      return
    }
    let slots = dues.indices.filter { dues[$0] < end || runningCounts[$0] > 0 }
    parallel.threads.run(slots.count) { [unowned self] part in
      parallel.lock.whileHeld {
        members[slots[part]].domain.advance(to: end)
        refresh(members[slots[part]])
      }
    }
  }

  private func windowEnd(_ limit: UInt64) -> UInt64 {
    guard running.contains(where: { $0 != nil }) else {
      // All idle: straight to what is next.
      return min(limit, max(nextWhileIdle, now + 1))
    }
    var end = min(limit, now + window, max(scheduler.nextTimer, now + 1))
    for cpu in until.indices where running[cpu] != nil { end = min(end, max(until[cpu], now + 1)) }
    return end
  }

  private func reschedule(_ mask: CreditScheduler.ProcessorMask) { mustSchedule |= mask }

  /// Sleepers whose time has come.
  private func wakeDue() {
    for slot in dues.indices where dues[slot] <= now {
      let member = members[slot]
      for index in member.handles.indices where !member.isAwake[index] {
        guard let cycle = member.domain.nextCycle(of: index), cycle <= now else { continue }
        member.isAwake[index] = true
        awakeCount += 1
        reschedule(known { () throws(CreditScheduler.Failure) in try scheduler.wake(member.handles[index], now: now) })
      }
      refresh(member)
    }
  }

  /// Those that run and have nothing more to do. One that spins in pauses shorter than a window keeps its processor.
  private func putToSleep() {
    for cpu in running.indices {
      guard let current = running[cpu] else { continue }
      if let cycle = current.member.domain.nextCycle(of: current.index), cycle <= now &+ Self.window { continue }
      current.member.isAwake[current.index] = false
      awakeCount -= 1
      take(cpu, from: current.member, current.index)
      until[cpu] = .max
      reschedule(1 << UInt64(cpu) | known { () throws(CreditScheduler.Failure) in try scheduler.block(current.handle, now: now) })
    }
  }

  /// A call of the scheduler about what it knows: it cannot fail.
  private func known(_ body: () throws(CreditScheduler.Failure) -> CreditScheduler.ProcessorMask) -> CreditScheduler.ProcessorMask {
    do throws(CreditScheduler.Failure) { return try body() } catch {
      preconditionFailure("the scheduler has lost a virtual processor: \(error)")
    }
  }

  /// Every physical processor that must, asks what to run.
  private func chooseAll() {
    // Who was paused and goes on elsewhere leaves its old place first.
    for cpu in running.indices {
      guard let old = running[cpu], scheduler.current(on: cpu) != old.handle else { continue }
      take(cpu, from: old.member, old.index)
      mustSchedule |= 1 << UInt64(cpu)
    }
    while mustSchedule != 0 {
      let cpu = mustSchedule.trailingZeroBitCount
      mustSchedule &= mustSchedule - 1
      guard running.indices.contains(cpu) else { continue }
      let decision = scheduler.schedule(cpu, now: now)
      mustSchedule |= decision.others
      until[cpu] = decision.until
      if let old = running[cpu], old.handle != decision.virtualProcessor {
        take(cpu, from: old.member, old.index)
      }
      if let handle = decision.virtualProcessor, running[cpu] == nil, let place = byHandle[handle] {
        place.member.domain.setMayRun(true, processor: place.index, at: now)
        running[cpu] = (place.member, place.index, handle)
        runningCounts[place.member.slot] += 1
        observer?(cpu, (place.member.number, place.index), now)
      }
    }
  }

  /// A physical processor does not run a virtual one any more.
  private func take(_ cpu: Int, from member: Member, _ index: Int) {
    member.domain.setMayRun(false, processor: index, at: now)
    running[cpu] = nil
    observer?(cpu, nil, now)
    runningCounts[member.slot] -= 1
    refresh(member)
  }
}
