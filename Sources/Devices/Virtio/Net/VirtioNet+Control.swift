import HostResources
import Platform

/// Which frames the driver wants (sections 5.1.6.5.1 and 5.1.6.5.2).
struct VirtioNetFilter: Sendable, Equatable, Codable {
  var isPromiscuous = false
  var allMulticast = false
  var allUnicast = false
  var noMulticast = false
  var noUnicast = false
  var noBroadcast = false
  var unicast: Set<UInt64> = []
  var multicast: Set<UInt64> = []
  /// The driver's table was too long: all of its kind are let through, never less than was asked for.
  var hasAllUnicast = false
  var hasAllMulticast = false

  /// Addresses of a table; a longer one takes all of its kind.
  static let tableLimit = 64

  /// Without commands for it (`isFiltering`), everything goes through, as in a device without a filter.
  func accepts(_ frame: [UInt8], own: UInt64, isFiltering: Bool) -> Bool {
    guard frame.count >= 14, let destination = MACAddress(frame, at: 0) else { return false }
    if !isFiltering || isPromiscuous { return true }
    if destination == .broadcast { return !noBroadcast }
    if destination.isGroup { return !noMulticast && (allMulticast || hasAllMulticast || multicast.contains(destination.value)) }
    return !noUnicast && (allUnicast || hasAllUnicast || destination.value == own || unicast.contains(destination.value))
  }
}

/// The control queue (section 5.1.6.5).
extension VirtioNet {
  private enum Class {
    static let receive: UInt8 = 0
    static let address: UInt8 = 1
    static let announce: UInt8 = 3
  }
  private static let largestCommand = 64 << 10

  /// All commands that are there; none waits for anything.
  func control() {
    while let transport, let memory, let chain = transport.take(Queue.control) {
      let isDone: Void? = transport.attempt { () throws(VirtqueueFault) in
        let size = chain.readableCount
        guard 2...Self.largestCommand ~= size, chain.writableCount >= 1 else { throw .malformed }
        let command = try chain.bytes(count: size, memory)
        let isGood = perform(command[0], command[1], Array(command[2...]))
        try chain.write([isGood ? 0 : 1], memory)
        return ()
      }
      guard isDone != nil else { return }
      transport.finish(chain, written: 1)
    }
  }

  /// False: the command is unknown, or not well formed.
  private func perform(_ kind: UInt8, _ command: UInt8, _ data: [UInt8]) -> Bool {
    switch (kind, command) {
    case (Class.receive, 0...1) where isNegotiated(Feature.receiveModes),
      (Class.receive, 2...5) where isNegotiated(Feature.extraReceiveModes):
      guard let value = data.first, value <= 1 else { return false }
      let fields: [WritableKeyPath<VirtioNetFilter, Bool>] = [
        \.isPromiscuous, \.allMulticast, \.allUnicast, \.noMulticast, \.noUnicast, \.noBroadcast,
      ]
      state.filter[keyPath: fields[Int(command)]] = value == 1
      return true
    case (Class.address, 0) where isNegotiated(Feature.receiveModes): return setTables(data)
    case (Class.address, 1) where isNegotiated(Feature.changeAddress):
      guard data.count == 6, let address = MACAddress(data, at: 0), !address.isGroup else { return false }
      state.address = address.value
      return true
    case (Class.announce, 0) where isNegotiated(Feature.announce):
      state.wantsAnnouncement = false
      return true
    default: return false
    }
  }

  /// Two tables, each a count and addresses: the first for unicast, the other for multicast.
  private func setTables(_ data: [UInt8]) -> Bool {
    var at = 0
    func table() -> (addresses: Set<UInt64>, isWhole: Bool)? {
      guard at + 4 <= data.count else { return nil }
      let count = Int(data.little(at, as: UInt32.self))
      at += 4
      guard count <= (data.count - at) / 6 else { return nil }
      let addresses = (0..<count).compactMap { MACAddress(data, at: at + 6 * $0)?.value }
      at += 6 * count
      return count <= VirtioNetFilter.tableLimit ? (Set(addresses), true) : ([], false)
    }
    guard let unicast = table(), let multicast = table() else { return false }
    state.filter.unicast = unicast.addresses
    state.filter.multicast = multicast.addresses
    state.filter.hasAllUnicast = !unicast.isWhole
    state.filter.hasAllMulticast = !multicast.isWhole
    return true
  }
}
