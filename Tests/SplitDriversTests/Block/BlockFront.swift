import HostResources
import Hypervisor
import SplitDrivers

/// blkfront.
final class BlockFront {
  let domain: FrontDomain
  let backEnd: BlockBackEnd
  let ring: FrontRing
  let port: UInt32
  private var store: XenStore { domain.fixture.store }

  /// Plugs a disk in and goes through the handshake.
  init(
    _ domain: FrontDomain, _ disk: any BlockStorage, device: Int = 51712, mode: String = "w", abi: String? = nil, entry: Int = 0x70
  ) throws {
    self.domain = domain
    backEnd = BlockBackEnd(host: domain.fixture.host, domain: domain.domainNumber, device: device, medium: disk, mode: mode)
    try domain.fixture.host.plug(backEnd, name: "guest")
    ring = FrontRing(domain, entry: entry)
    port = try domain.port()
    let (path, ring, port) = (backEnd.frontPath, ring, port)
    try store.transaction {
      $0.write(path + "/ring-ref", String(ring.reference))
      $0.write(path + "/event-channel", String(port))
      if let abi { $0.write(path + "/protocol", abi) }
    }
    try setState(3)
    if backEnd.isConnected { try setState(4) }
  }

  func setState(_ state: Int) throws { try store.write(backEnd.frontPath + "/state", String(state)) }
  func key(_ name: String) -> String? { try? store.read(backEnd.path + "/" + name) }

  struct Segment {
    var reference: UInt32
    var first: UInt8 = 0
    var last: UInt8 = 31
  }

  static func request(_ operation: UInt8, id: UInt64, sector: UInt64, _ segments: [Segment], count: UInt8? = nil) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 0x70)
    bytes[0] = operation
    bytes[1] = count ?? UInt8(segments.count)
    bytes.setField(8, id)
    bytes.setField(0x10, sector)
    for (index, segment) in segments.enumerated() {
      bytes.setField(0x18 + index * 8, segment.reference)
      bytes[0x1C + index * 8] = segment.first
      bytes[0x1D + index * 8] = segment.last
    }
    return bytes
  }

  func notify() throws { try domain.fixture.events.send(port, from: domain.domainNumber) }

  /// Sends requests, lets time go by, and returns "id operation status" of the answers.
  func perform(_ requests: [[UInt8]]) throws -> [String] {
    for request in requests { ring.put(request) }
    if ring.push() { try notify() }
    domain.fixture.run()
    return answers()
  }
  func answers() -> [String] {
    ring.take(0x10).map { "\($0.field(0, as: UInt64.self)) \($0[8]) \($0.field(10, as: Int16.self))" }
  }
}
