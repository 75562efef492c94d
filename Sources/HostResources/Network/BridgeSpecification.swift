/// What `--bridge` says about a bridge: its uplinks to the host's networks, the first that has a link in use.
public struct BridgeSpecification: Sendable, Equatable {
  public var name: String
  /// Interfaces of the host.
  public var uplinks: [String] = []

  /// Parses `lan,uplink=eth1,uplink=eth2`.
  public init(parsing text: String) throws(NICSpecification.Failure) {
    var words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    name = try NICSpecification.bridgeName(words.removeFirst())
    for word in words {
      guard word.hasPrefix("uplink="), word.utf8.count > 7 else {
        throw NICSpecification.Failure(description: "\"\(word)\" is not an option: uplink=INTERFACE")
      }
      let uplink = String(word.dropFirst(7))
      guard !uplinks.contains(uplink) else { throw NICSpecification.Failure(description: "uplink \(uplink) is given twice") }
      uplinks.append(uplink)
    }
    guard !uplinks.isEmpty else { throw NICSpecification.Failure(description: "a bridge without uplinks needs no --bridge") }
  }
}
