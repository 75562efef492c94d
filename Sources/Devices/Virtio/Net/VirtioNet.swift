import HostResources
import Platform

/// A virtio network device (section 5.1) with one pair of queues, at a port of a network.
///
/// Checksums and segmentation are done here, for frames on the networks of Epicure are ordinary ones. A frame takes as long as its bits on
/// a wire of 1 Gb/s, in virtual time, both ways, as an e1000's do.
public final class VirtioNet: VirtioDevice {
  /// Features (section 5.1.3), as masks.
  enum Feature {
    static let checksum: UInt64 = 1 << 0
    static let guestChecksum: UInt64 = 1 << 1
    static let address: UInt64 = 1 << 5
    static let hostTCP4: UInt64 = 1 << 11
    static let hostTCP6: UInt64 = 1 << 12
    static let mergeableBuffers: UInt64 = 1 << 15
    static let status: UInt64 = 1 << 16
    static let control: UInt64 = 1 << 17
    static let receiveModes: UInt64 = 1 << 18
    static let extraReceiveModes: UInt64 = 1 << 20
    static let announce: UInt64 = 1 << 21
    static let changeAddress: UInt64 = 1 << 23
    static let speed: UInt64 = 1 << 63
  }
  enum Queue {
    static let receive = 0
    static let transmit = 1
    static let control = 2
  }

  /// Everything that a saved machine needs of it.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    var address: UInt64
    var isConnected = true
    /// The driver should make itself known to the network.
    var wantsAnnouncement = false
    var filter = VirtioNetFilter()
    /// The request whose frames are being sent, what is left of it, and what is on the wire.
    var sending: VirtqueueChain?
    var packet: VirtioNetPacket?
    var onWire: [UInt8]?
    /// On the wire to us, or waiting for buffers.
    var arriving: [UInt8]?
    var hasArrived = false
    /// Taken for the frame that waits, and not yet enough.
    var buffers: [VirtqueueChain] = []
    var filtered: UInt64 = 0
    var dropped: UInt64 = 0
  }

  static let bitsPerSecond: UInt64 = 1_000_000_000
  /// Preamble, gap and check sequence (IEEE 802.3, section 4.4.2), and the shortest frame, in bytes.
  static let frameOverhead = 24
  static let smallestFrame = 60
  /// An IP packet of the largest size with its Ethernet header and a VLAN tag.
  static let largestPacket = 65535 + 18
  /// As vhost's `busyloop_timeout` is usually set: who sends one packet often has more, or an answer to what it brings.
  private static let patienceTime = Cycles.from(nanoseconds: 50_000)

  public var state: State
  private let ownAddress: MACAddress
  let port: any NetworkPort

  public init(address: MACAddress, port: any NetworkPort, events: EventQueue, clock: any VirtualClock) {
    ownAddress = address
    state = State(address: address.value)
    self.port = port
    super.init(events: events, clock: clock)
    // The port may outlive the device.
    port.frameArrived = { [weak self] in self?.listen() }
  }

  // MARK: Description

  override var kind: VirtioKind { .net }
  override var queueSizes: [UInt16] { [256, 256, 64] }
  override var features: UInt64 {
    Feature.checksum | Feature.guestChecksum | Feature.address | Feature.hostTCP4 | Feature.hostTCP6 | Feature.mergeableBuffers
      | Feature.status | Feature.control | Feature.receiveModes | Feature.extraReceiveModes | Feature.announce
      | Feature.changeAddress | Feature.speed
  }

  /// Section 5.1.3.1: segmentation needs checksums, and control commands the queue for them.
  override func accepts(_ features: UInt64) -> Bool {
    let needsChecksum = Feature.hostTCP4 | Feature.hostTCP6
    let needsControl = Feature.receiveModes | Feature.extraReceiveModes | Feature.announce | Feature.changeAddress
    return (features & needsChecksum == 0 || features & Feature.checksum != 0)
      && (features & needsControl == 0 || features & Feature.control != 0)
  }

  /// Section 5.1.4.
  override var configuration: [UInt8] {
    var bytes = MACAddress(value: state.address).bytes
    bytes.append(little: UInt16((state.isConnected ? 1 : 0) | (state.wantsAnnouncement ? 2 : 0)))
    bytes.append(little: UInt16(1))  // pairs of queues
    bytes.append(little: UInt16(1500))
    bytes.append(little: UInt32(Self.bitsPerSecond / 1_000_000))
    bytes.append(1)  // full duplex
    return bytes
  }

  /// Legacy drivers write the address here; others have a command for that (section 5.1.4.3).
  override func configurationWritten(_ offset: Int, _ bytes: [UInt8]) {
    guard transport?.isModernDriver == false, !isNegotiated(Feature.changeAddress) else { return }
    var address = MACAddress(value: state.address).bytes
    for (n, byte) in bytes.enumerated() where offset + n < address.count { address[offset + n] = byte }
    if let new = MACAddress(address, at: 0) { state.address = new.value }
  }

  var headerSize: Int {
    transport?.isModernDriver == true || isNegotiated(Feature.mergeableBuffers) ? 12 : 10
  }

  override var counters: [String: UInt64] { ["filtered_frames": state.filtered, "dropped_frames": state.dropped] }

  // MARK: Link

  /// Plugs the cable in, or pulls it.
  public func setConnected(_ connected: Bool) {
    guard state.isConnected != connected else { return }
    state.isConnected = connected
    transport?.configurationChanged()
    listen()
  }

  /// Asks the driver to make its address known anew (section 5.1.6.5.4): the machine is somewhere else now.
  public func announce() {
    guard isNegotiated(Feature.announce) else { return }
    state.wantsAnnouncement = true
    transport?.configurationChanged()
  }

  // MARK: Time

  enum Tag {
    static let sent = VirtioDevice.firstTag
    static let arrived = VirtioDevice.firstTag + 1
  }

  /// Cycles that a frame takes on the wire.
  func wireTime(_ frame: [UInt8]) -> UInt64 {
    Cycles.reaching(ticks: UInt64(max(frame.count, Self.smallestFrame) + Self.frameOverhead) * 8, frequency: Self.bitsPerSecond)
  }

  override func happened(_ tag: UInt64) {
    switch tag {
    case Tag.sent: frameSent()
    case Tag.arrived: frameArrived()
    default: break
    }
  }

  override var patience: UInt64 { Self.patienceTime }

  override func look(_ queue: Int) {
    switch queue {
    case Queue.receive: deliver()
    case Queue.transmit: if state.onWire == nil { sendNext() }
    default: control()
    }
  }

  override func reset() {
    cancel(Tag.sent)
    cancel(Tag.arrived)
    let old = state
    state = State(address: ownAddress.value, isConnected: old.isConnected, filtered: old.filtered, dropped: old.dropped)
  }
}
