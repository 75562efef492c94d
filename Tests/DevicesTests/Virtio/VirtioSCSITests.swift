import Devices
import HostResources
import Platform
import Testing

/// The SCSI host (section 5.6).
@Suite struct VirtioSCSITests {
  private static let request: UInt64 = 0x4000
  private static let answer: UInt64 = 0x4200
  private static let data: UInt64 = 0x8000
  private let storage = MemoryStorage(blocks: 256)

  private func bench(_ driver: VirtioBench.Driver = .modern, features: UInt64 = 0) throws -> VirtioBench {
    let bench = try VirtioBench { VirtioSCSI(events: $0, clock: $1) }
    host(bench)?.attach(SCSIDisk(storage: storage, serialNumber: "V1"), target: 2)
    bench.start(driver, features: features, queues: 3)
    // The unit attention of power-on.
    _ = run(bench, [0, 0, 0, 0, 0, 0])
    return bench
  }
  private func host(_ bench: VirtioBench) -> VirtioSCSI? { bench.pci.device as? VirtioSCSI }

  private static func lun(_ target: UInt8, _ number: UInt8 = 0) -> [UInt8] { [1, target, 0x40, number, 0, 0, 0, 0] }

  /// lun, id, task_attr, prio, crn, cdb; the parts behind.
  private func header(_ cdb: [UInt8], target: UInt8, lun: UInt8 = 0, id: UInt64 = 1) -> [UInt8] {
    Self.lun(target, lun) + little((id, 8), (0, 3)) + cdb + [UInt8](repeating: 0, count: 32 - cdb.count)
  }

  private struct Answer: Equatable {
    var senseLength: UInt32
    var residual: UInt32
    var status: UInt8
    var response: UInt8
    var key: UInt8
  }

  private func parts(output: Int, input: Int) -> [VirtioBench.Part] {
    [.read(Self.request, 51)] + (output > 0 ? [.read(Self.data, output)] : []) + [.write(Self.answer, 108)]
      + (input > 0 ? [.write(Self.data, input)] : [])
  }
  private func run(_ bench: VirtioBench, _ cdb: [UInt8], target: UInt8 = 2, lun: UInt8 = 0, output: Int = 0, input: Int = 0)
    -> Answer?
  {
    bench.memory.write(Self.request, header(cdb, target: target, lun: lun))
    guard bench.request(2, parts(output: output, input: input)) != nil else { return nil }
    return answer(bench)
  }
  private func answer(_ bench: VirtioBench) -> Answer {
    let bytes = bench.bytes(Self.answer, 108)
    func word(_ at: Int) -> UInt32 { (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) } }
    return Answer(senseLength: word(0), residual: word(4), status: bytes[10], response: bytes[11], key: bytes[14] & 0xF)
  }

  /// Section 5.6.4.
  @Test func configuration() throws {
    let bench = try bench()
    // HOTPLUG and CHANGE.
    #expect(bench.offered & 0xFF_FFFF == 1 << 1 | 1 << 2)
    #expect(bench.field(0, 4) == 1)  // num_queues
    #expect(bench.field(4, 4) == 254)  // seg_max
    #expect(bench.field(16, 4) == 16)  // event_info_size
    #expect(bench.field(20, 4) == 96 && bench.field(24, 4) == 32)  // sense_size, cdb_size
    #expect(bench.field(28, 2) == 0 && bench.field(30, 2) == 63 && bench.field(32, 4) == 0)
    #expect(bench.common(18, 2) == 3)
  }

  @Test(arguments: VirtioBench.Driver.allCases) func commands(_ driver: VirtioBench.Driver) throws {
    let bench = try bench(driver)
    let good = Answer(senseLength: 0, residual: 0, status: 0, response: 0, key: 0)
    // INQUIRY asks for more than there is.
    let inquiry = run(bench, [0x12, 0, 0, 0, 255, 0], input: 255)
    #expect(inquiry == Answer(senseLength: 0, residual: 255 - 96, status: 0, response: 0, key: 0))
    #expect(bench.bytes(Self.data + 8, 7) == Array("EPICURE".utf8))
    let block = (0..<1024).map { UInt8(truncatingIfNeeded: $0 &* 5) }
    bench.memory.write(Self.data, block)
    #expect(run(bench, [0x2A, 0, 0, 0, 0, 7, 0, 0, 2, 0], output: 1024) == good)
    #expect(Array(storage.bytes[7 * 512..<9 * 512]) == block)
    bench.memory.write(Self.data, [UInt8](repeating: 0, count: 1024))
    #expect(run(bench, [0x28, 0, 0, 0, 0, 7, 0, 0, 2, 0], input: 1024) == good)
    #expect(bench.bytes(Self.data, 1024) == block)
    #expect(run(bench, [0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0]) == good)
    #expect(storage.flushes == 1)
    // VERIFY of everything takes no data.
    #expect(run(bench, [0x2F, 0, 0, 0, 0, 0, 0, 1, 0, 0]) == good)
  }

  @Test func failures() throws {
    let bench = try bench()
    // A bad block: CHECK CONDITION, MEDIUM ERROR, and what came before it.
    storage.unreadable = [8]
    let bad = run(bench, [0x28, 0, 0, 0, 0, 7, 0, 0, 2, 0], input: 1024)
    #expect(bad == Answer(senseLength: 18, residual: 512, status: 2, response: 0, key: 3))
    // An unknown command: ILLEGAL REQUEST.
    #expect(run(bench, [0xFF, 0, 0, 0, 0, 0])?.key == 5)
    // Less room than the command moves: VIRTIO_SCSI_S_OVERRUN is 1.
    #expect(run(bench, [0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0], input: 512)?.response == 1)
    #expect(run(bench, [0x2A, 0, 0, 0, 0, 0, 0, 0, 2, 0], output: 512)?.response == 1)
    // VIRTIO_SCSI_S_BAD_TARGET is 3; another unit of a target that is there answers by itself.
    #expect(run(bench, [0, 0, 0, 0, 0, 0], target: 3)?.response == 3)
    #expect(run(bench, [0x12, 0, 0, 0, 36, 0], lun: 1, input: 36)?.response == 0)
    #expect(bench.bytes(Self.data, 1) == [0x7F])
    #expect(bench.pci.statistics.faults == 0)
  }

  /// Type, subtype, lun, id; the answer is one byte.
  private func manage(_ bench: VirtioBench, _ function: UInt64, target: UInt8 = 2, lun: UInt8 = 0, id: UInt64 = 0) -> UInt8? {
    let at = Self.request + 0x400
    bench.memory.write(at, little((0, 4), (function, 4)) + Self.lun(target, lun) + little((id, 8)))
    bench.post(0, [.read(at, 24), .write(at + 32, 1)])
    bench.notify(0)
    bench.run(nanoseconds: 2_000)
    guard bench.collect(0).count == 1 else { return nil }
    return bench.memory.load(at + 32)
  }

  private func post(_ bench: VirtioBench, id: UInt64) {
    bench.memory.write(Self.request, header([0x28, 0, 0, 0, 0, 7, 0, 0, 2, 0], target: 2, id: id))
    bench.post(2, parts(output: 0, input: 1024))
    bench.notify(2)
    bench.run(nanoseconds: 2_000)
  }

  /// Section 5.6.6.2: ABORT TASK is 0, LOGICAL UNIT RESET 5, QUERY TASK 6; answers 0, 10 (succeeded), 11 (rejected), 12 (incorrect LUN).
  @Test func taskManagement() throws {
    let bench = try bench()
    post(bench, id: 77)
    #expect(manage(bench, 6, id: 77) == 10)
    #expect(manage(bench, 6, id: 78) == 0)
    #expect(manage(bench, 0, id: 78) == 0)
    #expect(bench.collect(2).isEmpty)
    #expect(manage(bench, 0, id: 77) == 0)
    #expect(bench.collect(2).count == 1)
    #expect(answer(bench).response == 2)  // aborted
    bench.settle()
    #expect(bench.collect(2).isEmpty)
    post(bench, id: 79)
    #expect(manage(bench, 5) == 0)
    #expect(bench.collect(2).count == 1)
    #expect(answer(bench).response == 4)  // reset
    // The unit tells of its reset: UNIT ATTENTION.
    #expect(run(bench, [0, 0, 0, 0, 0, 0])?.key == 6)
    #expect(run(bench, [0, 0, 0, 0, 0, 0])?.key == 0)
    #expect(manage(bench, 5, target: 9) == 3)
    #expect(manage(bench, 5, lun: 1) == 12)
    #expect(manage(bench, 99) == 11)
  }

  /// Section 5.6.6.3: transport reset is event 1, with reasons RESCAN 1 and REMOVED 2; a parameter change event 3.
  @Test func events() throws {
    let bench = try bench(features: 1 << 1 | 1 << 2)
    let host = try #require(bench.pci.device as? VirtioSCSI)
    let at: UInt64 = 0x6000
    func event() -> [UInt8]? {
      bench.settle()
      return bench.collect(1).first.map { _ in bench.bytes(at, 16) }
    }
    func lend() {
      bench.post(1, [.write(at, 16)])
      bench.notify(1)
    }
    lend()
    host.attach(SCSIDisk(storage: MemoryStorage(blocks: 8)), target: 5)
    #expect(event() == little((1, 4)) + Self.lun(5) + little((1, 4)))
    #expect(bench.isr() == 1)
    #expect(run(bench, [0x12, 0, 0, 0, 36, 0], target: 5, input: 36)?.response == 0)
    lend()
    host.detach(target: 5)
    #expect(event() == little((1, 4)) + Self.lun(5) + little((2, 4)))
    #expect(run(bench, [0x12, 0, 0, 0, 36, 0], target: 5, input: 36)?.response == 3)
    // No buffer: the next one says that something was missed (bit 31).
    host.parametersChanged(target: 2, additional: 0x2A09)
    #expect(event() == nil)
    lend()
    #expect(event() == little((0x8000_0000, 4), (0, 8), (0, 4)))
    lend()
    // Code in the low byte, qualifier above it.
    host.parametersChanged(target: 2, additional: 0x2A09)
    #expect(event() == little((3, 4)) + Self.lun(2) + little((0x092A, 4)))
  }
}
