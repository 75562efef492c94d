import Devices
import HostResources
import Platform
import Testing

/// Reset, selection, interrupts, and the controller around the channels (ATA/ATAPI-6; data sheet of the Intel 82371AB).
@Suite struct IDEChannelTests {
  let first = FaultyStorage(sectors: 1000)
  let second = FaultyStorage(sectors: 2000)
  let bench: IDEBench

  init() throws { bench = try IDEBench(first, second) }

  @Test func configurationSpace() {
    #expect(bench.readConfiguration(0x00, 4, function: 0) == 0x7110_8086)
    #expect(bench.readConfiguration(0x08, 4, function: 0) >> 8 == 0x06_0100)
    #expect(bench.readConfiguration(0x0E, 1, function: 0) == 0x80)
    #expect(bench.readConfiguration(0x00, 4) == 0x7111_8086)
    #expect(bench.readConfiguration(0x08, 4) >> 8 == 0x01_0180)
    // Legacy channels: the only base address is that of the bus master registers; no interrupt pin.
    #expect(bench.readConfiguration(0x3D, 1) == 0)
    bench.writeConfiguration(0x20, 4, 0xFFFF_FFFF)
    #expect(bench.readConfiguration(0x20, 4) == 0xFFFF_FFF1)
    bench.writeConfiguration(0x10, 4, 0xFFFF_FFFF)
    #expect(bench.readConfiguration(0x10, 4) == 0)
    // Timing registers keep what the driver writes.
    bench.writeConfiguration(0x40, 4, 0xE377_A307)
    #expect(bench.readConfiguration(0x40, 4) == 0xE377_A307)
    bench.writeConfiguration(0x48, 1, 0xFF)
    #expect(bench.readConfiguration(0x48, 1) == 0x0F)
  }

  @Test func portsAreDecodedWhenEnabled() {
    #expect(bench.status == 0x50)
    bench.writeConfiguration(0x40, 2, 0)
    #expect(bench.status == 0xFF)
    bench.setRegister(2, 0x12)
    bench.writeConfiguration(0x40, 2, 0x8000)
    #expect(bench.register(2) == 0x01)
    bench.writeConfiguration(PCIRegister.command, 2, 4)
    #expect(bench.alternateStatus == 0xFF)
    bench.writeConfiguration(PCIRegister.command, 2, 5)
    #expect(bench.alternateStatus == 0x50)
  }

  @Test func selection() {
    bench.setRegister(6, 0xE0)
    bench.setRegister(2, 0x34)
    bench.setRegister(6, 0xF0)
    // Both devices hear what is written to the registers; only the selected one hears commands.
    #expect(bench.register(2) == 0x34)
    bench.issue(0x20, lba: 5, count: 1, device: 1)
    #expect(bench.readAll() == second.sector(5))
    bench.issue(0x20, lba: 5, count: 1, device: 0)
    #expect(bench.readAll() == first.sector(5))
  }

  @Test func interruptDisable() {
    bench.control = 0x02
    bench.issue(0xEC)
    bench.settle()
    #expect(!bench.lines[0].level)
    bench.control = 0x00
    #expect(bench.lines[0].level)
    // The alternate status acknowledges nothing; the status does.
    _ = bench.alternateStatus
    #expect(bench.lines[0].level)
    _ = bench.status
    #expect(!bench.lines[0].level)
  }

  /// The interrupt of a device that is not selected waits.
  @Test func interruptOfTheOther() {
    bench.issue(0xEC, device: 1)
    bench.settle()
    #expect(bench.lines[0].level)
    bench.readData(512).forEach { _ in }
    bench.setRegister(6, 0xA0)
    #expect(!bench.lines[0].level)
    bench.setRegister(6, 0xB0)
    #expect(bench.lines[0].level)
  }

  @Test func softReset() {
    bench.issue(0x20, lba: 5, count: 4, device: 1)
    bench.settle()
    #expect(bench.status & 0x08 != 0)
    bench.control = 0x04
    #expect(bench.status & 0x80 != 0)
    bench.settle()
    #expect(bench.status & 0x80 != 0)
    bench.control = 0x00
    #expect(bench.status & 0x80 != 0)
    bench.settle()
    #expect(!bench.lines[0].level)
    #expect(bench.status == 0x50)
    #expect((1...6).map { bench.register($0) } == [1, 1, 1, 0, 0, 0xA0])
  }

  @Test func diagnostic() {
    bench.setRegister(6, 0xF0)
    bench.setRegister(7, 0x90)
    #expect(bench.status & 0x80 != 0)
    bench.settle()
    #expect(bench.lines[0].rises == 1)
    #expect((1...6).map { bench.register($0) } == [1, 1, 1, 0, 0, 0xA0])
  }

  @Test func busyDeviceKeepsItsRegisters() {
    bench.issue(0x20, lba: 5, count: 1)
    bench.setRegister(3, 0x99)
    bench.setRegister(7, 0xEC)
    #expect(bench.register(3) == 5)
    #expect(bench.readAll() == first.sector(5))
  }

  /// A byte for each register, however the processor accesses them.
  @Test func widths() {
    bench.output(0x1F2, 0x4433_2211, 4)
    #expect((2...5).map { bench.register($0) } == [0x11, 0x22, 0x33, 0x44])
    #expect(bench.input(0x1F2, 4) == 0x4433_2211)
    bench.issue(0x20, lba: 3, count: 1)
    bench.settle()
    let bytes = (0..<128).flatMap { _ in withUnsafeBytes(of: UInt32(bench.input(0x1F0, 4))) { Array($0) } }
    #expect(bytes == first.sector(3))
    // Nothing is left.
    #expect(bench.input(0x1F0, 2) == 0xFFFF)
  }

  @Test func machineReset() {
    bench.issue(0x20, lba: 5, count: 4)
    bench.settle()
    bench.writeConfiguration(0x40, 2, 0)
    bench.root.reset()
    bench.writeConfiguration(PCIRegister.command, 2, 5)
    bench.settle()
    #expect(bench.status == 0x50)
    #expect(!bench.lines[0].level)
  }
}
