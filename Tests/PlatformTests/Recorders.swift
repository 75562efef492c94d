import Devices
import Platform

/// An interrupt line that remembers its level and how often it went up.
final class RecordedLine: InterruptLine {
  private(set) var level = false
  private(set) var rises = 0
  func set(_ asserted: Bool) {
    if asserted && !level { rises += 1 }
    level = asserted
  }
}

/// The other end of a serial line.
final class RecordedPeer: SerialPeer {
  var sent: [UInt8] = []
  var invitations = 0
  func transmit(_ byte: UInt8) { sent.append(byte) }
  func readyToReceive() { invitations += 1 }
}

/// Takes interrupt messages.
final class RecordedSink: InterruptSink {
  var messages: [InterruptMessage] = []
  func deliver(_ message: InterruptMessage) { messages.append(message) }
}

/// A clock that a test moves.
final class TestClock: VirtualClock {
  var now: UInt64 = 0
}

/// A device that remembers what it was asked.
final class RecordedDevice: BusDevice {
  var reads: [(offset: UInt64, size: Int)] = []
  var writes: [(offset: UInt64, size: Int, value: UInt64)] = []
  var answer: UInt64 = 0
  func read(offset: UInt64, size: Int) -> UInt64 {
    reads.append((offset, size))
    return answer
  }
  func write(offset: UInt64, size: Int, value: UInt64) { writes.append((offset, size, value)) }
}

/// A deterministic source of bits (Steele, Lea and Flood's SplitMix64).
struct SplitMix {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
