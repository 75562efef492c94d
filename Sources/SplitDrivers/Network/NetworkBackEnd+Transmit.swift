import Hypervisor

/// A packet that a front end has put into its ring, complete or not.
enum OutgoingPacket: Equatable {
  case frames([[UInt8]])
  case refused(String)
}

/// From slots of the transmit ring to frames.
extension NetworkBackEnd {
  /// Slots of one packet besides extra information: Linux's fragments of a socket buffer, and its head.
  static let fragmentLimit = 18
  static let extraLimit = 4

  private struct Slots {
    var requests: [TransmitRequest] = []
    var extras: [ExtraInfo] = []
  }

  /// The cycle at which the next packet may go; nil: now.
  func limited() throws(ProtocolViolation) -> UInt64? {
    guard credit != nil, let ring = transmitRing else { return nil }
    // Only looked at here; the packet itself is read once, later.
    var copy = ring
    guard let bytes = try copy.next() else { return nil }
    return credit?.take(UInt64(TransmitRequest(bytes).count), at: host.now)
  }

  /// Takes one packet out of the ring, and answers all its slots. Nil: it is not all there.
  func nextPacket() throws(ProtocolViolation) -> OutgoingPacket? {
    guard var ring = transmitRing, let (slots, isWhole) = try collect(&ring) else { return nil }
    transmitRing = ring
    statistics.requests += 1
    let packet = isWhole ? assemble(slots) : .refused("more than \(Self.fragmentLimit) fragments")
    var status = TransmitRequest.Status.okay
    if case .refused = packet { status = .error }
    for (index, request) in slots.requests.enumerated() {
      transmitRing?.put(TransmitRequest.response(id: request.id, status))
      // Extra slots follow the first one.
      if index == 0 { for _ in slots.extras { transmitRing?.put(TransmitRequest.response(id: 0, .null)) } }
    }
    return packet
  }

  /// The slots of the next packet, and whether those are all; nil: its end has not come yet.
  private func collect(_ ring: inout BackRing) throws(ProtocolViolation) -> (Slots, isWhole: Bool)? {
    var slots = Slots()
    guard let first = try ring.next().map(TransmitRequest.init) else { return nil }
    slots.requests.append(first)
    var hasExtra = first.flags & TransmitRequest.Flags.extraInfo != 0
    while hasExtra {
      guard let extra = try ring.next().map(ExtraInfo.init) else { return nil }
      slots.extras.append(extra)
      hasExtra = extra.hasMore
      guard slots.extras.count < Self.extraLimit || !hasExtra else { return (slots, false) }
    }
    var hasMore = first.flags & TransmitRequest.Flags.moreData != 0
    while hasMore {
      guard slots.requests.count < Self.fragmentLimit else { return (slots, false) }
      guard let request = try ring.next().map(TransmitRequest.init) else { return nil }
      slots.requests.append(request)
      hasMore = request.flags & TransmitRequest.Flags.moreData != 0
    }
    return (slots, true)
  }

  private func assemble(_ slots: Slots) -> OutgoingPacket {
    let total = Int(slots.requests[0].count)
    guard total >= PacketCompletion.ethernetHeader else { return .refused("\(total) bytes are no frame") }
    let rest = slots.requests.dropFirst().reduce(0) { $0 + Int($1.count) }
    guard rest < total else { return .refused("fragments of \(rest) bytes in a packet of \(total)") }
    var frame: [UInt8] = []
    for (index, request) in slots.requests.enumerated() {
      let count = index == 0 ? total - rest : Int(request.count)
      guard Int(request.offset) + count <= Int(FramePool.frameSize) else { return .refused("a fragment crosses its frame") }
      let end = GrantTables.HostCopyEnd(request.reference, of: domain, offset: Int(request.offset))
      do throws(GrantStatus) {
        frame += try host.grants.copyForHost(from: end, count: count)
      } catch {
        return .refused("grant \(request.reference): \(error)")
      }
    }
    statistics.bytesCopied += UInt64(total)
    return complete(frame, slots)
  }

  private func complete(_ frame: [UInt8], _ slots: Slots) -> OutgoingPacket {
    for extra in slots.extras where extra.type == ExtraInfo.segmentationOffload {
      guard extra.segmentType == ExtraInfo.tcpIPv4, let frames = PacketCompletion.segments(frame, size: Int(extra.segmentSize))
      else {
        return .refused("a long segment that cannot be cut")
      }
      return .frames(frames)
    }
    var frame = frame
    if slots.requests[0].flags & TransmitRequest.Flags.checksumBlank != 0 { _ = PacketCompletion.fillChecksum(&frame) }
    return .frames([frame])
  }
}
