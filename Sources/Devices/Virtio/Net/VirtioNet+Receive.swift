import HostResources
import Platform

/// From the wire into the receive queue's buffers.
extension VirtioNet {
  /// Takes the next frame that the network has for us, if the wire is quiet.
  func listen() {
    guard state.arriving == nil else { return }
    guard state.isConnected, transport?.isRunning == true else {
      // Nobody is there: what is sent to us is lost.
      while port.receive() != nil { state.dropped += 1 }
      return
    }
    guard let frame = port.receive() else { return }
    state.arriving = frame
    state.hasArrived = false
    schedule(Tag.arrived, at: now &+ wireTime(frame))
  }

  func frameArrived() {
    guard var frame = state.arriving else { return }
    guard state.filter.accepts(frame, own: state.address, isFiltering: isNegotiated(Feature.receiveModes)) else {
      state.filtered += 1
      state.arriving = nil
      return listen()
    }
    if frame.count < Self.smallestFrame { frame += [UInt8](repeating: 0, count: Self.smallestFrame - frame.count) }
    state.arriving = frame
    state.hasArrived = true
    deliver()
  }

  /// Moves the frame that has arrived to memory; it waits if there are no buffers.
  func deliver() {
    guard let transport, state.hasArrived, let frame = state.arriving else { return listen() }
    let needed = frame.count + headerSize
    let mayMerge = isNegotiated(Feature.mergeableBuffers)
    var room = state.buffers.reduce(0) { $0 + $1.writableCount }
    while room < needed {
      // One buffer must do.
      if !mayMerge && !state.buffers.isEmpty {
        state.dropped += 1
        return next()
      }
      guard let chain = transport.take(Queue.receive) else { return }
      guard state.buffers.count > 0 || chain.writableCount >= headerSize else { return transport.fail(.malformed) }
      state.buffers.append(chain)
      room += chain.writableCount
    }
    let buffers = state.buffers
    state.buffers = []
    let isStored: Void? = transport.attempt { () throws(VirtqueueFault) in try store(frame, in: buffers) }
    guard isStored != nil else { return }
    transport.interrupt(Queue.receive)
    next()
  }

  private func next() {
    state.arriving = nil
    state.hasArrived = false
    listen()
  }

  private func store(_ frame: [UInt8], in buffers: [VirtqueueChain]) throws(VirtqueueFault) {
    guard let memory else { return }
    var header = VirtioNetHeader()
    header.bufferCount = UInt16(buffers.count)
    // Checked here, so that the driver need not.
    if isNegotiated(Feature.guestChecksum), let sums = FrameChecksums(frame), sums.isHeaderRight, sums.isTransportRight == true {
      header.flags = VirtioNetHeader.Flag.dataValid
    }
    let bytes = header.bytes(count: headerSize) + frame
    var done = 0
    for buffer in buffers {
      let count = min(buffer.writableCount, bytes.count - done)
      try buffer.write(Array(bytes[done..<done + count]), memory)
      transport?.giveBack(buffer, written: count)
      done += count
    }
  }
}
