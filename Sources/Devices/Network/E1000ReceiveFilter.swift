import HostResources

/// A frame in the packet buffer: its bytes as they go to memory, and what the descriptor says about it.
struct E1000ReceivedFrame: Sendable, Equatable, Codable {
  var bytes: [UInt8]
  var status: UInt8 = 0
  var errors: UInt8 = 0
  var checksum: UInt16 = 0
  var vlanTag: UInt16 = 0
  /// What of it is in memory already: a frame may take several descriptors.
  var stored = 0
}

/// Which frames are wanted (manual, section 3.2.1), and what the chip finds out about them (sections 3.2.9 and 9).
extension E1000 {
  private typealias R = E1000Register

  enum Match {
    case no
    /// A receive address, or broadcast.
    case exact
    /// The hash of multicast addresses, or a promiscuous mode: software must look itself.
    case inexact
  }

  func match(_ destination: MACAddress, source: MACAddress?) -> Match {
    let control = state[R.rctl]
    if destination == .broadcast && control & E1000Receive.broadcastAccept != 0 { return .exact }
    for n in 0..<16 {
      let high = state[R.ral + 8 * n + 4]
      guard high >> 31 != 0 else { continue }
      let low = state[R.ral + 8 * n]
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: low >> UInt32(8 * $0)) } + [UInt8(high & 0xFF), UInt8(high >> 8 & 0xFF)]
      let address = MACAddress(bytes, at: 0)
      switch high >> 16 & 3 {
      case 0: if address == destination { return .exact }
      case 1: if address == source { return .exact }
      default: break
      }
    }
    if destination.isGroup {
      if control & E1000Receive.multicastPromiscuous != 0 { return .inexact }
      if control & E1000Receive.broadcastAccept == 0 && destination == .broadcast && control & E1000Receive.unicastPromiscuous != 0
      {
        return .no
      }
      return isInMulticastTable(destination) ? .inexact : .no
    }
    return control & E1000Receive.unicastPromiscuous != 0 ? .inexact : .no
  }

  /// Twelve bits of the address, chosen by RCTL.MO, are a bit number in the table of 4096 bits.
  private func isInMulticastTable(_ address: MACAddress) -> Bool {
    let bytes = address.bytes
    let upper = UInt32(bytes[5]) << 8 | UInt32(bytes[4])
    let shift: UInt32 = [4, 3, 2, 0][Int(state[R.rctl] >> 12 & 3)]
    let bit = upper >> shift & 0xFFF
    return state[R.mta + 4 * Int(bit >> 5)] >> (bit & 31) & 1 != 0
  }

  /// VLAN filter (section 9.3): false, the frame is not wanted.
  func passesVLANFilter(_ frame: [UInt8]) -> Bool {
    let control = state[R.rctl]
    guard control & E1000Receive.vlanFilter != 0, UInt32(frame.word16(12)) == state[R.vet] & 0xFFFF else { return true }
    let tag = UInt32(frame.word16(14))
    if control & E1000Receive.cfiFilter != 0 && (tag >> 12 & 1 != 0) != (control & E1000Receive.cfiValue != 0) { return false }
    let identifier = tag & 0xFFF
    return state[R.vfta + 4 * Int(identifier >> 5)] >> (identifier & 31) & 1 != 0
  }

  private enum Status {
    static let ignoreChecksum: UInt8 = 1 << 2
    static let vlan: UInt8 = 1 << 3
    static let transportChecksum: UInt8 = 1 << 5
    static let ipChecksum: UInt8 = 1 << 6
    static let inexact: UInt8 = 1 << 7
  }
  private enum Fault {
    static let transport: UInt8 = 1 << 5
    static let ip: UInt8 = 1 << 6
  }

  /// The frame as software will see it.
  func described(_ frame: [UInt8], _ match: Match) -> E1000ReceivedFrame {
    var result = E1000ReceivedFrame(bytes: frame)
    if match == .inexact { result.status |= Status.inexact }
    if state[R.ctrl] & E1000Control.vlanMode != 0 && UInt32(frame.word16(12)) == state[R.vet] & 0xFFFF && frame.count >= 18 {
      result.status |= Status.vlan
      result.vlanTag = frame.word16(14)
      result.bytes.removeSubrange(12..<16)
    }
    checkSums(&result)
    let start = Int(state[R.rxcsum] & 0xFF)
    result.checksum = InternetChecksum.sum(result.bytes, start, result.bytes.count).byteSwapped
    if state[R.rctl] & E1000Receive.stripCRC == 0 { result.bytes += FrameCheckSequence.bytes(of: frame) }
    return result
  }

  /// Checksums of IPv4, TCP and UDP (section 3.2.9); IXSM says that none was looked at.
  private func checkSums(_ result: inout E1000ReceivedFrame) {
    let control = state[R.rxcsum]
    let (checksIP, checksTransport) = (control >> 8 & 1 != 0, control >> 9 & 1 != 0)
    result.status |= Status.ignoreChecksum
    guard checksIP || checksTransport, let sums = FrameChecksums(result.bytes) else { return }
    result.status &= ~Status.ignoreChecksum
    if checksIP {
      result.status |= Status.ipChecksum
      if !sums.isHeaderRight { result.errors |= Fault.ip }
    }
    guard checksTransport, let isRight = sums.isTransportRight else { return }
    result.status |= Status.transportChecksum
    if !isRight { result.errors |= Fault.transport }
  }
}
