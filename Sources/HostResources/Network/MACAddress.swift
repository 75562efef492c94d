/// An Ethernet address.
public struct MACAddress: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The first byte on the wire is in bits 47:40.
  public let value: UInt64

  public init(value: UInt64) { self.value = value & 0xFFFF_FFFF_FFFF }

  /// The address at byte `offset` of a frame; nil if the frame is shorter.
  public init?(_ frame: [UInt8], at offset: Int) {
    guard offset >= 0, frame.count >= offset + 6 else { return nil }
    var value: UInt64 = 0
    for n in 0..<6 { value = value << 8 | UInt64(frame[offset + n]) }
    self.value = value
  }

  /// `52:54:00:12:34:56`; dashes will do, too.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
    guard parts.count == 6 else { return nil }
    var value: UInt64 = 0
    for part in parts {
      guard (1...2).contains(part.utf8.count), part.allSatisfy(\.isHexDigit), let byte = UInt8(part, radix: 16) else { return nil }
      value = value << 8 | UInt64(byte)
    }
    self.value = value
  }

  public static let broadcast = MACAddress(value: 0xFFFF_FFFF_FFFF)
  public var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: value >> UInt64(40 - 8 * $0)) } }
  /// Group addresses, broadcast among them: the first bit on the wire is set.
  public var isGroup: Bool { value >> 40 & 1 != 0 }
  /// What IEEE 802.1D (section 7.12.6) reserves for the link itself: pause frames, spanning tree. Bridges do not forward it.
  public var isLinkLocal: Bool { value >> 4 == 0x0180_C200_000 }

  public var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }

  /// The address of a NIC whose user named none. 00:16:3e is the prefix that Xen's tools give to virtual interfaces. `segment` keeps
  /// apart the processes that share a bridge.
  public static func automatic(segment: Int = 0, index: Int) -> MACAddress {
    MACAddress(value: 0x0016_3E00_0000 | UInt64(segment & 0xFF) << 16 | UInt64((index + 1) & 0xFFFF))
  }
}
