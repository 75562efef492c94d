import Foundation
import HostResources
import Hypervisor
import Inspection
import Loading
import Management
import Platform

/// One life of a domain: from its creation to its end. A restart is a new one with a new number, as in Xen.
final class HostedDomain: ScheduledDomain {
  /// Why it does not run any more.
  enum End: Equatable {
    case poweredOff
    case rebooted
    case crashed(String)
  }

  let id: Int
  /// Its block of region identifiers: 1...63.
  let block: Int
  let uuid: String
  let machine: DomainMachine
  let console: DomainConsole
  let created = Date()
  /// Lives in a row that were short, this one not counted.
  let quickRestarts: Int
  private(set) var name: String
  /// Nil when its memory has been given back.
  private(set) var server: Server?
  /// Shows its screen.
  private(set) var screen: VNCServer?
  /// With the addresses that they have been given.
  let adapters: [NICSpecification]
  private(set) var end: End? { didSet { if end != nil { hasEnded?() } } }
  var hasEnded: (() -> Void)?
  var isPaused = false
  /// `reboot` has pressed the power button.
  var restartsWhenOff = false
  /// Seconds of processors, when it has left the scheduler.
  var finalSeconds: Double?
  /// MiB that `mem-set` has asked for.
  var memoryTarget: Int

  /// A guest that has failed is stopped when it has printed nothing for a tenth of a second: its report follows the first line.
  private static var quietTime: UInt64 { Cycles.perSecond / 10 }
  private var quietDeadline: UInt64?

  init(
    id: Int, block: Int, machine: DomainMachine, uuid: String, server: Server, adapters: [NICSpecification], console: DomainConsole,
    quickRestarts: Int
  ) {
    (self.id, self.block, self.machine, self.uuid, self.server) = (id, block, machine, uuid, server)
    (self.adapters, self.console, self.quickRestarts) = (adapters, console, quickRestarts)
    name = machine.configuration.name
    memoryTarget = machine.configuration.memory
    // What the guest asks for is the administrator's to decide.
    server.mayReset = false
    console.connect(server.console)
  }

  var configuration: DomainConfiguration { machine.configuration }

  /// Shows the screen to VNC clients, if the configuration says so: at the first of its addresses that is free.
  func showScreen(_ world: OutsideWorld) throws(CommandFailure) {
    let wanted = configuration.guestScreen
    guard wanted.isShown, let server else { return }
    let addresses = machine.screenAddresses(number: id)
    for (n, address) in addresses.enumerated() {
      do throws(CommandFailure) {
        screen = try Screens.show(server, name: name, at: address, password: wanted.password, world)
        return
      } catch {
        if n == addresses.count - 1 { throw error }
      }
    }
  }

  /// Of the kernel, if the configuration names its System.map.
  var symbols: SymbolTable? {
    machine.symbolFile.flatMap { (path) -> SymbolTable? in
      do throws(ImageError) { return try SymbolTable(path: path) } catch { return nil }
    }
  }

  /// Preserved under another name, so that its successor has its own.
  func rename(_ name: String) { self.name = name }

  /// Gives back memory, disks and adapters.
  func release() {
    server?.flushDisks()
    console.connect(nil)
    screen = nil
    server?.release()
    server = nil
  }

  func crash(_ reason: String) { if end == nil { end = .crashed(reason) } }

  // MARK: ScheduledDomain

  var virtualProcessorCount: Int { configuration.virtualProcessors }

  private var running: Server? { end == nil ? server : nil }

  var hasWork: ((UInt64) -> Void)? {
    get { server?.machine.hasWork }
    set { server?.machine.hasWork = newValue }
  }

  var nextEvent: UInt64 { running.map { min($0.machine.nextEvent, quietDeadline ?? .max) } ?? .max }

  func nextCycle(of index: Int) -> UInt64? { running?.machine.nextCycle(of: index) }

  func setMayRun(_ allowed: Bool, processor index: Int, at cycle: UInt64) {
    server?.machine.setMayRun(allowed, processor: index, at: cycle)
  }

  func advance(to cycle: UInt64) {
    guard let server = running else { return }
    do {
      switch try server.run(until: cycle) {
      // One that waits for ever may be woken by another.
      case .limit, .stopped, .deadlock: break
      case .poweredOff, .imageReturned(0): end = restartsWhenOff ? .rebooted : .poweredOff
      case .resetRequested: end = .rebooted
      case .imageReturned(let status):
        end = .crashed("the guest returned to the firmware with status 0x\(String(status, radix: 16))")
      case .crashed(let reason): end = .crashed(reason)
      case .faultLoop: end = .crashed(FaultReport.describe(server.processors[server.machine.currentProcessor]))
      }
    } catch { end = .crashed("\(error)") }
    if server.domain?.memory.isShort == true {
      end = .crashed("the machine has no memory left for what the guest was promised before mem-set")
    }
    lookForLastWords(cycle)
  }

  private func lookForLastWords(_ cycle: UInt64) {
    guard let line = console.failedLine else { return }
    // A guest that resets or switches off after a panic has failed all the same.
    if end != nil { return end = .crashed("the guest failed: \(line)") }
    if console.isFresh || quietDeadline == nil {
      console.isFresh = false
      quietDeadline = cycle + Self.quietTime
    } else if let quietDeadline, cycle >= quietDeadline {
      end = .crashed("the guest failed: \(line)")
    }
  }
}
