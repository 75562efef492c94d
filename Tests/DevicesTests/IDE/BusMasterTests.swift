import Devices
import HostResources
import Platform
import Testing

/// Programming Interface for Bus Master IDE Controller 1.0; data sheet of the Intel 82371AB, section 5.2.
@Suite struct BusMasterTests {
  let disk = FaultyStorage(sectors: 3000)
  let bench: IDEBench

  init() throws { bench = try IDEBench(disk) }

  private func memory(_ address: Int, _ count: Int) -> [UInt8] { Array(bench.memory.bytes[address..<address + count]) }

  @Test func readsIntoRegions() {
    bench.writeTable([(0x2000, 512), (0x8002, 1022), (0x4000, 2)])
    bench.issue(0xC8, lba: 9, count: 3)
    bench.startMaster(toMemory: true)
    #expect(bench.masterStatus == 0x01)
    bench.settle()
    // Region and transfer end together: interrupt, not active.
    #expect(bench.masterStatus == 0x04)
    #expect(bench.lines[0].level)
    bench.stopMaster()
    #expect(bench.status == 0x50)
    #expect(memory(0x2000, 512) + memory(0x8002, 1022) + memory(0x4000, 2) == disk.sector(9, count: 3))
    bench.output(bench.master + 2, 4)
    #expect(bench.masterStatus == 0x00)
  }

  @Test func writesFromRegions() {
    let data = (0..<(300 * 512)).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ ($0 >> 9)) }
    bench.memory.bytes.replaceSubrange(0x1_0000..<0x1_0000 + data.count, with: data)
    // A size of 0 is 64 KiB.
    bench.writeTable([(0x1_0000, 0), (0x2_0000, 0), (0x3_0000, UInt32(data.count - 0x2_0000))])
    bench.issueExtended(0x35, lba: 100, count: 300)
    bench.startMaster(toMemory: false)
    bench.settle()
    #expect(bench.masterStatus == 0x04)
    #expect(bench.status == 0x50)
    #expect(disk.sector(100, count: 300) == data)
    #expect(disk.sector(99) == FaultyStorage(sectors: 100).sector(99))
  }

  @Test func regionsLongerThanTheTransfer() {
    bench.writeTable([(0x2000, 4096)])
    bench.issue(0xC8, lba: 9, count: 1)
    bench.startMaster(toMemory: true)
    bench.settle()
    #expect(bench.masterStatus == 0x05)
    #expect(memory(0x2200, 16) == [UInt8](repeating: 0, count: 16))
    bench.stopMaster()
    #expect(bench.masterStatus == 0x04)
  }

  /// The drive has more than the regions take: it waits, and a second table gets the rest.
  @Test func regionsShorterThanTheTransfer() {
    bench.writeTable([(0x2000, 512)])
    bench.issue(0xC8, lba: 9, count: 2)
    bench.startMaster(toMemory: true)
    bench.settle()
    #expect(bench.masterStatus == 0x00)
    #expect(!bench.lines[0].level)
    #expect(bench.alternateStatus == 0x58)
    bench.stopMaster()
    bench.writeTable([(0x3000, 512)])
    bench.startMaster(toMemory: true)
    bench.settle()
    #expect(bench.masterStatus == 0x04)
    #expect(memory(0x2000, 512) + memory(0x3000, 512) == disk.sector(9, count: 2))
  }

  @Test func masterBeforeAndAfterTheCommand() {
    bench.writeTable([(0x2000, 512)])
    bench.startMaster(toMemory: true)
    bench.issue(0xC8, lba: 9, count: 1)
    bench.settle()
    #expect(memory(0x2000, 512) == disk.sector(9))
    bench.stopMaster()
    bench.issue(0xC8, lba: 10, count: 1)
    bench.settle()
    #expect(bench.alternateStatus == 0x58)
    // The wrong direction moves nothing.
    bench.startMaster(toMemory: false)
    bench.settle()
    #expect(memory(0x2000, 512) == disk.sector(9))
    bench.stopMaster()
    bench.startMaster(toMemory: true)
    bench.settle()
    #expect(memory(0x2000, 512) == disk.sector(10))
  }

  @Test(arguments: [true, false]) func outsideMemory(table: Bool) {
    bench.writeTable([(0xFFFF_FFF0, 512)])
    bench.issue(0xC8, lba: 9, count: 1)
    if table {
      bench.output(bench.master + 4, 0xFFFF_FFFC, 4)
      bench.output(bench.master, 9)
    } else {
      bench.startMaster(toMemory: true)
    }
    bench.settle()
    #expect(bench.masterStatus & 0x03 == 0x02)
    // Received master abort.
    #expect(bench.readConfiguration(PCIRegister.status, 2) & 0x2000 != 0)
    bench.writeConfiguration(PCIRegister.status, 2, 0x2000)
    #expect(bench.readConfiguration(PCIRegister.status, 2) & 0x2000 == 0)
    bench.control = 0x04
    bench.control = 0x00
    bench.settle()
    #expect(bench.status == 0x50)
  }

  @Test func withoutPermission() {
    bench.writeConfiguration(PCIRegister.command, 2, 1)
    bench.writeTable([(0x2000, 512)])
    bench.issue(0xC8, lba: 9, count: 1)
    bench.startMaster(toMemory: true)
    bench.settle()
    #expect(memory(0x2000, 512) == [UInt8](repeating: 0, count: 512))
  }

  @Test func registers() {
    bench.output(bench.master + 4, 0xFFFF_FFFF, 4)
    #expect(bench.input(bench.master + 4, 4) == 0xFFFF_FFFC)
    bench.output(bench.master + 2, 0xFF)
    #expect(bench.masterStatus == 0x60)
    bench.output(bench.master, 0xF8)
    #expect(bench.input(bench.master) == 0x08)
  }

  @Test func errorsEndTheTransfer() {
    disk.badSectors = [500]
    bench.writeTable([(0x1_0000, 0), (0x2_0000, 0)])
    bench.issue(0xC8, lba: 400, count: 0)
    bench.startMaster(toMemory: true)
    bench.settle()
    #expect(bench.masterStatus & 0x04 != 0)
    #expect(bench.status == 0x51)
    #expect(bench.register(1) == 0x40)
    #expect((3...5).map { bench.register($0) } == [0xF4, 0x01, 0])
  }
}
