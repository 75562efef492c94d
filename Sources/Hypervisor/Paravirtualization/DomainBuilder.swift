import Loading
import Platform
import Processor
import SystemFirmware

/// Puts a kernel into a new PV domain, and what it expects to find (`tools/libxc/xc_dom_ia64.c`).
public struct DomainBuilder {
  public var kernel: ELFProgram
  public var ramdisk: [UInt8]?
  public var commandLine: String

  public init(kernel: ELFProgram, ramdisk: [UInt8]? = nil, commandLine: String = "") {
    (self.kernel, self.ramdisk, self.commandLine) = (kernel, ramdisk, commandLine)
  }

  /// Pages and ports by which a guest reaches its host.
  public struct Connections: Sendable, Equatable {
    /// Frames of the guest.
    public var storeFrame: UInt64
    public var consoleFrame: UInt64
    public var storePort: UInt32
    public var consolePort: UInt32
  }

  public enum Failure: Error, Equatable, CustomStringConvertible {
    /// A segment of the kernel, or its entry point.
    case outsideMemory(UInt64)
    case overlapping(UInt64)
    case noRoomForRamdisk(Int)
    case services(XenError)
    public var description: String {
      switch self {
      case .outsideMemory(let address):
        "the kernel wants to be at 0x\(String(address, radix: 16)), where the domain has no memory for it"
      case .overlapping(let address): "parts of the kernel overlap at 0x\(String(address, radix: 16))"
      case .noRoomForRamdisk(let size): "the domain's memory has no room for a RAM disk of \(size) bytes"
      case .services(let error): "the domain has no event channels: \(error)"
      }
    }
  }

  private enum StartInfo {
    static let size: UInt64 = 0x490
    static let commandLine: UInt64 = 0x80
    static let commandLineSize = 1024
  }
  /// What a kernel is told of a text console.
  private static let columns: (columns: UInt16, rows: UInt16) = (80, 25)

  /// Loads everything; processor 0 is about to start.
  public func build(_ domain: ParavirtualDomain) throws -> Connections {
    let memory = domain.memory
    let frames = memory.frames
    let end = (frames - ParavirtualDomain.Layout.memoryMapFromEnd) << FramePool.frameShift
    let kernelEnd = try place(memory, limit: end)
    let disk = try placeRamdisk(memory, from: kernelEnd, limit: end)
    memory.write(0, try ParavirtualFirmware.image(frames: frames, processors: domain.processors.count))
    let map = ParavirtualFirmware.memoryMap(frames: frames)
    placeMemoryMap(memory, at: end, map)
    let connections = try connect(domain, frames)
    placeStartInfo(domain, connections, disk, mapSize: map.count)
    domain.sharedInfo.setWord(SharedInfo.Field.startInfoFrame, frames - ParavirtualDomain.Layout.startInfoFromEnd)
    domain.sharedInfo.setHalfWord(SharedInfo.Field.memoryMapFrames, 1)
    domain.sharedInfo.setWord(SharedInfo.Field.memoryMapFrame, end >> FramePool.frameShift)
    let parameters = ((frames - ParavirtualDomain.Layout.startInfoFromEnd) << FramePool.frameShift) + StartInfo.size
    domain.processors[0].start(ip: kernel.entry) { $0.gr[28] = parameters }
    return connections
  }

  /// Copies the segments to their physical addresses; returns the end of the last one.
  private func place(_ memory: DomainMemory, limit: UInt64) throws -> UInt64 {
    let segments = kernel.segments.sorted { $0.physicalAddress < $1.physicalAddress }
    var end = ParavirtualFirmware.size
    for segment in segments {
      guard segment.physicalAddress >= ParavirtualFirmware.size, segment.physicalAddress < limit,
        segment.memorySize <= limit - segment.physicalAddress
      else { throw Failure.outsideMemory(segment.physicalAddress) }
      guard segment.physicalAddress >= end else { throw Failure.overlapping(segment.physicalAddress) }
      segment.contents.withUnsafeBytes { _ = memory.write(segment.physicalAddress, $0) }
      end = segment.physicalAddress + segment.memorySize
    }
    guard segments.contains(where: { kernel.entry &- $0.physicalAddress < $0.memorySize }) else {
      throw Failure.outsideMemory(kernel.entry)
    }
    return end
  }

  private func placeRamdisk(_ memory: DomainMemory, from: UInt64, limit: UInt64) throws -> Range<UInt64>? {
    guard let ramdisk else { return nil }
    let start = (from + FramePool.frameSize - 1) & ~(FramePool.frameSize - 1)
    guard start < limit, UInt64(ramdisk.count) <= limit - start else { throw Failure.noRoomForRamdisk(ramdisk.count) }
    memory.write(start, ramdisk)
    return start..<start + UInt64(ramdisk.count)
  }

  /// xen_ia64_memmap_info, and the map behind it.
  private func placeMemoryMap(_ memory: DomainMemory, at address: UInt64, _ map: [UInt8]) {
    memory.store(address, UInt64(map.count))
    memory.store(address + 8, UInt64(40))
    memory.store(address + 16, UInt32(1))
    memory.write(address + 24, map)
  }

  private func connect(_ domain: ParavirtualDomain, _ frames: UInt64) throws -> Connections {
    do throws(XenError) {
      let events = domain.services.events
      return Connections(
        storeFrame: frames - ParavirtualDomain.Layout.storeFromEnd, consoleFrame: frames - ParavirtualDomain.Layout.consoleFromEnd,
        storePort: try events.allocateUnbound(in: domain.domainNumber, for: DomainNumber.host),
        consolePort: try events.allocateUnbound(in: domain.domainNumber, for: DomainNumber.host))
    } catch { throw Failure.services(error) }
  }

  /// start_info_t and, right behind it, xen_ia64_boot_param, to which the kernel is given a pointer.
  private func placeStartInfo(
    _ domain: ParavirtualDomain, _ connections: Connections, _ disk: Range<UInt64>?, mapSize: Int
  ) {
    let memory = domain.memory
    let start = (memory.frames - ParavirtualDomain.Layout.startInfoFromEnd) << FramePool.frameShift
    memory.write(start, Array("xen-3.0-ia64".utf8))
    memory.store(start + 0x20, memory.frames)
    memory.store(start + 0x38, connections.storeFrame)
    memory.store(start + 0x40, connections.storePort)
    memory.store(start + 0x48, connections.consoleFrame)
    memory.store(start + 0x50, connections.consolePort)
    if let disk {
      memory.store(start + 0x70, disk.lowerBound)
      memory.store(start + 0x78, UInt64(disk.count))
    }
    memory.write(start + StartInfo.commandLine, Array(commandLine.utf8.prefix(StartInfo.commandLineSize - 1)))
    let parameters = start + StartInfo.size
    memory.store(parameters, start + StartInfo.commandLine)
    memory.store(parameters + 0x08, ParavirtualFirmware.Layout.systemTable)
    memory.store(parameters + 0x10, ParavirtualFirmware.Layout.memoryMap)
    memory.store(parameters + 0x18, UInt64(mapSize))
    memory.store(parameters + 0x20, UInt64(40))
    memory.store(parameters + 0x28, UInt32(1))
    memory.store(parameters + 0x2C, Self.columns.columns)
    memory.store(parameters + 0x2E, Self.columns.rows)
    memory.store(parameters + 0x32, Self.columns.rows - 1)
    memory.store(parameters + 0x38, ParavirtualFirmware.Layout.assistInterface)
    if let disk {
      memory.store(parameters + 0x40, disk.lowerBound)
      memory.store(parameters + 0x48, UInt64(disk.count))
    }
  }
}
