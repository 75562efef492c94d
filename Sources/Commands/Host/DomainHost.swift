import Foundation
import HostResources
import Hypervisor
import Management
import Platform

/// The domains of one emulated server, running on one clock, and what their administrator may do with them.
final class DomainHost {
  let configuration: HostConfiguration
  let world = OutsideWorld()
  let hypervisor: Hypervisor
  let pool: FramePool
  /// What domains share with each other and with this server.
  let services: HostServices
  let networks: Networks
  private var devices: HostDevices
  private let failOn: OutputMatcher?
  /// Nil: nobody records what domains do.
  private let observation: HostObservation?
  /// In the order of their creation.
  private(set) var domains: [HostedDomain] = []
  private var nextID = 1
  let started = Date()
  /// Messages for whoever watches the server.
  var log: (String) -> Void = { StandardError.write("epicure: \($0)") }

  /// A block of region identifiers each; block 0 is the hypervisor's.
  static let largestCount = 63

  /// `failOn`: lines that a guest writes when it has failed.
  init(_ configuration: HostConfiguration, failOn: OutputMatcher?, observation: HostObservation? = nil) throws {
    self.configuration = configuration
    self.failOn = failOn
    self.observation = observation
    guard configuration.kept < configuration.memory else {
      throw CommandFailure(
        CommandFailure.badInput,
        "--memory: \(configuration.memory >> 20) MiB leave nothing beside the host's operating system and the hypervisor, \(configuration.kept >> 20) MiB"
      )
    }
    devices = try HostDevices(configuration.devices)
    pool = try FramePool(size: configuration.memory, kept: configuration.kept)
    services = HostServices(pool: pool)
    hypervisor = try Hypervisor(processors: configuration.processors, cyclesPerSecond: Cycles.perSecond)
    do throws(NetworkError) { networks = try Networks(world: world, all: [], bridges: configuration.bridges) } catch {
      throw CommandFailure(CommandFailure.badInput, "--bridge: \(error)")
    }
    if let threads = configuration.threads { hypervisor.runInParallel(on: threads, memory: pool.memory) }
    world.clock = { [hypervisor] in Cycles.nanoseconds(hypervisor.now) }
    observation?.begin(hypervisor, services.events)
    world.expectsAnswer = { [unowned self] in lookInterval.hurry() }
  }

  // MARK: Domains

  /// A domain by its number or name; only a domain of the hypervisor, not the host's operating system.
  func domain(_ text: String) throws(CommandFailure) -> HostedDomain {
    if let domain = domains.first(where: { String($0.id) == text || $0.name == text }) { return domain }
    if text == "0" || text == Self.hostName {
      throw CommandFailure(CommandFailure.badInput, "\(Self.hostName) is this server itself: that cannot be done to it")
    }
    throw CommandFailure(CommandFailure.badInput, "there is no domain '\(text)'")
  }

  static let hostName = "Domain-0"

  func create(_ machine: DomainMachine, paused: Bool = false) throws -> HostedDomain {
    let name = machine.configuration.name
    guard name != Self.hostName, !domains.contains(where: { $0.name == name }) else {
      throw CommandFailure(CommandFailure.badInput, "there is a domain '\(name)' already")
    }
    try machine.check()
    return try start(machine, paused: paused, uuid: machine.configuration.uuid, console: DomainConsole(failure: failOn))
  }

  private func start(
    _ machine: DomainMachine, paused: Bool = false, uuid: String?, console: DomainConsole, adapters old: [NICSpecification]? = nil,
    quickRestarts: Int = 0
  ) throws -> HostedDomain {
    let taken = Set(domains.map(\.block))
    guard let block = (1...Self.largestCount).first(where: { !taken.contains($0) }) else {
      throw CommandFailure(
        CommandFailure.badInput, "there are \(Self.largestCount) domains: region identifiers for more do not exist")
    }
    let name = machine.configuration.name
    let claimed = try devices.claim(Array(Set(machine.configuration.pciDevices)), for: name)
    var isPlugged = false
    defer { if !isPlugged { devices.release(name) } }
    var adapters =
      try old ?? machine.adapters() + claimed.compactMap { if case .adapter(let adapter) = $0.kind { adapter } else { nil } }
    let uuid = uuid ?? UUID().uuidString.lowercased()
    let id = nextID
    let server = try machine.guest(uuid: uuid, devices: claimed) { [pool, services] in
      let domain: Domain
      switch machine.configuration.kind {
      case .hardware:
        var configuration = HVMDomain.Configuration(machine: $0, number: block)
        configuration.tableShift = machine.tableShift
        configuration.identifier = UInt16(id)
        domain = try HVMDomain(configuration, pool: pool, services: services)
      case .paravirtualized:
        var configuration = ParavirtualDomain.Configuration(
          memorySize: $0.memorySize, processors: $0.processors, number: block)
        configuration.tableShift = machine.tableShift
        configuration.identifier = UInt16(id)
        domain = try ParavirtualDomain(configuration, pool: pool, services: services)
      }
      domain.setIdentity(UUID(uuidString: uuid))
      return domain
    }.makeServer(networks: networks, adapters: &adapters)
    server.machine.skip(to: hypervisor.now)
    if let threads = configuration.threads { server.machine.runInParallel(on: threads) }
    observation?.begin(server)
    let domain = HostedDomain(
      id: id, block: block, machine: machine, uuid: uuid, server: server, adapters: adapters, console: console,
      quickRestarts: quickRestarts)
    do throws(CreditScheduler.Failure) {
      try hypervisor.add(
        domain, number: domain.id, weight: machine.configuration.weight, cap: machine.configuration.cap,
        affinities: machine.configuration.affinity.map(\.bits), paused: paused)
    } catch {
      leave(domain)
      throw CommandFailure(CommandFailure.badInput, "\(domain.name): \(error)")
    }
    do throws(CommandFailure) { try domain.showScreen(world) } catch {
      stop(domain)
      leave(domain)
      throw error
    }
    isPlugged = true
    domain.isPaused = paused
    domain.hasEnded = { [unowned self] in hasEnds = true }
    nextID = freeNumber(after: id)
    domains.append(domain)
    return domain
  }

  /// Numbers go up, and begin again where Xen's special ones do.
  private func freeNumber(after number: Int) -> Int {
    var next = number
    repeat { next = next + 1 < Int(DomainNumber.caller) ? next + 1 : 1 } while domains.contains { $0.id == next }
    return next
  }

  /// Takes a domain away, whatever it does.
  func destroy(_ domain: HostedDomain) {
    stop(domain)
    leave(domain)
    domains.removeAll { $0 === domain }
  }

  /// It runs no more; what it has it keeps.
  private func stop(_ domain: HostedDomain) {
    guard domain.finalSeconds == nil else { return }
    domain.finalSeconds = processorSeconds(domain)
    // It is in the scheduler as long as there is no final count.
    try? hypervisor.remove(domain.id)
  }

  private func leave(_ domain: HostedDomain) {
    if let server = domain.server { observation?.end(server) }
    domain.release()
    networks.unplug(domain.adapters)
    devices.release(domain.configuration.name)
  }

  /// Seconds for which it has had processors.
  func processorSeconds(_ domain: HostedDomain) -> Double {
    domain.finalSeconds ?? Cycles.seconds(times(domain).running)
  }

  /// What the scheduler knows of all virtual processors together.
  func times(_ domain: HostedDomain) -> (running: UInt64, waiting: UInt64) {
    (0..<domain.virtualProcessorCount).reduce(into: (0, 0)) { sum, index in
      guard let state = runstate(domain, index) else { return }
      sum.running += state.times.running
      sum.waiting += state.times.runnable
    }
  }

  /// Nil if it has left the scheduler.
  func runstate(_ domain: HostedDomain, _ index: Int) -> CreditScheduler.Runstate? {
    hypervisor.handle(of: domain.id, processor: index).flatMap { try? hypervisor.scheduler.runstate(of: $0, now: hypervisor.now) }
  }

  // MARK: Ends

  /// Lives shorter than this are too short for restarts without end (xend's MINIMUM_RESTART_TIME), and how many there may be in a row.
  private static let shortLife = 20.0
  private static let quickRestartLimit = 3

  /// A domain has ended since the last look.
  private var hasEnds = false

  /// Does what the configurations say about domains that have ended.
  private func settleEnds() {
    guard hasEnds else { return }
    hasEnds = false
    for domain in domains where domain.finalSeconds == nil {
      guard let end = domain.end else { continue }
      stop(domain)
      switch end {
      case .poweredOff: settle(domain, domain.configuration.onPoweroff)
      case .rebooted: settle(domain, domain.configuration.onReboot)
      case .crashed(let reason):
        let report = CrashReport(domain, reason: reason, at: hypervisor.now)
        let place = report.write(to: configuration.reports)
        let events = place.flatMap { observation?.writeLast(beside: $0) }
        log(
          "domain \(domain.name) crashed: \(reason)" + (place.map { " (report: \($0))" } ?? "")
            + (events.map { " (last events: epicure trace list \($0))" } ?? ""))
        settle(domain, domain.configuration.onCrash)
      }
    }
  }

  private func settle(_ domain: HostedDomain, _ action: DomainConfiguration.EndAction) {
    switch action {
    case .destroy, .coredumpDestroy: destroy(domain)
    case .preserve: domain.server?.flushDisks()
    case .restart, .coredumpRestart:
      destroy(domain)
      restart(domain)
    case .renameRestart:
      // Its successor needs its disks.
      leave(domain)
      domain.rename("Domain-" + UUID().uuidString.lowercased())
      restart(domain)
    }
  }

  private func restart(_ domain: HostedDomain) {
    let isShort = -domain.created.timeIntervalSinceNow < Self.shortLife
    let quick = isShort ? domain.quickRestarts + 1 : 0
    guard quick <= Self.quickRestartLimit else {
      return log("domain \(domain.configuration.name) restarts too often: it has been destroyed")
    }
    do {
      _ = try start(domain.machine, uuid: domain.uuid, console: domain.console, adapters: domain.adapters, quickRestarts: quick)
    } catch let failure as CommandFailure {
      log("domain \(domain.configuration.name) cannot be restarted: \(failure.message ?? "")")
    } catch { log("domain \(domain.configuration.name) cannot be restarted: \(error)") }
  }

  // MARK: Running

  /// The run is over.
  var isStopping: () -> Bool = { false }

  /// Runs until ``isStopping``, then saves what the guests have written.
  func run() {
    while !isStopping() {
      settleEnds()
      if hypervisor.now >= lastLook &+ lookInterval.cycles {
        lastLook = hypervisor.now
        lookInterval.looked(
          found: world.look(), at: lastLook, exits: domains.reduce(0) { $0 &+ ($1.server?.exitCount ?? 0) })
      }
      let next = hypervisor.nextActivity
      if next > hypervisor.now + Hypervisor.window {
        sleep(until: next)
      } else {
        hypervisor.advance(to: hypervisor.now + Self.turn)
      }
    }
    for domain in domains { domain.server?.flushDisks() }
    observation?.finish()
  }

  /// Cycles until the next look at whether everybody waits.
  private static let turn = 4 * Hypervisor.window
  private var lookInterval = LookInterval()
  private var lastLook: UInt64 = 0

  /// Everybody waits: time passes as the host's does.
  private func sleep(until cycle: UInt64) {
    let now = hypervisor.now
    let forever = cycle == .max
    let passed = world.wait(
      nanoseconds: forever ? nil : Cycles.nanoseconds(cycle - now), now: Cycles.nanoseconds(now),
      isOver: { [unowned self] in isStopping() || hypervisor.nextActivity <= hypervisor.now })
    lastLook = hypervisor.now
    if let passed {
      hypervisor.advance(to: min(cycle, now + Cycles.from(nanoseconds: passed)))
    } else if !forever {
      hypervisor.advance(to: cycle)
    }
  }
}
