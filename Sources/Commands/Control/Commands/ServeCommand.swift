import ArgumentParser
import Foundation
import Glibc
import HostResources
import Platform

/// `epicure serve`: a server that keeps domains.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Switch on a server that keeps domains; the other commands tell it what to do.",
    discussion: """
      It runs in the foreground until it is interrupted (Ctrl-C, SIGTERM). Domains are made from xm's configuration files:

        epicure serve &
        epicure create web.cfg        a domain from a file
        epicure list                  all domains
        epicure console web           its console; Ctrl-] leaves
        epicure shutdown -w web       presses its power button and waits

      All domains share the server's processors, under the credit scheduler, and its memory.
      """)

  @Option(help: ArgumentHelp("Physical processors, 1 to 64.", valueName: "n"))
  var cpus = 2
  @Option(help: ArgumentHelp("Memory of the machine: 512M, 24G.", valueName: "size"))
  var memory = MemorySize(bytes: 24 << 30)
  @Option(help: ArgumentHelp("What the host's operating system (Domain-0) has of it.", valueName: "size"))
  var hostMemory = MemorySize(bytes: HostMemory.operatingSystem)
  @Option(help: ArgumentHelp("What the hypervisor has of it.", valueName: "size"))
  var hypervisorMemory = MemorySize(bytes: HostMemory.hypervisor)
  @Option(
    help: ArgumentHelp(
      "Connect a bridge with networks of the host, repeatable: a TAP device, or another interface; with several the first that has a "
        + "link is in use.", valueName: "name,uplink=interface"),
    transform: { try BridgeSpecification(parsing: $0) })
  var bridge: [BridgeSpecification] = []
  @Option(
    help: ArgumentHelp(
      "A physical PCI device that a domain may have for itself (pci = ['05:00.0'] in its file), repeatable: a SCSI controller with a disk, "
        + "05:00.0,disk=FILE, or a network adapter, 06:00.0,nic=bridge=NAME; with the options of boot's --disk and --nic.",
      valueName: "address,device"),
    transform: { try HostDevice(parsing: $0) })
  var device: [HostDevice] = []
  @Option(
    help: ArgumentHelp(
      "The control socket. Without this option $EPICURE_SOCKET, $XDG_RUNTIME_DIR/epicure/control or ~/.epicure/control.",
      valueName: "path"))
  var socket: String?
  @Option(
    help: ArgumentHelp(
      "A domain has crashed when a line of its console matches this regular expression; empty: never. Without this option: when "
        + "Linux panics.", valueName: "regex"))
  var failOn: String?

  @Option(
    help: ArgumentHelp(
      "Record what all domains are left for, scheduled for, and ask of their devices, into this file; `epicure trace` reads it.",
      valueName: "file"))
  var trace: String?
  @Option(
    help: ArgumentHelp(
      "Remember so many of the last events, and write them beside the report of a domain that crashes.", valueName: "n"))
  var flightEvents = 0
  @OptionGroup var threads: ThreadOptions

  func validate() throws {
    guard 0...TraceOptions.mostFlightEvents ~= flightEvents else {
      throw ValidationError("--flight-events must be from 0 to \(TraceOptions.mostFlightEvents).")
    }
    try threads.check((trace != nil, "--trace"), (flightEvents > 0, "--flight-events"))
    guard 1...64 ~= cpus else { throw ValidationError("--cpus must be from 1 to 64.") }
    guard memory.bytes <= MachineConfiguration.largestMemory else { throw ValidationError("--memory must be 1024G at most.") }
  }

  func run() throws {
    let path = socket ?? ControlSocket.standardPath
    let failure = try ConsoleFailure.matcher(failOn)
    let observation =
      trace == nil && flightEvents == 0 ? nil : try HostObservation(path: trace, remembered: flightEvents, processors: cpus)
    let host = try DomainHost(
      HostConfiguration(
        processors: cpus, memory: memory.bytes, operatingSystemMemory: hostMemory.bytes, hypervisorMemory: hypervisorMemory.bytes,
        bridges: bridge, devices: device, threads: threads.make(), reports: (path as NSString).deletingLastPathComponent + "/crash"),
      failOn: failure,
      observation: observation)
    let server = try ControlServer(path: path, handle: { host.answer($0) }, console: { try host.domain($0).console })
    host.world.add(server)
    Interruption.catchAll()
    host.isStopping = { Interruption.hasCome }
    StandardError.write("epicure: \(cpus) processors, \(memory.description) of memory; listening at \(path)")
    host.run()
    withExtendedLifetime(server) {}
  }
}

/// Signals that end the server in good order.
enum Interruption {
  // Touched by signal handlers: a plain flag.
  nonisolated(unsafe) private(set) static var hasCome = false

  static func catchAll() {
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var old = sigaction()
      sigaction(number, nil, &old)
      // nohup, and shells for jobs in the background.
      if unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { continue }
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { _ in Interruption.hasCome = true }
      // No SA_RESTART: a wait for something to happen ends. The second signal has its usual effect.
      action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
      sigaction(number, &action, nil)
      sigaddset(&set, number)
    }
    // Whoever has started this process may have blocked them.
    sigprocmask(SIG_UNBLOCK, &set, nil)
    signal(SIGPIPE, SIG_IGN)
  }
}
