import Devices
import HostResources
import Hypervisor
import Loading
import Platform
import SystemFirmware

/// What a PV domain's guest runs on: nothing but its domain, and what connects that with the host.
final class ParavirtualServer: Server {
  private let line: ParavirtualConsole

  /// The domain is built and about to start.
  init(_ domain: ParavirtualDomain, _ builder: DomainBuilder, name: String, uuid: String) throws {
    let connections = try builder.build(domain)
    guard let ring = try ConsoleRing(domain, frame: connections.consoleFrame, port: connections.consolePort) else {
      throw CommandFailure(CommandFailure.badInput, "the domain has no memory for its console")
    }
    line = ParavirtualConsole(ring)
    do throws(StoreError) {
      try domain.enter(
        store: DomainNodes(
          number: domain.domainNumber, name: name, uuid: uuid, memoryTarget: domain.memory.frames * FramePool.frameSize >> 10,
          processors: domain.processors.count, storeFrame: connections.storeFrame, storePort: connections.storePort,
          console: (connections.consoleFrame, connections.consolePort)))
    } catch { throw CommandFailure(CommandFailure.badInput, "the domain cannot enter XenStore: \(error)") }
    super.init(machine: domain.machine, domain: domain)
    // Another domain would have to take its place.
    mayReset = false
    domain.hasShutDown = { [unowned self] reason in
      switch reason {
      case .reboot, .watchdog: perform(.coldReset)
      case .powerOff, .suspend, .crash: perform(.powerOff)
      }
    }
  }

  override var console: any ConsoleLine { line }
  override func pressPowerButton() { try? domain?.ask(toShutDown: "poweroff") }
}

/// The ring as a console line.
private final class ParavirtualConsole: ConsoleLine {
  private let ring: ConsoleRing
  weak var peer: (any SerialPeer)?

  init(_ ring: ConsoleRing) {
    self.ring = ring
    ring.transmit = { [unowned self] in peer?.transmit($0) }
    ring.readyToReceive = { [unowned self] in peer?.readyToReceive() }
  }

  var room: Int { ring.room }
  func receive(_ bytes: some Sequence<UInt8>) -> Int { ring.receive(bytes) }
  /// A ring has no such thing.
  func receiveBreak() {}
}
