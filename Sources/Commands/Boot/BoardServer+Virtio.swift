import Devices
import HostResources
import Hypervisor
import Platform

/// Virtio devices, plugged in.
extension BoardServer {
  /// Puts a device on the bus, behind those that have places of their own. `option` asked for it.
  func plug(_ device: VirtioDevice, interface: VirtioInterface?, for option: String) throws -> VirtioPCI {
    guard let number = pci.freeDevice(from: Self.chipSetDevice + 2) else {
      throw CommandFailure(CommandFailure.badInput, "\(option): no room on the PCI bus for a virtio device")
    }
    let controller = VirtioPCI(device, interface: interface ?? .transitional)
    try pci.attach(controller.function, model: controller, device: number)
    return controller
  }

  func attach(_ devices: [VirtioSpecification]) throws {
    for (index, specification) in devices.enumerated() {
      let controller = try plug(make(specification), interface: specification.interface, for: "--virtio")
      let number = devices[..<index].count { $0.name == specification.name }
      statisticsSources.append(("\(specification.name)\(number)", { [unowned controller] in controller.counters }))
    }
  }

  private func make(_ specification: VirtioSpecification) throws -> VirtioDevice {
    let events = machine.events
    switch specification.device {
    case .rng(let seed): return VirtioEntropy(seed: seed, events: events, clock: machine)
    case .balloon(let take):
      let balloon = VirtioBalloon(events: events, clock: machine)
      balloon.setTarget(pages: take << 8)
      if let domain {
        let host = DomainBalloon(domain)
        balloon.host = host
        retain(host)
      }
      return balloon
    case .console(let path):
      let console = VirtioConsole(events: events, clock: machine)
      let file = try ConsoleFile(path: path)
      console.peer = file
      retain(file)
      return console
    }
  }
}

/// Where the pages go that a domain's guest gives away: back to the machine, for other domains.
final class DomainBalloon: BalloonHost {
  private unowned let domain: Domain
  /// Pages of 4096 bytes that are gone.
  private var pages: Set<UInt32> = []

  private static let pageShift: UInt64 = 12
  private static let pagesOfFrame = UInt32(FramePool.frameSize >> pageShift)

  init(_ domain: Domain) { self.domain = domain }

  /// Frames of which all pages are gone, among those with one of `pages`.
  private func wholeFrames(_ pages: [UInt32]) -> Set<UInt32> {
    Set(pages.map { $0 / Self.pagesOfFrame }).filter { frame in
      (0..<Self.pagesOfFrame).allSatisfy { self.pages.contains(frame * Self.pagesOfFrame + $0) }
    }
  }

  func inflated(_ pages: [UInt32]) {
    let new = pages.filter {
      domain.memory.isRAM(UInt64($0) << Self.pageShift, count: 1 << Self.pageShift) && !self.pages.contains($0)
    }
    self.pages.formUnion(new)
    let frames = wholeFrames(new)
    guard !frames.isEmpty else { return }
    for frame in frames { _ = domain.memory.clear(UInt64(frame) << FramePool.frameShift, count: FramePool.frameSize) }
    let bytes = UInt64(frames.count) << FramePool.frameShift
    let kept = domain.promisedMemory > bytes ? domain.promisedMemory - bytes : 0
    // All frames of zeros first, those among them: then no frame that is gone counts among those that the guest has. What it still
    // uses it gets anew, as zero as it was.
    change(to: 0)
    change(to: kept)
  }

  func deflated(_ pages: [UInt32]) {
    let old = pages.filter { self.pages.contains($0) }
    let frames = wholeFrames(old)
    self.pages.subtract(old)
    grow(by: UInt64(frames.count))
  }

  func reset() {
    let frames = wholeFrames(Array(pages))
    pages = []
    grow(by: UInt64(frames.count))
  }

  /// Nothing leaves, so that this may happen in the middle of a device access, too. Without enough left in the machine the guest gets
  /// frames one by one, as it touches them.
  private func grow(by frames: UInt64) { try? domain.memory.promise(domain.memory.promised + frames) }

  private func change(to bytes: UInt64) {
    // There is always enough for less.
    try? domain.promise(bytes)
  }
}

/// What a guest's virtio console prints, in a file.
private final class ConsoleFile: VirtioConsolePeer {
  private let file: TraceFile
  init(path: String) throws(CommandFailure) { file = try TraceFile(path: path) }
  // A line is there when it has been printed. What the host does not take is lost, as with the other consoles.
  func transmit(_ bytes: [UInt8]) { if file.append(bytes) { file.flush() } }
}
