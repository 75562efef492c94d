import HostResources
import Platform
import SystemFirmware

/// A partition that is switched on, or was.
final class Partition {
  enum State: Equatable {
    case running
    case ended(Server.Outcome)
    /// The guest said that it failed.
    case failed(String)
    /// A board broke, and there was none to take its place.
    case lost(board: String)
  }

  let configuration: MachineFile.Partition
  let console: PartitionConsole
  private(set) var server: Server?
  private(set) var state = State.running
  /// Times that it was started on other boards.
  private(set) var moves = 0
  /// With the addresses that they have been given.
  private var adapters: [NICSpecification]
  /// Instructions of the machines that it had before.
  private var earlier: UInt64 = 0

  init(_ configuration: MachineFile.Partition, console: PartitionConsole) {
    self.configuration = configuration
    self.console = console
    adapters = configuration.nics
  }

  var isRunning: Bool { state == .running }
  var instructions: UInt64 { earlier + (server?.machine.instructions ?? 0) }

  /// Puts the hardware together that the chassis has for this partition, and switches it on at `cycle`.
  func start(on chassis: Chassis, at cycle: UInt64, networks: Networks) throws {
    guard let hardware = chassis.partitions.first(where: { $0.name == configuration.name }).map({ chassis.hardware(of: $0) }) else {
      return
    }
    let guest = GuestConfiguration(
      kernel: configuration.kernel, initrd: configuration.initrd, commandLine: configuration.append,
      processors: hardware.processors, memory: hardware.memory,
      disks: configuration.disks, variables: configuration.nvram,
      topology: hardware.topology.nodes.count > 1 ? hardware.topology : nil)
    let server: Server
    do {
      server = try guest.makeServer(networks: networks, adapters: &adapters)
    } catch let failure as CommandFailure {
      throw CommandFailure(failure.status, "partition \(configuration.name): \(failure.message ?? "")")
    }
    server.machine.skip(to: cycle)
    server.console.peer = console
    self.server = server
    state = .running
  }

  /// Runs until `cycle`.
  func run(until cycle: UInt64) throws {
    guard isRunning, let server else { return }
    switch try server.run(until: cycle) {
    // One that waits for ever may be woken by another.
    case .limit, .stopped, .deadlock: break
    case let outcome:
      state = .ended(outcome)
      server.flushDisks()
    }
    if server.machine.nextActivity.map({ $0 >= cycle }) ?? true { console.idle(at: cycle) }
    if let line = console.failedLine, isRunning { state = .failed(line) }
  }

  /// One of its boards is gone: the machine stops in the middle of what it does.
  func breakDown(replacement: String?, board: String, networks: Networks) {
    earlier = instructions
    // Its files must be free before they are opened again.
    server?.flushDisks()
    server = nil
    networks.unplug(adapters)
    if replacement == nil { state = .lost(board: board) } else { moves += 1 }
  }
}
