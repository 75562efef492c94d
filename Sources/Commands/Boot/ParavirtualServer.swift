import Devices
import HostResources
import Hypervisor
import Loading
import Platform
import SplitDrivers
import SystemFirmware

/// What a PV domain's guest runs on: nothing but its domain, and what connects that with the host.
final class ParavirtualServer: Server {
  private var line: ParavirtualConsole! = nil
  private var frameBuffer: FrameBufferBackEnd?
  private var virtualKeyboard: KeyboardBackEnd?

  /// The domain is built and about to start.
  init(_ domain: ParavirtualDomain, _ builder: DomainBuilder, name: String, uuid: String) throws {
    let connections = try builder.build(domain)
    super.init(machine: domain.machine, domain: domain, name: name)
    guard let drivers else { preconditionFailure("a domain has back ends") }
    do throws(XenError) {
      line = ParavirtualConsole(
        try ConsoleBackEnd(
          host: drivers, domain: domain.domainNumber, frame: connections.consoleFrame, port: connections.consolePort))
    } catch { throw CommandFailure(CommandFailure.badInput, "the domain cannot have a console: \(error)") }
    do throws(StoreError) {
      try domain.enter(
        store: DomainNodes(
          number: domain.domainNumber, name: name, uuid: uuid, memoryTarget: domain.memory.frames * FramePool.frameSize >> 10,
          processors: domain.processors.count, storeFrame: connections.storeFrame, storePort: connections.storePort,
          console: (connections.consoleFrame, connections.consolePort)))
    } catch { throw CommandFailure(CommandFailure.badInput, "the domain cannot enter XenStore: \(error.rawValue)") }
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
  override var screen: (any FrameBufferSource)? { frameBuffer }
  override var keyboard: KeyboardBackEnd? { virtualKeyboard }
  override func pressPowerButton() { try? domain?.ask(toShutDown: "poweroff") }

  override func release() {
    line.disconnect()
    super.release()
  }

  /// A screen, and a keyboard and a pointer in front of it.
  func attachScreen() throws { (frameBuffer, virtualKeyboard) = try attachFrameBuffer() }

  /// `medium`: what all disks are parts of; nil: each is one of its own.
  func attach(_ disks: [OpenDisk], medium: MediumTiming? = nil) throws {
    for (number, disk) in disks.enumerated() {
      let timing = medium ?? MediumTiming()
      switch disk.specification.bus {
      case nil, .vbd: try attachBlock(disk, timing)
      case .vscsi: try attachSCSI(disk, scsiUnit(disk, number: number, timing))
      case let bus?:
        throw CommandFailure(CommandFailure.badInput, "--disk: a PV domain has no \(bus.rawValue) bus; use bus=vbd or bus=vscsi")
      }
    }
  }
}

/// The ring as a console line.
private final class ParavirtualConsole: ConsoleLine {
  private let backEnd: ConsoleBackEnd
  weak var peer: (any SerialPeer)?

  init(_ backEnd: ConsoleBackEnd) {
    self.backEnd = backEnd
    backEnd.output = { [unowned self] bytes in for byte in bytes { peer?.transmit(byte) } }
  }

  func disconnect() { backEnd.disconnect() }

  /// The back end keeps what the guest does not take yet.
  var room: Int { backEnd.isConnected ? 256 : 0 }
  func receive(_ bytes: some Sequence<UInt8>) -> Int {
    let all = Array(bytes)
    backEnd.type(all)
    return all.count
  }
  /// A ring has no such thing.
  func receiveBreak() {}
}
