import Processor

/// Decodes physical addresses that are not RAM: memory-mapped devices, the I/O port space, the processor interrupt block.
public final class SystemBus: ProcessorBus {
  public var memoryMapped = AddressSpace()
  public var ports = AddressSpace()
  /// Receives what is stored into the interrupt block.
  public weak var interrupts: (any InterruptBlock)?
  /// Firmware gates.
  public var firmware: ((UInt64, LogicalProcessor) -> GateOutcome)?

  /// INIT.
  public var initialization: ((LogicalProcessor) -> Void)?

  /// Told of each access after it was made: physical address, size, value, and whether it was a store.
  public var observer: ((UInt64, Int, UInt64, Bool) -> Void)?

  public init() {}

  /// Port number of an offset into the port space (Volume 2, section 10.7): ports lie in groups of four, each group on a page of
  /// its own, and bits 11:2 of the offset repeat what the page says.
  static func port(_ offset: UInt64) -> UInt64 { (offset >> 12) << 2 | offset & 3 }

  private static let portSpace = MemoryMap.portSpace..<MemoryMap.portSpace + MemoryMap.portSpaceSize
  private static let interruptBlock = MemoryMap.interruptBlock..<MemoryMap.interruptBlock + MemoryMap.interruptBlockSize

  public func read(physical: UInt64, size: Int) -> UInt64 {
    let value = readUnobserved(physical, size)
    observer?(physical, size, value, false)
    return value
  }

  private func readUnobserved(_ physical: UInt64, _ size: Int) -> UInt64 {
    if Self.portSpace.contains(physical) { return ports.read(Self.port(physical - Self.portSpace.lowerBound), size) }
    if Self.interruptBlock.contains(physical) {
      return interrupts?.readInterruptBlock(offset: physical - Self.interruptBlock.lowerBound, size: size) ?? 0
    }
    return memoryMapped.read(physical, size)
  }

  public func write(physical: UInt64, size: Int, value: UInt64) {
    if Self.portSpace.contains(physical) {
      ports.write(Self.port(physical - Self.portSpace.lowerBound), size, value)
    } else if Self.interruptBlock.contains(physical) {
      interrupts?.writeInterruptBlock(offset: physical - Self.interruptBlock.lowerBound, size: size, value: value)
    } else {
      memoryMapped.write(physical, size, value)
    }
    observer?(physical, size, value, true)
  }

  /// What answers at a physical address, for reports: "serial port+0x5 (port 0x3fd)". Nil: nothing does.
  public func name(of physical: UInt64) -> String? {
    func describe(_ name: String, _ offset: UInt64) -> String { offset == 0 ? name : "\(name)+0x\(String(offset, radix: 16))" }
    if Self.interruptBlock.contains(physical) { return describe("interrupt block", physical - Self.interruptBlock.lowerBound) }
    let isPort = Self.portSpace.contains(physical)
    let address = isPort ? Self.port(physical - Self.portSpace.lowerBound) : physical
    guard let mapping = (isPort ? ports : memoryMapped).find(address) else { return nil }
    return describe(mapping.name, address - mapping.range.lowerBound) + (isPort ? " (port 0x\(String(address, radix: 16)))" : "")
  }

  public func firmwareGate(_ number: UInt64, processor: LogicalProcessor) -> GateOutcome {
    firmware?(number, processor) ?? .stop
  }

  public func initialization(of processor: LogicalProcessor) { initialization?(processor) }
}

/// The processor interrupt block (Volume 2, section 5.8.4): a store into it is an interrupt message.
public protocol InterruptBlock: AnyObject {
  func readInterruptBlock(offset: UInt64, size: Int) -> UInt64
  func writeInterruptBlock(offset: UInt64, size: Int, value: UInt64)
}
