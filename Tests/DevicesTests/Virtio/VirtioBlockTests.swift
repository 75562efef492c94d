import Devices
import HostResources
import Platform
import Testing

/// The block device (section 5.2).
@Suite struct VirtioBlockTests {
  private let storage = FaultyStorage(sectors: 64)
  private static let header: UInt64 = 0x4000
  private static let status: UInt64 = 0x4100
  private static let data: UInt64 = 0x8000

  private func bench(_ driver: VirtioBench.Driver = .modern, features: UInt64 = 1 << 9, writeCache: Bool = true) throws
    -> VirtioBench
  {
    let bench = try VirtioBench {
      VirtioBlock(storage: storage, serial: "SERIAL7", writeCache: writeCache, events: $0, clock: $1)
    }
    bench.start(driver, features: features, queues: 1)
    return bench
  }

  /// Type, reserved, sector; data; status.
  private func run(
    _ bench: VirtioBench, type: UInt64, sector: UInt64 = 0, _ data: [VirtioBench.Part] = []
  ) -> (status: UInt8?, written: UInt32?) {
    bench.memory.write(Self.header, little((type, 4), (0, 4), (sector, 8)))
    bench.memory.store(Self.status, UInt8(0xEE))
    let written = bench.request(0, [.read(Self.header, 16)] + data + [.write(Self.status, 1)])
    return (bench.memory.load(Self.status), written)
  }

  /// Section 5.2.4, table by table.
  @Test func configuration() throws {
    let bench = try bench()
    // SIZE_MAX, SEG_MAX, BLK_SIZE, FLUSH, TOPOLOGY, CONFIG_WCE, DISCARD, WRITE_ZEROES; not RO.
    let expected: UInt64 = 1 << 1 | 1 << 2 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 13 | 1 << 14
    #expect(bench.offered & 0xFF_FFFF == expected)
    #expect(bench.field(0, 8) == 64)  // capacity
    #expect(bench.field(12, 4) == 254)  // seg_max
    #expect(bench.field(20, 4) == 512)  // blk_size
    #expect(bench.field(24, 1) == 3)  // physical_block_exp
    #expect(bench.field(26, 2) == 8)  // min_io_size
    #expect(bench.field(32, 1) == 1)  // writeback
    #expect(bench.field(34, 2) == 1)  // num_queues
    #expect(bench.field(36, 4) > 0 && bench.field(40, 4) > 0)  // max_discard_sectors, max_discard_seg
    #expect(bench.field(48, 4) > 0 && bench.field(52, 4) == 1)  // max_write_zeroes_sectors, max_write_zeroes_seg
    storage.isReadOnly = true
    #expect(bench.offered & 0xFF_FFFF == expected & ~(1 << 13 | 1 << 14) | 1 << 5)
  }

  @Test(arguments: VirtioBench.Driver.allCases) func readsAndWrites(_ driver: VirtioBench.Driver) throws {
    let bench = try bench(driver)
    let read = run(bench, type: 0, sector: 3, [.write(Self.data, 700), .write(Self.data + 0x1000, 324)])
    #expect(read.status == 0 && read.written == 1025)
    #expect(bench.bytes(Self.data, 700) + bench.bytes(Self.data + 0x1000, 324) == storage.sector(3, count: 2))
    let new = (0..<1024).map { UInt8(truncatingIfNeeded: $0 &* 13) }
    bench.memory.write(Self.data, new)
    let write = run(bench, type: 1, sector: 60, [.read(Self.data, 100), .read(Self.data + 100, 924)])
    #expect(write.status == 0 && write.written == 1)
    #expect(storage.sector(60, count: 2) == new)
    // Nothing is durable before FLUSH, type 4.
    #expect(storage.flushes == 0)
    #expect(run(bench, type: 4).status == 0)
    #expect(storage.flushes == 1)
  }

  /// The layout of a request is free (section 2.7.4): header and data in one part, split anywhere.
  @Test func anyLayout() throws {
    let bench = try bench()
    let payload = (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    bench.memory.write(Self.data, little((1, 4), (0, 4), (9, 8)) + payload)
    #expect(bench.request(0, [.read(Self.data, 5), .read(Self.data + 5, 523), .write(Self.status, 1)]) == 1)
    #expect(bench.memory.load(Self.status, as: UInt8.self) == 0)
    #expect(storage.sector(9) == payload)
    // The status is the last byte that can be written, wherever it is.
    bench.memory.write(Self.data, little((0, 4), (0, 4), (9, 8)))
    #expect(bench.request(0, [.read(Self.data, 16), .write(Self.data + 0x1000, 513)]) == 513)
    #expect(bench.bytes(Self.data + 0x1000, 512) == payload)
    #expect(bench.bytes(Self.data + 0x1200, 1) == [0])
  }

  /// Section 5.2.6: VIRTIO_BLK_S_IOERR is 1, VIRTIO_BLK_S_UNSUPP 2.
  @Test func failures() throws {
    let bench = try bench()
    storage.badSectors = [5]
    #expect(run(bench, type: 0, sector: 5, [.write(Self.data, 512)]).status == 1)
    #expect(run(bench, type: 1, sector: 5, [.read(Self.data, 512)]).status == 1)
    #expect(run(bench, type: 0, sector: 4, [.write(Self.data, 512)]).status == 0)
    // Beyond the end, and no whole sector.
    #expect(run(bench, type: 0, sector: 63, [.write(Self.data, 1024)]).status == 1)
    #expect(run(bench, type: 0, sector: .max, [.write(Self.data, 512)]).status == 1)
    #expect(run(bench, type: 0, sector: 1, [.write(Self.data, 100)]).status == 1)
    #expect(run(bench, type: 99).status == 2)
    storage.flushFails = true
    #expect(run(bench, type: 4).status == 1)
    storage.flushFails = false
    storage.isReadOnly = true
    #expect(run(bench, type: 1, sector: 1, [.read(Self.data, 512)]).status == 1)
    // The device goes on.
    #expect(bench.status == 0xF && bench.pci.statistics.faults == 0)
  }

  /// GET ID, type 8: twenty bytes, filled with zeros.
  @Test func identifier() throws {
    let bench = try bench()
    let answer = run(bench, type: 8, [.write(Self.data, 20)])
    #expect(answer.status == 0 && answer.written == 21)
    #expect(bench.bytes(Self.data, 20) == Array("SERIAL7".utf8) + [UInt8](repeating: 0, count: 13))
  }

  /// DISCARD is type 11, WRITE ZEROES type 13: sector, count, flags.
  @Test func clearing() throws {
    let bench = try bench(features: 1 << 9 | 1 << 13 | 1 << 14)
    bench.memory.write(Self.data, little((10, 8), (2, 4), (0, 4)))
    #expect(run(bench, type: 13, [.read(Self.data, 16)]).status == 0)
    #expect(storage.sector(10, count: 2) == [UInt8](repeating: 0, count: 1024))
    #expect(storage.sector(12).contains { $0 != 0 })
    #expect(run(bench, type: 11, [.read(Self.data, 16)]).status == 0)
    // Unmapping is for WRITE ZEROES; other flags are for nobody.
    bench.memory.write(Self.data, little((10, 8), (2, 4), (1, 4)))
    #expect(run(bench, type: 13, [.read(Self.data, 16)]).status == 0)
    #expect(run(bench, type: 11, [.read(Self.data, 16)]).status == 2)
    bench.memory.write(Self.data, little((10, 8), (2, 4), (2, 4)))
    #expect(run(bench, type: 13, [.read(Self.data, 16)]).status == 2)
    // The end of the medium; no range at all.
    bench.memory.write(Self.data, little((63, 8), (2, 4), (0, 4)))
    #expect(run(bench, type: 13, [.read(Self.data, 16)]).status == 1)
    #expect(run(bench, type: 11).status == 1)
    // Not negotiated.
    let other = try self.bench()
    other.memory.write(Self.data, little((10, 8), (2, 4), (0, 4)))
    #expect(run(other, type: 13, [.read(Self.data, 16)]).status == 2)
  }

  /// Section 5.2.6.2: without FLUSH, and with the cache off, a write is on stable storage when it is done.
  @Test func cache() throws {
    let plain = try bench(features: 0)
    #expect(run(plain, type: 1, [.read(Self.data, 512)]).status == 0)
    #expect(storage.flushes == 1)
    let through = try bench(features: 1 << 9 | 1 << 11, writeCache: false)
    #expect(through.field(32, 1) == 0)
    #expect(run(through, type: 1, [.read(Self.data, 512)]).status == 0)
    #expect(storage.flushes == 2)
    through.setField(32, 1, 1)
    #expect(through.field(32, 1) == 1)
    #expect(run(through, type: 1, [.read(Self.data, 512)]).status == 0)
    #expect(storage.flushes == 2)
    // Switching it off writes what it has.
    through.setField(32, 1, 0)
    #expect(storage.flushes == 3)
  }

  /// A medium that has grown: another generation, and the interrupt for configuration changes.
  @Test func resize() throws {
    let bench = try bench()
    let generation = bench.common(21, 1)
    storage.bytes += [UInt8](repeating: 0, count: 512 * 16)
    (bench.pci.device as? VirtioBlock)?.sizeChanged()
    #expect(bench.isr() == 2)
    #expect(bench.common(21, 1) != generation)
    #expect(bench.field(0, 8) == 80)
    #expect(run(bench, type: 0, sector: 79, [.write(Self.data, 512)]).status == 0)
  }

  /// The header was read once: what the driver writes there later is not the request's.
  @Test func headerIsCopied() throws {
    let bench = try bench()
    bench.memory.write(Self.header, little((0, 4), (0, 4), (3, 8)))
    bench.post(0, [.read(Self.header, 16), .write(Self.data, 512), .write(Self.status, 1)])
    bench.notify(0)
    bench.run(nanoseconds: 5_000)
    bench.memory.write(Self.header, little((1, 4), (0, 4), (.max, 8)))
    bench.settle()
    #expect(bench.bytes(Self.data, 512) == storage.sector(3))
    #expect(storage.writes == 0)
  }

  /// Requests take the medium's time, and one reset forgets those that are under way.
  @Test func timeAndReset() throws {
    let bench = try bench()
    bench.memory.write(Self.header, little((0, 4), (0, 4), (3, 8)))
    bench.post(0, [.read(Self.header, 16), .write(Self.data, 512), .write(Self.status, 1)])
    bench.notify(0)
    bench.run(nanoseconds: 15_000)
    #expect(bench.collect(0).isEmpty)
    // 60 µs to the medium, 9 for the way over the link, and 512 bytes at 200 and at 80 MB/s.
    bench.run(nanoseconds: 75_000)
    #expect(bench.collect(0).count == 1)
    bench.post(0, [.read(Self.header, 16), .write(Self.data, 512), .write(Self.status, 1)])
    bench.notify(0)
    bench.run(nanoseconds: 5_000)
    bench.start(features: 1 << 9, queues: 1)
    bench.settle()
    #expect(bench.collect(0).isEmpty)
    #expect(run(bench, type: 0, sector: 3, [.write(Self.data, 512)]).status == 0)
  }
}
