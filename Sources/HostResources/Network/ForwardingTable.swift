/// The addresses that a learning bridge has seen (IEEE 802.1D, section 7.9): which port each is behind, and since when. Bounded, as in
/// a switch: sets of four, of which the oldest gives way. The hash is fixed, for two runs must forward alike.
struct ForwardingTable {
  private struct Entry {
    var address: UInt64 = 0
    var port: Int = -1
    var seen: UInt64 = 0
  }
  private static let ways = 4
  private static let sets = 1024
  static let capacity = ways * sets
  private var entries = [Entry](repeating: Entry(), count: capacity)

  private static func firstEntry(_ address: MACAddress) -> Int {
    // Fibonacci hashing: the upper bits of the product depend on all bits of the address.
    Int(truncatingIfNeeded: (address.value &* 0x9E37_79B9_7F4A_7C15) >> 54) * ways
  }

  /// `time` in any unit that only grows.
  mutating func learn(_ address: MACAddress, port: Int, time: UInt64) {
    if address.isGroup { return }
    let first = Self.firstEntry(address)
    var victim = first
    for n in first..<first + Self.ways {
      if entries[n].port >= 0 && entries[n].address == address.value {
        victim = n
        break
      }
      if entries[n].port < 0 {
        if entries[victim].port >= 0 { victim = n }
      } else if entries[victim].port >= 0 && entries[n].seen < entries[victim].seen {
        victim = n
      }
    }
    entries[victim] = Entry(address: address.value, port: port, seen: time)
  }

  /// The port of an address that was seen at `since` or later.
  func port(of address: MACAddress, since: UInt64) -> Int? {
    let first = Self.firstEntry(address)
    for n in first..<first + Self.ways where entries[n].port >= 0 && entries[n].address == address.value {
      return entries[n].seen >= since ? entries[n].port : nil
    }
    return nil
  }

  mutating func forget(port: Int) {
    for n in entries.indices where entries[n].port == port { entries[n].port = -1 }
  }

  /// What is known behind certain ports, in the order of addresses.
  func addresses(behind isMeant: (_ port: Int) -> Bool) -> [MACAddress] {
    entries.filter { $0.port >= 0 && isMeant($0.port) }.map { MACAddress(value: $0.address) }.sorted { $0.value < $1.value }
  }

  var count: Int { entries.reduce(0) { $0 + ($1.port >= 0 ? 1 : 0) } }
}
