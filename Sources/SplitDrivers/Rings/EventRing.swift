import Hypervisor

/// A ring of events in a page of fbif or kbdif (`xen/include/public/io/fbif.h`, `kbdif.h`). Events go one way, without answers; indices run
/// freely, and a slot is the index modulo a number that is not a power of two.
///
/// The index of this side is kept here, whatever the page says; the front end's is checked.
struct EventRing {
  static let eventSize = 40
  private let page: HostMapping
  private let base: Int
  private let slots: UInt32
  private let consumerField: Int
  private let producerField: Int
  /// This side's index.
  private var index: UInt32

  /// Events from the front end. What is there already counts.
  init(from page: HostMapping, base: Int, byteCount: Int) {
    (self.page, self.base, slots) = (page, base, UInt32(byteCount / Self.eventSize))
    (consumerField, producerField) = (8, 12)
    index = page.load(consumerField)
  }

  /// Events to the front end.
  init(to page: HostMapping, base: Int, byteCount: Int) {
    (self.page, self.base, slots) = (page, base, UInt32(byteCount / Self.eventSize))
    (consumerField, producerField) = (0, 4)
    index = page.load(producerField)
  }

  private func offset(_ index: UInt32) -> Int { base + Int(index % slots) * Self.eventSize }

  /// A private copy of the next event; nil: there is none.
  mutating func next() throws(ProtocolViolation) -> [UInt8]? {
    let waiting = page.load(producerField, as: UInt32.self) &- index
    guard waiting <= slots else { throw .events(waiting) }
    guard waiting > 0 else { return nil }
    let event = page.copyOut(offset(index), count: Self.eventSize)
    index &+= 1
    page.store(consumerField, index)
    return event
  }

  /// False: there is no room.
  mutating func put(_ event: [UInt8]) throws(ProtocolViolation) -> Bool {
    let waiting = index &- page.load(consumerField, as: UInt32.self)
    guard waiting <= slots else { throw .events(waiting) }
    guard waiting < slots else { return false }
    event.prefix(Self.eventSize).withUnsafeBytes { page.copyIn(offset(index), $0) }
    index &+= 1
    page.store(producerField, index)
    return true
  }
}
