/// One message of the wire protocol (`xen/include/public/io/xs_wire.h`): a header of 16 bytes and a payload.
struct StoreMessage: Equatable {
  enum Kind: UInt32 {
    case debug, directory, read, getPermissions, watch, unwatch, transactionStart, transactionEnd, introduce, release,
      getDomainPath, write,
      makeDirectory, remove, setPermissions, watchEvent, error, isDomainIntroduced, resume, setTarget, restrict, resetWatches
  }
  static let headerSize = 16
  static let payloadLimit = 4096

  var kind: UInt32
  var request: UInt32 = 0
  var transaction: UInt32 = 0
  var payload: [UInt8]

  /// The first message of a stream; nil: it is not all there. A payload that is too long is an error.
  static func first(of stream: ArraySlice<UInt8>) throws(StoreError) -> StoreMessage? {
    guard stream.count >= headerSize else { return nil }
    let header = [UInt8](stream.prefix(headerSize))
    let length = header.field(12, as: UInt32.self)
    guard length <= payloadLimit else { throw .invalid }
    guard stream.count >= headerSize + Int(length) else { return nil }
    return StoreMessage(
      kind: header.field(0), request: header.field(4), transaction: header.field(8),
      payload: [UInt8](stream.dropFirst(headerSize).prefix(Int(length))))
  }

  var bytes: [UInt8] {
    var header = [UInt8](repeating: 0, count: Self.headerSize)
    header.setField(0, kind)
    header.setField(4, request)
    header.setField(8, transaction)
    header.setField(12, UInt32(payload.count))
    return header + payload
  }

  /// Strings of which each ends with a zero byte; nil: the last does not, or one is not text.
  var strings: [String]? {
    guard payload.last == 0 else { return nil }
    var list: [String] = []
    for part in payload.dropLast().split(separator: 0, omittingEmptySubsequences: false) {
      guard let text = String(validating: part, as: UTF8.self) else { return nil }
      list.append(text)
    }
    return list
  }

  /// A path that ends with a zero byte, and whatever follows.
  var pathAndValue: (path: String, value: [UInt8])? {
    guard let end = payload.firstIndex(of: 0), let path = String(validating: payload[..<end], as: UTF8.self) else { return nil }
    return (path, [UInt8](payload[(end + 1)...]))
  }

  func reply(_ payload: [UInt8]) -> StoreMessage {
    guard payload.count <= Self.payloadLimit else { return reply(.invalid) }
    return StoreMessage(kind: kind, request: request, transaction: transaction, payload: payload)
  }
  func reply(_ error: StoreError) -> StoreMessage {
    StoreMessage(
      kind: Kind.error.rawValue, request: request, transaction: transaction, payload: Self.text(error.rawValue))
  }

  static func text(_ strings: String...) -> [UInt8] { strings.flatMap { [UInt8]($0.utf8) + [0] } }
}
