import Hypervisor

/// blkif (`xen/include/public/io/blkif.h`): how requests lie in the ring, by the front end's ABI.
enum BlockProtocol: String {
  case native = "ia64-abi"
  /// Packed to 4 bytes.
  case x86_32 = "x86_32-abi"
  case x86_64 = "x86_64-abi"

  var requestSize: Int { self == .x86_32 ? 0x6C : 0x70 }
  var responseSize: Int { self == .x86_32 ? 0xC : 0x10 }
  private var idOffset: Int { self == .x86_32 ? 4 : 8 }

  func decode(_ bytes: [UInt8]) -> BlockRequest {
    let id = idOffset
    var request = BlockRequest(operation: bytes[0], id: bytes.field(id), sector: bytes.field(id + 8))
    if request.operation == BlockRequest.Operation.discard.rawValue {
      request.discarded = bytes.field(id + 16)
      return request
    }
    request.segmentCount = Int(bytes[1])
    for index in 0..<min(request.segmentCount, BlockRequest.segmentLimit) {
      let offset = id + 16 + index * 8
      request.segments.append(.init(reference: bytes.field(offset), first: bytes[offset + 4], last: bytes[offset + 5]))
    }
    return request
  }

  func encode(id: UInt64, operation: UInt8, status: BlockRequest.Status) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: responseSize)
    bytes.setField(0, id)
    bytes.setField(8, operation)
    bytes.setField(10, status.rawValue)
    return bytes
  }
}

/// A private copy of one request.
struct BlockRequest: Equatable {
  enum Operation: UInt8 {
    case read = 0
    case write = 1
    case barrier = 2
    case flush = 3
    case discard = 5
  }
  enum Status: Int16 {
    case okay = 0
    case error = -1
    case notSupported = -2
  }
  struct Segment: Equatable {
    var reference: UInt32
    /// Sectors of 512 bytes in a frame of 16 KiB, both included.
    var first: UInt8
    var last: UInt8
    static let sectors: UInt8 = 32

    var isLegal: Bool { first <= last && last < Self.sectors }
    var byteRange: Range<Int> { Int(first) * 512..<(Int(last) + 1) * 512 }
  }
  static let segmentLimit = 11

  var operation: UInt8
  var id: UInt64
  var sector: UInt64
  /// As the front end says; more than there are segments if it is too many.
  var segmentCount = 0
  var segments: [Segment] = []
  /// Sectors.
  var discarded: UInt64 = 0
}
