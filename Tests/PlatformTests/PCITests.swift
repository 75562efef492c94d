import Platform
import Processor
import Testing

/// Expected values: PCI Local Bus Specification 3.0, chapter 6.
@Suite struct PCITests {
  /// A device that remembers its accesses.
  final class Model: PCIDeviceModel {
    var accesses: [(bar: Int, offset: UInt64, size: Int, value: UInt64?)] = []
    var resets = 0
    var configurationWrites: [Int] = []
    func read(bar: Int, offset: UInt64, size: Int) -> UInt64 {
      accesses.append((bar, offset, size, nil))
      return 0x1122_3344_5566_7788
    }
    func write(bar: Int, offset: UInt64, size: Int, value: UInt64) { accesses.append((bar, offset, size, value)) }
    func configurationWritten(_ register: Int, size: Int) { configurationWrites.append(register) }
    func reset() { resets += 1 }
  }

  let machine: Machine
  let root: PCIRoot
  let function = PCIFunction(
    PCIIdentity(vendor: 0x1000, device: 0x0012, revision: 7, classCode: 0x01_0000, subsystemVendor: 0x1234, subsystem: 0x5678),
    baseAddresses: [
      0: .ports(size: 256), 1: .memory32(size: 1024), 2: .memory64(size: 8192), 4: .memory64(size: 1 << 30, prefetchable: true),
    ], interruptPin: 1, messageCapability: 0x50)
  let model = Model()

  init() throws {
    machine = try Machine(MachineConfiguration(memorySize: MachineConfiguration.smallestMemory))
    root = try PCIRoot(memory: PhysicalDMA(memory: machine.memory), bus: machine.bus, interrupts: machine.ioSAPIC)
    try root.attach(function, model: model, device: 3)
  }

  func read(_ register: UInt16, _ size: Int) -> UInt32 {
    root.readConfiguration(bus: 0, device: 3, function: 0, register: register, size: size)
  }
  func write(_ register: UInt16, _ size: Int, _ value: UInt32) {
    root.writeConfiguration(bus: 0, device: 3, function: 0, register: register, size: size, value: value)
  }

  @Test func headerSaysWhatTheFunctionIs() {
    #expect(read(0x00, 4) == 0x0012_1000)
    #expect(read(0x08, 4) == 0x0100_0007)
    #expect(read(0x2C, 4) == 0x5678_1234)
    #expect(read(0x0E, 1) == 0)
    #expect(read(0x3D, 1) == 1)
  }

  @Test func nobodyAnswersElsewhere() {
    #expect(root.readConfiguration(bus: 0, device: 4, function: 0, register: 0, size: 4) == 0xFFFF_FFFF)
    #expect(root.readConfiguration(bus: 1, device: 3, function: 0, register: 0, size: 2) == 0xFFFF)
    #expect(root.readConfiguration(bus: 0, device: 3, function: 1, register: 0, size: 1) == 0xFF)
    #expect(read(0x100, 4) == 0xFFFF_FFFF)
    write(0x100, 4, 0)
    #expect(throws: PCIRoot.Failure.occupied(device: 3, function: 0)) {
      try root.attach(PCIFunction(PCIIdentity(vendor: 1, device: 1, classCode: 0)), model: model, device: 3)
    }
  }

  /// Section 6.2.5.1: ones written to a base address register come back as the size.
  @Test func onesGiveTheSizes() {
    for register in stride(from: UInt16(0x10), to: 0x28, by: 4) { write(register, 4, 0xFFFF_FFFF) }
    #expect(read(0x10, 4) == 0xFFFF_FF01)
    #expect(read(0x14, 4) == 0xFFFF_FC00)
    #expect(read(0x18, 4) == 0xFFFF_E004)
    #expect(read(0x1C, 4) == 0xFFFF_FFFF)
    #expect(read(0x20, 4) == 0xC000_000C)
    #expect(read(0x24, 4) == 0xFFFF_FFFF)
    // No expansion ROM.
    write(0x30, 4, 0xFFFF_FFFF)
    #expect(read(0x30, 4) == 0)
  }

  @Test func rangesAreDecodedWhereTheyAreProgrammedAndOnlyWhenSwitchedOn() {
    write(0x14, 4, 0x9000_0000)
    write(0x10, 4, 0x2000)
    #expect(machine.bus.read(physical: 0x9000_0010, size: 4) == 0xFFFF_FFFF)
    write(0x04, 2, 3)
    #expect(machine.bus.read(physical: 0x9000_0010, size: 4) & 0xFFFF_FFFF == 0x5566_7788)
    machine.bus.write(physical: MemoryMap.portSpace + ((0x2004 >> 2) << 12 | 0x004), size: 2, value: 0xABCD)
    #expect(model.accesses.count == 2)
    #expect(model.accesses[0] == (1, 0x10, 4, nil))
    #expect(model.accesses[1] == (0, 4, 2, 0xABCD))
    // An access never spills over the end of a range.
    #expect(machine.bus.read(physical: 0x9000_03FE, size: 4) == 0xFFFF_FFFF)
    #expect(model.accesses.count == 2)
    write(0x04, 2, 0)
    #expect(machine.bus.read(physical: 0x9000_0010, size: 8) == .max)
    #expect(model.configurationWrites == [0x14, 0x10, 0x04, 0x04])
  }

  @Test func firmwareAssignsDisjointAlignedRanges() throws {
    try root.assignResources()
    #expect(read(0x10, 4) & ~3 >= 0x1000)
    #expect(read(0x14, 4) & 0x3FF == 0)
    let small = UInt64(read(0x18, 4) & ~0xF)
    #expect(MemoryMap.pciMemory.contains(small) && read(0x1C, 4) == 0)
    let large = UInt64(read(0x24, 4)) << 32 | UInt64(read(0x20, 4) & ~0xF)
    #expect(MemoryMap.pciHighMemory.contains(large) && large % (1 << 30) == 0)
    #expect(read(0x04, 2) & 3 == 3)
    #expect(read(0x3C, 1) == UInt32(PCIRoot.input(device: 3, pin: 1)))
  }

  @Test func pinsAreWiredTogetherAndCanBeSwitchedOff() throws {
    let other = PCIFunction(PCIIdentity(vendor: 2, device: 2, classCode: 0), interruptPin: 1)
    let otherModel = Model()
    // Device 15 shares the inputs of device 3.
    try root.attach(other, model: otherModel, device: 15)
    let input = PCIRoot.input(device: 3, pin: 1)
    #expect(input == PCIRoot.input(device: 15, pin: 1) && input == 28)
    func level() -> Bool { machine.ioSAPIC.state.isAsserted(input) }
    function.setInterrupt(true)
    other.setInterrupt(true)
    function.setInterrupt(false)
    #expect(level())
    other.setInterrupt(false)
    #expect(!level())
    function.setInterrupt(true)
    #expect(level() && read(0x06, 2) & 8 == 8)
    write(0x04, 2, UInt32(PCICommand.interruptDisable))
    #expect(!level() && read(0x06, 2) & 8 == 8)
    root.reset()
    #expect(!level() && model.resets == 1)
  }

  /// Section 6.8: one write of the data to the address for each rise, only for a bus master; the pin is silent.
  @Test func messagesReplaceThePin() {
    #expect(read(0x34, 1) == 0x50 && read(0x06, 2) & 0x10 != 0)
    #expect(read(0x50, 4) == 0x0080_0005)
    write(0x54, 4, 0xFEE0_0000)
    write(0x58, 4, 0)
    write(0x5C, 2, 0x42)
    write(0x52, 2, 1)
    let processor = machine.processors[0]
    func pending() -> Bool { processor.state.pointee.interruptPending }
    function.setInterrupt(true)
    #expect(!pending())
    function.setInterrupt(false)
    write(0x04, 2, UInt32(PCICommand.busMaster))
    function.setInterrupt(true)
    #expect(pending())
    #expect(!machine.ioSAPIC.state.isAsserted(PCIRoot.input(device: 3, pin: 1)))
  }

  @Test func memoryIsReachedByBusMastersOnly() {
    #expect(function.load(0x1000, as: UInt32.self) == nil)
    #expect(!function.store(0x1000, UInt32(7)))
    write(0x04, 2, UInt32(PCICommand.busMaster))
    #expect(function.store(0x1000, UInt32(7)))
    #expect(function.load(0x1000, as: UInt32.self) == 7)
    // Beyond RAM, and across its end: nothing happens.
    let end = MachineConfiguration.smallestMemory
    #expect(function.load(end, as: UInt32.self) == nil)
    #expect(!function.write(end - 2, [1, 2, 3, 4]))
    #expect(machine.memory.load(end - 2, as: UInt16.self) == 0)
    #expect(function.load(.max, as: UInt64.self) == nil)
  }
}
