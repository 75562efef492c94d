/// How a message is delivered: bits 10:8 of its data (Volume 2, table 5-12).
public enum DeliveryMode: UInt8, Sendable, Codable {
  case fixed = 0
  /// Lowest priority: the platform may choose another processor; here it does not.
  case redirectable = 1
  case pmi = 2
  case nmi = 4
  case initialize = 5
  case external = 7
}

/// An interrupt on its way to a processor.
public struct InterruptMessage: Sendable, Equatable {
  public var vector: UInt8
  public var mode: DeliveryMode
  /// Local SAPIC identifier of the processor.
  public var id: UInt8
  public var eid: UInt8

  /// A store of `data` at `offset` in the interrupt block: bits 19:12 of the address are the id, 11:4 the eid. nil for reserved
  /// delivery modes.
  init?(offset: UInt64, data: UInt64) {
    guard let mode = DeliveryMode(rawValue: UInt8(data >> 8 & 7)) else { return nil }
    self.mode = mode
    vector = UInt8(truncatingIfNeeded: data)
    id = UInt8(truncatingIfNeeded: offset >> 12)
    eid = UInt8(truncatingIfNeeded: offset >> 4)
  }

  init(vector: UInt8, mode: DeliveryMode, id: UInt8, eid: UInt8) {
    (self.vector, self.mode, self.id, self.eid) = (vector, mode, id, eid)
  }
}

/// Takes interrupt messages to the processors.
public protocol InterruptSink: AnyObject {
  func deliver(_ message: InterruptMessage)
}
