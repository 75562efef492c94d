import HostResources
import Hypervisor
import Platform

/// VNIF: a network adapter of a paravirtualized front end (netif), plugged into a port of the host.
///
/// Frames are copied, never flipped: a front end that insists on page flipping is refused. What a front end leaves out (checksums, the
/// cutting of long TCP segments) is completed here before a frame goes anywhere.
public final class NetworkBackEnd: BackEnd {
  private let network: any NetworkPort
  private let address: MACAddress
  private let bridge: String
  private let rate: String?
  var credit: TransmitCredit?
  var transmitRing: BackRing?
  var receiveRing: BackRing?
  private var event: UInt64?
  /// When the rate lets more through.
  private var creditEvent: UInt64?

  /// From a notification to the work of a back end that sleeps.
  private static let latency = Cycles.from(nanoseconds: 5_000)
  private lazy var poll = RingPoll(
    self, look: { [unowned self] in work(isResting: false) }, rest: { [unowned self] in _ = work(isResting: true) })

  public init(
    host: DriverHost, domain: UInt16, device: Int, address: MACAddress, network: any NetworkPort, bridge: String,
    rate: String? = nil
  ) {
    (self.network, self.address, self.bridge, self.rate) = (network, address, bridge, rate)
    credit = rate.flatMap(TransmitCredit.init(rate:))
    super.init(host: host, kind: "vif", domain: domain, device: device)
    network.frameArrived = { [weak self] in self?.notified() }
  }

  // MARK: Directories

  override public var frontKeys: [(String, String)] { [("handle", String(device)), ("mac", address.description)] }
  override public var backKeys: [(String, String)] {
    let all = [("handle", String(device)), ("mac", address.description), ("bridge", bridge), ("hotplug-status", "connected")]
    return rate.map { all + [("rate", $0)] } ?? all
  }
  override public var features: [(String, String)] {
    [("feature-sg", "1"), ("feature-gso-tcpv4", "1"), ("feature-rx-copy", "1"), ("feature-rx-flip", "0")]
  }

  override public func connect() throws(BackEndFailure) -> [(String, String)] {
    guard frontValue("request-rx-copy") == "1" else { throw BackEndFailure("the front end wants pages to be flipped") }
    transmitRing = BackRing(
      page: try mapRing("tx-ring-ref"), requestSize: TransmitRequest.size, responseSize: TransmitRequest.responseSize)
    receiveRing = BackRing(
      page: try mapRing("rx-ring-ref"), requestSize: ReceiveRequest.size, responseSize: ReceiveRequest.responseSize)
    try bindPort()
    return []
  }

  override public func disconnecting(isOrderly: Bool) {
    for event in [event, creditEvent] { if let event { host.cancel(event) } }
    (event, creditEvent) = (nil, nil)
    poll.stop()
    (transmitRing, receiveRing) = (nil, nil)
  }

  // MARK: Work

  override public func notified() {
    guard transmitRing != nil, event == nil, !poll.isAwake else { return }
    event = host.schedule(at: host.now + Self.latency) { [weak self] in
      self?.event = nil
      self?.poll.wake()
    }
  }

  /// Does what there is to do, and asks to be told of more if it `isResting`. False: there was nothing.
  private func work(isResting: Bool) -> Bool {
    do throws(ProtocolViolation) {
      let (isSent, again) = try transmit(isResting: isResting)
      let isReceived = try receive(isResting: isResting)
      if let again, creditEvent == nil {
        creditEvent = host.schedule(at: again) { [weak self] in
          self?.creditEvent = nil
          self?.poll.wake()
        }
      }
      return isSent || isReceived
    } catch {
      fail(error.description)
      return false
    }
  }

  /// Sends what waits in the ring; the cycle at which to go on if the rate does not let it all through.
  private func transmit(isResting: Bool) throws(ProtocolViolation) -> (isAny: Bool, again: UInt64?) {
    var isAny = false
    while let waiting = try transmitRing?.waiting() {
      if waiting > 0 {
        // The first slot's size is all of the packet's.
        if let again = try limited() {
          if isAny { notify(transmitRing?.push() ?? false) }
          return (isAny, again)
        }
        if let packet = try nextPacket() {
          send(packet)
          isAny = true
          continue
        }
      }
      guard isResting, try transmitRing?.awaitsMore(unfinished: waiting) == true else { break }
    }
    // Packets that were sent together are answered together.
    if isAny { notify(transmitRing?.push() ?? false) }
    return (isAny, nil)
  }

  /// Frames that have come, into buffers that the front end has posted. Those for which there is none wait in the port. False: there were none.
  private func receive(isResting: Bool) throws(ProtocolViolation) -> Bool {
    var isChanged = false
    while try (receiveRing?.waiting() ?? 0) > 0, let frame = network.receive() {
      guard let request = try receiveRing?.next().map(ReceiveRequest.init) else { break }
      isChanged = true
      receiveRing?.put(request.response(deliver(frame, request)))
    }
    // Frames that have come together are told of together.
    if isChanged { notify(receiveRing?.push() ?? false) }
    // A front end with feature-rx-notify tells of every buffer.
    if isResting { _ = try receiveRing?.awaitsMore() }
    return isChanged
  }

  private func deliver(_ frame: [UInt8], _ request: ReceiveRequest) -> Int16 {
    do throws(GrantStatus) {
      guard frame.count <= Int(FramePool.frameSize) else { throw .badCopyArgument }
      let end = GrantTables.HostCopyEnd(request.reference, of: domain, offset: 0)
      try host.grants.copyForHost(to: end, frame)
      statistics.requests += 1
      statistics.bytesRead += UInt64(frame.count)
      statistics.bytesCopied += UInt64(frame.count)
      return Int16(frame.count)
    } catch {
      statistics.refusals += 1
      report("a frame is dropped: buffer \(request.reference): \(error)")
      return -1
    }
  }

  private func send(_ packet: OutgoingPacket) {
    switch packet {
    case .refused(let reason):
      statistics.refusals += 1
      report("a packet is dropped: \(reason)")
    case .frames(let frames):
      for frame in frames {
        statistics.bytesWritten += UInt64(frame.count)
        network.send(frame)
      }
    }
  }
}
