import Devices
import HostResources
import Hypervisor
import Inspection
import Pipeline
import Platform
import Processor
import SplitDrivers
import SystemFirmware

/// What a guest runs on, from power-on to power-off, resets included: a machine, its console, and what the host has plugged in. The subclass is
/// what there is besides: ``BoardServer``, ``ParavirtualServer``.
class Server {
  let machine: Machine
  /// What the machine's processors run in; nil: the bare machine.
  let domain: Domain?
  /// The machine's clock and events, for what connects it with others.
  let timeline: EventTimeline
  /// The back ends of the domain's devices; nil: the bare machine.
  let drivers: DriverHost?
  /// As XenStore has it.
  let domainName: String
  /// Disks in the order of the command line, under the names of statistics.
  var disks: [(name: String, disk: OpenDisk)] = []
  /// Their mechanics, and network adapters' outlets, likewise.
  var media: [(name: String, timing: MediumTiming)] = []
  var ports: [(name: String, port: ObservedPort)] = []
  /// Who looks at all this; nil: nobody.
  weak var recorder: TraceRecorder?
  /// Devices that count what they do, by name.
  var statisticsSources: [(name: String, read: () -> [String: UInt64])] = []

  /// With cycle timing, the model of each processor.
  private(set) var pipelines: [Pipeline] = []

  /// Cycle timing from now on.
  func count(cyclesOf description: MachineDescription, setsClock: Bool = true) {
    pipelines = processors.map { Pipeline(description, watching: $0, setsClock: setsClock) }
  }

  var memory: any GuestMemory { machine.memory }
  var processors: [LogicalProcessor] { machine.processors }
  private(set) var resets = 0
  /// False: a reset that the guest asks for ends the run.
  var mayReset = true
  private var pending: PowerAction?
  /// ``stop()`` counts even if the guest has asked for something in the same moment.
  private var stopping = false

  init(machine: Machine, domain: Domain?, name: String) {
    (self.machine, self.domain, domainName) = (machine, domain, name)
    drivers = domain.map {
      DriverHost(
        store: $0.services.store, events: $0.services.events, grants: $0.services.grants, queue: machine.events, clock: machine)
    }
    timeline = EventTimeline(clock: machine, events: machine.events)
  }

  /// What is on the screen, if there is one: an adapter's, or a paravirtualized domain's frame buffer.
  var screen: (any FrameBufferSource)? { nil }
  /// What takes the keys and the pointer in front of it, if anything does.
  var keyboard: KeyboardBackEnd? { nil }
  /// Where characters come from and go to.
  var console: any ConsoleLine { preconditionFailure("each kind of server has its own") }

  /// As its user does who wants to switch it off in order.
  func pressPowerButton() {}

  /// Nothing runs here any more: what the domain has of the host's services goes.
  func release() {
    guard let domain else { return }
    drivers?.domainGone(domain.domainNumber)
    domain.leaveServices()
  }

  /// Starts over after a reset.
  func restart() throws { preconditionFailure("each kind of server has its own") }

  /// Codes for ``Machine/stop(_:)``.
  private enum StopCode {
    static let power = 1
    static let outside = 2
  }

  /// How a run ended.
  enum Outcome: Equatable {
    case poweredOff
    /// What was booted returned to the firmware with this EFI status.
    case imageReturned(UInt64)
    /// The guest asked for a reset, and ``mayReset`` is false.
    case resetRequested
    /// ``stop()`` was called.
    case stopped
    case limit
    case deadlock
    case faultLoop
    /// The guest has said that it failed, or has done to its hypervisor what no guest may.
    case crashed(String)
  }

  func perform(_ action: PowerAction) {
    pending = action
    machine.stop(StopCode.power)
  }

  /// Ends the run at the next opportunity.
  func stop() {
    stopping = true
    machine.stop(StopCode.outside)
  }

  /// Runs until `limit` cycles. After `.limit` and `.stopped` it can be continued.
  func run(until limit: UInt64) throws -> Outcome {
    while true {
      if let outcome = try outcome(of: machine.run(until: limit)) { return outcome }
    }
  }

  /// One turn in lockstep with another server; nil: it goes on.
  func turn(_ extent: Extent) throws -> Outcome? {
    try machine.turn(extent).flatMap { try outcome(of: $0) }
  }

  private func outcome(of reason: Machine.StopReason) throws -> Outcome? {
    switch reason {
    case .limit: return .limit
    case .deadlock: return .deadlock
    case .faultLoop: return .faultLoop
    case .requested:
      if stopping {
        stopping = false
        return .stopped
      }
      let action = pending
      pending = nil
      if let crash = domain?.crash { return .crashed(crash) }
      switch action {
      case .powerOff: return .poweredOff
      case .imageReturned(let status): return .imageReturned(status)
      case .coldReset, .warmReset:
        guard mayReset else { return .resetRequested }
        resets += 1
        try restart()
      case nil: break
      }
      return nil
    }
  }

  /// The machine is switched off: what the guest has written and not flushed is saved all the same.
  func flushDisks() {
    for (_, disk) in disks { finish(disk) }
  }
}
