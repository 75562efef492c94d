import HostResources
import Platform

/// From the transmit queue to the wire.
extension VirtioNet {
  /// Starts the next frame; returns when one is on the wire, or none is there.
  func sendNext() {
    guard let transport else { return }
    while true {
      if let frame = state.packet?.nextFrame() {
        state.onWire = frame
        // More is looked for when it has left.
        transport.silence(Queue.transmit)
        return schedule(Tag.sent, at: now &+ wireTime(frame))
      }
      state.packet = nil
      if let done = state.sending {
        state.sending = nil
        transport.finish(done, written: 0)
      }
      guard let chain = transport.take(Queue.transmit) else { return }
      state.sending = chain
      guard let packet = transport.attempt({ () throws(VirtqueueFault) in try packet(chain) }) else {
        if transport.state.fault != nil { return }
        state.dropped += 1
        continue
      }
      state.packet = packet
    }
  }

  func frameSent() {
    guard let frame = state.onWire else { return }
    state.onWire = nil
    if state.isConnected { port.send(frame) } else { state.dropped += 1 }
    sendNext()
  }

  /// Nil: nothing that could be sent.
  private func packet(_ chain: VirtqueueChain) throws(VirtqueueFault) -> VirtioNetPacket? {
    guard let memory else { return nil }
    let size = chain.readableCount - headerSize
    guard size >= 0 else { throw .malformed }
    guard 14...Self.largestPacket ~= size else { return nil }
    var header = VirtioNetHeader(try chain.bytes(count: headerSize, memory))
    let bytes = try chain.bytes(at: headerSize, count: size, memory)
    // What was not negotiated does not count; to cut what nobody may ask to be cut is impossible.
    if !isNegotiated(Feature.checksum) { header.flags &= ~VirtioNetHeader.Flag.needsChecksum }
    switch header.segmentation {
    case VirtioNetHeader.Segmentation.none: break
    case VirtioNetHeader.Segmentation.tcp4 where isNegotiated(Feature.hostTCP4),
      VirtioNetHeader.Segmentation.tcp6 where isNegotiated(Feature.hostTCP6):
      break
    default: return nil
    }
    return VirtioNetPacket(header, bytes)
  }
}
