import Devices
import HostResources
import Platform

/// The networks of this process: makes what `--nic` asks for, and keeps what several adapters share.
final class Networks {
  let world: OutsideWorld
  private var bridges: [String: SoftwareBridge] = [:]
  private var links: [String: BridgeLinks] = [:]
  private var captures: [String: CaptureFile] = [:]
  /// Adapters of this process on each bridge.
  private var adapterCounts: [String: Int] = [:]
  private var addresses: Set<MACAddress> = []
  private var adapterCount = 0

  /// First device number for adapters: 0 is the host bridge, 1 and 2 are for disk controllers.
  private static let firstDevice: UInt8 = 3

  /// `all`: every adapter of this process, on whatever machine.
  init(world: OutsideWorld, all: [NICSpecification]) {
    self.world = world
    for case .bridge(let name, _) in all.map(\.connection) { adapterCounts[name, default: 0] += 1 }
  }

  /// Plugs adapters into a machine that has not been switched on yet. Returns the specifications with the addresses that they have got.
  @discardableResult
  func plug(_ specifications: [NICSpecification], into server: Server) throws -> [NICSpecification] {
    var plugged: [NICSpecification] = []
    do {
      for specification in specifications { plugged.append(try plug(specification, into: server)) }
    } catch {
      unplug(plugged)
      throw error
    }
    return plugged
  }

  private func plug(_ specification: NICSpecification, into server: Server) throws -> NICSpecification {
    let timeline = server.timeline
    var segment = 0
    var port: any NetworkPort
    switch specification.connection {
    case .none: return specification
    case .user(let options): port = try UserNetwork(options, world: world)
    case .tap(let name): port = try TAPDevice(name: name, world: world)
    case .bridge(let name, let isShared):
      let bridge = try bridge(name, isShared: isShared ?? (adapterCounts[name] == 1))
      segment = links[name]?.number ?? 0
      port = try bridge.connect(timeline)
    }
    guard let device = server.pci.freeDevice(from: Self.firstDevice) else { throw NetworkError("no PCI device number is left") }
    var plugged = specification
    let address = specification.address ?? .automatic(segment: segment, index: adapterCount)
    guard addresses.insert(address).inserted else { throw NetworkError("two adapters have the address \(address)") }
    plugged.address = address
    let name = "nic\(adapterCount)"
    adapterCount += 1
    do {
      if let path = specification.capture {
        port = CapturingPort(port, into: try capture(path), name: name, address: address, timeline: timeline)
      }
      let counters = try plug(specification, address: address, port: port, into: server, device: device)
      server.statisticsSources.append((name, { Self.describe(port.statistics).merging(counters()) { first, _ in first } }))
    } catch {
      addresses.remove(address)
      throw error
    }
    return plugged
  }

  /// Makes the adapter itself. Returns how to learn what it counts beside its port.
  private func plug(
    _ specification: NICSpecification, address: MACAddress, port: any NetworkPort, into server: Server, device: UInt8
  ) throws -> () -> [String: UInt64] {
    let (events, clock) = (server.machine.events, server.machine)
    switch specification.model {
    case .e1000:
      let adapter = E1000(address: address, port: port, clock: clock, events: events)
      try server.pci.attach(adapter.function, model: adapter, device: device)
      return { [:] }
    case .virtio:
      let adapter = VirtioNet(address: address, port: port, events: events, clock: clock)
      let controller = try server.plug(adapter, interface: specification.interface, for: "--nic")
      return { controller.counters }
    }
  }

  /// The machine with these adapters is gone: another may have their addresses.
  func unplug(_ specifications: [NICSpecification]) {
    for case let address? in specifications.map(\.address) { addresses.remove(address) }
  }

  private func bridge(_ name: String, isShared: Bool) throws -> SoftwareBridge {
    let bridge = bridges[name] ?? SoftwareBridge(name: name)
    bridges[name] = bridge
    if isShared && links[name] == nil {
      links[name] = try BridgeLinks(bridge, folder: BridgeFolder.standard, world: world)
    }
    return bridge
  }

  private func capture(_ path: String) throws -> CaptureFile {
    if let file = captures[path] { return file }
    let file = try CaptureFile(path: path)
    captures[path] = file
    world.add(file)
    return file
  }

  /// What the user should know at the end of the run.
  var complaints: [String] { captures.values.compactMap { $0.failure?.description }.sorted() }

  private static func describe(_ statistics: NetworkStatistics) -> [String: UInt64] {
    [
      "sent_frames": statistics.sentFrames, "sent_bytes": statistics.sentBytes, "send_drops": statistics.sendDrops,
      "received_frames": statistics.receivedFrames, "received_bytes": statistics.receivedBytes,
      "receive_drops": statistics.receiveDrops,
    ]
  }
}
