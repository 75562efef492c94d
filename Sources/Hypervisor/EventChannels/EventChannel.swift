/// VIRQs: what the hypervisor itself raises (`xen/include/public/xen.h`).
public enum VirtualInterrupt {
  public static let timer: UInt32 = 0
  public static let debug: UInt32 = 1
  public static let console: UInt32 = 2
  public static let domainException: UInt32 = 3
  public static let profiler: UInt32 = 7
  /// VIRQ_ITC: a domain's interval timer once it has registered a callback for events.
  public static let intervalTimer: UInt32 = 16
  public static let correctedMachineCheck: UInt32 = 17
  public static let correctedPlatformError: UInt32 = 18
  public static let count: UInt32 = 24

  /// Bound once in a domain, to processor 0, and not once on each of its processors.
  public static func isGlobal(_ number: UInt32) -> Bool {
    switch number {
    case timer, debug, profiler, intervalTimer, correctedMachineCheck, correctedPlatformError: false
    default: true
    }
  }
}

/// One port of a domain: what it is connected to.
public struct EventChannel: Equatable, Sendable {
  public enum Connection: Equatable, Sendable {
    case closed
    /// Waits for that domain to connect.
    case unbound(remote: UInt16)
    case interdomain(domain: UInt16, port: UInt32)
    case physical(line: UInt32)
    case virtual(interrupt: UInt32)
    /// Of a virtual processor: others send to it.
    case interprocessor

    /// EVTCHNSTAT_*.
    public var status: UInt32 {
      switch self {
      case .closed: 0
      case .unbound: 1
      case .interdomain: 2
      case .physical: 3
      case .virtual: 4
      case .interprocessor: 5
      }
    }
  }
  public internal(set) var connection = Connection.closed
  /// The virtual processor that is told.
  public internal(set) var processor = 0
}

/// The ports of one domain. Domain 0's have handlers in place of a shared_info.
final class EventPorts {
  let number: UInt16
  /// Nil: domain 0, or one that is gone.
  weak let domain: (any ServicedDomain)?
  var channels: [EventChannel]
  var handlers: [UInt32: () -> Void] = [:]
  /// Ports that a virtual processor sleeps on.
  var polled: [Int: [UInt32]] = [:]

  init(number: UInt16, domain: (any ServicedDomain)?) {
    (self.number, self.domain) = (number, domain)
    // Port 0 is nobody's.
    channels = [EventChannel()]
  }

  subscript(_ port: UInt32) -> EventChannel {
    get { port < channels.count ? channels[Int(port)] : EventChannel() }
    set { channels[Int(port)] = newValue }
  }

  func take(_ connection: EventChannel.Connection, processor: Int = 0) throws(XenError) -> UInt32 {
    let channel = EventChannel(connection: connection, processor: processor)
    if let free = channels.indices.dropFirst().first(where: { channels[$0].connection == .closed }) {
      channels[free] = channel
      return UInt32(free)
    }
    guard channels.count < SharedInfo.ports else { throw .noSpace }
    channels.append(channel)
    return UInt32(channels.count - 1)
  }

  func open(_ port: UInt32) throws(XenError) -> EventChannel {
    let channel = self[port]
    guard channel.connection != .closed else { throw .invalid }
    return channel
  }

  func hasProcessor(_ processor: UInt32) -> Bool { processor < UInt32(domain?.virtualProcessorCount ?? 1) }

  /// What the hypervisor does when something happens on a port (`evtchn_set_pending`).
  func raise(_ port: UInt32) {
    guard let domain else {
      handlers[port]?()
      return
    }
    let shared = domain.sharedInfo
    guard !shared.isPending(Int(port)) else { return }
    shared.setPending(Int(port), true)
    if !shared.isMasked(Int(port)) { select(port, domain) }
    // Whoever polls is woken by a masked port, too.
    for processor in polled.keys.sorted() where polled[processor]?.contains(port) == true {
      polled[processor] = nil
      domain.upcall(processor)
    }
  }

  /// Sets the word's bit in the processor's selector and, if it was clear, tells the processor unless it has been told.
  func select(_ port: UInt32, _ domain: any ServicedDomain) {
    let processor = self[port].processor
    let shared = domain.sharedInfo
    let selector = shared.pendingSelector(processor)
    let bit = UInt64(1) << UInt64(port >> 6)
    guard selector & bit == 0 else { return }
    shared.setPendingSelector(processor, selector | bit)
    guard !shared.upcallPending(processor) else { return }
    shared.setUpcallPending(processor, true)
    domain.upcall(processor)
  }
}
