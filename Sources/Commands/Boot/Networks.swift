import Devices
import HostResources
import Platform

/// The networks of this process: makes what `--nic` asks for, and keeps what several adapters share.
final class Networks {
  let world: OutsideWorld
  private let host: HostNetwork
  private var captures: [String: CaptureFile] = [:]
  /// Adapters of this process on each bridge.
  private var adapterCounts: [String: Int] = [:]
  private var adapterCount = 0
  /// Adapters without a wire of their own, those of split drivers, have one to the bridge like all others: for comparisons.
  var givesWires = false

  /// First device number for adapters: 0 is the host bridge, 1 and 2 are for disk controllers.
  private static let firstDevice: UInt8 = 3

  /// `all`: every adapter of this process, on whatever machine.
  init(world: OutsideWorld, all: [NICSpecification], bridges: [BridgeSpecification] = []) throws(NetworkError) {
    self.world = world
    host = HostNetwork(world: world)
    for bridge in bridges { try host.connect(bridge) { StandardError.write("epicure: \($0)") } }
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
    var bridgeName: String?
    var port: any NetworkPort
    switch specification.connection {
    case .none: return specification
    case .user(let options): port = try UserNetwork(options, world: world)
    case .tap(let name): port = try TAPDevice(name: name, world: world)
    case .bridge(let name, let isShared):
      let isAlone = adapterCounts[name] == 1 && !host.hasUplink(name)
      port = try host.bridge(name, isShared: isShared ?? isAlone).connect(timeline)
      bridgeName = name
    }
    if givesWires && specification.model == .netfront { port = WirePort(port, timeline: timeline) }
    var plugged = specification
    let name = "nic\(adapterCount)"
    let address = try host.claim(specification.address, for: name, bridge: bridgeName)
    plugged.address = address
    adapterCount += 1
    do {
      if let path = specification.capture {
        port = CapturingPort(port, into: try capture(path), name: name, address: address, timeline: timeline)
      }
      let outlet = ObservedPort(port)
      let counters = try plug(specification, address: address, port: outlet, bridge: bridgeName ?? "", into: server)
      server.ports.append((name, outlet))
      if let recorder = server.recorder { server.observe(outlet, name: name, recorder) }
      server.statisticsSources.append((name, { Self.describe(port.statistics).merging(counters()) { first, _ in first } }))
    } catch {
      host.release(address)
      throw error
    }
    return plugged
  }

  /// Makes the adapter itself. Returns how to learn what it counts beside its port.
  private func plug(
    _ specification: NICSpecification, address: MACAddress, port: any NetworkPort, bridge: String, into server: Server
  ) throws -> () -> [String: UInt64] {
    guard specification.model != .netfront, let board = server as? BoardServer else {
      return try server.attachInterface(address: address, port: port, bridge: bridge)
    }
    let (events, clock) = (board.machine.events, board.machine)
    switch specification.model {
    case .e1000, .netfront:
      guard let device = board.pci.freeDevice(from: Self.firstDevice) else { throw NetworkError("no PCI device number is left") }
      let adapter = E1000(address: address, port: port, clock: clock, events: events)
      try board.pci.attach(adapter.function, model: adapter, device: device)
      if specification.isDirect { try board.give(adapter.function, option: "--nic direct") }
      return { [:] }
    case .virtio:
      let adapter = VirtioNet(address: address, port: port, events: events, clock: clock)
      let controller = try board.plug(adapter, interface: specification.interface, for: "--nic")
      return { controller.counters }
    }
  }

  /// The machine with these adapters is gone: another may have their addresses.
  func unplug(_ specifications: [NICSpecification]) {
    for case let address? in specifications.map(\.address) { host.release(address) }
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
