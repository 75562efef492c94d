/// A learning bridge with a name. It connects the adapters of machines in this process: a frame sent at cycle t
/// arrives at cycle t + ``latency`` of the receiver's clock, so that a run with a bridge is as deterministic as one without.
///
/// Links to elsewhere (other processes, networks of the host) are ports, too. Nothing is forwarded from one link to another: every
/// process has links to all others, so that there is no loop and nothing to forward.
public final class SoftwareBridge {
  public enum Failure: Error, Equatable, CustomStringConvertible {
    case full(String)
    public var description: String {
      switch self {
      case .full(let name): "bridge \(name) has no port left; it has \(SoftwareBridge.portLimit)"
      }
    }
  }

  public static let portLimit = 64
  /// Nanoseconds that a frame spends in the bridge: store and forward of a small switch.
  public static let latency: UInt64 = 5_000
  /// An address that sent nothing for so many nanoseconds of virtual time is forgotten (802.1D, table 7-5).
  public static let ageingTime: UInt64 = 300_000_000_000

  public let name: String
  private var table = ForwardingTable()
  private var ports: [Int: BridgeEnd] = [:]
  /// Frames that went nowhere: reserved addresses, and what is too short to have any.
  public private(set) var filtered: UInt64 = 0

  public init(name: String) { self.name = name }

  public var portCount: Int { ports.count }

  /// A port for an adapter of the machine with this timeline.
  public func connect(_ timeline: any MachineTimeline) throws(Failure) -> any NetworkPort {
    let port = MachinePort(bridge: self, number: try freeNumber(), timeline: timeline)
    ports[port.number] = .machine(WeakPort(port: port))
    return port
  }

  /// A port for a link to elsewhere; `deliver` takes what goes out.
  func connectLink(_ deliver: @escaping ([UInt8]) -> Void) throws(Failure) -> Int {
    let number = try freeNumber()
    ports[number] = .link(deliver)
    return number
  }

  func disconnect(_ number: Int) {
    ports[number] = nil
    forget(port: number)
  }

  /// What is behind a port may be elsewhere now.
  func forget(port number: Int) { table.forget(port: number) }

  /// The stations on this process's machines that have been heard of.
  var stations: [MACAddress] {
    table.addresses { number in
      if case .machine = ports[number] { true } else { false }
    }
  }

  /// A frame that came over a link; `time` is in nanoseconds of the machine that is here.
  func receive(_ frame: [UInt8], fromLink number: Int, time: UInt64) { forward(frame, from: number, time: time) }

  /// All machine ports have room: links may hand over another frame.
  var hasRoom: Bool {
    ports.values.allSatisfy {
      if case .machine(let end) = $0 { end.port?.mayTakeMore ?? true } else { true }
    }
  }

  private func freeNumber() throws(Failure) -> Int {
    guard let number = (0..<Self.portLimit).first(where: { ports[$0] == nil }) else { throw .full(name) }
    return number
  }

  // MARK: Forwarding

  fileprivate enum BridgeEnd {
    /// An adapter owns its port, and the port the bridge.
    case machine(WeakPort)
    case link(([UInt8]) -> Void)
  }

  fileprivate struct WeakPort { weak var port: MachinePort? }

  fileprivate func forward(_ frame: [UInt8], from source: Int, time: UInt64) {
    guard let destination = MACAddress(frame, at: 0), let sender = MACAddress(frame, at: 6), frame.count >= 14,
      !destination.isLinkLocal, let origin = ports[source]
    else {
      filtered &+= 1
      return
    }
    table.learn(sender, port: source, time: time)
    if !destination.isGroup,
      let known = table.port(of: destination, since: time > Self.ageingTime ? time - Self.ageingTime : 0)
    {
      if known != source { pass(frame, to: known, from: origin, time: time) }
      return
    }
    for number in 0..<Self.portLimit where number != source { pass(frame, to: number, from: origin, time: time) }
  }

  private func pass(_ frame: [UInt8], to number: Int, from origin: BridgeEnd, time: UInt64) {
    switch (ports[number], origin) {
    case (.machine(let end), _): end.port?.arrive(frame, time: time)
    case (.link(let deliver), .machine): deliver(frame)
    case (.link, .link), (nil, _): break
    }
  }

  /// An adapter's port.
  fileprivate final class MachinePort: QueuedPort {
    private let bridge: SoftwareBridge
    let number: Int
    private unowned let timeline: any MachineTimeline
    private var arrival: Int?
    /// On their way through the bridge, in the order of their arrival; those of one cycle in the order in which they were sent.
    private var underway: [(cycle: UInt64, frame: [UInt8])] = []
    private static let limit = 512

    init(bridge: SoftwareBridge, number: Int, timeline: any MachineTimeline) {
      self.bridge = bridge
      self.number = number
      self.timeline = timeline
      super.init()
      arrival = timeline.register { [unowned self] _ in
        if !underway.isEmpty { deliver(underway.removeFirst().frame) }
      }
    }
    deinit { bridge.disconnect(number) }

    var mayTakeMore: Bool { hasRoom && underway.count < Self.limit }

    override func transmit(_ frame: [UInt8]) {
      bridge.forward(frame, from: number, time: timeline.nanoseconds(cycles: timeline.now))
    }

    /// `time`: when the frame was sent, in nanoseconds of the sender's clock. All clocks begin at power-on.
    func arrive(_ frame: [UInt8], time: UInt64) {
      guard let arrival, underway.count < Self.limit else {
        statistics.receiveDrops &+= 1
        return
      }
      let cycle = max(timeline.cycles(nanoseconds: time &+ SoftwareBridge.latency), timeline.now)
      // Senders' clocks differ by a little: the new frame need not be the last one.
      let place = underway.lastIndex { $0.cycle <= cycle }.map { $0 + 1 } ?? 0
      underway.insert((cycle, frame), at: place)
      timeline.schedule(arrival, at: cycle)
    }
  }
}
