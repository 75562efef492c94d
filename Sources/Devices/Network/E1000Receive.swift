import HostResources
import Platform

/// The way of a frame from the wire through the packet buffer into the receive ring (manual, section 3.2).
extension E1000 {
  private typealias R = E1000Register
  private typealias Counter = E1000Statistics.Counter

  /// The longest frame that the chip takes with long packets on (section 13.4.22), and off, both with check sequence.
  private static let largestFrame = 16384
  private static let largestOrdinaryFrame = 1522
  private static let pauseAddress = MACAddress(value: 0x0180_C200_0001)
  private static let controlType: UInt16 = 0x8808

  // MARK: The wire

  /// Takes the next frame that the network has for us, if the wire is quiet.
  func listen() {
    guard state.arriving == nil else { return }
    guard linkIsUp && !isLoopback else {
      // There is no cable: what is sent to us is lost.
      while port.receive() != nil {}
      return
    }
    // A peer that was told to pause holds its frames back.
    if state.hasPausedPeer { return }
    guard let frame = port.receive() else { return }
    state.arriving = frame
    arm(.receive, at: now &+ wireTime(frame))
  }

  func receiveDue() {
    guard var frame = state.arriving else { return }
    state.arriving = nil
    if linkIsUp {
      if frame.count < Self.smallestFrame {
        frame.append(contentsOf: repeatElement(0, count: Self.smallestFrame - frame.count))
      }
      accept(frame)
    }
    listen()
  }

  /// A frame is there, from the wire or from ourselves.
  func accept(_ frame: [UInt8]) {
    let control = state[R.rctl]
    guard control & E1000Receive.enable != 0, let destination = MACAddress(frame, at: 0), frame.count >= 14 else { return }
    let length = frame.count + Self.checkSequence
    state.statistics.countSeen(length: length)
    if takesPause(frame, destination) { return }
    let match = match(destination, source: MACAddress(frame, at: 6))
    guard match != .no, passesVLANFilter(frame) else { return }
    guard length <= (control & E1000Receive.longPackets != 0 ? Self.largestFrame : Self.largestOrdinaryFrame) else {
      state.statistics.count(Counter.roc)
      return
    }
    let size = Int(state[R.pba] & 0x7F) << 10
    guard state.receivedBytes + length <= size else {
      state.statistics.count(Counter.mpc)
      return raise(E1000Cause.rxo)
    }
    state.statistics.countReceived(
      length: length, isBroadcast: destination == .broadcast, isMulticast: destination != .broadcast && destination.isGroup)
    if freeDescriptors == 0 { state.statistics.count(Counter.rnbc) }
    state.received.append(described(frame, match))
    state.receivedBytes += length
    drain()
  }

  // MARK: Flow control (section 8.7, IEEE 802.3 annex 31B)

  /// Acts on a pause frame; true if software does not get it.
  private func takesPause(_ frame: [UInt8], _ destination: MACAddress) -> Bool {
    guard frame.word16(12) == Self.controlType else { return false }
    let control = state[R.rctl]
    let isPause = frame.word16(14) == 1 && (destination == Self.pauseAddress || match(destination, source: nil) == .exact)
    if isPause && state[R.ctrl] & E1000Control.receiveFlowControl != 0 {
      let quanta = frame.word16(16)
      state.statistics.count(quanta == 0 ? Counter.xonrxc : Counter.xoffrxc)
      pauseTransmission(quanta: quanta)
      return control & E1000Receive.discardPause != 0 || control & E1000Receive.passControl == 0
    }
    if !isPause { state.statistics.count(Counter.fcruc) }
    return control & E1000Receive.passControl == 0
  }

  /// The port of a bridge honours pause frames: it holds back what it has for us between the two watermarks.
  func updateFlowControl() {
    let high = Int(state[R.fcrth] & 0xFFF8)
    let low = Int(state[R.fcrtl] & 0xFFF8)
    let isOn = state[R.ctrl] & E1000Control.transmitFlowControl != 0 && high > 0
    if state.hasPausedPeer {
      guard !isOn || state.receivedBytes < max(low, 1) else { return }
      state.hasPausedPeer = false
      if state[R.fcrtl] >> 31 != 0 { state.statistics.count(Counter.xontxc) }
      listen()
    } else if isOn && state.receivedBytes >= high {
      state.hasPausedPeer = true
      state.statistics.count(Counter.xofftxc)
    }
  }

  // MARK: The ring

  private var ringSize: UInt32 { state[R.rdlen] / 16 }

  /// From head to tail: what software has lent us.
  private var freeDescriptors: UInt32 {
    let (head, tail) = (state[R.rdh], state[R.rdt])
    guard ringSize > 0, head != tail else { return 0 }
    return tail > head ? tail - head : tail &+ ringSize &- min(head, ringSize)
  }

  /// BSIZE, sixteen times larger with BSEX.
  private var bufferSize: Int {
    let control = state[R.rctl]
    let size = 2048 >> Int(control >> 16 & 3)
    return control & E1000Receive.sizeExtension != 0 && size < 2048 ? size * 16 : size
  }

  /// Moves what is in the packet buffer to memory, as far as there are descriptors.
  func drain() {
    guard !state.received.isEmpty, state[R.rctl] & E1000Receive.enable != 0 else { return updateFlowControl() }
    var done = 0
    var causes: UInt32 = 0
    while done < state.received.count, freeDescriptors > 0 {
      var frame = state.received[done]
      let isThere = store(&frame, &causes)
      state.received[done] = frame
      // The ring or a buffer is not in memory: the frame is lost, as on a bus where nobody answers.
      if !isThere { noteAbort() }
      if !isThere || frame.stored >= frame.bytes.count { done += 1 }
    }
    if done > 0 {
      let bytes = state.received[0..<done].reduce(0) { $0 + $1.bytes.count }
      state.received.removeFirst(done)
      state.receivedBytes = state.received.isEmpty ? 0 : max(0, state.receivedBytes - bytes)
    }
    if causes != 0 { reportReceived(causes) }
    updateFlowControl()
  }

  /// One descriptor's worth of a frame. False: memory does not answer.
  private func store(_ frame: inout E1000ReceivedFrame, _ causes: inout UInt32) -> Bool {
    let index = state[R.rdh] < ringSize ? state[R.rdh] : 0
    let address = (UInt64(state[R.rdbah]) << 32 | UInt64(state[R.rdbal])) &+ UInt64(index) * 16
    defer {
      state[R.rdh] = index + 1 < ringSize ? index + 1 : 0
    }
    guard let buffer = function.load(address, as: UInt64.self) else { return false }
    let count = min(bufferSize, frame.bytes.count - frame.stored)
    let start = frame.stored
    let function = self.function
    let isStored = frame.bytes.withUnsafeBytes {
      function.write(buffer, from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
    }
    frame.stored += count
    let isLast = frame.stored == frame.bytes.count
    // Length, checksum, status, errors, VLAN tag.
    var word = UInt64(count) | UInt64(frame.checksum) << 16 | 1 << 32
    if isLast {
      word |= UInt64(frame.status | 2) << 32 | UInt64(frame.errors) << 40 | UInt64(frame.vlanTag) << 48
      causes |= E1000Cause.rxt0
      let small = Int(state[R.rsrpd] & 0xFFF)
      if small > 0 && frame.bytes.count <= small { causes |= E1000Cause.srpd }
    }
    return function.store(address &+ 8, word) && isStored
  }

  /// RXT0 may wait for RDTR and RADV, so that one interrupt reports several frames; the other causes do not.
  private func reportReceived(_ causes: UInt32) {
    var now = causes & ~E1000Cause.rxt0
    // RDMTS: half, a quarter, an eighth of the ring is left.
    let shift = min(2, state[R.rctl] >> 8 & 3) + 1
    if freeDescriptors <= ringSize >> shift { now |= E1000Cause.rxdmt0 }
    if state[R.rdtr] == 0 || now != 0 {
      disarm(.receiveDelay)
      disarm(.receiveAbsolute)
      now |= causes & E1000Cause.rxt0
    } else if causes & E1000Cause.rxt0 != 0 {
      arm(.receiveDelay, at: self.now &+ delay(R.rdtr))
      if state[R.radv] != 0 && !isArmed(.receiveAbsolute) { arm(.receiveAbsolute, at: self.now &+ delay(R.radv)) }
    }
    if now != 0 { raise(now) }
  }
}
