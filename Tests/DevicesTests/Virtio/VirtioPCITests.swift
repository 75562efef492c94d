import Devices
import HostResources
import Platform
import Testing

/// The PCI transport, against the Virtual I/O Device specification 1.2, sections 2 to 4 and 6.
@Suite struct VirtioPCITests {
  private static func device(_ kind: VirtioKind, _ events: EventQueue, _ clock: BenchClock) -> VirtioDevice {
    switch kind {
    case .net: VirtioNet(address: MACAddress(value: 0x0016_3E00_0001), port: TestPort(), events: events, clock: clock)
    case .block: VirtioBlock(storage: MemoryStorage(blocks: 64), serial: "S", events: events, clock: clock)
    case .console: VirtioConsole(events: events, clock: clock)
    case .entropy: VirtioEntropy(seed: 1, events: events, clock: clock)
    case .balloon: VirtioBalloon(events: events, clock: clock)
    case .scsi: VirtioSCSI(events: events, clock: clock)
    }
  }
  private func bench(_ kind: VirtioKind = .block, _ interface: VirtioInterface = .transitional) throws -> VirtioBench {
    try VirtioBench(interface: interface) { Self.device(kind, $0, $1) }
  }

  /// Section 4.1.2 and table 4.1.2.1; device types of section 5.
  @Test(arguments: [
    (VirtioKind.net, 0x1000 as UInt32, 0x1041 as UInt32, 1 as UInt32), (.block, 0x1001, 0x1042, 2),
    (.balloon, 0x1002, 0x1045, 5), (.console, 0x1003, 0x1043, 3), (.scsi, 0x1004, 0x1048, 8), (.entropy, 0x1005, 0x1044, 4),
  ]) func identity(_ kind: VirtioKind, _ transitional: UInt32, _ modern: UInt32, _ type: UInt32) throws {
    let old = try bench(kind)
    #expect(old.configuration(0, 2) == 0x1AF4)
    #expect(old.configuration(2, 2) == transitional)
    #expect(old.configuration(8, 1) == 0)
    #expect(old.configuration(0x2E, 2) == type)
    #expect(old.configuration(0x10, 4) & 1 == 1)
    let new = try bench(kind, .modern)
    #expect(new.configuration(0, 2) == 0x1AF4)
    #expect(new.configuration(2, 2) == modern)
    #expect(new.configuration(8, 1) >= 1)
    #expect(new.configuration(0x2E, 2) >= 0x40)
    #expect(new.configuration(0x10, 4) == 0)
  }

  /// Section 4.1.4: vendor specific capabilities with a length, a type, and a structure of at least its own size.
  @Test func capabilities() throws {
    let bench = try bench(.net)
    #expect(bench.configuration(6, 2) & 0x10 != 0)
    for (type, size, least) in [(1 as UInt8, 16 as UInt32, 56 as UInt32), (2, 20, 12), (3, 16, 1), (4, 16, 17), (5, 20, 0)] {
      let found = try #require(bench.structure(type))
      #expect(bench.configuration(found.capability + 2, 1) == size)
      #expect(found.length >= least, "type \(type)")
    }
    let notify = try #require(bench.structure(2))
    #expect(bench.configuration(notify.capability + 16, 4).nonzeroBitCount == 1)
  }

  /// Section 4.1.4.3.
  @Test func commonConfiguration() throws {
    let bench = try bench(.net)
    #expect(bench.common(16, 2) == 0xFFFF)
    #expect(bench.common(18, 2) == 3)
    #expect(bench.common(20, 1) == 0)
    bench.setCommon(22, 2, 1)
    #expect(bench.common(22, 2) == 1)
    #expect(bench.common(24, 2) == 256)
    #expect(bench.common(28, 2) == 0)
    // A smaller power of two, and nothing else.
    bench.setCommon(24, 2, 100)
    #expect(bench.common(24, 2) == 256)
    bench.setCommon(24, 2, 512)
    #expect(bench.common(24, 2) == 256)
    bench.setCommon(24, 2, 64)
    #expect(bench.common(24, 2) == 64)
    bench.setCommon(32, 4, 0x1234_5000)
    bench.setCommon(36, 4, 0x9)
    #expect(bench.common(32, 8) == 0x9_1234_5000)
    bench.setCommon(40, 8, 0x77_0000_1000)
    #expect(bench.common(40, 4) == 0x1000 && bench.common(44, 4) == 0x77)
    bench.setCommon(28, 2, 1)
    #expect(bench.common(28, 2) == 1)
    // An enabled queue does not move.
    bench.setCommon(32, 8, 0)
    #expect(bench.common(32, 8) == 0x9_1234_5000)
    // A queue that does not exist has no size.
    bench.setCommon(22, 2, 3)
    #expect(bench.common(24, 2) == 0)
    bench.setStatus(0)
    bench.setCommon(22, 2, 1)
    #expect(bench.common(24, 2) == 256 && bench.common(28, 2) == 0 && bench.common(32, 8) == 0)
  }

  /// Sections 2.2, 3.1.1 and 6.
  @Test func negotiation() throws {
    let bench = try bench(.block)
    #expect(bench.offered & VirtioBench.version1 != 0)
    #expect(bench.offered & (VirtioBench.indirect | VirtioBench.eventIndex) == VirtioBench.indirect | VirtioBench.eventIndex)
    bench.setStatus(3)
    // Without VERSION_1.
    bench.setCommon(8, 4, 0)
    bench.setCommon(12, 4, 1 << 9)
    bench.setStatus(0xB)
    #expect(bench.status == 3)
    // With a feature that nobody offers.
    bench.setCommon(8, 4, 1)
    bench.setCommon(12, 4, 1 | 1 << 20)
    bench.setStatus(0xB)
    #expect(bench.status == 3)
    bench.setCommon(12, 4, 1)
    bench.setStatus(0xB)
    #expect(bench.status == 0xB)
    // Settled.
    bench.setCommon(12, 4, 0)
    #expect(bench.common(12, 4) == 1)
    // DRIVER_OK needs FEATURES_OK.
    bench.setStatus(0)
    #expect(bench.status == 0)
    bench.setStatus(7)
    #expect(bench.status == 3)
  }

  /// The network device's features depend on each other (section 5.1.3.1): segmentation on checksums, commands on their queue.
  @Test(arguments: [1 << 11, 1 << 12, 1 << 18, 1 << 21, 1 << 23] as [UInt64]) func dependentFeatures(_ feature: UInt64) throws {
    let bench = try bench(.net)
    bench.setStatus(3)
    bench.setCommon(8, 4, 1)
    bench.setCommon(12, 4, 1)
    bench.setCommon(8, 4, 0)
    bench.setCommon(12, 4, feature)
    bench.setStatus(0xB)
    #expect(bench.status == 3)
    bench.setCommon(12, 4, feature | 1 | 1 << 17)
    bench.setStatus(0xB)
    #expect(bench.status == 0xB)
  }

  /// Section 4.1.4.10: registers of the legacy interface.
  @Test func legacyRegisters() throws {
    let bench = try bench(.block)
    bench.driver = .legacy
    // Nothing above bit 31, and the layout of messages is free.
    #expect(bench.offered & (1 << 27) != 0)
    bench.setLegacy(18, 1, 3)
    bench.setLegacy(4, 4, 1 << 9 | 1 << 31)
    #expect(bench.legacy(4, 4) == 1 << 9)
    bench.setLegacy(14, 2, 0)
    #expect(bench.legacy(12, 2) == 256)
    #expect(bench.legacy(8, 4) == 0)
    bench.setLegacy(8, 4, 0x10)
    #expect(bench.legacy(8, 4) == 0x10)
    bench.setLegacy(8, 4, 0)
    #expect(bench.legacy(8, 4) == 0)
    bench.setLegacy(14, 2, 9)
    #expect(bench.legacy(12, 2) == 0)
    // The device's configuration follows at 20, without MSI-X: 64 sectors.
    #expect(bench.legacy(20, 4) == 64 && bench.legacy(24, 4) == 0)
    bench.setLegacy(18, 1, 0)
    #expect(bench.legacy(18, 1) == 0 && bench.legacy(4, 4) == 0)
  }

  /// Section 4.1.4.5: reading the ISR status acknowledges, and takes the interrupt away.
  @Test(arguments: VirtioBench.Driver.allCases) func interrupts(_ driver: VirtioBench.Driver) throws {
    let bench = try bench(.entropy)
    bench.start(driver, queues: 1)
    #expect(bench.request(0, [.write(0x8000, 16)]) == 16)
    #expect(bench.interrupt)
    #expect(bench.isr() == 1)
    #expect(!bench.interrupt)
    #expect(bench.isr() == 0)
    // The driver does not want to hear of it (section 2.7.6: VIRTQ_AVAIL_F_NO_INTERRUPT).
    bench.memory.store(bench.rings[0].available, UInt16(1))
    #expect(bench.request(0, [.write(0x8000, 16)]) == 16)
    #expect(!bench.interrupt && bench.isr() == 0)
    #expect(bench.pci.statistics.interrupts == 1)
    #expect(bench.pci.statistics.notifications == 2)
  }

  /// Section 2.7.7: with event indices an interrupt comes when the used index passes the one that the driver names.
  @Test(arguments: VirtioBench.Driver.allCases) func eventIndex(_ driver: VirtioBench.Driver) throws {
    let bench = try bench(.entropy)
    bench.start(driver, features: VirtioBench.eventIndex, queues: 1)
    let ring = bench.rings[0]
    // used_event is behind the available ring: the interrupt is wanted for the third buffer. The first is reported, because nothing was before.
    bench.memory.store(ring.available + 4 + 2 * ring.size, UInt16(2))
    #expect(bench.request(0, [.write(0x8000, 8)]) == 8)
    #expect(bench.isr() == 1)
    #expect(bench.request(0, [.write(0x8000, 8)]) == 8)
    #expect(bench.isr() == 0)
    #expect(bench.request(0, [.write(0x8000, 8)]) == 8)
    #expect(bench.isr() == 1)
    #expect(bench.request(0, [.write(0x8000, 8)]) == 8)
    #expect(bench.isr() == 0)
    // avail_event is behind the used ring: the next buffer is worth a notification.
    #expect(bench.memory.load(ring.used + 4 + 8 * ring.size, as: UInt16.self) == 4)
  }

  /// Section 4.1.4.9: the structures through configuration space.
  @Test func window() throws {
    let bench = try bench(.block)
    let window = try #require(bench.structure(5)).capability
    let common = try #require(bench.structure(1))
    bench.setConfiguration(window + 4, 1, UInt32(common.bar))
    bench.setConfiguration(window + 8, 4, UInt32(common.offset) + 18)
    bench.setConfiguration(window + 12, 4, 2)
    #expect(bench.configuration(window + 16, 2) == 1)
    bench.setConfiguration(window + 8, 4, UInt32(common.offset) + 20)
    bench.setConfiguration(window + 12, 4, 1)
    bench.setConfiguration(window + 16, 1, 3)
    #expect(bench.status == 3)
    #expect(bench.configuration(window + 16, 1) == 3)
    // Outside of the range: nothing happens.
    bench.setConfiguration(window + 8, 4, 0xFFFF_FFF0)
    bench.setConfiguration(window + 16, 1, 0)
    #expect(bench.status == 3)
  }

  /// Section 3.1.1: a modern device takes no buffers before DRIVER_OK; the buffers are found when it comes.
  @Test func nothingBeforeReady() throws {
    let bench = try bench(.entropy)
    bench.start(queues: 1)
    bench.setStatus(0)
    bench.start(queues: 1)
    #expect(bench.status == 0xF)
    bench.setStatus(0)
    #expect(bench.common(28, 2) == 0)
    bench.notify(0)
    #expect(bench.settle())
    #expect(bench.collect(0).isEmpty)
  }

  /// Without the bus master bit nothing reaches memory: the queue is as good as gone.
  @Test func busMaster() throws {
    let bench = try bench(.entropy)
    bench.start(queues: 1)
    bench.setConfiguration(4, 2, 3)
    bench.post(0, [.write(0x8000, 8)])
    bench.notify(0)
    #expect(bench.settle())
    #expect(bench.status & 64 != 0)
    #expect(bench.pci.statistics.faults == 1)
  }
}
