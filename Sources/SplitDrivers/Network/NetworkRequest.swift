import Hypervisor

/// netif (`xen/include/public/io/netif.h`): private copies of what lies in the rings.
struct TransmitRequest: Equatable {
  static let size = 12
  static let responseSize = 4
  enum Flags {
    static let checksumBlank: UInt16 = 1
    static let moreData: UInt16 = 4
    static let extraInfo: UInt16 = 8
  }
  enum Status: Int16 {
    case okay = 0
    case error = -1
    case dropped = -2
    /// The answer to a slot of extra information.
    case null = 1
  }

  var reference: UInt32
  var offset: UInt16
  var flags: UInt16
  var id: UInt16
  /// Of the first of a packet's: all of the packet.
  var count: UInt16

  init(_ bytes: [UInt8]) {
    (reference, offset, flags) = (bytes.field(0), bytes.field(4), bytes.field(6))
    (id, count) = (bytes.field(8), bytes.field(10))
  }

  static func response(id: UInt16, _ status: Status) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: responseSize)
    bytes.setField(0, id)
    bytes.setField(2, status.rawValue)
    return bytes
  }
}

/// A slot of extra information.
struct ExtraInfo: Equatable {
  static let segmentationOffload: UInt8 = 1
  static let tcpIPv4: UInt8 = 1

  let type: UInt8
  let hasMore: Bool
  let segmentSize: UInt16
  let segmentType: UInt8

  init(_ bytes: [UInt8]) {
    (type, hasMore) = (bytes[0], bytes[1] & 1 != 0)
    (segmentSize, segmentType) = (bytes.field(2), bytes[4])
  }
}

struct ReceiveRequest: Equatable {
  static let size = 8
  static let responseSize = 8
  var id: UInt16
  var reference: UInt32

  init(_ bytes: [UInt8]) { (id, reference) = (bytes.field(0), bytes.field(4)) }

  /// `status`: bytes, or a negative error.
  func response(_ status: Int16) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.responseSize)
    bytes.setField(0, id)
    bytes.setField(6, status)
    return bytes
  }
}
