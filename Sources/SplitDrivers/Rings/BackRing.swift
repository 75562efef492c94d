import Hypervisor

/// A front end has broken a rule that its back end cannot do without.
public enum ProtocolViolation: Error, Equatable, CustomStringConvertible {
  /// More requests than a ring holds are said to wait.
  case requests(UInt32)
  /// More bytes than a console's ring holds are said to wait.
  case bytes(UInt32)
  /// More events than a ring holds are said to wait.
  case events(UInt32)

  public var description: String {
    switch self {
    case .requests(let count): "its ring holds \(count) requests"
    case .bytes(let count): "its ring holds \(count) bytes"
    case .events(let count): "its ring holds \(count) events"
    }
  }
}

/// The back end's side of a generic ring (`xen/include/public/io/ring.h`) in a frame that the front end may write to at any time.
///
/// A request is copied once, and only the copy is looked at. The indices of this side are kept here; the front end's are checked.
public struct BackRing {
  private enum Field {
    static let requestProducer = 0
    static let requestEvent = 4
    static let responseProducer = 8
    static let responseEvent = 12
    static let entries = 0x40
  }

  public let page: HostMapping
  public let slots: UInt32
  private let requestSize: Int
  private let responseSize: Int
  private var entrySize: Int { max(requestSize, responseSize) }
  private var requestConsumer: UInt32 = 0
  private var responseProducer: UInt32 = 0

  public init(page: HostMapping, requestSize: Int, responseSize: Int) {
    (self.page, self.requestSize, self.responseSize) = (page, requestSize, responseSize)
    slots = Self.slots(entrySize: max(requestSize, responseSize))
  }

  /// The largest power of two that fits.
  public static func slots(entrySize: Int) -> UInt32 {
    let most = (Int(FramePool.frameSize) - Field.entries) / entrySize
    return 1 << UInt32(Int.bitWidth - 1 - most.leadingZeroBitCount)
  }

  private func offset(_ index: UInt32) -> Int { Field.entries + Int(index & (slots - 1)) * entrySize }

  /// Requests that wait. A front end cannot have more of them without an answer than there are slots.
  public func waiting() throws(ProtocolViolation) -> UInt32 {
    let producer = page.load(Field.requestProducer, as: UInt32.self)
    guard producer &- responseProducer <= slots, producer &- requestConsumer <= slots else {
      throw .requests(producer &- responseProducer)
    }
    return producer &- requestConsumer
  }

  /// Index of the next request.
  public var nextIndex: UInt32 { requestConsumer }

  /// A private copy of the next request; nil: there is none.
  public mutating func next() throws(ProtocolViolation) -> [UInt8]? {
    guard try waiting() > 0 else { return nil }
    defer { requestConsumer &+= 1 }
    return page.copyOut(offset(requestConsumer), count: requestSize)
  }

  /// Asks to be told of the next request. True: there is one already. `unfinished`: requests that wait for others.
  public func awaitsMore(unfinished: UInt32 = 0) throws(ProtocolViolation) -> Bool {
    guard try waiting() <= unfinished else { return true }
    page.store(Field.requestEvent, requestConsumer &+ unfinished &+ 1)
    return try waiting() > unfinished
  }

  /// Adds a response, which the front end does not see before ``push()``.
  public mutating func put(_ response: [UInt8]) {
    response.prefix(responseSize).withUnsafeBytes { page.copyIn(offset(responseProducer), $0) }
    responseProducer &+= 1
  }

  /// Shows the responses to the front end. True: it wants to be told.
  public func push() -> Bool {
    let old = page.load(Field.responseProducer, as: UInt32.self)
    page.store(Field.responseProducer, responseProducer)
    let event = page.load(Field.responseEvent, as: UInt32.self)
    return responseProducer &- event < responseProducer &- old
  }
}
