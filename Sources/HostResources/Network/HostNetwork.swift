/// The networks of one host: its bridges, and the addresses on them.
public final class HostNetwork {
  /// As many as the hardware's firmware configured.
  public static let bridgeLimit = 60

  public let world: OutsideWorld
  private let folder: String
  private var bridges: [String: SoftwareBridge] = [:]
  private var links: [String: BridgeLinks] = [:]
  private var uplinks: [String: BondedUplink] = [:]
  private var owners: [MACAddress: String] = [:]
  private var reservations: [MACAddress: AddressReservation] = [:]
  private var addressCount = 0

  /// `folder`: where processes that share bridges meet.
  public init(world: OutsideWorld, folder: String = BridgeFolder.standard) { (self.world, self.folder) = (world, folder) }

  // MARK: Bridges

  /// `isShared`: joined with those of the same name in the user's other processes.
  public func bridge(_ name: String, isShared: Bool) throws(NetworkError) -> SoftwareBridge {
    let bridge: SoftwareBridge
    if let known = bridges[name] {
      bridge = known
    } else {
      guard bridges.count < Self.bridgeLimit else {
        throw NetworkError("no bridge \(name): there are \(Self.bridgeLimit) bridges, and no more")
      }
      bridge = SoftwareBridge(name: name)
      bridges[name] = bridge
    }
    if isShared && links[name] == nil {
      guard uplinks[name] == nil else {
        throw NetworkError(
          "bridge \(name) has an uplink, and cannot be shared with other processes: what it forwards would go round")
      }
      links[name] = try BridgeLinks(bridge, folder: folder, world: world)
    }
    return bridge
  }

  /// Connects a bridge with networks of the host. `changed` is told when another uplink takes over.
  @discardableResult
  public func connect(
    _ specification: BridgeSpecification, changed: @escaping (String) -> Void
  ) throws(NetworkError) -> BondedUplink {
    let name = specification.name
    guard uplinks[name] == nil else { throw NetworkError("bridge \(name) has its uplinks already") }
    let bridge = try bridge(name, isShared: false)
    var ways: [any Uplink] = []
    for uplink in specification.uplinks { ways.append(try InterfaceUplink(name: uplink)) }
    let bond = try BondedUplink(bridge, ways, world: world)
    bond.changed = changed
    uplinks[name] = bond
    return bond
  }

  public func hasUplink(_ bridge: String) -> Bool { uplinks[bridge] != nil }

  // MARK: Addresses

  /// Gives an adapter the address that it asks for, or one that nobody has. `bridge`: the one that it is plugged into; if that is shared, the
  /// user's other processes count, too.
  public func claim(_ wanted: MACAddress?, for owner: String, bridge: String? = nil) throws(NetworkError) -> MACAddress {
    let link = bridge.flatMap { links[$0] }
    if let wanted {
      addressCount += 1
      if let other = owners[wanted] { throw NetworkError("\(owner) cannot have the address \(wanted): \(other) has it") }
      if let link {
        guard let reservation = try AddressReservation(wanted, in: link.members) else {
          throw NetworkError("\(owner) cannot have the address \(wanted): another process on bridge \(link.bridgeName) has it")
        }
        reservations[wanted] = reservation
      }
      owners[wanted] = owner
      return wanted
    }
    // Two bytes of an address count.
    for _ in 0..<0xFFFF {
      let address = MACAddress.automatic(segment: link?.number ?? 0, index: addressCount % 0xFFFF)
      addressCount += 1
      guard owners[address] == nil else { continue }
      if let link {
        guard let reservation = try AddressReservation(address, in: link.members) else { continue }
        reservations[address] = reservation
      }
      owners[address] = owner
      return address
    }
    throw NetworkError("no address is left for \(owner)")
  }

  /// The adapter is gone: another may have its address.
  public func release(_ address: MACAddress) {
    owners[address] = nil
    reservations[address] = nil
  }
}
