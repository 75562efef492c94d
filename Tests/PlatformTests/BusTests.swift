import Platform
import Processor
import TestSupport
import Testing

@Suite("System bus", .ends(withinMinutes: 5)) struct BusTests {
  let bus = SystemBus()

  /// Volume 2, section 10.7: port p is at base + ((p >> 2) << 12 | p & 0xFFF).
  private func address(ofPort port: UInt64) -> UInt64 { MemoryMap.portSpace + ((port >> 2) << 12 | port & 0xFFF) }

  @Test func overlapIsAnError() throws {
    let device = RecordedDevice()
    try bus.memoryMapped.map("first", 0x1000..<0x2000, device)
    try bus.memoryMapped.map("neighbour", 0x2000..<0x3000, device)
    for range in [0x1FFF..<0x2001, 0x0..<0x1001, 0x1800..<0x1801, 0x0..<0x10000] as [Range<UInt64>] {
      #expect(throws: AddressSpace.Failure.self) { try bus.memoryMapped.map("second", range, device) }
    }
    do {
      try bus.memoryMapped.map("second", 0x1800..<0x1801, device)
    } catch {
      #expect(error == .overlap("second", "first"))
      #expect("\(error)" == "the addresses of second overlap those of first")
    }
    #expect(bus.memoryMapped.mappings.map(\.range.lowerBound) == [0x1000, 0x2000])
  }

  @Test(arguments: [1, 2, 4, 8]) func unclaimedAddresses(_ size: Int) {
    let ones = UInt64.max >> UInt64(64 - 8 * size)
    #expect(bus.read(physical: 0x9000_0000, size: size) == ones)
    #expect(bus.read(physical: address(ofPort: 0x80), size: size) == ones)
    bus.write(physical: 0x9000_0000, size: size, value: 1)
    bus.write(physical: address(ofPort: 0x80), size: size, value: 1)
    #expect(bus.read(physical: (1 << 50) - 8, size: size) == ones)
  }

  @Test func offsetsAndSizes() throws {
    let device = RecordedDevice()
    device.answer = 0x42
    try bus.memoryMapped.map("device", 0x9000_0000..<0x9000_1000, device)
    #expect(bus.read(physical: 0x9000_0010, size: 4) == 0x42)
    #expect(device.reads.map(\.offset) == [0x10])
    #expect(device.reads.map(\.size) == [4])
    bus.write(physical: 0x9000_0FF8, size: 8, value: 7)
    #expect(device.writes.map(\.offset) == [0xFF8])
    // An access never spills over the end.
    #expect(bus.read(physical: 0x9000_0FFC, size: 8) == .max)
    bus.write(physical: 0x9000_0FFC, size: 8, value: 7)
    #expect(device.reads.count == 1)
    #expect(device.writes.count == 1)
  }

  @Test func portsAreSparse() throws {
    let device = RecordedDevice()
    try bus.ports.map("device", 0x3F8..<0x400, device)
    for port in 0x3F8..<0x400 as Range<UInt64> { _ = bus.read(physical: address(ofPort: port), size: 1) }
    #expect(device.reads.map(\.offset) == Array(0..<8))
    _ = bus.read(physical: address(ofPort: 0x3F7), size: 1)
    _ = bus.read(physical: address(ofPort: 0x400), size: 1)
    #expect(device.reads.count == 8)
    bus.write(physical: address(ofPort: 0x3FB), size: 1, value: 0x83)
    #expect(device.writes.map(\.offset) == [3])
    #expect(device.writes.map(\.value) == [0x83])
    // The last port of the 64 KiB is inside the 64 MiB.
    #expect(address(ofPort: 0xFFFF) < MemoryMap.portSpace + MemoryMap.portSpaceSize)
  }
}

/// What the board does with a processor on it.
@Suite("Machine", .ends(withinMinutes: 5)) struct MachineTests {
  private func machine(_ memory: UInt64 = 64 << 20) throws -> Machine { try Machine(MachineConfiguration(memorySize: memory)) }

  private func pending(_ machine: Machine) -> [Int] {
    let request = machine.processors[0].state.pointee.interruptRequest
    return (0..<256).filter { request[$0 >> 6] >> UInt64($0 & 63) & 1 != 0 }
  }

  /// Stores into the processor interrupt block: id in bits 19:12 of the address, eid in 11:4, vector and mode in the data.
  private func send(_ machine: Machine, id: UInt64, eid: UInt64, _ data: UInt64) {
    machine.bus.write(physical: MemoryMap.interruptBlock | id << 12 | eid << 4, size: 8, value: data)
  }

  @Test func interprocessorInterrupts() throws {
    let machine = try machine()
    machine.processors[0].state.cr[CR.lid] = 0x0300_0000 | 0x0005_0000
    send(machine, id: 3, eid: 5, 0x41)
    #expect(pending(machine) == [0x41])
    // Another address, and reserved vectors and modes, reach nobody.
    send(machine, id: 3, eid: 4, 0x42)
    send(machine, id: 2, eid: 5, 0x43)
    send(machine, id: 3, eid: 5, 0x03)
    send(machine, id: 3, eid: 5, 0x344)
    #expect(pending(machine) == [0x41])
    // NMI ignores the vector and is 2; ExtINT is 0 (Volume 2, section 5.8.1).
    send(machine, id: 3, eid: 5, 0x455)
    send(machine, id: 3, eid: 5, 0x755)
    #expect(pending(machine) == [0, 2, 0x41])
    // The redirection hint (bit 3) changes nothing for one processor.
    machine.bus.write(physical: MemoryMap.interruptBlock | 3 << 12 | 5 << 4 | 8, size: 8, value: 0x50)
    #expect(pending(machine) == [0, 2, 0x41, 0x50])
  }

  @Test func specialPage() throws {
    let machine = try machine()
    // INTA without an 8259: the spurious vector. XTP is a hint.
    #expect(machine.bus.read(physical: MemoryMap.interruptBlock + 0x1E_0000, size: 1) == 15)
    machine.bus.write(physical: MemoryMap.interruptBlock + 0x1E_0008, size: 1, value: 0x80)
    #expect(pending(machine).isEmpty)
  }

  @Test func ioSAPICIsOnTheBus() throws {
    let machine = try machine()
    machine.bus.write(physical: MemoryMap.ioSAPIC, size: 4, value: 1)
    #expect(machine.bus.read(physical: MemoryMap.ioSAPIC + 0x10, size: 4) & 0xF0 == 0x20)
    machine.bus.write(physical: MemoryMap.ioSAPIC, size: 4, value: 0x18)
    machine.bus.write(physical: MemoryMap.ioSAPIC + 0x10, size: 4, value: 0x60)
    machine.ioSAPIC.line(4).set(true)
    #expect(pending(machine) == [0x60])
  }

  @Test func memoryLayout() throws {
    let small = try machine()
    #expect(small.memory.ranges.map(\.lowerBound) == [0, MemoryMap.firmware])
    let large = try machine(5 << 30)
    #expect(large.memory.ranges.map(\.lowerBound) == [0, MemoryMap.firmware, MemoryMap.highMemory])
    #expect(large.memory.ranges.map(\.count) == [2 << 30, 16 << 20, 3 << 30])
    #expect(!large.memory.isRAM(0x8000_0000, count: 1))
    #expect(!large.memory.isRAM(0x1_0000_0000 + (3 << 30), count: 1))
    let huge = try machine(1 << 40)
    #expect(huge.memory.ranges.reduce(0) { $0 + $1.count } == (1 << 40) + (16 << 20))
  }

  /// Ranges of the memory map do not overlap.
  @Test func mapIsDisjoint() throws {
    let ranges: [Range<UInt64>] = [
      0..<MemoryMap.lowMemoryLimit, MemoryMap.ioSAPIC..<MemoryMap.ioSAPIC + 0x1000,
      MemoryMap.interruptBlock..<MemoryMap.interruptBlock + MemoryMap.interruptBlockSize,
      MemoryMap.firmware..<MemoryMap.firmware + MemoryMap.firmwareSize,
      MemoryMap.highMemory..<MemoryMap.highMemory + MachineConfiguration.largestMemory,
      MemoryMap.portSpace..<MemoryMap.portSpace + MemoryMap.portSpaceSize,
    ]
    for (lower, upper) in zip(ranges, ranges.dropFirst()) { #expect(lower.upperBound <= upper.lowerBound) }
    #expect(MemoryMap.portSpace + MemoryMap.portSpaceSize <= 1 << 50)
    #expect(MemoryMap.portSpaceSize == 64 << 20)
    #expect(MemoryMap.interruptBlock % MemoryMap.interruptBlockSize == 0)
  }

  /// A processor that waits with nothing to wake it: deadlock. With an event to come, time jumps there.
  @Test func idleTime() throws {
    let machine = try machine()
    machine.processors[0].state.pointee.halted = true
    var fired: [UInt64] = []
    let handler = machine.events.register { cycle, _ in fired.append(cycle) }
    machine.events.schedule(handler, at: 5000)
    #expect(machine.run(until: 1000) == .limit)
    #expect(machine.now == 1000)
    // A limit that time would reach in vain is no reason to let it pass.
    #expect(machine.run(until: 1_000_000) == .deadlock)
    #expect(fired == [5000])
    #expect(machine.now == 5000)
    #expect(machine.run(until: .max) == .deadlock)
    #expect(machine.instructions == 0)
  }

  @Test func stopRequests() throws {
    let machine = try machine()
    machine.processors[0].state.pointee.halted = true
    let handler = machine.events.register { _, tag in machine.stop(Int(tag)) }
    machine.events.schedule(handler, tag: 7, at: 100)
    machine.events.schedule(handler, tag: 8, at: 100)
    // The first request counts.
    #expect(machine.run(until: 1000) == .requested(7))
    // It was one stop: the machine goes on, halted and with no event left.
    #expect(machine.run(until: 1000) == .deadlock)
  }
}
