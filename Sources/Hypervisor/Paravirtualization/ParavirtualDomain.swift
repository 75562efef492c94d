import Platform
import Processor
import SystemFirmware

/// A paravirtualized domain: a kernel that knows its hypervisor, and has nothing but memory, processors and what the hypervisor's services
/// connect it with.
public final class ParavirtualDomain: Domain {
  public struct Configuration {
    /// Bytes, a multiple of 16 KiB.
    public var memorySize: UInt64
    public var processors: Int
    /// 1...63: the domain's block of region identifiers.
    public var number: Int
    /// Xen's domid; nil: the same number.
    public var identifier: UInt16?
    /// log2 of the bytes of each virtual processor's machine VHPT: 16, 18, 20, 22 or 24.
    public var tableShift = 20
    /// Unix time of the clock at cycle 0.
    public var startTime = SystemFirmware.defaultStartTime

    public init(memorySize: UInt64, processors: Int = 1, number: Int = 1) {
      (self.memorySize, self.processors, self.number) = (memorySize, processors, number)
    }
  }

  /// Guest-physical addresses that all domains have in common (`xen/include/public/arch-ia64.h`).
  public enum Layout {
    public static let sharedInfo: UInt64 = 1 << 40
    static let mappedRegisters: UInt64 = 1 << 40 | 0x4000
    public static let grantTable: UInt64 = 0x100_0010_4000
    /// From the end of RAM, in frames.
    static let memoryMapFromEnd: UInt64 = 4
    static let startInfoFromEnd: UInt64 = 3
    static let storeFromEnd: UInt64 = 2
    static let consoleFromEnd: UInt64 = 1
  }

  public private(set) var processors: [ParavirtualProcessor] = []
  public override var virtualProcessors: [VirtualProcessor] { processors }
  let startTime: Int64
  /// Where processors that SAL starts begin.
  var rendezvous: (ip: UInt64, globalPointer: UInt64) = (0, 0)
  /// SetVirtualAddressMap has been called.
  var hasVirtualMap = false

  /// What the domain has of the machine's memory besides its own.
  private var tables: [(start: UInt64, bytes: UInt64)] = []
  private var registerFrames: [UInt32] = []

  /// Bytes of the machine's memory that a domain takes.
  public static func memoryNeeded(_ configuration: Configuration) -> UInt64 {
    let table = UInt64(1) << UInt64(configuration.tableShift)
    return configuration.memorySize + FramePool.frameSize
      + UInt64(configuration.processors) * (2 * table + FramePool.frameSize)
  }

  public init(_ configuration: Configuration, pool: FramePool, services: HostServices? = nil) throws {
    startTime = configuration.startTime
    let memory = try DomainMemory(pool: pool, layout: [(base: 0, size: configuration.memorySize)])
    try super.init(
      number: configuration.identifier ?? UInt16(configuration.number), memory: memory,
      services: services ?? HostServices(pool: pool))
    try assemble(
      Machine(memory: memory) { bus in
        for index in 0..<configuration.processors {
          let table = try pool.takeTogether(bytes: 1 << UInt64(configuration.tableShift))
          tables.append((table, 1 << UInt64(configuration.tableShift)))
          try pool.reserve(1)
          registerFrames.append(pool.take())
          processors.append(
            ParavirtualProcessor(
              index: index, domain: self, bus: bus,
              placement: .init(domain: configuration.number, table: table, tableShift: configuration.tableShift),
              registersFrame: registerFrames[index]))
        }
        return processors.map(\.processor)
      }, grantsAt: Layout.grantTable)
    memory.show(sharedInfo.machineFrame, at: Layout.sharedInfo >> FramePool.frameShift)
    for (index, frame) in registerFrames.enumerated() {
      memory.show(frame, at: (Layout.mappedRegisters >> FramePool.frameShift) + UInt64(index))
    }
    sharedInfo.prepare(startTime: startTime)
  }

  deinit {
    for table in tables { memory.pool.giveBackTogether(table.start, bytes: table.bytes) }
    for frame in registerFrames { memory.pool.giveBack(frame) }
    memory.pool.release(UInt64(registerFrames.count))
  }

  // MARK: Processors

  public override func upcall(_ processor: Int) { machine.wake(processor) { processors[processor].notice() } }

  override func resume(_ index: Int) { machine.wake(index) { processors[index].processor.wake() } }

  func moveShared(to address: UInt64) {
    for processor in processors { processor.moveShared(to: address) }
  }

  /// One processor's interrupt to another. The vector that wakes a processor up starts one that is down.
  func interrupt(_ target: UInt64, vector: UInt64) {
    guard target < UInt64(processors.count) else { return }
    let processor = processors[Int(target)]
    if vector == UInt64(ParavirtualFirmware.wakeUpVector), !processor.isUp {
      let (ip, gp) = rendezvous
      processor.start(ip: ip) { s in
        s.gr[1] = gp
        s.br[0] = ParavirtualFirmware.Layout.salReturn
      }
    } else {
      machine.wake(Int(target)) {
        processor.pend(vector: UInt8(truncatingIfNeeded: vector))
        processor.notice()
      }
    }
  }
}

extension SharedInfo {
  /// As a new domain finds it: no events, all processors masked, the time of day at cycle 0, and how AR.ITC counts.
  func prepare(startTime: Int64) {
    for processor in 0..<Self.processors { setUpcallMasked(processor, true) }
    setHalfWord(Field.wallClockVersion, 2)
    setHalfWord(Field.wallClockSeconds, UInt32(truncatingIfNeeded: startTime))
    // Nanoseconds of a tick, as a fraction of 2^32 and a power of two.
    var (multiplier, shift) = (
      Double(1_000_000_000) * Double(LogicalProcessor.cyclesPerITCTick) / Double(LogicalProcessor.frequency), 0
    )
    while multiplier >= 1 { (multiplier, shift) = (multiplier / 2, shift + 1) }
    for processor in 0..<Self.processors { setClock(processor, multiplier: UInt32(multiplier * 4_294_967_296), shift: Int8(shift)) }
  }
}
