import Processor

/// What the issue groups of each size are counted for, while a counter wants it.
enum GroupNumber: Int {
  case slots, nops, squashed
  static let count = 3
  /// A group has at most six slots.
  static let stride = 8
}

/// The events by their code in PMC, for quick answers to the processor.
struct EventTable {
  private let events: [MonitoredEvent?]
  private static let size = 1 << 12

  init() {
    var events = [MonitoredEvent?](repeating: nil, count: Self.size)
    for event in MonitoredEvent.all { events[Int(PerformanceEvent.code(event.select, event.umask))] = event }
    self.events = events
  }

  subscript(code: UInt16) -> MonitoredEvent? { events[Int(code) & (Self.size - 1)] }

  static let shared = EventTable()
}

extension UnsafeMutablePointer where Pointee == PipelineState {
  // MARK: What the processor's counters ask for

  /// How often the event of a counter has happened at a privilege level.
  @inline(never) func count(_ control: CounterControl, level: Int) -> UInt64 {
    guard let event = EventTable.shared[control.event] else { return 0 }
    changeStatus()
    let threshold = Int(control.threshold)
    if let numbers = event.numbers, threshold != 0 || numbers == .squashed { countGroups() }
    if threshold != 0 {
      // The cycles in which it happened more often than that. Nothing but what a group has in number can be told by cycle.
      guard let numbers = event.numbers else { return 0 }
      let groups = pointee.groupNumbers + (level * GroupNumber.count + numbers.rawValue) * GroupNumber.stride
      var sum: UInt64 = 0
      for number in threshold + 1..<max(threshold + 1, GroupNumber.stride) { sum &+= groups[number] }
      return sum
    }
    var sum: UInt64 = 0
    var causes = event.causes
    while causes != 0 {
      sum &+= pointee.cycles[level * Cause.stride + causes.trailingZeroBitCount]
      causes &= causes - 1
    }
    return sum &+ total(event.added, level) &- total(event.subtracted, level)
  }

  private func total(_ mask: UInt128, _ level: Int) -> UInt64 {
    var sum: UInt64 = 0
    var counts = mask
    while counts != 0 {
      sum &+= pointee.counts[level * PipelineState.countStride + counts.trailingZeroBitCount]
      counts &= counts - 1
    }
    return sum
  }

  /// The most by which that grows in a cycle.
  func increment(_ control: CounterControl) -> UInt64 {
    guard let event = EventTable.shared[control.event] else { return 0 }
    if control.threshold == 0 { return UInt64(event.increment) }
    return event.numbers == nil ? 0 : 1
  }

  // MARK: Numbers by group, while somebody wants them

  private func countGroups() {
    leaveConfiguration()
    pointee.countsGroups = true
    pointee.isObserved = true
  }

  /// The counters are about to say again what they want.
  func monitorsChange() {
    guard pointee.countsGroups else { return }
    pointee.countsGroups = false
    pointee.owner._withUnsafeGuaranteedRef { $0.noteObservers() }
  }

  /// Syllables that are predicated off. Branches that are count as branches that are not taken, as in the hardware.
  func countSquashed(_ group: UnsafePointer<IssueGroup>) -> Int {
    let pr = pointee.state.pr
    var squashed = 0
    for n in 0..<Int(group.pointee.guards) where pr[Int(group.guards[n])] == 0 { squashed += 1 }
    bump(.squashed, UInt64(squashed))
    return squashed
  }

  /// A group issues, or the rest of one.
  func countGroup(_ group: UnsafePointer<IssueGroup>, goesOn: Bool) {
    let level = Int(truncatingIfNeeded: pointee.state.pointee.psr &>> 32 & 3)
    let squashed = countSquashed(group)
    if goesOn { return }
    let numbers = pointee.groupNumbers + level * GroupNumber.count * GroupNumber.stride
    let nops = Int(truncatingIfNeeded: group.pointee.packedSlots & 0xFFFF_FFFF)
    for (kind, number) in [(GroupNumber.slots, group.pointee.slots), (.nops, nops), (.squashed, squashed)] {
      numbers[kind.rawValue * GroupNumber.stride + min(number, GroupNumber.stride - 1)] &+= 1
    }
  }
}
