import Devices
import HostResources
import Inspection
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
  /// Where what networks bring is written down, or comes from.
  private let journal: Journal
  /// Networks do not own the machine's time that they use.
  private var timelines: [JournaledTimeline] = []

  /// First device number for adapters: 0 is the host bridge, 1 and 2 are for disk controllers.
  private static let firstDevice: UInt8 = 3

  /// `all`: every adapter of this process, on whatever machine; with a journal that is no live one, of one machine.
  init(
    world: OutsideWorld, all: [NICSpecification], bridges: [BridgeSpecification] = [], journal: Journal = Journal()
  ) throws(NetworkError) {
    self.world = world
    self.journal = journal
    host = HostNetwork(world: world)
    for bridge in bridges where !journal.isReplaying { try host.connect(bridge) { StandardError.write("epicure: \($0)") } }
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
    if specification.connection == .none { return specification }
    let timeline = server.timeline
    var bridgeName: String?
    if case .bridge(let name, _) = specification.connection { bridgeName = name }
    var port = try outlet(specification, timeline)
    if givesWires && specification.model == .netfront { port = WirePort(port, timeline: timeline) }
    var plugged = specification
    let name = "nic\(adapterCount)"
    let address = try address(specification, name: name, bridge: bridgeName)
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

  /// What an adapter is plugged into.
  private func outlet(_ specification: NICSpecification, _ timeline: EventTimeline) throws -> any NetworkPort {
    guard journal.recorder != nil || journal.isReplaying else { return try network(specification, timeline) }
    let journaled = JournaledTimeline(timeline, journal: journal)
    timelines.append(journaled)
    return journal.isReplaying
      ? ReplayedPort(journal: journal) : RecordedPort(try network(specification, journaled), journal: journal)
  }

  private func network(_ specification: NICSpecification, _ timeline: any MachineTimeline) throws -> any NetworkPort {
    switch specification.connection {
    case .none: return UnconnectedPort()
    case .user(let options): return try UserNetwork(options, world: world)
    case .tap(let name): return try TAPDevice(name: name, world: world)
    case .bridge(let name, let isShared):
      let isAlone = adapterCounts[name] == 1 && !host.hasUplink(name)
      return try host.bridge(name, isShared: isShared ?? isAlone).connect(timeline)
    }
  }

  /// Nobody else has it.
  private func address(_ specification: NICSpecification, name: String, bridge: String?) throws -> MACAddress {
    var failure: (any Error)?
    let bytes = journal.ask(
      .address,
      bytes: {
        do throws(NetworkError) { return try host.claim(specification.address, for: name, bridge: bridge).bytes } catch {
          failure = error
          return nil
        }
      })
    if let failure { throw failure }
    guard let address = bytes.flatMap({ MACAddress($0, at: 0) }) else {
      throw NetworkError("the recording has no address for \(name)")
    }
    return address
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
