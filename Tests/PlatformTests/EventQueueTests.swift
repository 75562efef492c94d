import Platform
import Testing

@Suite("Event queue") struct EventQueueTests {
  final class Log { var entries: [(cycle: UInt64, tag: UInt64)] = [] }

  private func queue() -> (EventQueue, EventHandlerID, Log) {
    let queue = EventQueue()
    let log = Log()
    let handler = queue.register { log.entries.append(($0, $1)) }
    return (queue, handler, log)
  }

  @Test func orderAndTies() {
    let (queue, handler, log) = queue()
    for (tag, cycle) in [(1, 30), (2, 10), (3, 20), (4, 10), (5, 30), (6, 10)] as [(UInt64, UInt64)] {
      queue.schedule(handler, tag: tag, at: cycle)
    }
    #expect(queue.earliest == 10)
    queue.run(until: 9)
    #expect(log.entries.isEmpty)
    queue.run(until: 20)
    #expect(log.entries.map(\.tag) == [2, 4, 6, 3])
    queue.run(until: .max)
    #expect(log.entries.map(\.tag) == [2, 4, 6, 3, 1, 5])
    #expect(log.entries.map(\.cycle) == [10, 10, 10, 20, 30, 30])
    #expect(queue.earliest == nil)
  }

  @Test func cancelAndReschedule() {
    let (queue, handler, log) = queue()
    let other = queue.register { _, tag in log.entries.append((0, tag + 100)) }
    queue.schedule(handler, tag: 1, at: 5)
    queue.schedule(handler, tag: 1, at: 6)
    queue.schedule(handler, tag: 2, at: 7)
    queue.schedule(other, tag: 1, at: 8)
    queue.cancel(handler, tag: 1)
    #expect(queue.earliest == 7)
    queue.cancel(handler, tag: 9)
    queue.schedule(handler, tag: 1, at: 9)
    queue.run(until: 100)
    #expect(log.entries.map(\.tag) == [2, 101, 1])
    queue.schedule(handler, at: 200)
    queue.removeAll()
    #expect(queue.earliest == nil)
  }

  @Test func handlersMaySchedule() {
    let queue = EventQueue()
    let log = Log()
    var handler: EventHandlerID?
    handler = queue.register { cycle, tag in
      log.entries.append((cycle, tag))
      guard let handler, tag < 5 else { return }
      queue.schedule(handler, tag: tag + 1, at: cycle + 10)
    }
    if let handler { queue.schedule(handler, at: 10) }
    queue.run(until: 35)
    #expect(log.entries.map(\.cycle) == [10, 20, 30])
    // In the past: due at once.
    queue.run(until: 1000)
    #expect(log.entries.map(\.cycle) == [10, 20, 30, 40, 50, 60])
  }

  @Test func announcesEveryNewFirst() {
    let (queue, handler, _) = queue()
    let log = Log()
    queue.earliestChanged = { log.entries.append(($0, 0)) }
    for cycle in [50, 60, 40, 45, 10] as [UInt64] { queue.schedule(handler, at: cycle) }
    #expect(log.entries.map(\.cycle) == [50, 40, 10])
  }

  @Test func pendingIsInOrder() {
    let (queue, handler, _) = queue()
    for (tag, cycle) in [(1, 30), (2, 10), (3, 30)] as [(UInt64, UInt64)] { queue.schedule(handler, tag: tag, at: cycle) }
    #expect(queue.pending.map(\.tag) == [2, 1, 3])
  }

  /// Against a sorted list: stable by cycle.
  @Test func random() {
    var random = SplitMix(state: 0xE7E4)
    let (queue, handler, log) = queue()
    var expected: [(cycle: UInt64, tag: UInt64)] = []
    for tag in 0..<3000 as Range<UInt64> {
      let cycle = random.next() % 500
      queue.schedule(handler, tag: tag, at: cycle)
      expected.append((cycle, tag))
      if tag % 7 == 3 {
        let victim = random.next() % (tag + 1)
        queue.cancel(handler, tag: victim)
        expected.removeAll { $0.tag == victim }
      }
    }
    queue.run(until: 500)
    let order = expected.enumerated().sorted { ($0.element.cycle, $0.offset) < ($1.element.cycle, $1.offset) }.map(\.element.tag)
    #expect(log.entries.map(\.tag) == order, "seed 0xE7E4")
  }
}

@Suite("Clock ratios") struct CyclesTests {
  /// Exact: q and r of (ticks × f_cycles) / f_ticks.
  @Test(arguments: [UInt64(3_579_545), 1_000_000_000, 200_000_000, 400_000_000, 1])
  func ticksAndBack(_ frequency: UInt64) {
    var random = SplitMix(state: frequency)
    for _ in 0..<2000 {
      let ticks = random.next() >> (random.next() % 40 + 12)
      let cycle = Cycles.reaching(ticks: ticks, frequency: frequency)
      guard cycle != .max else { continue }
      #expect(Cycles.ticks(cycle, frequency: frequency) == ticks)
      if cycle > 0 { #expect(Cycles.ticks(cycle - 1, frequency: frequency) < max(ticks, 1)) }
    }
  }

  @Test func units() {
    #expect(Cycles.perSecond == 1_600_000_000)
    #expect(Cycles.from(nanoseconds: 1_000_000_000) == 1_600_000_000)
    #expect(Cycles.nanoseconds(8) == 5)
    #expect(Cycles.nanoseconds(7) == 4)
    #expect(Cycles.seconds(2_400_000_000) == 1.5)
    // Beyond 64 bits: never.
    #expect(Cycles.reaching(ticks: .max, frequency: 1) == .max)
    #expect(Cycles.from(nanoseconds: .max) == .max)
  }
}
