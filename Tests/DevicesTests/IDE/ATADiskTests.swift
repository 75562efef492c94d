import Devices
import HostResources
import Testing

/// Expected values: ATA/ATAPI-6 (T13 1410D) and the data sheet of the Intel 82371AB.
@Suite struct ATADiskTests {
  let disk = FaultyStorage(sectors: 5000)
  let bench: IDEBench

  init() throws { bench = try IDEBench(disk) }

  // MARK: Presence

  @Test func signatures() throws {
    #expect(bench.status == 0x50)
    #expect((1...6).map { bench.register($0) } == [0x01, 0x01, 0x01, 0x00, 0x00, 0xA0])
    // Nobody at 1: device 0 answers with status 0.
    bench.setRegister(6, 0x10)
    #expect(bench.status == 0)
    #expect(bench.alternateStatus == 0)
    // Nobody at all: the pull-down of DD7.
    bench.channel = 1
    #expect(bench.status == 0x7F)
    bench.setRegister(2, 0x55)
    #expect(bench.register(2) == 0x7F)
  }

  @Test func identification() {
    bench.issue(0xEC)
    #expect(bench.status == 0xD0)
    bench.settle()
    #expect(bench.lines[0].level)
    #expect(bench.status == 0x58)
    #expect(!bench.lines[0].level)
    let bytes = bench.readData(512)
    #expect(bytes.count == 512)
    #expect(bench.status == 0x50)
    let words = (0..<256).map { UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8 }
    func text(_ range: ClosedRange<Int>) -> String {
      String(decoding: range.flatMap { [UInt8(words[$0] >> 8), UInt8(words[$0] & 0xFF)] }, as: UTF8.self)
    }
    #expect(words[0] & 0x8000 == 0)
    #expect(text(27...46) == "EPICURE DISK" + String(repeating: " ", count: 28))
    #expect(text(10...19).hasPrefix("S0 "))
    #expect(UInt32(words[60]) | UInt32(words[61]) << 16 == 5000)
    #expect(UInt32(words[100]) | UInt32(words[101]) << 16 == 5000)
    #expect(words[49] & 0x0300 == 0x0300)
    #expect(words[83] & 0xC000 == 0x4000 && words[83] & 0x3400 == 0x3400)
    #expect(words[85] & 0x20 != 0)
    #expect(words[88] & 0x3F == 0x3F)
    #expect(words[255] & 0xFF == 0xA5)
    #expect(bytes.reduce(0, &+) == 0)
  }

  // MARK: Programmed transfers

  @Test func readsSectorBySector() {
    bench.issue(0x20, lba: 100, count: 3)
    var bytes: [UInt8] = []
    for _ in 0..<3 {
      bench.settle()
      #expect(bench.lines[0].level)
      #expect(bench.status == 0x58)
      bytes += bench.readData(512)
    }
    #expect(bytes == disk.sector(100, count: 3))
    bench.settle()
    #expect(!bench.lines[0].level)
    #expect(bench.lines[0].rises == 3)
    #expect(bench.status == 0x50)
  }

  @Test func readsManyForOneInterrupt() {
    bench.issue(0xC6, count: 8)
    bench.settle()
    _ = bench.status
    let before = bench.lines[0].rises
    bench.issue(0xC4, lba: 7, count: 20)
    #expect(bench.readAll() == disk.sector(7, count: 20))
    #expect(bench.lines[0].rises - before == 3)
    // 3 is no power of two; afterwards there is no multiple mode.
    bench.issue(0xC6, count: 3)
    bench.settle()
    #expect(bench.status & 1 == 1 && bench.register(1) == 0x04)
    bench.issue(0xC4, lba: 7, count: 20)
    bench.settle()
    #expect(bench.status & 1 == 1 && bench.register(1) == 0x04)
  }

  @Test func writes() {
    let data = (0..<1024).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    bench.issue(0x30, lba: 50, count: 2)
    // The first block is wanted without an interrupt.
    #expect(bench.status == 0x58)
    #expect(bench.lines[0].rises == 0)
    bench.writeData(Array(data[..<512]))
    #expect(bench.status & 0x80 != 0)
    bench.settle()
    #expect(bench.lines[0].rises == 1)
    #expect(bench.status == 0x58)
    bench.writeData(Array(data[512...]))
    bench.settle()
    #expect(bench.lines[0].rises == 2)
    #expect(bench.status == 0x50)
    #expect(disk.sector(50, count: 2) == data)
    #expect(disk.flushes == 0)
  }

  @Test func longAddresses() {
    bench.issueExtended(0x24, lba: 4990, count: 10)
    #expect(bench.readAll() == disk.sector(4990, count: 10))
    bench.issueExtended(0x24, lba: 1 << 40, count: 1)
    bench.settle()
    #expect(bench.status & 1 == 1 && bench.register(1) == 0x10)
    #expect((3...5).map { bench.register($0) } == [0, 0, 0])
    bench.control = 0x80
    #expect((3...5).map { bench.register($0) } == [0, 0, 1])
    // Any write to the command block goes back to the low half.
    bench.setRegister(1, 0)
    #expect(bench.register(5) == 0)
  }

  @Test func cylindersHeadsSectors() {
    func read(_ cylinder: UInt16, _ head: UInt8, _ sector: UInt8) -> [UInt8] {
      bench.setRegister(6, 0xA0 | head)
      bench.setRegister(2, 1)
      bench.setRegister(3, sector)
      bench.setRegister(4, UInt8(cylinder & 0xFF))
      bench.setRegister(5, UInt8(cylinder >> 8))
      bench.setRegister(7, 0x20)
      return bench.readAll()
    }
    // 16 heads, 63 sectors.
    #expect(read(2, 3, 4) == disk.sector((2 * 16 + 3) * 63 + 3))
    #expect(read(0, 0, 0) == [])
    #expect(bench.status & 1 == 1 && bench.register(1) == 0x10)
    // Beyond the end: the address comes back as it was given.
    #expect(read(0x0405, 3, 4) == [])
    #expect(bench.status & 1 == 1 && bench.register(1) == 0x10)
    #expect((3...6).map { bench.register($0) } == [4, 5, 4, 0xA3])
    bench.issue(0x91, lba: UInt32(3) << 24, count: 17)
    bench.settle()
    #expect(bench.status == 0x50)
    #expect(read(5, 3, 17) == disk.sector((5 * 4 + 3) * 17 + 16))
    #expect(read(5, 4, 1) == [])
  }

  // MARK: Failures

  @Test func unknownCommandsAreAborted() {
    for code in [0x00, 0x08, 0x9F, 0xA0, 0xA1, 0xF9] as [UInt8] {
      bench.issue(code)
      bench.settle()
      #expect(bench.status == 0x51, "\(code)")
      #expect(bench.register(1) == 0x04)
    }
  }

  @Test func outsideTheMedium() {
    bench.issue(0xC8, lba: 4999, count: 2)
    bench.settle()
    #expect(bench.status == 0x51)
    #expect(bench.register(1) == 0x10)
    #expect((3...5).map { bench.register($0) } == [0x88, 0x13, 0])
  }

  /// The sector that cannot be read is named, wherever in the request it lies.
  @Test func badSector() {
    disk.badSectors = [777]
    for code in [0x20, 0x40, 0xC4] as [UInt8] {
      bench.issue(code, lba: 770, count: 16)
      _ = bench.readAll()
      #expect(bench.status == 0x51, "\(code)")
      #expect(bench.register(1) == 0x40)
      #expect((3...5).map { bench.register($0) } == [0x09, 0x03, 0])
    }
    bench.issue(0x20, lba: 778, count: 1)
    #expect(bench.readAll() == disk.sector(778))
  }

  /// What was there before the host's disk was full is still there.
  @Test func hostIsFull() {
    disk.writesUntilFull = 1
    let before = disk.sector(11)
    bench.issue(0x30, lba: 10, count: 2)
    let data = [UInt8](repeating: 0xEE, count: 512)
    bench.writeData(data)
    bench.settle()
    bench.writeData(data)
    bench.settle()
    #expect(bench.status == 0x51)
    #expect(bench.register(1) == 0x40)
    #expect(bench.register(3) == 11)
    #expect(disk.sector(10) == data && disk.sector(11) == before)
  }

  @Test func readOnlyMedium() {
    disk.isReadOnly = true
    bench.issue(0x30, lba: 0, count: 1)
    bench.writeData([UInt8](repeating: 0, count: 512))
    bench.settle()
    #expect(bench.status == 0x51)
  }

  // MARK: Cache

  @Test func flush() {
    bench.issue(0xE7)
    bench.settle()
    #expect(bench.status == 0x50 && disk.flushes == 1)
    bench.issueExtended(0xEA, lba: 0, count: 0)
    bench.settle()
    #expect(bench.status == 0x50 && disk.flushes == 2)
    disk.flushFails = true
    bench.issue(0xE7)
    bench.settle()
    #expect(bench.status == 0x51)
  }

  /// Without a write cache nothing is done before it is on stable storage.
  @Test func withoutWriteCache() {
    bench.issue(0xEF, features: 0x82)
    bench.settle()
    let flushes = disk.flushes
    bench.issue(0x30, lba: 10, count: 1)
    bench.writeData([UInt8](repeating: 0x77, count: 512))
    bench.settle()
    #expect(bench.status == 0x50 && disk.flushes == flushes + 1)
    #expect(Array(disk.stable[5120..<5632]) == disk.sector(10))
    bench.issue(0xEF, features: 0x02)
    bench.settle()
    bench.issue(0x30, lba: 10, count: 1)
    bench.writeData([UInt8](repeating: 0x78, count: 512))
    bench.settle()
    #expect(disk.flushes == flushes + 1)
    // Forced unit access goes through the cache.
    bench.issueExtended(0xCE, lba: 10, count: 1)
    bench.writeData([UInt8](repeating: 0x79, count: 512))
    bench.settle()
    #expect(disk.flushes == flushes + 2)
  }

  // MARK: Modes

  @Test func transferModes() {
    for (mode, good) in [
      (0x00, true), (0x0C, true), (0x22, true), (0x42, true), (0x45, true), (0x46, false), (0x23, false), (0x0D, false),
    ] {
      bench.issue(0xEF, count: UInt8(mode), features: 0x03)
      bench.settle()
      #expect(bench.status == (good ? 0x50 : 0x51), "\(mode)")
    }
    bench.issue(0xEC)
    let words = bench.readAll()
    #expect(words[177] == 0x20 && words[176] == 0x3F)  // word 88: UDMA 5 is chosen
  }

  @Test func powerModes() {
    func mode() -> UInt8 {
      bench.issue(0xE5)
      bench.settle()
      return bench.register(2)
    }
    #expect(mode() == 0xFF)
    bench.issue(0xE0)
    bench.settle()
    #expect(disk.flushes == 1)
    #expect(mode() == 0x00)
    bench.issue(0x20, count: 1)
    #expect(bench.readAll().count == 512)
    #expect(mode() == 0xFF)
    // Only a reset ends sleep.
    bench.issue(0xE6)
    bench.settle()
    bench.issue(0x20, count: 1)
    #expect(bench.readAll() == [])
    bench.control = 0x04
    bench.control = 0x00
    bench.settle()
    bench.issue(0x20, count: 1)
    #expect(bench.readAll().count == 512)
  }

  @Test func nativeMaximum() {
    bench.issue(0xF8)
    bench.settle()
    #expect((3...6).map { bench.register($0) } == [0x87, 0x13, 0, 0xE0])
    bench.issueExtended(0x27, lba: 0, count: 0)
    bench.settle()
    #expect((3...5).map { bench.register($0) } == [0x87, 0x13, 0])
  }

  @Test func smart() {
    bench.issue(0xB0, lba: 0xC24F00, features: 0xDA)
    bench.settle()
    #expect(bench.status == 0x50)
    #expect(bench.register(4) == 0x4F && bench.register(5) == 0xC2)
    bench.issue(0xB0, lba: 0xC24F00, features: 0xD0)
    #expect(bench.readAll().reduce(0, &+) == 0)
    bench.issue(0xB0, lba: 0, features: 0xDA)
    bench.settle()
    #expect(bench.status == 0x51)
  }
}
