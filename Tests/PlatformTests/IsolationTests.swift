import Devices
import Platform
import Processor
import TestSupport
import Testing

/// Partitions are machines of their own: what one does to physical addresses, by its processors' buses or as bus master, never reaches
/// another.
@Suite(.ends(withinMinutes: 5)) struct IsolationTests {
  private struct Partition {
    let machine: Machine
    let root: PCIRoot
    let function: PCIFunction
    let bridge = HostBridge()

    init() throws {
      machine = try Machine(MachineConfiguration(memorySize: MachineConfiguration.smallestMemory))
      root = try PCIRoot(memory: PhysicalDMA(memory: machine.memory), bus: machine.bus, interrupts: machine.ioSAPIC)
      function = PCIFunction(
        PCIIdentity(vendor: 1, device: 2, classCode: 0xFF_0000), baseAddresses: [0: .memory64(size: 4096)], interruptPin: 1,
        messageCapability: 0x50)
      try root.attach(function, model: bridge, device: 1)
      try root.assignResources()
      root.writeConfiguration(bus: 0, device: 1, function: 0, register: 4, size: 2, value: 7)
    }
  }

  @Test func randomAccessesStayInside() throws {
    let (mine, other) = (try Partition(), try Partition())
    for address in stride(from: UInt64(0), to: MachineConfiguration.smallestMemory, by: 4096) {
      other.machine.memory.store(address, address ^ 0x5A5A_5A5A_5A5A_5A5A)
    }
    let before = other.machine.memory.contentHash()
    let mineBefore = mine.machine.memory.contentHash()
    let configuration = other.function.configuration
    let sapic = other.machine.ioSAPIC.state
    let seed: UInt64 = 2024
    var random = SplitMix(state: seed)
    for _ in 0..<300_000 {
      let value = random.next()
      // Addresses of every scale, and those where something is.
      var address = random.next() >> (random.next() % 64)
      switch random.next() % 8 {
      case 0: address = MemoryMap.ioSAPIC + random.next() % 0x80
      case 1: address = MemoryMap.interruptBlock + random.next() % MemoryMap.interruptBlockSize
      case 2: address = MemoryMap.portSpace + random.next() % MemoryMap.portSpaceSize
      case 3: address = MemoryMap.pciMemory.lowerBound + random.next() % 0x10_0000
      default: break
      }
      let size = 1 << Int(random.next() % 4)
      switch random.next() % 4 {
      case 0: mine.machine.bus.write(physical: address, size: size, value: value)
      case 1: _ = mine.machine.bus.read(physical: address, size: size)
      case 2: mine.function.store(address, value)
      default:
        mine.root.writeConfiguration(
          bus: UInt8(truncatingIfNeeded: value >> 60), device: UInt8(value >> 8 & 31), function: 0,
          register: UInt16(value >> 16 & 0xFC), size: 4, value: UInt32(truncatingIfNeeded: value >> 24) | 4)
      }
    }
    #expect(other.machine.memory.contentHash() == before, "seed \(seed)")
    #expect(other.function.configuration == configuration, "seed \(seed)")
    #expect(other.machine.ioSAPIC.state == sapic, "seed \(seed)")
    #expect(!other.machine.processors[0].state.pointee.interruptPending, "seed \(seed)")
    // They do reach something.
    #expect(mine.machine.memory.contentHash() != mineBefore)
  }
}
