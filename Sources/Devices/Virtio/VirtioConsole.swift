import Platform

/// The other end of a virtio console.
public protocol VirtioConsolePeer: AnyObject {
  /// The guest has written these bytes.
  func transmit(_ bytes: [UInt8])
}

/// A virtio console (section 5.3) with one port.
public final class VirtioConsole: VirtioDevice {
  enum Feature {
    static let size: UInt64 = 1 << 0
    static let emergencyWrite: UInt64 = 1 << 2
  }

  /// Everything that a saved machine needs of it.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    var columns: UInt16 = 80
    var rows: UInt16 = 25
    /// Characters for the guest that it has no buffer for yet.
    var input: [UInt8] = []
    var received: UInt64 = 0
    var transmitted: UInt64 = 0
  }

  private enum Queue {
    static let receive = 0
    static let transmit = 1
  }
  /// Characters that wait for the guest.
  static let inputLimit = 4096
  /// Bytes of one buffer of the guest that are printed; a driver's buffers are pages.
  static let largestOutput = 64 << 10
  private static let emergencyField = 8
  /// Bytes per second, both ways.
  private static let rate: UInt64 = 10_000_000

  public var state = State()
  public weak var peer: (any VirtioConsolePeer)?

  override public init(events: EventQueue, clock: any VirtualClock) { super.init(events: events, clock: clock) }

  override var kind: VirtioKind { .console }
  override var queueSizes: [UInt16] { [64, 64] }
  override var features: UInt64 { Feature.size | Feature.emergencyWrite }
  override var configuration: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(little: state.columns)
    bytes.append(little: state.rows)
    bytes.append(little: UInt32(1))  // ports
    bytes.append(little: UInt32(0))  // write only
    return bytes
  }
  override var counters: [String: UInt64] { ["received_bytes": state.received, "transmitted_bytes": state.transmitted] }

  /// A character in trouble, from a driver that need not have set up anything (section 5.3.4).
  override func configurationWritten(_ offset: Int, _ bytes: [UInt8]) {
    guard offset == Self.emergencyField, let byte = bytes.first else { return }
    state.transmitted += 1
    peer?.transmit([byte])
  }

  /// The terminal has another size.
  public func resize(columns: UInt16, rows: UInt16) {
    guard (columns, rows) != (state.columns, state.rows) else { return }
    (state.columns, state.rows) = (columns, rows)
    transport?.configurationChanged()
  }

  /// Characters for the guest; returns how many there was room for.
  @discardableResult public func receive(_ bytes: [UInt8]) -> Int {
    let count = min(bytes.count, Self.inputLimit - state.input.count)
    state.input += bytes[..<count]
    transport?.scheduleLook(Queue.receive, at: now &+ Self.notificationTime)
    return count
  }

  override func reset() { state.input = [] }

  override func look(_ queue: Int) {
    if queue == Queue.receive { fill() } else { drain() }
  }

  private func fill() {
    while let memory, !state.input.isEmpty, let chain = transport?.take(Queue.receive) {
      let bytes = Array(state.input.prefix(chain.writableCount))
      let isStored: Void? = transport?.attempt { () throws(VirtqueueFault) in try chain.write(bytes, memory) }
      guard isStored != nil else { return }
      state.input.removeFirst(bytes.count)
      state.received += UInt64(bytes.count)
      transport?.finish(chain, written: bytes.count)
    }
  }

  /// One buffer, and the time that its characters take.
  private func drain() {
    guard let memory, let chain = transport?.take(Queue.transmit) else { return }
    let count = min(chain.readableCount, Self.largestOutput)
    guard let bytes = transport?.attempt({ () throws(VirtqueueFault) in try chain.bytes(count: count, memory) }) else { return }
    state.transmitted += UInt64(count)
    peer?.transmit(bytes)
    transport?.finish(chain, written: 0)
    transport?.scheduleLook(
      Queue.transmit, at: now &+ Self.notificationTime &+ Cycles.reaching(ticks: UInt64(count), frequency: Self.rate))
  }
}
