import CZlib
import HostResources
import Platform

/// The transmit ring (manual, sections 3.3 and 3.4).
extension E1000 {
  private typealias R = E1000Register
  private typealias Counter = E1000Statistics.Counter

  /// Descriptors that one event looks at.
  private static let batch = 64

  private enum Command {
    static let endOfPacket: UInt8 = 1 << 0
    static let insertCheckSequence: UInt8 = 1 << 1
    /// Legacy: insert a checksum. Extended: segment.
    static let insertChecksum: UInt8 = 1 << 2
    static let segment: UInt8 = 1 << 2
    static let reportStatus: UInt8 = 1 << 3
    static let extended: UInt8 = 1 << 5
    static let vlan: UInt8 = 1 << 6
    static let delayInterrupt: UInt8 = 1 << 7
  }

  private var ringSize: UInt32 { state[R.tdlen] / 16 }

  private var mayTransmit: Bool {
    state[R.tctl] & E1000Transmit.enable != 0 && !state.transmitter.isHalted && !isArmed(.pause) && (linkIsUp || isLoopback)
  }
  private var ringIsEmpty: Bool { state[R.tdh] == state[R.tdt] || ringSize == 0 }

  /// Software has moved the tail, or an obstacle has gone.
  func startTransmitter() {
    guard !isArmed(.transmit), state.transmitter.onWire == nil, mayTransmit, !ringIsEmpty || state.transmitter.nextSegment != nil
    else { return }
    arm(.transmit, at: now &+ Self.descriptorFetch)
  }

  /// The last bit of a frame has left, or the first descriptors are there.
  func transmitDue() {
    if let frame = state.transmitter.onWire {
      state.transmitter.onWire = nil
      sent(frame)
    }
    guard mayTransmit else { return }
    // One packet, and so many descriptors: what a guest can make one event do is bounded.
    for _ in 0..<Self.batch {
      if state.transmitter.nextSegment != nil {
        guard let frame = state.transmitter.nextFrame(), let complete = completed(frame) else { break }
        state.transmitter.onWire = complete
        return arm(.transmit, at: now &+ wireTime(complete))
      }
      if ringIsEmpty || state.transmitter.isHalted { return }
      if !fetch() {
        state.transmitter.isHalted = true
        return noteAbort()
      }
    }
    arm(.transmit, at: now &+ Self.descriptorFetch)
  }

  // MARK: Descriptors

  /// Takes the descriptor at the head; false: it is not in memory.
  private func fetch() -> Bool {
    let index = state[R.tdh] < ringSize ? state[R.tdh] : 0
    let ring = UInt64(state[R.tdbah]) << 32 | UInt64(state[R.tdbal])
    let address = ring &+ UInt64(index) * 16
    guard let low = function.load(address, as: UInt64.self), let high = function.load(address &+ 8, as: UInt64.self) else {
      return false
    }
    let command = UInt8(truncatingIfNeeded: high >> 24)
    if command & Command.extended == 0 {
      gatherLegacy(low, high, command)
    } else if high >> 20 & 0xF == 0 {
      let context = E1000Context(low: low, high: high)
      if command & Command.segment != 0 {
        state.transmitter.segmentContext = context
        state.statistics.count(Counter.tsctc)
      } else {
        state.transmitter.checksumContext = context
      }
    } else if high >> 20 & 0xF == 1 {
      gatherExtended(low, high, command)
    }
    // Other types are reserved: they are passed over.
    state[R.tdh] = index + 1 < ringSize ? index + 1 : 0
    report(address, high, command)
    return true
  }

  private func gatherLegacy(_ low: UInt64, _ high: UInt64, _ command: UInt8) {
    if !state.transmitter.isGathering {
      begin(command, vlan: UInt16(truncatingIfNeeded: high >> 48))
      if command & Command.insertChecksum != 0 {
        state.transmitter.options.legacyChecksum = .init(start: Int(high >> 40 & 0xFF), offset: Int(high >> 16 & 0xFF))
      }
    }
    append(low, Int(high & 0xFFFF), command)
  }

  private func gatherExtended(_ low: UInt64, _ high: UInt64, _ command: UInt8) {
    if !state.transmitter.isGathering {
      begin(command, vlan: UInt16(truncatingIfNeeded: high >> 48))
      // POPTS counts in the first descriptor of a packet.
      state.transmitter.options.insertsIPChecksum = high >> 40 & 1 != 0
      state.transmitter.options.insertsTransportChecksum = high >> 41 & 1 != 0
      state.transmitter.options.segments = command & Command.segment != 0
    }
    append(low, Int(high & 0xF_FFFF), command)
  }

  private func begin(_ command: UInt8, vlan: UInt16) {
    state.transmitter.options = .init()
    state.transmitter.isGathering = true
    state.transmitter.isSpoilt = false
    state.transmitter.packet.removeAll(keepingCapacity: true)
    state.transmitter.options.insertsCheckSequence = command & Command.insertCheckSequence != 0
    if command & Command.vlan != 0 && state[R.ctrl] & E1000Control.vlanMode != 0 { state.transmitter.options.vlanTag = vlan }
  }

  private func append(_ address: UInt64, _ length: Int, _ command: UInt8) {
    if length > state.transmitter.room {
      state.transmitter.isSpoilt = true
    } else if !state.transmitter.isSpoilt && length > 0 {
      let old = state.transmitter.packet.count
      state.transmitter.packet.append(contentsOf: repeatElement(0, count: length))
      let function = self.function
      let isThere = state.transmitter.packet.withUnsafeMutableBytes { bytes in
        function.read(address, into: UnsafeMutableRawBufferPointer(rebasing: bytes[old...]))
      }
      if !isThere {
        state.transmitter.isSpoilt = true
        noteAbort()
      }
    }
    guard command & Command.endOfPacket != 0 else { return }
    if state.transmitter.isSpoilt || state.transmitter.packet.isEmpty {
      state.transmitter.drop()
    } else {
      state.transmitter.isGathering = false
      state.transmitter.nextSegment = 0
    }
  }

  /// Descriptor done, and the interrupts that go with it (section 3.2.7).
  private func report(_ address: UInt64, _ high: UInt64, _ command: UInt8) {
    var causes: UInt32 = 0
    if command & Command.reportStatus != 0 {
      function.store(address &+ 12, UInt8(truncatingIfNeeded: high >> 32) & 0xF0 | 1)
      if command & Command.delayInterrupt != 0 && state[R.tidv] != 0 {
        arm(.transmitDelay, at: now &+ delay(R.tidv))
        if state[R.tadv] != 0 && !isArmed(.transmitAbsolute) { arm(.transmitAbsolute, at: now &+ delay(R.tadv)) }
      } else {
        disarm(.transmitDelay)
        disarm(.transmitAbsolute)
        causes |= E1000Cause.txdw
      }
    }
    let (head, tail) = (state[R.tdh], state[R.tdt])
    if head == tail { causes |= E1000Cause.txqe }
    let left = tail >= head ? tail - head : tail &+ ringSize &- head
    let threshold = state[R.txdctl] >> 25 * 8
    if threshold > 0 && left == threshold { causes |= E1000Cause.txdLow }
    if causes != 0 { raise(causes) }
  }

  // MARK: The wire

  /// The frame as the wire has it, less its check sequence; nil: nobody would take it.
  private func completed(_ frame: [UInt8]) -> [UInt8]? {
    var frame = frame
    if state.transmitter.options.vlanTag != nil && frame.count >= 14 {
      let type = state[R.vet]
      frame.insert(contentsOf: [UInt8(type >> 8 & 0xFF), UInt8(type & 0xFF)], at: 12)
    }
    if !state.transmitter.options.insertsCheckSequence {
      // Software brings its own.
      guard frame.count >= Self.smallestFrame + Self.checkSequence else { return nil }
      let own = Array(frame.suffix(Self.checkSequence))
      frame.removeLast(Self.checkSequence)
      guard own == FrameCheckSequence.bytes(of: frame) else { return nil }
    } else if frame.count < Self.smallestFrame {
      guard state[R.tctl] & E1000Transmit.padShort != 0 else { return nil }
      frame.append(contentsOf: repeatElement(0, count: Self.smallestFrame - frame.count))
    }
    return frame
  }

  private func sent(_ frame: [UInt8]) {
    let destination = MACAddress(frame, at: 0)
    let isBroadcast = destination == .broadcast
    state.statistics.countSent(
      length: frame.count + Self.checkSequence, isBroadcast: isBroadcast, isMulticast: !isBroadcast && destination?.isGroup == true)
    if isLoopback { return accept(frame) }
    // A link that was lost in the meantime takes the frame with it.
    if linkIsUp { port.send(frame) }
  }

  /// The other end wants silence for `quanta` times 512 bits (IEEE 802.3, annex 31B); zero ends it.
  func pauseTransmission(quanta: UInt16) {
    if quanta == 0 {
      disarm(.pause)
      return startTransmitter()
    }
    let bits = UInt64(quanta) * 512
    let speed: UInt64 = linkSpeed == .thousand ? 1_000_000_000 : linkSpeed == .hundred ? 100_000_000 : 10_000_000
    arm(.pause, at: now &+ Cycles.reaching(ticks: bits, frequency: speed))
  }
}

/// The check sequence of Ethernet frames (IEEE 802.3, section 3.2.9): CRC-32, least significant byte first.
enum FrameCheckSequence {
  static func bytes(of frame: [UInt8]) -> [UInt8] {
    let value = UInt32(truncatingIfNeeded: crc32(0, frame, UInt32(frame.count)))
    return (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
  }
}
