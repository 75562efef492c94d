import Foundation
import HostResources
import Hypervisor
import Inspection
import Management
import Platform
import Processor

/// What clients of the control socket may ask for.
extension DomainHost {
  func answer(_ command: ControlRequest.Command) -> ControlReply {
    do { return ControlReply(try perform(command)) } catch { return ControlReply(error: ControlReply.line(error)) }
  }

  private func perform(_ command: ControlRequest.Command) throws -> ControlReply.Result {
    switch command {
    case .create(let file, let contents, let overrides, let folder, let paused):
      let read = try DomainConfigurationFile(Array(contents), file: file, overrides: overrides)
      let domain = try create(DomainMachine(configuration: read.configuration, folder: folder), paused: paused)
      return .created(record(domain), warnings: read.warnings.map(\.description))
    case .list(let names): return .domains(try records(names))
    case .virtualProcessors(let names):
      return .virtualProcessors(try virtualProcessors(names), processors: configuration.processors)
    case .scheduling(let names): return .scheduling(try scheduling(names))
    case .uptime(let names): return .uptime(try uptimes(names))
    case .load(let names): return .load(try load(names))
    case .info: return .info(information)
    case .pause(let name): return try act(name, pause)
    case .unpause(let name): return try act(name, unpause)
    case .shutdown(let name): return try act(name) { try pressPowerButton($0, restart: false) }
    case .reboot(let name): return try act(name) { try pressPowerButton($0, restart: true) }
    case .destroy(let name):
      let domain = try domain(name)
      let record = record(domain)
      destroy(domain)
      return .domains([record])
    case .setScheduling(let name, let weight, let cap): return try act(name) { try setScheduling($0, weight, cap) }
    case .pin(let name, let processor, let mask): return try act(name) { try pin($0, processor, mask) }
    case .setMemory(let name, let mebibytes): return .memory(try setMemory(domain(name), mebibytes))
    case .attachBlock(let name, let disk, let folder): return .domains([record(try attachBlock(name, disk, folder: folder))])
    case .detachBlock(let name, let device, let force):
      return .domains([record(try detach(name, kind: "vbd", device: device, force: force))])
    case .blocks(let name): return .blocks(try blocks(name))
    case .attachInterface(let name, let settings): return .domains([record(try attachInterface(name, settings))])
    case .detachInterface(let name, let device, let force):
      return .domains([record(try detach(name, kind: "vif", device: String(device), force: force))])
    case .interfaces(let name): return .interfaces(try interfaces(name))
    case .crashReport(let name): return .text(try crashReport(name))
    case .screenshot(let name): return .file(try screenshot(name))
    case .explain(let name, let processor, let address, let access, let privilege):
      return .explanation(try explain(domain(name), processor, address, access, privilege))
    // The connection does this itself.
    case .console: throw CommandFailure(CommandFailure.badInput, "the console is not an answer")
    }
  }

  private func act(_ name: String, _ body: (HostedDomain) throws -> Void) throws -> ControlReply.Result {
    let domain = try domain(name)
    try body(domain)
    return .domains([record(domain)])
  }

  // MARK: Doing

  private func requireLife(_ domain: HostedDomain) throws(CommandFailure) {
    guard domain.end == nil else { throw CommandFailure(CommandFailure.badInput, "\(domain.name) does not run any more") }
  }

  private func pause(_ domain: HostedDomain) throws {
    try requireLife(domain)
    guard !domain.isPaused else { return }
    try hypervisor.pause(domain.id)
    domain.isPaused = true
  }

  private func unpause(_ domain: HostedDomain) throws {
    try requireLife(domain)
    guard domain.isPaused else { return }
    try hypervisor.unpause(domain.id)
    domain.isPaused = false
  }

  private func pressPowerButton(_ domain: HostedDomain, restart: Bool) throws {
    try requireLife(domain)
    domain.restartsWhenOff = restart
    domain.server?.pressPowerButton()
  }

  private func setScheduling(_ domain: HostedDomain, _ weight: Int?, _ cap: Int?) throws {
    try requireLife(domain)
    if let cap, cap > 100 * domain.virtualProcessorCount {
      throw CommandFailure(
        CommandFailure.badInput, "cap \(cap) percent is more than \(domain.virtualProcessorCount) virtual processors can use")
    }
    if let weight { try hypervisor.setWeight(weight, of: domain.id) }
    if let cap { try hypervisor.setCap(cap, of: domain.id) }
  }

  private func pin(_ domain: HostedDomain, _ processor: Int?, _ mask: ProcessorMask) throws {
    try requireLife(domain)
    let all = 0..<domain.virtualProcessorCount
    if let processor, !all.contains(processor) {
      throw CommandFailure(CommandFailure.badInput, "\(domain.name) has virtual processors 0 to \(all.upperBound - 1)")
    }
    for index in processor.map({ $0..<$0 + 1 }) ?? all { try hypervisor.setAffinity(mask.bits, of: domain.id, processor: index) }
  }

  private func setMemory(_ domain: HostedDomain, _ mebibytes: Int) throws -> MemorySetting {
    try requireLife(domain)
    guard let guest = domain.server?.domain else { throw CommandFailure(CommandFailure.badInput, "\(domain.name) has no memory") }
    // The guest has been told of this much, and cannot be told of more.
    guard 1...domain.configuration.memory ~= mebibytes else {
      throw CommandFailure(
        CommandFailure.badInput,
        "\(domain.name) was started with \(domain.configuration.memory) MiB: its memory can be set from 1 to that")
    }
    try guest.promise(UInt64(mebibytes) << 20 + (guest is ParavirtualDomain ? 0 : MemoryMap.firmwareSize))
    // A guest with a balloon driver gives back the rest.
    try? guest.ask(forMemory: UInt64(mebibytes) << 10)
    domain.memoryTarget = mebibytes
    return MemorySetting(name: domain.name, target: mebibytes, memory: memory(of: domain), freeMemory: Int(pool.free >> 20))
  }

  private func explain(_ domain: HostedDomain, _ index: Int, _ address: UInt64, _ access: String, _ privilege: UInt64?)
    throws(CommandFailure)
    -> AddressExplanation
  {
    guard let hypervised = domain.server?.domain else {
      throw CommandFailure(CommandFailure.badInput, "\(domain.name) has ended, and its memory has been given back")
    }
    guard hypervised.virtualProcessors.indices.contains(index) else {
      throw CommandFailure(
        CommandFailure.badInput, "\(domain.name) has the virtual processors 0 to \(hypervised.virtualProcessors.count - 1)")
    }
    guard let access = InspectedReference.Access(rawValue: access), privilege ?? 0 <= 3 else {
      throw CommandFailure(CommandFailure.badInput, "an address is for read, write or execute, at a privilege level from 0 to 3")
    }
    let symbols = domain.symbols
    return AddressExplanation(hypervised, processor: index, address, access, privilege: privilege) { symbols?.name(of: $0) }
  }

  private func crashReport(_ name: String) throws(CommandFailure) -> String {
    let name = domains.first { String($0.id) == name }?.configuration.name ?? name
    guard !name.contains("/"), let path = CrashReport.latest(of: name, in: configuration.reports),
      let text = try? String(contentsOfFile: path, encoding: .utf8)
    else { throw CommandFailure(CommandFailure.badInput, "there is no report of a crash of '\(name)'") }
    return text
  }

  private func screenshot(_ name: String) throws(CommandFailure) -> Data {
    let domain = try domain(name)
    guard let screen = domain.server?.screen else {
      throw CommandFailure(
        CommandFailure.badInput,
        "\(domain.name) has no screen; stdvga = 1, vnc = 1 or (PV) vfb = ['type=vnc'] in its configuration gives it one")
    }
    return Data(PNGImage.bytes(of: screen))
  }

  // MARK: Telling

  /// The domains of these names, or all; the host's own is true for `Domain-0`.
  private func find(_ names: [String]) throws(CommandFailure) -> (host: Bool, domains: [HostedDomain]) {
    if names.isEmpty { return (true, domains) }
    var host = false
    var found: [HostedDomain] = []
    for name in names {
      if name == "0" || name == Self.hostName { host = true } else { found.append(try domain(name)) }
    }
    return (host, found)
  }

  /// MiB that the machine keeps for it.
  private func memory(of domain: HostedDomain) -> Int {
    guard let hvm = domain.server?.domain else { return 0 }
    // A screen's memory takes the place of a few pages.
    return Int((hvm.promisedMemory - min(hvm.promisedMemory, MemoryMap.firmwareSize) + 0xF_FFFF) >> 20)
  }

  private func state(of domain: HostedDomain) -> DomainState {
    switch domain.end {
    case .crashed: return .crashed
    case .poweredOff, .rebooted: return .shutdown
    case nil: break
    }
    let states = (0..<domain.virtualProcessorCount).compactMap { runstate(domain, $0)?.state }
    var letters: DomainState = domain.isPaused ? .paused : []
    if states.contains(.running) { letters.insert(.running) }
    if !states.isEmpty, states.allSatisfy({ $0 == .blocked || $0 == .offline }), states.contains(.blocked) {
      letters.insert(.blocked)
    }
    return letters
  }

  private func record(_ domain: HostedDomain) -> DomainRecord {
    var configuration = domain.configuration
    configuration.name = domain.name
    return DomainRecord(
      configuration: configuration, id: domain.id, uuid: domain.uuid, memory: memory(of: domain),
      onlineProcessors: domain.virtualProcessorCount, state: state(of: domain), startTime: domain.created.timeIntervalSince1970,
      processorSeconds: processorSeconds(domain))
  }

  /// The server itself, as xm shows the host's operating system.
  private var hostRecord: DomainRecord {
    var configuration = DomainConfiguration(name: Self.hostName)
    let mebibytes = Int(self.configuration.operatingSystemMemory >> 20)
    (configuration.memory, configuration.maximumMemory) = (mebibytes, mebibytes)
    configuration.virtualProcessors = self.configuration.processors
    configuration.onlineProcessors = .first(self.configuration.processors)
    configuration.affinity = Array(repeating: .all, count: self.configuration.processors)
    return DomainRecord(
      configuration: configuration, id: 0, uuid: "00000000-0000-0000-0000-000000000000", memory: mebibytes,
      onlineProcessors: self.configuration.processors, state: .running, startTime: started.timeIntervalSince1970,
      processorSeconds: HostTime.processorSeconds)
  }

  private func records(_ names: [String]) throws -> [DomainRecord] {
    let (host, domains) = try find(names)
    return (host ? [hostRecord] : []) + domains.map(record)
  }

  private func virtualProcessors(_ names: [String]) throws -> [VirtualProcessorSummary] {
    let (host, domains) = try find(names)
    let own = (0..<(host ? configuration.processors : 0)).map {
      VirtualProcessorSummary(
        name: Self.hostName, id: 0, number: $0, processor: $0, isOnline: true, isRunning: $0 == 0, isBlocked: $0 != 0,
        processorSeconds: $0 == 0 ? HostTime.processorSeconds : 0, affinity: .all)
    }
    return own
      + domains.flatMap { domain in
        (0..<domain.virtualProcessorCount).map { virtualProcessor(domain, $0) }
      }
  }

  private func virtualProcessor(_ domain: HostedDomain, _ index: Int) -> VirtualProcessorSummary {
    let runstate = runstate(domain, index)
    let handle = hypervisor.handle(of: domain.id, processor: index)
    let place = handle.flatMap { try? hypervisor.scheduler.statistics(of: $0, now: hypervisor.now).processor }
    let affinity = handle.flatMap { try? hypervisor.scheduler.affinity(of: $0) }
    return VirtualProcessorSummary(
      name: domain.name, id: domain.id, number: index, processor: place, isOnline: runstate != nil,
      isRunning: runstate?.state == .running, isBlocked: runstate?.state == .blocked,
      processorSeconds: Cycles.seconds(runstate?.times.running ?? 0), affinity: ProcessorMask(bits: affinity ?? .max))
  }

  private func scheduling(_ names: [String]) throws -> [SchedulingSummary] {
    let (host, domains) = try find(names)
    // What Xen gives to the host's operating system; here it does not compete.
    let own = host ? [SchedulingSummary(name: Self.hostName, id: 0, weight: CreditScheduler.defaultWeight, cap: 0)] : []
    return own
      + domains.map { domain in
        SchedulingSummary(
          name: domain.name, id: domain.id, weight: try? hypervisor.scheduler.weight(ofDomain: domain.id),
          cap: try? hypervisor.scheduler.cap(ofDomain: domain.id))
      }
  }

  private func uptimes(_ names: [String]) throws -> [UptimeSummary] {
    let (host, domains) = try find(names)
    let own = host ? [UptimeSummary(name: Self.hostName, id: 0, seconds: -started.timeIntervalSinceNow)] : []
    return own + domains.map { UptimeSummary(name: $0.name, id: $0.id, seconds: -$0.created.timeIntervalSinceNow) }
  }

  private func load(_ names: [String]) throws -> ServerLoad {
    let domains = try find(names).domains
    return ServerLoad(
      seconds: Cycles.seconds(hypervisor.now), processors: configuration.processors, totalMemory: Int(configuration.memory >> 20),
      freeMemory: Int(pool.free >> 20),
      domains: domains.map { domain in
        let hvm = domain.server?.domain
        return ServerLoad.Domain(
          name: domain.name, id: domain.id, state: state(of: domain), virtualProcessors: domain.virtualProcessorCount,
          processorSeconds: processorSeconds(domain), stolenSeconds: Cycles.seconds(times(domain).waiting),
          exits: hvm?.virtualProcessors.reduce(0) { $0 + $1.exits.total } ?? 0,
          instructions: domain.server?.machine.instructions ?? 0,
          memory: memory(of: domain), maximumMemory: domain.configuration.memory,
          residentMemory: Int(((hvm?.memory.populated ?? 0) << FramePool.frameShift) >> 20))
      })
  }

  private var information: HostInformation {
    HostInformation(
      release: EpicureCommand.configuration.version, version: "", processors: configuration.processors,
      socketsPerNode: configuration.processors, coresPerSocket: 1, threadsPerCore: 1, megahertz: Int(Cycles.perSecond / 1_000_000),
      totalMemory: Int(configuration.memory >> 20), freeMemory: Int(pool.free >> 20))
  }
}
