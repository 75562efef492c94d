/// Handles, the protocols installed on them, and who has opened those (EFI 1.10, section 5.3).
struct HandleDatabase: Sendable, Equatable, Codable {
  struct Open: Sendable, Equatable, Codable {
    var agent: UInt64
    var controller: UInt64
    var attributes: UInt32
    var count: UInt32 = 1
  }
  struct Interface: Sendable, Equatable, Codable {
    var guid: GUID
    var address: UInt64
    var opens: [Open] = []
  }
  struct Handle: Sendable, Equatable, Codable {
    var id: UInt64
    var interfaces: [Interface]
  }
  /// RegisterProtocolNotify: handles that have come since, and have not been asked for.
  struct Registration: Sendable, Equatable, Codable {
    var key: UInt64
    var guid: GUID
    var event: UInt64
    var news: [UInt64] = []
  }

  /// In the order of creation.
  private(set) var handles: [Handle] = []
  var registrations: [Registration] = []
  /// Interfaces that all handles may have together.
  static let capacity = 65_536
  /// Handles that a registration remembers.
  private static let mostNews = 4096
  /// Openers that a protocol remembers.
  static let mostOpens = 256

  func index(_ handle: UInt64) -> Int? { handles.firstIndex { $0.id == handle } }
  subscript(handle: UInt64) -> Handle? { index(handle).map { handles[$0] } }

  func interface(_ handle: UInt64, _ guid: GUID) -> Interface? {
    self[handle]?.interfaces.first { $0.guid == guid }
  }

  func handles(with guid: GUID) -> [UInt64] {
    handles.filter { $0.interfaces.contains { $0.guid == guid } }.map(\.id)
  }

  /// Adds a protocol; the handle is new if nobody has it. False if the handle has the protocol already.
  mutating func install(_ guid: GUID, _ address: UInt64, on handle: UInt64) -> Bool {
    if let index = index(handle) {
      guard !handles[index].interfaces.contains(where: { $0.guid == guid }) else { return false }
      handles[index].interfaces.append(.init(guid: guid, address: address))
    } else {
      handles.append(.init(id: handle, interfaces: [.init(guid: guid, address: address)]))
    }
    announce(handle, guid)
    return true
  }

  private mutating func announce(_ handle: UInt64, _ guid: GUID) {
    for index in registrations.indices where registrations[index].guid == guid && registrations[index].news.count < Self.mostNews {
      registrations[index].news.append(handle)
    }
  }

  /// Events to signal for a protocol that has been installed.
  func watchers(of guid: GUID) -> [UInt64] { registrations.filter { $0.guid == guid }.map(\.event) }

  mutating func reinstall(_ handle: UInt64, _ guid: GUID, _ address: UInt64) {
    modify(handle, guid) { $0.address = address }
    announce(handle, guid)
  }

  mutating func modify(_ handle: UInt64, _ guid: GUID, _ change: (inout Interface) -> Void) {
    guard let index = index(handle), let interface = handles[index].interfaces.firstIndex(where: { $0.guid == guid }) else {
      return
    }
    change(&handles[index].interfaces[interface])
  }

  /// Removes a protocol; true if the handle went with its last one.
  mutating func remove(_ guid: GUID, from handle: UInt64) -> Bool {
    guard let index = index(handle) else { return false }
    handles[index].interfaces.removeAll { $0.guid == guid }
    for other in registrations.indices where registrations[other].guid == guid {
      registrations[other].news.removeAll { $0 == handle }
    }
    guard handles[index].interfaces.isEmpty else { return false }
    handles.remove(at: index)
    return true
  }

  /// An agent that is gone has nothing open any more.
  mutating func closeAll(agent: UInt64) {
    for index in handles.indices {
      for interface in handles[index].interfaces.indices {
        handles[index].interfaces[interface].opens.removeAll { $0.agent == agent }
      }
    }
  }

  mutating func forget(event: UInt64) { registrations.removeAll { $0.event == event } }

  var interfaceCount: Int { handles.reduce(0) { $0 + $1.interfaces.count } }
}
