import Devices
import HostResources
import Testing

/// Commands of a disk. Expected values: SPC-3 and SBC-2, by section.
@Suite struct SCSIDiskTests {
  let storage = MemoryStorage(blocks: 4096)
  let disk: SCSIDisk
  /// The first command only finds out about power-on.
  let transport: DirectTransport

  init() {
    disk = SCSIDisk(storage: storage, serialNumber: "S12345")
    transport = DirectTransport(unit: disk)
    _ = transport.run([0, 0, 0, 0, 0, 0])
  }

  private func sense(_ result: DirectTransport.Result) -> [UInt16]? {
    result.sense.map { [UInt16($0.key.rawValue), $0.additional] }
  }

  // MARK: Primary commands

  /// SPC-3, sections 4.5.6 and 5.5: unit attention after power-on, once for each initiator; INQUIRY and REQUEST SENSE do not meet it.
  @Test func powerOnIsReportedOnce() {
    let fresh = DirectTransport(unit: SCSIDisk(storage: storage))
    #expect(fresh.run([0x12, 0, 0, 0, 96, 0]).status == .good)
    #expect(
      fresh.run([0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0]).data == [0, 0, 0, 8, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8))
    let first = fresh.run([0, 0, 0, 0, 0, 0])
    #expect(first.status == .checkCondition)
    #expect(sense(first) == [6, 0x2901])
    #expect(fresh.run([0, 0, 0, 0, 0, 0]).status == .good)
    var other = fresh
    other.initiator = 3
    #expect(sense(other.run([0, 0, 0, 0, 0, 0])) == [6, 0x2901])
  }

  /// Section 6.4.2.
  @Test func inquiryData() {
    let data = transport.run([0x12, 0, 0, 0, 255, 0]).data
    #expect(data.count == 96)
    #expect(data[0] == 0)  // direct access, connected
    #expect(data[1] == 0)  // not removable
    #expect(data[2] == 5)  // SPC-3
    #expect(data[3] & 0xF == 2)
    #expect(Int(data[4]) == data.count - 5)
    #expect(data[7] & 0x32 == 0x32)  // WBUS16, SYNC, CMDQUE
    #expect(String(decoding: data[8..<36], as: UTF8.self) == "EPICURE SCSI DISK       1.0 ")
    #expect(data[56] == 0)
    #expect(transport.run([0x12, 0, 0, 0, 5, 0]).data == Array(data[..<5]))
    #expect(transport.run([0x12, 0, 0, 0, 0, 0]) == .init(status: .good))
    #expect(sense(transport.run([0x12, 0, 1, 0, 36, 0])) == [5, 0x2400])
  }

  /// Sections 7.6.10, 7.6.11, 7.6.3; SBC-3's page of limits.
  @Test func vitalProductData() {
    #expect(transport.run([0x12, 1, 0, 0, 255, 0]).data == [0, 0, 0, 5, 0x00, 0x80, 0x83, 0xB0, 0xB1])
    #expect(transport.run([0x12, 1, 0x80, 0, 255, 0]).data == [0, 0x80, 0, 6] + Array("S12345".utf8))
    let identification = transport.run([0x12, 1, 0x83, 0, 255, 0]).data
    #expect(identification[4...6] == [0x02, 0x01, 0x00])
    #expect(String(decoding: identification[8...], as: UTF8.self) == "EPICURE SCSI DISK       S12345")
    let limits = transport.run([0x12, 1, 0xB0, 0, 255, 0]).data
    #expect(limits.count == 64 && limits[3] == 60)
    #expect(sense(transport.run([0x12, 1, 0x99, 0, 255, 0])) == [5, 0x2400])
  }

  /// Section 4.5.3: fixed format; information is the block that failed; VALID.
  @Test func senseDataNameTheBlock() {
    storage.unreadable = [0x105]
    var result = transport.run([0x28, 0, 0, 0, 1, 0, 0, 0, 8, 0])
    #expect(result.status == .checkCondition)
    #expect(result.data.count == 5 * 512)
    #expect(
      result.sense?.fixedFormat == [0xF0, 0, 3, 0, 0, 1, 5, 10, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0])
    // The disk goes on.
    result = transport.run([0x28, 0, 0, 0, 1, 6, 0, 0, 1, 0])
    #expect(result.status == .good && result.data.count == 512)
  }

  @Test func illegalRequests() {
    // INVALID COMMAND OPERATION CODE, pointing at byte 0.
    let unknown = transport.run([0xDE, 0, 0, 0, 0, 0])
    #expect(unknown.sense?.fixedFormat[12...17] == [0x20, 0, 0, 0xC0, 0, 0])
    #expect(sense(transport.run([0x28, 0, 0, 0, 0x10, 0, 0, 0, 1, 0])) == [5, 0x2100])
    #expect(sense(transport.run([0x28, 0, 0, 0, 0x0F, 0xFF, 0, 0, 2, 0])) == [5, 0x2100])
    #expect(sense(transport.run([0x88, 0] + [UInt8](repeating: 0xFF, count: 12) + [0, 0])) == [5, 0x2100])
    #expect(sense(transport.run([0x28, 0x20, 0, 0, 0, 0, 0, 0, 1, 0])) == [5, 0x2400])
    #expect(sense(transport.run([0x1A, 0, 0xC8, 0, 255, 0])) == [5, 0x3900])
    #expect(sense(transport.run([0x1A, 0, 0x07, 0, 255, 0])) == [5, 0x2400])
  }

  // MARK: Capacity

  @Test func capacity() {
    #expect(transport.run([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0]).data == [0, 0, 0x0F, 0xFF, 0, 0, 2, 0])
    let long = transport.run([0x9E, 0x10] + [UInt8](repeating: 0, count: 8) + [0, 0, 0, 32, 0, 0]).data
    #expect(long.count == 32 && Array(long[..<12]) == [0, 0, 0, 0, 0, 0, 0x0F, 0xFF, 0, 0, 2, 0])
  }

  // MARK: Reading and writing

  @Test(arguments: [512, 65536, 100, 1, 777, 1000])
  func allFormsReachTheMedium(piece: Int) {
    var transport = transport
    transport.piece = piece
    let pattern = (0..<1024).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 >> 8) }
    let forms: [(UInt64, [UInt8], [UInt8])] = [
      (0x11, [0x0A, 0, 0, 0x11, 2, 0], [0x08, 0, 0, 0x11, 2, 0]),
      (0x22, [0x2A, 0, 0, 0, 0, 0x22, 0, 0, 2, 0], [0x28, 0, 0, 0, 0, 0x22, 0, 0, 2, 0]),
      (0x33, [0xAA, 0, 0, 0, 0, 0x33, 0, 0, 0, 2, 0, 0], [0xA8, 0, 0, 0, 0, 0x33, 0, 0, 0, 2, 0, 0]),
      (
        0x44, [0x8A, 0, 0, 0, 0, 0, 0, 0, 0, 0x44, 0, 0, 0, 2, 0, 0],
        [0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0x44, 0, 0, 0, 2, 0, 0]
      ),
      (0x55, [0x2E, 0, 0, 0, 0, 0x55, 0, 0, 2, 0], [0x28, 0x18, 0, 0, 0, 0x55, 0, 0, 2, 0]),
    ]
    for (block, write, read) in forms {
      #expect(transport.run(write, data: pattern).status == .good)
      #expect(Array(storage.bytes[Int(block) * 512..<Int(block) * 512 + 1024]) == pattern)
      #expect(transport.run(read) == .init(status: .good, data: pattern))
    }
    // SBC-2, section 5.5: no blocks are 256 in six bytes, and none in ten.
    #expect(transport.run([0x08, 0, 0, 0, 0, 0]).data.count == 256 * 512)
    #expect(transport.run([0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0]) == .init(status: .good))
    #expect(disk.statistics.bytesWritten == 5 * 1024)
  }

  /// SBC-2, section 4.10: what a cache may keep, and what must be on the medium.
  @Test func writeCache() {
    let data = [UInt8](repeating: 1, count: 512)
    let plain: [UInt8] = [0x2A, 0, 0, 0, 0, 1, 0, 0, 1, 0]
    _ = transport.run(plain, data: data)
    #expect(storage.flushes == 0)
    _ = transport.run([0x2A, 8, 0, 0, 0, 1, 0, 0, 1, 0], data: data)  // FUA
    #expect(storage.flushes == 1)
    _ = transport.run([0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    #expect(storage.flushes == 2)
    _ = transport.run([0x91, 0] + [UInt8](repeating: 0, count: 14))
    #expect(storage.flushes == 3)
    // MODE SELECT switches the cache off, which writes what it holds; other initiators learn of it.
    #expect(
      transport.run([0x15, 0x10, 0, 0, 24, 0], data: [0, 0, 0, 0, 8, 18] + [UInt8](repeating: 0, count: 18)).status == .good)
    #expect(storage.flushes == 4)
    _ = transport.run(plain, data: data)
    #expect(storage.flushes == 5)
    var other = transport
    other.initiator = 1
    _ = other.run([0, 0, 0, 0, 0, 0])
    #expect(sense(other.run([0, 0, 0, 0, 0, 0])) == [6, 0x2A01])
    // STOP writes everything, and then the medium is not ready (02/04/02).
    #expect(transport.run([0x1B, 0, 0, 0, 0, 0]).status == .good)
    #expect(storage.flushes == 6)
    #expect(sense(transport.run([0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0])) == [2, 0x0402])
    #expect(transport.run([0x1B, 0, 0, 0, 1, 0]).status == .good)
    #expect(transport.run([0, 0, 0, 0, 0, 0]).status == .good)
  }

  /// SPC-3, section 6.9, SBC-2, section 6.4.
  @Test func modePages() {
    let current = transport.run([0x1A, 8, 0x08, 0, 255, 0]).data
    #expect(Array(current[..<6]) == [23, 0, 0x10, 0, 8, 18])
    #expect(current[6] == 0x04)  // WCE
    #expect(transport.run([0x1A, 8, 0x48, 0, 255, 0]).data[6] == 0x05)  // WCE and RCD can be changed
    let long = transport.run([0x5A, 0, 0x08, 0, 0, 0, 0, 1, 0, 0]).data
    #expect(Array(long[..<16]) == [0, 34, 0, 0x10, 0, 0, 0, 8, 0, 0, 0x10, 0, 0, 0, 2, 0])
    let all = transport.run([0x1A, 0, 0x3F, 0, 255, 0]).data
    #expect(Int(all[0]) + 1 == all.count)
    // What cannot be changed is refused, with the byte.
    let refused = transport.run([0x15, 0x10, 0, 0, 24, 0], data: [0, 0, 0, 0, 8, 18, 0, 1] + [UInt8](repeating: 0, count: 16))
    #expect(refused.sense?.fixedFormat[12...17] == [0x26, 0, 0, 0x80, 0, 7])
    #expect(sense(transport.run([0x15, 0x10, 0, 0, 7, 0], data: [0, 0, 0, 0, 8, 18, 0])) == [5, 0x1A00])
    #expect(sense(transport.run([0x15, 0x11, 0, 0, 4, 0], data: [0, 0, 0, 0])) == [5, 0x2400])
  }

  @Test func hostErrors() {
    let data = [UInt8](repeating: 1, count: 2048)
    storage.unwritable = [2: .noSpace]
    let full = transport.run([0x2A, 0, 0, 0, 0, 0, 0, 0, 4, 0], data: data)
    #expect(sense(full) == [3, 0x0C00])
    storage.unwritable = [:]
    storage.flushFailure = .host(errno: 5)
    #expect(sense(transport.run([0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0])) == [3, 0x0C00])
    #expect(sense(transport.run([0x2A, 8, 0, 0, 0, 0, 0, 0, 1, 0], data: data)) == [3, 0x0C00])
    storage.flushFailure = nil
    storage.isReadOnly = true
    #expect(sense(transport.run([0x2A, 0, 0, 0, 0, 0, 0, 0, 1, 0], data: data)) == [7, 0x2700])
    #expect(transport.run([0x1A, 8, 0x08, 0, 255, 0]).data[2] == 0x90)  // WP
    #expect(transport.run([0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0]).status == .good)
  }

  /// SBC-2, section 5.20.
  @Test func verify() {
    #expect(transport.run([0x2F, 0, 0, 0, 0, 0, 0, 0x10, 0, 0]).status == .good)
    storage.unreadable = [100]
    #expect(transport.run([0x2F, 0, 0, 0, 0, 0, 0, 0x10, 0, 0]).sense?.information == 100)
    storage.unreadable = []
    #expect(transport.run([0x2F, 2, 0, 0, 0, 0, 0, 0, 1, 0], data: [UInt8](repeating: 0, count: 512)).status == .good)
    #expect(sense(transport.run([0x2F, 2, 0, 0, 0, 0, 0, 0, 1, 0], data: [UInt8](repeating: 9, count: 512))) == [0xE, 0x1D00])
  }

  /// SPC-2, sections 5.5.1 and 7.21.
  @Test func reservation() {
    var other = transport
    other.initiator = 1
    _ = other.run([0, 0, 0, 0, 0, 0])
    #expect(transport.run([0x16, 0, 0, 0, 0, 0]).status == .good)
    #expect(other.run([0, 0, 0, 0, 0, 0]).status == .reservationConflict)
    #expect(other.run([0x12, 0, 0, 0, 36, 0]).status == .good)
    #expect(other.run([0x17, 0, 0, 0, 0, 0]).status == .good)
    #expect(other.run([0, 0, 0, 0, 0, 0]).status == .reservationConflict)
    #expect(transport.run([0x17, 0, 0, 0, 0, 0]).status == .good)
    #expect(other.run([0, 0, 0, 0, 0, 0]).status == .good)
  }

  /// The echo buffer of domain validation (SPC-3, sections 6.15.9 and 6.34.9).
  @Test func echoBuffer() {
    #expect(transport.run([0x3C, 0x0B, 0, 0, 0, 0, 0, 0, 4, 0]).data == [0, 0, 0, 252])
    let pattern = (0..<252).map { UInt8($0) }
    #expect(transport.run([0x3B, 0x0A, 0, 0, 0, 0, 0, 0, 252, 0], data: pattern).status == .good)
    #expect(transport.run([0x3C, 0x0A, 0, 0, 0, 0, 0, 0, 252, 0]).data == pattern)
  }

  /// Commands and data at random; seeds are in the message.
  @Test func randomCommands() {
    let seed = readSeed()
    var random = BenchRandom(state: seed)
    for n in 0..<20_000 {
      var command = (0..<16).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      // Small numbers reach further.
      for i in 2..<16 where random.below(3) > 0 { command[i] = UInt8(random.below(3)) }
      command[0] =
        [
          0x00, 0x03, 0x08, 0x0A, 0x12, 0x15, 0x1A, 0x1B, 0x1D, 0x1E, 0x25, 0x28, 0x2A, 0x2E, 0x2F, 0x35, 0x37, 0x3B, 0x3C, 0x55,
          0x5A,
          0x88, 0x8A, 0x8F, 0x91, 0x9E, 0xA0, 0xA8, 0xAA, 0xAF, 0xB7, UInt8(truncatingIfNeeded: random.next()),
        ][random.below(32)]
      let data = (0..<random.below(3000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      var transport = transport
      transport.initiator = UInt8(random.below(16))
      transport.piece = 1 + random.below(5000)
      let result = transport.run(command, data: data)
      #expect(result.status != .checkCondition || result.sense != nil, "seed \(seed), command \(n)")
    }
    #expect(storage.bytes.count == 4096 * 512)
  }
}
