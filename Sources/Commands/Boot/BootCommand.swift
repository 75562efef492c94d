import ArgumentParser
import Devices
import HostResources
import Inspection
import Pipeline
import Platform
import Processor
import SystemFirmware

/// `epicure boot`: power on a machine, boot a guest, its console on standard input and output.
struct BootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "boot",
    abstract: "Power on a machine and boot a guest; its console is on standard input and output.",
    discussion: """
      Without --kernel the firmware boots from the disks; without disks either, the built-in self-test guest is booted. On a \
      terminal, Ctrl-A x switches the machine off and Ctrl-A h \
      lists the other keys. While the console's input may still deliver something, idle time passes as the host's does; with \
      </dev/null it is skipped.

      Example: epicure boot --kernel vmlinux.gz --initrd initramfs.cpio.gz --append "console=ttyS0"
      """)

  private static let defaultMemory: UInt64 = 1 << 30

  @Option(
    help: ArgumentHelp(
      "Kernel: an ELF executable for IA-64, possibly compressed with gzip, or an EFI application.", valueName: "file"))
  var kernel: String?
  @Option(
    help: ArgumentHelp("Keep the non-volatile EFI variables in this file; it is made if it does not exist.", valueName: "file"))
  var nvram: String?
  @Option(help: ArgumentHelp("Initial RAM disk for a Linux kernel.", valueName: "file"))
  var initrd: String?
  @Option(help: ArgumentHelp("Kernel command line.", valueName: "text"))
  var append: String = ""
  @Option(
    help: ArgumentHelp(
      "Disk, repeatable: a file or an nbd: address; options behind commas: bus=ide|scsi|virtio|virtio-scsi, format=raw|qcow2|..., readonly, "
        + "cd, snapshot=on, overlay=FILE, cache=writeback|writethrough|unsafe, serial=TEXT, transport=transitional|modern, partition=N, "
        + "mirror=FILE [record=FILE], path=FILE [policy=failover|round-robin, queue=SECONDS].", valueName: "file,options"))
  var disk: [String] = []
  @Option(help: ArgumentHelp("Memory of the machine: 512M, 4G.", valueName: "size"))
  var memory = MemorySize(bytes: defaultMemory)
  @Option(
    help: ArgumentHelp(
      "Boards and partitions, as YAML: each partition is a machine of its own, and all run at the same time. The file says what "
        + "each boots, instead of --kernel, --memory, --cpus and so on.", valueName: "file"))
  var machine: String?
  @Option(help: ArgumentHelp("Number of processors, 1 to 64.", valueName: "n"))
  var cpus = 1
  @Option(
    help: ArgumentHelp(
      "Network adapter: none, user, bridge=NAME or tap=NAME, with options: model=e1000|virtio, mac=ADDRESS, capture=FILE; hostfwd=, "
        + "restrict=on and net= for user, shared=on|off for bridge. May be repeated.", valueName: "network"),
    transform: { try NICSpecification(parsing: $0) })
  var nic: [NICSpecification] = []
  @Option(
    help: ArgumentHelp(
      "Another virtio device: rng (seed=N), balloon (take=MiB) or console=FILE, with the option transport=transitional|modern. "
        + "May be repeated.", valueName: "device"),
    transform: { try VirtioSpecification(parsing: $0) })
  var virtio: [VirtioSpecification] = []
  @Option(
    help: ArgumentHelp(
      "Connect a bridge with networks of the host, repeatable: a TAP device, or another interface; with several the first that has a "
        + "link is in use.", valueName: "name,uplink=interface"),
    transform: { try BridgeSpecification(parsing: $0) })
  var bridge: [BridgeSpecification] = []
  @Option(
    help: ArgumentHelp(
      "Plug in a VGA (pv: a frame buffer and a keyboard) and show it to VNC clients: a display number (port 5900 is display 0), or auto for the first that is free, behind an "
        + "address other than 127.0.0.1 if need be.", valueName: "[address:]display"))
  var vnc: String?
  @Option(
    help: ArgumentHelp("VNC clients must know what the first line of this file says (8 characters count).", valueName: "file"))
  var vncPassword: String?
  @Option(help: ArgumentHelp("Plug in the same, and write what is on its screen at the end of the run.", valueName: "file.png"))
  var screenshot: String?
  @Option(
    help: ArgumentHelp(
      "hvm, a fully virtualized domain (the default); pv, a paravirtualized one; none, the bare machine.", valueName: "mode"))
  var virtualization: Virtualization?
  @OptionGroup var engine: EngineOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var timing: TimingOptions
  @OptionGroup var tracing: TraceOptions
  @Option(help: ArgumentHelp("Stop with status 0 when a line of the console matches this regular expression.", valueName: "regex"))
  var until: String?
  @Option(
    help: ArgumentHelp(
      "Stop with status 1 when a line of the console matches this regular expression; empty: never. Without this option: when "
        + "Linux panics.", valueName: "regex"))
  var failOn: String?
  @Flag(help: "End when the guest asks for a reset, instead of resetting.")
  var noReboot = false
  @Option(help: ArgumentHelp("Stop with status 3 after so many seconds of guest time.", valueName: "seconds"))
  var limitSeconds: Double?
  @Option(help: ArgumentHelp("Stop with status 3 after so many instructions (slots, nops included).", valueName: "n"))
  var limitInstructions: UInt64?
  @Option(help: ArgumentHelp("Write statistics of the run as JSON.", valueName: "file"))
  var stats: String?
  @Option(
    help: ArgumentHelp("Write down what comes from outside, so that --replay can repeat the run.", valueName: "file"))
  var record: String?
  @Option(
    help: ArgumentHelp(
      "Repeat the run of a recording or crash bundle, to the cycle. What else is said looks at the run, ends it, or says where files are now.",
      valueName: "file"))
  var replay: String?
  @Option(
    help: ArgumentHelp(
      "If the guest fails, write an archive (tar) with all that --replay needs to see it again, and registers, exits, and the console.",
      valueName: "file"))
  var crashBundle: String?
  @Option(
    help: ArgumentHelp("Kernel and initrd are in the crash bundle if they are not larger than this (64M).", valueName: "size"))
  var crashBundleFiles: MemorySize?
  @Option(
    help: ArgumentHelp(
      "Wait for gdb at this port; the guest stands before its first instruction until gdb lets it go. Port 0: any that is free.",
      valueName: "[address:]port"))
  var gdb: DebugAddress?
  @Flag(help: "With --gdb: the guest runs before a gdb comes.")
  var gdbNowait = false
  @Option(
    help: ArgumentHelp(
      "For HVM: the accelerations of VT-i that the guest's processors have, by the manual's names: all, none, a_int,a_cover, or -a_bsw for all "
        + "but that one.", valueName: "names"))
  var vac: AccelerationSet?
  @Option(
    help: ArgumentHelp(
      "Check the engine: boot twice side by side, by blocks and by single instructions, and compare. 1: all blocks; 50: a fiftieth.",
      valueName: "share"))
  var lockstep: UInt64?

  private func disks() throws -> [DiskSpecification] {
    try disk.map { text in
      do throws(DiskSpecification.Failure) { return try DiskSpecification(parsing: text) } catch {
        throw ValidationError("--disk \(text): \(error)")
      }
    }
  }

  func validate() throws {
    let disks = try disks()
    guard lockstep == nil || disks.allSatisfy({ $0.isReadOnly || $0.overlay == .temporary }) else {
      throw ValidationError("--lockstep boots twice, so its disks must be readonly or have snapshot=on.")
    }
    if let virtualization, virtualization != .bare, lockstep != nil || machine != nil {
      throw ValidationError("\(lockstep != nil ? "--lockstep" : "--machine") is for bare machines: use --virtualization none.")
    }
    if let vnc, VNCAddress(parsing: vnc) == nil {
      throw ValidationError("--vnc \(vnc): a display is [ADDRESS:]NUMBER or [ADDRESS:]auto.")
    }
    if vnc == nil && vncPassword != nil { throw ValidationError("--vnc-password goes with --vnc.") }
    if lockstep != nil && (vnc != nil || screenshot != nil) { throw ValidationError("--lockstep has no screen.") }
    let configuration = MachineConfiguration.self
    guard 1...configuration.largestProcessorCount ~= cpus else { throw ValidationError("--cpus must be from 1 to 64.") }
    guard configuration.smallestMemory...configuration.largestMemory ~= memory.bytes, memory.bytes % (1 << 20) == 0 else {
      throw ValidationError("--memory must be whole megabytes from 64M to 1024G.")
    }
    if lockstep != nil && nic.contains(where: { $0.connection != .none }) {
      throw ValidationError("--lockstep compares two machines, and what comes over a network reaches only one: no --nic.")
    }
    if nic.count > 1 && nic.contains(where: { $0.connection == .none }) { throw ValidationError("--nic none goes alone.") }
    if lockstep != nil && virtio.contains(where: { $0.name == "console" }) {
      throw ValidationError("--lockstep boots twice, and both would write the file of --virtio console.")
    }
    try tracing.check()
    if tracing.isGiven && (lockstep != nil || machine != nil) {
      throw ValidationError("--trace, --flight-recorder and --break are for one machine: not with --lockstep or --machine.")
    }
    try threads.check(
      (lockstep != nil, "--lockstep"), (timing.timing == .cycle, "--timing cycle"),
      (tracing.isGiven, "--trace, --flight-recorder or --break"),
      (record != nil, "--record"), (replay != nil, "--replay"), (crashBundle != nil, "--crash-bundle"), (gdb != nil, "--gdb"),
      (engine.engineProfile != nil, "--engine-profile"), (machine != nil, "--machine"))
    try engine.check(isLockstep: lockstep != nil, hasPartitions: machine != nil)
    if vac != nil && virtualization ?? .hvm != .hvm { throw ValidationError("--vac is about HVM domains.") }
    if lockstep != nil && gdb != nil { throw ValidationError("--lockstep has a debugger of its own kind: no --gdb.") }
    if gdbNowait && gdb == nil { throw ValidationError("--gdb-nowait goes with --gdb.") }
    if lockstep == 0 { throw ValidationError("--lockstep is 1 for all, or a greater number.") }
    if let limitSeconds, !(limitSeconds > 0 && limitSeconds < 1e9) { throw ValidationError("--limit-seconds must be positive.") }
  }

  func run() throws { try run(nil) }

  func run(_ watching: Watching?) throws {
    try threads.check((watching != nil, "epicure debug"))
    try checkRecording()
    if let replay { return try Replay(path: replay).run(own: Self.words, watching) }
    try timing.check(processors: cpus, usesSymbols: tracing.isGiven || watching != nil || gdb != nil, samples: true)
    if let machine { return try runPartitions(machine) }
    if let lockstep {
      let description = try timing.description()
      var first = true
      // The first machine is watched by the model, which must not change a result; time stays functional.
      let make = {
        let server = try makeServer(nil, timing: nil, Tape(), hasVideo: false)
        engine.apply(to: server.processors)
        if first, let description { server.count(cyclesOf: description, setsClock: false) }
        first = false
        return server
      }
      return try LockstepBoot(make: make, share: lockstep, matcher: successMatcher()).run(limit: limitInstructions)
    }
    let bundle = makeBundle()
    let tape = try makeTape(bundle)
    try execute(on: tape, hasVideo: hasVideo, watching, bundle: bundle)
  }

  private func successMatcher() throws(CommandFailure) -> OutputMatcher? {
    try until.map { (pattern) throws(CommandFailure) in try ConsoleFailure.expression(pattern, "--until") }
  }

  /// One machine, from power-on to the end. `bundle` is written if the guest fails.
  func execute(on tape: Tape, hasVideo: Bool, _ watching: Watching?, bundle: CrashBundle? = nil) throws {
    let success = try successMatcher()
    let failure = try ConsoleFailure.matcher(failOn)
    try timing.check(processors: cpus, usesSymbols: tracing.isGiven || watching != nil || gdb != nil, samples: true)
    engine.begin()
    let world = OutsideWorld()
    let networks = try Self.networks(world, nic, bridge, tape.journal)
    let server = try makeServer(networks, timing: timing.description(), tape, hasVideo: hasVideo)
    server.mayReset = !noReboot
    engine.apply(to: server.processors)
    if let threads = threads.make() { server.machine.runInParallel(on: threads) }
    let cycles = try CycleObservation(timing, program: kernel, hasStatistics: stats != nil)
    cycles?.begin(server.pipelines)
    let trace = try TraceObservation(
      tracing, remembers: bundle != nil, server: server, virtualization: mode, kernel: kernel, symbols: timing.symbols)
    let isReplay = tape.journal.isReplaying
    let console = watching?.console ?? (isReplay ? HostConsole(input: -1) : HostConsole())
    let schedule = OutsideSchedule(machine: server.machine, world: world, journal: tape.journal)
    schedule.exits = { [unowned server] in server.exitCount }
    let session = ConsoleSession(server: server, console: console, schedule: schedule, success: success, failure: failure)
    try trace?.wait(for: session)
    let keyboard = KeyboardChannel(server, tape.journal)
    let screen = try makeScreen(server, world)
    if let screen { keyboard?.connect(screen) }
    let debugged = try makeDebugger(server, session, world, watching, tape.journal)
    if let debugged, let trace {
      trace.conditionMet = { [unowned trace] in debugged.debugger.stopRequested(reason: "--break: " + trace.text(of: $0)) }
    }
    tape.journal.replayer?.ended = { [unowned session] in session.abandon() }
    schedule.start()
    // The machine and the console know these without owning them.
    defer { withExtendedLifetime((schedule, session, networks, keyboard, screen, trace, debugged, tape)) {} }
    let start = ContinuousClock.now
    let sampler = timing.profile == nil || timing.timing == .cycle ? nil : ProfileSampler(server, timing, kernel: kernel)
    let outcome = try runToTheEnd(server, limit: (tape as? ReplayTape)?.limit ?? .max) {
      try debugged?.run(until: $0) ?? sampler?.run(until: $0) ?? server.run(until: $0)
    }
    tape.journal.replayer?.close()
    session.flush()
    TerminalMode.restore()
    let seconds = HostTime.seconds(since: start)
    server.flushDisks()
    if let screenshot, let screen = server.screen { try Screens.write(screen, to: screenshot) }
    let failed = report(outcome, session, server)
    debugged?.ended(UInt8(truncatingIfNeeded: failed?.status ?? 0))
    try cycles?.finish()
    try sampler?.finish()
    try engine.finish(server.processors)
    trace?.finish(failed: failed?.status == CommandFailure.guestFailed)
    if let stats {
      try BootStatistics(server: server, outcome: name(outcome, session), hostSeconds: seconds, cycles: cycles).write(to: stats)
    }
    networks.complaints.forEach { StandardError.write("epicure: \($0)") }
    try finish(tape, bundle, server, session, name(outcome, session), failed, trace)
    if let failed { throw failed }
  }

  /// A recording's end, and a bundle, if the guest has failed.
  private func finish(
    _ tape: Tape, _ bundle: CrashBundle?, _ server: Server, _ session: ConsoleSession, _ outcome: String, _ failed: CommandFailure?,
    _ trace: TraceObservation?
  ) throws(CommandFailure) {
    guard tape.journal.recorder != nil || tape.journal.isReplaying else { return }
    let end = RunEnd(server, outcome: outcome)
    try tape.finish(end)
    guard let bundle, let header = (tape as? RecordingTape)?.header else { return }
    guard let failed, failed.status == CommandFailure.guestFailed else { return bundle.discard() }
    try bundle.write(
      server, end, message: failed.message ?? outcome, console: session.tail, header: header, events: trace?.remembered ?? [])
  }

  // MARK: Preparation

  private static func networks(
    _ world: OutsideWorld, _ adapters: [NICSpecification], _ bridges: [BridgeSpecification], _ journal: Journal
  ) throws(CommandFailure) -> Networks {
    do throws(NetworkError) { return try Networks(world: world, all: adapters, bridges: bridges, journal: journal) } catch {
      throw CommandFailure(CommandFailure.badInput, "--bridge: \(error)")
    }
  }

  /// A domain, unless something else was asked for that only bare machines have.
  var mode: Virtualization { virtualization ?? (lockstep == nil ? .hvm : .bare) }

  private func makeServer(
    _ networks: Networks?, timing: MachineDescription?, _ tape: Tape, hasVideo: Bool
  ) throws -> Server {
    // A file that was written once is not written again by a replay.
    let virtio = tape.journal.isReplaying ? virtio.map(\.withoutFile) : virtio
    return try GuestConfiguration(
      kernel: kernel, initrd: initrd, commandLine: append, processors: cpus, memory: memory.bytes, disks: disks(), variables: nvram,
      adapters: nic, virtioDevices: virtio, domain: mode.makesDomain(vac?.accelerations ?? .implemented), hasVideo: hasVideo,
      timing: timing, tape: tape
    ).makeServer(networks: networks)
  }

  private func makeScreen(_ server: Server, _ world: OutsideWorld) throws(CommandFailure) -> VNCServer? {
    guard let address = vnc.flatMap({ VNCAddress(parsing: $0) }) else { return nil }
    let screen = try Screens.show(server, name: "epicure", at: address, password: vncPassword.map(Screens.password), world)
    if let screen { StandardError.write("epicure: the screen is at \(address.host), display \(screen.display)") }
    return screen
  }

  // MARK: Running

  private enum End: Equatable { case server(Server.Outcome), instructions }

  /// With an instruction limit the clock is followed closely: cycles are instructions and idle time.
  private func runToTheEnd(_ server: Server, limit: UInt64, _ run: (_ limit: UInt64) throws -> Server.Outcome) throws -> End {
    let timeLimit = min(limit, limitSeconds.map { UInt64($0 * Double(Cycles.perSecond)) } ?? .max)
    guard let limitInstructions else { return .server(try run(timeLimit)) }
    while true {
      let done = server.machine.instructions
      if done >= limitInstructions { return .instructions }
      // As if all processors were busy; what is missing then is for the next round.
      // With cycle timing a cycle retires up to six slots.
      let slots: UInt64 = server.pipelines.isEmpty ? 1 : 6
      let target = server.machine.now &+ max(1, (limitInstructions - done) / (UInt64(cpus) * slots))
      let outcome = try run(min(timeLimit, target))
      if outcome != .limit || server.machine.now >= timeLimit { return .server(outcome) }
    }
  }

  private func name(_ end: End, _ session: ConsoleSession) -> String {
    switch session.end {
    case .matched: return "matched"
    case .failed: return "guest-failed"
    case .outputClosed: return "output-closed"
    case .abandoned: return "abandoned"
    case .quit, nil: break
    }
    switch end {
    case .instructions: return "instruction-limit"
    case .server(.poweredOff): return "powered-off"
    case .server(.imageReturned): return "image-returned"
    case .server(.resetRequested): return "reset-requested"
    case .server(.stopped): return "stopped"
    case .server(.limit): return "time-limit"
    case .server(.deadlock): return "deadlock"
    case .server(.faultLoop): return "fault-loop"
    case .server(.crashed): return "crashed"
    }
  }

  /// What the exit status will be; nil for 0.
  private func report(_ end: End, _ session: ConsoleSession, _ server: Server) -> CommandFailure? {
    func failed(_ message: String) -> CommandFailure { CommandFailure(CommandFailure.guestFailed, message) }
    func before(_ event: String) -> CommandFailure? { until.map { failed("\(event) before \"\($0)\" appeared") } }
    let ip = String(server.machine.processors[server.machine.currentProcessor].state.pointee.ip, radix: 16)
    switch session.end {
    case .matched: return nil
    case .failed(let line): return failed("the guest failed: \(line)")
    case .outputClosed: return before("the console's output was closed")
    // The recording has the word.
    case .abandoned: return nil
    case .quit, nil: break
    }
    switch end {
    case .instructions: return CommandFailure(CommandFailure.limitReached, "the limit of instructions is reached, at ip 0x\(ip)")
    case .server(.limit): return CommandFailure(CommandFailure.limitReached, "the time limit is reached, at ip 0x\(ip)")
    case .server(.stopped): return nil
    case .server(.poweredOff): return before("the guest switched the machine off")
    case .server(.resetRequested): return before("the guest asked for a reset")
    case .server(.imageReturned(SystemFirmware.nothingToBoot)) where kernel == nil && !disk.isEmpty:
      return failed("none of the disks can be booted")
    case .server(.imageReturned(let status)):
      return status == 0
        ? before("the guest returned to the firmware")
        : failed("the guest returned to the firmware with status 0x\(String(status, radix: 16))")
    case .server(.crashed(let reason)): return failed("the domain crashed: \(reason)")
    case .server(.deadlock): return failed("the guest waits, with nothing left that could wake it, at ip 0x\(ip)")
    case .server(.faultLoop): return failed(FaultReport.describe(server.machine.processors[server.machine.currentProcessor]))
    }
  }
}

extension BootCommand {
  /// `--machine`: partitions instead of one machine.
  private func runPartitions(_ path: String) throws {
    for (given, option) in [
      (kernel != nil, "--kernel"), (initrd != nil, "--initrd"), (!append.isEmpty, "--append"), (until != nil, "--until"),
      (lockstep != nil, "--lockstep"), (nvram != nil, "--nvram"), (!disk.isEmpty, "--disk"), (!nic.isEmpty, "--nic"),
      (!bridge.isEmpty, "--bridge"), (vnc != nil, "--vnc"), (screenshot != nil, "--screenshot"),
      (cpus != 1, "--cpus"), (timing.timing == .cycle, "--timing"), (memory.bytes != Self.defaultMemory, "--memory"),
      (noReboot, "--no-reboot"), (!virtio.isEmpty, "--virtio"), (gdb != nil, "--gdb"), (vac != nil, "--vac"),
      (timing.profile != nil, "--profile"),
    ] where given {
      throw CommandFailure(
        CommandFailure.badInput, "\(option) does not go with --machine: say it in the file, for the partition that it is for")
    }
    let file = try MachineFile.load(path: path)
    let start = ContinuousClock.now
    let terminal = HostConsole()
    let run = try PartitionedRun(file, terminal: terminal, failOn: ConsoleFailure.matcher(failOn))
    let end = try run.run(
      until: limitSeconds.map { UInt64($0 * Double(Cycles.perSecond)) } ?? .max, instructions: limitInstructions)
    terminal.flush()
    TerminalMode.restore()
    if let stats {
      try StatisticsFile.write(
        PartitionStatistics(run, end: end, hostSeconds: HostTime.seconds(since: start)), to: stats)
    }
    run.networks.complaints.forEach { StandardError.write("epicure: \($0)") }
    if let failure = PartitionReport.failure(run, end: end) { throw failure }
  }
}

/// One line about a processor that faults for ever.
enum FaultReport {
  static func describe(_ processor: LogicalProcessor) -> String {
    func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
    let s = processor.state
    let vector = s.pointee.fault.vector
    return
      "the guest is lost: it faults for ever at ip \(hex(s.pointee.ip)) (\(vector), first at iip \(hex(s.cr[CR.iip])), isr \(hex(s.cr[CR.isr])), "
      + "ifa \(hex(s.cr[CR.ifa])))"
  }
}
