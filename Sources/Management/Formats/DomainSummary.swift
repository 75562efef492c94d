/// A line of `xm list`.
public struct DomainSummary: Sendable, Equatable, Codable {
  public var name: String
  /// Nil: a domain that is known and does not run.
  public var id: Int?
  /// MiB.
  public var memory: Int
  /// Online; those of the configuration if it does not run.
  public var virtualProcessors: Int
  /// Nil if it does not run.
  public var state: DomainState?
  public var processorSeconds: Double

  public init(name: String, id: Int?, memory: Int, virtualProcessors: Int, state: DomainState?, processorSeconds: Double) {
    (self.name, self.id, self.memory, self.virtualProcessors) = (name, id, memory, virtualProcessors)
    (self.state, self.processorSeconds) = (state, processorSeconds)
  }
}

/// A line of `xm vcpu-list`.
public struct VirtualProcessorSummary: Sendable, Equatable, Codable {
  /// The domain's.
  public var name: String
  public var id: Int?
  public var number: Int
  /// The processor that it is on; nil if its domain does not run.
  public var processor: Int?
  public var isOnline: Bool
  public var isRunning: Bool
  public var isBlocked: Bool
  public var processorSeconds: Double
  public var affinity: ProcessorMask

  public init(
    name: String, id: Int?, number: Int, processor: Int?, isOnline: Bool, isRunning: Bool, isBlocked: Bool,
    processorSeconds: Double, affinity: ProcessorMask
  ) {
    (self.name, self.id, self.number, self.processor) = (name, id, number, processor)
    (self.isOnline, self.isRunning, self.isBlocked) = (isOnline, isRunning, isBlocked)
    (self.processorSeconds, self.affinity) = (processorSeconds, affinity)
  }
}

/// A line of `xm sched-credit`.
public struct SchedulingSummary: Sendable, Equatable, Codable {
  public var name: String
  public var id: Int?
  /// Nil where the scheduler knows none.
  public var weight: Int?
  public var cap: Int?

  public init(name: String, id: Int?, weight: Int?, cap: Int?) {
    (self.name, self.id, self.weight, self.cap) = (name, id, weight, cap)
  }
}

/// A line of `xm uptime`.
public struct UptimeSummary: Sendable, Equatable, Codable {
  public var name: String
  public var id: Int?
  public var seconds: Double

  public init(name: String, id: Int?, seconds: Double) { (self.name, self.id, self.seconds) = (name, id, seconds) }
}
