import Devices
import HostResources
import Platform
import Testing

/// Expected values: ATA/ATAPI-6, SPC-2, MMC-3.
@Suite struct ATAPITests {
  static let blocks = 100
  let disc = FaultyStorage(sectors: 4 * blocks)
  let drive: ATAPICDROM
  let bench: IDEBench

  init() throws {
    bench = try IDEBench()
    drive = ATAPICDROM(disc: disc, serial: "CD", events: bench.events, clock: bench.clock)
    bench.attach(drive, unit: 2)
    bench.channel = 1
    bench.settle()
  }

  /// Issues PACKET and sends the packet; what follows is up to the test.
  private func send(_ packet: [UInt8], limit: UInt16 = 0xFFFE, dma: Bool = false) {
    bench.issue(0xA0, lba: UInt32(limit) << 8, features: dma ? 1 : 0)
    bench.settle()
    #expect(bench.alternateStatus & 0x88 == 0x08)
    #expect(bench.register(2) & 3 == 1)
    bench.writeData(packet + [UInt8](repeating: 0, count: 12 - packet.count))
  }

  /// The whole command by PIO: data, and the sizes of its parts.
  private func run(_ packet: [UInt8], limit: UInt16 = 0xFFFE) -> (data: [UInt8], parts: [Int], status: UInt8) {
    send(packet, limit: limit)
    var data: [UInt8] = []
    var parts: [Int] = []
    bench.settle()
    while bench.alternateStatus & 0x88 == 0x08 {
      #expect(bench.lines[1].level)
      _ = bench.status
      #expect(bench.register(2) & 3 == 2)
      let count = Int(bench.register(4)) | Int(bench.register(5)) << 8
      parts.append(count)
      data += bench.readData(count).prefix(count)
      bench.settle()
    }
    #expect(bench.lines[1].level)
    #expect(bench.register(2) & 3 == 3)
    return (data, parts, bench.status)
  }

  /// Power-on has been reported.
  private func prepare() {
    #expect(run([0]).status == 0x51)
    #expect(run([0]).status == 0x50)
  }
  private func sense() -> [UInt8] {
    let bytes = run([3, 0, 0, 0, 18]).data
    return bytes.count == 18 ? [bytes[2] & 0xF, bytes[12], bytes[13]] : bytes
  }

  @Test func signature() {
    #expect(bench.status == 0x00)
    #expect((1...5).map { bench.register($0) } == [0x01, 0x01, 0x01, 0x14, 0xEB])
    // IDENTIFY DEVICE is aborted, and shows the signature again.
    bench.setRegister(4, 0)
    bench.issue(0xEC)
    bench.settle()
    #expect(bench.status & 1 == 1)
    #expect((2...5).map { bench.register($0) } == [0x01, 0x01, 0x14, 0xEB])
    bench.issue(0xA1)
    let bytes = bench.readAll()
    #expect(bytes.count == 512 && bytes.reduce(0, &+) == 0)
    #expect(bytes[0] == 0xC0 && bytes[1] == 0x85)
  }

  @Test func deviceReset() {
    prepare()
    send([0x28, 0, 0, 0, 0, 0, 0, 0, 1])
    bench.settle()
    bench.setRegister(7, 0x08)
    #expect(bench.status & 0x80 != 0)
    bench.settle()
    #expect((2...5).map { bench.register($0) } == [0x01, 0x01, 0x14, 0xEB])
    #expect(run([0]).status == 0x50)
  }

  @Test func inquiry() {
    let answer = run([0x12, 0, 0, 0, 36])
    #expect(answer.parts == [36] && answer.status == 0x50)
    #expect(answer.data[0] == 5 && answer.data[1] == 0x80)
    #expect(String(decoding: answer.data[8..<32], as: UTF8.self) == "EPICURE CD-ROM          ")
    #expect(run([0x12, 0, 0, 0, 5]).data == Array(answer.data[..<5]))
    #expect(run([0x12, 1, 0x80, 0, 36]).status == 0x51)
    #expect(sense() == [5, 0x24, 0])
  }

  @Test func readsByWordsInParts() {
    prepare()
    let expected = disc.sector(4 * 40, count: 4 * 3)
    let whole = run([0x28, 0, 0, 0, 0, 40, 0, 0, 3])
    #expect(whole.data == expected && whole.parts == [6144])
    let parts = run([0xA8, 0, 0, 0, 0, 40, 0, 0, 0, 3], limit: 2501)
    #expect(parts.data == expected && parts.parts == [2500, 2500, 1144])
    #expect(run([0x28, 0, 0, 0, 0, 40, 0, 0, 0]).parts == [])
  }

  @Test func readsByDMA() {
    prepare()
    bench.writeTable([(0x1_0000, 0), (0x2_0000, 0), (0x3_0000, 0)])
    send([0x28, 0, 0, 0, 0, 1, 0, 0, 96], dma: true)
    bench.startMaster(toMemory: true)
    bench.settle()
    #expect(bench.masterStatus == 0x04)
    #expect(bench.status == 0x50)
    #expect(bench.register(2) & 3 == 3)
    #expect(Array(bench.memory.bytes[0x1_0000..<0x1_0000 + 96 * 2048]) == disc.sector(4, count: 96 * 4))
  }

  @Test func outsideAndUnreadable() {
    prepare()
    #expect(run([0x28, 0, 0, 0, 0, 99, 0, 0, 2]).status == 0x51)
    #expect(bench.register(1) == 0x54)
    #expect(sense() == [5, 0x21, 0])
    #expect(run([0xA8, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).status == 0x51)
    disc.badSectors = [4 * 55 + 1]
    #expect(run([0x28, 0, 0, 0, 0, 50, 0, 0, 10]).status == 0x51)
    #expect(bench.register(1) >> 4 == 3)
    let bytes = run([3, 0, 0, 0, 18]).data
    #expect(bytes[0] == 0xF0 && bytes[2] == 3 && Array(bytes[3..<7]) == [0, 0, 0, 55] && bytes[12] == 0x11)
    #expect(sense() == [0, 0, 0])
  }

  @Test func capacityAndContents() {
    prepare()
    #expect(run([0x25]).data == [0, 0, 0, 99, 0, 0, 8, 0])
    #expect(run([0x43, 0, 0, 0, 0, 0, 0, 0, 64]).data == [0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xAA, 0, 0, 0, 0, 100])
    // In time: block 0 is at 0:02:00, block 100 at 0:03:25.
    #expect(run([0x43, 2, 0, 0, 0, 0, 0xAA, 0, 64]).data == [0, 10, 1, 1, 0, 0x14, 0xAA, 0, 0, 0, 3, 25])
    #expect(run([0x43, 0, 1, 0, 0, 0, 0, 0, 64]).data == [0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0])
    #expect(run([0x43, 0, 0, 0, 0, 0, 2, 0, 64]).status == 0x51)
    let information = run([0x51, 0, 0, 0, 0, 0, 0, 1, 0]).data
    #expect(information.count == 34 && information[1] == 32 && information[2] == 0x0E)
  }

  @Test func configurationAndEvents() {
    prepare()
    let all = run([0x46, 0, 0, 0, 0, 0, 0, 1, 0]).data
    #expect(Int(all[3]) + 4 == all.count)
    #expect(all[7] == 0x08)  // a CD
    let one = run([0x46, 2, 0, 0x1E, 0, 0, 0, 1, 0]).data
    #expect(Array(one[8...]) == [0, 0x1E, 1, 4, 0, 0, 0, 0])
    #expect(run([0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8]).data == [0, 6, 4, 0x10, 0, 2, 0, 0])
    // Only polling is possible.
    #expect(run([0x4A, 0, 0, 0, 0x10, 0, 0, 0, 8]).status == 0x51)
    let page = run([0x5A, 0, 0x2A, 0, 0, 0, 0, 1, 0]).data
    #expect(page.count == 30 && page[1] == 28 && page[8] == 0x2A && page[9] == 20)
    #expect(run([0x5A, 0, 0xEA, 0, 0, 0, 0, 1, 0]).status == 0x51)
    #expect(sense() == [5, 0x39, 0])
    #expect(run([0xBD, 0, 0, 0, 0, 0, 0, 0, 0, 8]).data == [UInt8](repeating: 0, count: 8))
    #expect(run([0xFF]).status == 0x51)
    #expect(sense() == [5, 0x20, 0])
  }

  @Test func tray() {
    prepare()
    #expect(run([0x1E, 0, 0, 0, 1]).status == 0x50)
    #expect(run([0x1B, 0, 0, 0, 2]).status == 0x51)
    #expect(sense() == [5, 0x53, 2])
    #expect(run([0x1E, 0, 0, 0, 0]).status == 0x50)
    #expect(run([0x1B, 0, 0, 0, 2]).status == 0x50)
    #expect(run([0]).status == 0x51)
    #expect(sense() == [2, 0x3A, 2])
    #expect(run([0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8]).data == [0, 6, 4, 0x10, 3, 1, 0, 0])
    // Closing the tray brings the medium back, and says that it may be another one.
    #expect(run([0x1B, 0, 0, 0, 3]).status == 0x50)
    #expect(run([0x28, 0, 0, 0, 0, 0, 0, 0, 1]).status == 0x51)
    #expect(sense() == [6, 0x28, 0])
    #expect(run([0x28, 0, 0, 0, 0, 0, 0, 0, 1]).data == disc.sector(0, count: 4))
    drive.drive.insert(nil)
    #expect(run([0x25]).status == 0x51)
    #expect(sense() == [2, 0x3A, 1])
    drive.drive.insert(FaultyStorage(sectors: 40))
    #expect(run([0x25]).status == 0x51)
    #expect(run([0x25]).data == [0, 0, 0, 9, 0, 0, 8, 0])
  }
}
