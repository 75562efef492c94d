/// Saving is encoding. What runs and waits where follows from the virtual processors' states, and is not saved.
extension CreditScheduler: Codable {
  private enum CodingKeys: String, CodingKey {
    case stateVersion, processors, cyclesPerSecond, clock, nextTimer, lastAccounting, nextSerial, domains, virtualProcessors
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.stateVersion, forKey: .stateVersion)
    try container.encode(processors, forKey: .processors)
    try container.encode(cyclesPerSecond, forKey: .cyclesPerSecond)
    try container.encode(clock, forKey: .clock)
    try container.encode(nextTimer, forKey: .nextTimer)
    try container.encode(lastAccounting, forKey: .lastAccounting)
    try container.encode(nextSerial, forKey: .nextSerial)
    try container.encode(domains, forKey: .domains)
    try container.encode(vcpus, forKey: .virtualProcessors)
  }

  /// - Throws: ``Failure/savedState(_:)``, or the decoder's error, if this is not what ``encode(to:)`` has written.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let version = try container.decode(Int.self, forKey: .stateVersion)
    guard version == Self.stateVersion else { throw Failure.savedState("version \(version) is not known") }
    try self.init(
      processors: container.decode(Int.self, forKey: .processors),
      cyclesPerSecond: container.decode(UInt64.self, forKey: .cyclesPerSecond))
    clock = try container.decode(UInt64.self, forKey: .clock)
    nextTimer = try container.decode(UInt64.self, forKey: .nextTimer)
    lastAccounting = try container.decode(UInt64.self, forKey: .lastAccounting)
    nextSerial = try container.decode(UInt64.self, forKey: .nextSerial)
    domains = try container.decode([DomainRecord].self, forKey: .domains)
    vcpus = try container.decode([VirtualProcessorRecord].self, forKey: .virtualProcessors)
    if let damage { throw Failure.savedState(damage) }
    for v in vcpus.indices where vcpus[v].serial != 0 {
      let cpu = vcpus[v].processor
      switch vcpus[v].state {
      case .running:
        cpus[cpu].current = v
        idle &= ~bit(cpu)
      case .runnable where !vcpus[v].isParked: enqueue(v, on: cpu)
      case .runnable, .blocked, .offline: break
      }
    }
    if let violation { throw Failure.savedState(violation) }
  }

  /// What a hostile file could claim, and the scheduler relies on; nil if all is well.
  private var damage: String? {
    guard lastAccounting <= clock else { return "the last accounting is in the future" }
    guard (1...UInt64(Int64.max)).contains(nextSerial) else { return "it has made too many virtual processors" }
    guard vcpus.count <= Self.maximumVirtualProcessors else { return "too many virtual processors" }
    var ids: Set<Int> = []
    for domain in domains {
      guard let id = domain.id else { continue }
      guard ids.insert(id).inserted else { return "domain \(id) is there twice" }
      guard Self.weightRange.contains(domain.weight), Self.capRange.contains(domain.cap), pauseRange.contains(domain.pauses) else {
        return "domain \(id) has impossible parameters"
      }
    }
    var serials: Set<UInt64> = []
    for (v, record) in vcpus.enumerated() {
      guard record.serial != 0 else {
        guard record == VirtualProcessorRecord() else { return "a free place is not empty" }
        continue
      }
      guard serials.insert(record.serial).inserted, record.serial < nextSerial else { return "a virtual processor is there twice" }
      guard domains.indices.contains(record.domain), domains[record.domain].id != nil else {
        return "a virtual processor has no domain"
      }
      if let damage = damage(of: v) { return "virtual processor \(record.serial) \(damage)" }
    }
    let isAwake = vcpus.contains { $0.state == .running || $0.state == .runnable }
    // Ticks come in time; only while everybody sleeps there need not be any.
    return nextTimer <= clock.addingSaturated(tick) || !isAwake && nextTimer == .max ? nil : "the next tick comes too late"
  }

  private func damage(of v: Int) -> String? {
    let record = vcpus[v]
    guard allowed(v) != 0, cpus.indices.contains(record.processor) else { return "has no processor" }
    guard pauseRange.contains(record.pauses) else { return "has an impossible number of pauses" }
    guard record.created <= record.since, record.since <= clock else { return "is from the future" }
    let states: [RunState] = [.running, .runnable, .blocked, .offline]
    for state in states {
      guard record.times[state] >= record.settledTimes[state] else { return "has run less than nothing" }
    }
    let isReady = record.isStarted && !record.isBlocked && !isPaused(v)
    let isAwake = record.state == .running || record.state == .runnable
    guard isReady == isAwake, !record.isParked || record.state == .runnable else { return "has a state that contradicts itself" }
    guard (record.allowance == nil) == (domains[record.domain].cap == 0), record.timesScheduled >= record.migrations else {
      return "has impossible counts"
    }
    return nil
  }

  /// More pauses than this come from no one.
  private var pauseRange: ClosedRange<Int> { 0...Int(Int32.max) }
}
