import Hypervisor

/// A host with a store, and guests' ends of its rings: what `drivers/xen/xenbus/xenbus_comms.c` does.
final class StoreFixture {
  let pool: FramePool
  let events = EventChannels()
  let grants: GrantTables
  let store: XenStore
  var dropped: [(UInt16, String)] = []

  init() throws {
    pool = try FramePool(size: 32 << 20, kept: 1 << 20)
    grants = GrantTables(pool: pool)
    store = XenStore(events: events, grants: grants)
    store.dropped = { [weak self] in self?.dropped.append(($0, $1)) }
  }

  /// A domain with its directory, as xend makes it, and its connection.
  func client(_ number: UInt16) throws -> StoreClient {
    let domain = try ServiceDomain(number, pool: pool)
    events.add(domain)
    try grants.add(domain)
    try store.makeDirectory("/local/domain/\(number)")
    try store.setPermissions("/local/domain/\(number)", [StorePermission(.none, number)])
    let port = try events.allocateUnbound(in: number, for: 0)
    try store.introduce(number, frame: 5, port: port)
    return StoreClient(domain: domain, port: port, events: events)
  }
}

final class StoreClient {
  static let page = 5 * FramePool.frameSize
  let domain: ServiceDomain
  let port: UInt32
  private let events: EventChannels
  private var received: [UInt8] = []

  init(domain: ServiceDomain, port: UInt32, events: EventChannels) {
    (self.domain, self.port, self.events) = (domain, port, events)
  }

  struct Message: Equatable {
    var kind: UInt32
    var request: UInt32 = 0
    var transaction: UInt32 = 0
    var payload: [UInt8]
    var text: String { String(decoding: payload, as: UTF8.self) }
  }

  func word(_ offset: UInt64) -> UInt32 { domain.load(Self.page + offset) ?? 0 }
  func setWord(_ offset: UInt64, _ value: UInt32) { domain.store(Self.page + offset, value) }
  func notify() throws { try events.send(port, from: domain.domainNumber) }

  /// Writes bytes to the ring as they fit, and takes what comes back.
  func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let producer = word(0x804)
      let room = 1024 - Int(producer &- word(0x800))
      guard room > 0 else { throw StoreError.busy }
      for (index, byte) in rest.prefix(room).enumerated() {
        domain.store(Self.page + UInt64((producer &+ UInt32(index)) & 1023), byte)
      }
      setWord(0x804, producer &+ UInt32(min(room, rest.count)))
      rest = rest.dropFirst(room)
      try notify()
      try receive()
    }
  }

  private func receive() throws {
    while true {
      let consumer = word(0x808)
      let count = word(0x80C) &- consumer
      guard count > 0 else { return }
      guard count <= 1024 else { throw StoreError.invalid }
      for index in 0..<count { received.append(domain.load(Self.page + 0x400 + UInt64((consumer &+ index) & 1023)) ?? 0) }
      setWord(0x808, consumer &+ count)
      try notify()
    }
  }

  /// Messages that have come.
  func messages() throws -> [Message] {
    try receive()
    var list: [Message] = []
    while received.count >= 16 {
      let length = Int(received.field(12, as: UInt32.self))
      guard received.count >= 16 + length else { break }
      list.append(
        Message(
          kind: received.field(0), request: received.field(4), transaction: received.field(8),
          payload: [UInt8](received[16..<16 + length])))
      received.removeFirst(16 + length)
    }
    return list
  }

  static func bytes(_ message: Message) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 16)
    header.setField(0, message.kind)
    header.setField(4, message.request)
    header.setField(8, message.transaction)
    header.setField(12, UInt32(message.payload.count))
    return header + message.payload
  }

  /// Events that came while something else was waited for: "path token".
  var watchEvents: [String] = []

  /// One request; the answer's payload as text, with zero bytes as "|"; of an error its name.
  @discardableResult func ask(_ kind: UInt32, _ payload: String, transaction: UInt32 = 0) throws -> String {
    let bytes = [UInt8](payload.utf8).map { $0 == UInt8(ascii: "|") ? 0 : $0 }
    try send(Self.bytes(Message(kind: kind, request: 77, transaction: transaction, payload: bytes)))
    var answer: Message?
    for message in try messages() {
      if message.kind == 15 { note(message) } else { answer = message }
    }
    guard let answer, answer.request == 77, answer.transaction == transaction, answer.kind == kind || answer.kind == 16 else {
      throw StoreError.invalid
    }
    return answer.text.replacing("\0", with: "|")
  }

  private func note(_ message: Message) { watchEvents.append(String(message.text.dropLast()).replacing("\0", with: " ")) }

  func takeWatchEvents() throws -> [String] {
    for message in try messages() where message.kind == 15 { note(message) }
    defer { watchEvents = [] }
    return watchEvents
  }
}
