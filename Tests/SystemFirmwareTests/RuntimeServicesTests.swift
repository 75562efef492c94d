import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// Expected values: Extensible Firmware Interface Specification 1.10, chapter 7.
@Suite("EFI runtime services", .ends(withinMinutes: 5)) struct RuntimeServicesTests {
  enum Service {
    static let getTime: UInt64 = 0
    static let setTime: UInt64 = 1
    static let getWakeupTime: UInt64 = 2
    static let setWakeupTime: UInt64 = 3
    static let setVirtualAddressMap: UInt64 = 4
    static let convertPointer: UInt64 = 5
    static let getNextHighMonotonicCount: UInt64 = 9
    static let resetSystem: UInt64 = 10
  }
  enum Status {
    static let success: UInt64 = 0
    static let invalidParameter: UInt64 = 1 << 63 | 2
    static let unsupported: UInt64 = 1 << 63 | 3
    static let notFound: UInt64 = 1 << 63 | 14
    static let noMapping: UInt64 = 1 << 63 | 17
  }

  let bench: FirmwareBench
  private let time = FirmwareBench.scratch
  init() throws { bench = try FirmwareBench() }

  // MARK: Time

  private func fields() throws -> [Int] {
    let bytes = try bench.bytes(time, 16)
    return [Int(bytes[0]) | Int(bytes[1]) << 8] + bytes[2..<7].map(Int.init)
  }
  private func put(_ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int, nanosecond: UInt32 = 0) {
    var bytes = [UInt8](repeating: 0, count: 16)
    (bytes[0], bytes[1]) = (UInt8(truncatingIfNeeded: year), UInt8(truncatingIfNeeded: year >> 8))
    for (index, field) in [month, day, hour, minute, second].enumerated() { bytes[2 + index] = UInt8(truncatingIfNeeded: field) }
    for n in 0..<4 { bytes[8 + n] = UInt8(truncatingIfNeeded: nanosecond >> UInt32(8 * n)) }
    bench.memory.write(time, bytes)
  }

  @Test func clockStartsAtAFixedTime() throws {
    #expect(bench.efi(Service.getTime, time, time + 64) == Status.success)
    #expect(try fields() == [2024, 1, 1, 0, 0, 0])
    // Time zone not specified.
    #expect(try bench.load(time + 12, UInt16.self) == 0x7FF)
    #expect(try bench.load(time + 64, UInt32.self) >= 1)
    #expect(bench.efi(Service.getTime, 0) == Status.invalidParameter)
    #expect(bench.efi(Service.getTime, 0x9000_0000) == Status.invalidParameter)
  }

  /// 1.6 GHz: a day and a nanosecond later.
  @Test func clockRuns() throws {
    bench.processor.skipIdle(to: 86_400 * 1_600_000_000 + 8)
    #expect(bench.efi(Service.getTime, time, 0) == Status.success)
    #expect(try fields() == [2024, 1, 2, 0, 0, 0])
    #expect(try bench.load(time + 8, UInt32.self) == 5)
  }

  /// The Gregorian calendar: leap years, century rule, ends of months.
  @Test(arguments: [
    ([2024, 2, 28, 23, 59, 59], [2024, 2, 29, 0, 0, 0]), ([2024, 2, 29, 23, 59, 59], [2024, 3, 1, 0, 0, 0]),
    ([2023, 2, 28, 23, 59, 59], [2023, 3, 1, 0, 0, 0]), ([2000, 2, 28, 23, 59, 59], [2000, 2, 29, 0, 0, 0]),
    ([1999, 12, 31, 23, 59, 59], [2000, 1, 1, 0, 0, 0]), ([2038, 1, 19, 3, 14, 7], [2038, 1, 19, 3, 14, 8]),
    ([2099, 12, 30, 23, 59, 59], [2099, 12, 31, 0, 0, 0]),
  ])
  func settingTheClock(_ set: [Int], _ aSecondLater: [Int]) throws {
    put(set[0], set[1], set[2], set[3], set[4], set[5])
    #expect(bench.efi(Service.setTime, time) == Status.success)
    bench.memory.clear(time, count: 16)
    #expect(bench.efi(Service.getTime, time, 0) == Status.success)
    #expect(try fields() == set)
    bench.processor.skipIdle(to: bench.processor.state.cycles + 1_600_000_000)
    #expect(bench.efi(Service.getTime, time, 0) == Status.success)
    #expect(try fields() == aSecondLater)
  }

  @Test(arguments: [
    [2024, 0, 1, 0, 0, 0], [2024, 13, 1, 0, 0, 0], [2024, 1, 0, 0, 0, 0], [2024, 1, 32, 0, 0, 0], [2023, 2, 29, 0, 0, 0],
    [2024, 4, 31, 0, 0, 0], [2024, 1, 1, 24, 0, 0], [2024, 1, 1, 0, 60, 0], [2024, 1, 1, 0, 0, 60], [1997, 1, 1, 0, 0, 0],
    [2100, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0], [65535, 255, 255, 255, 255, 255],
  ])
  func timesThatDoNotExist(_ f: [Int]) throws {
    put(f[0], f[1], f[2], f[3], f[4], f[5])
    #expect(bench.efi(Service.setTime, time) == Status.invalidParameter)
    #expect(bench.efi(Service.getTime, time, 0) == Status.success)
    #expect(try fields() == [2024, 1, 1, 0, 0, 0])
  }

  @Test func otherFieldsOfTheTime() throws {
    put(2024, 1, 1, 0, 0, 0, nanosecond: 1_000_000_000)
    #expect(bench.efi(Service.setTime, time) == Status.invalidParameter)
    put(2024, 1, 1, 0, 0, 0)
    bench.memory.store(time + 12, Int16(1441))
    #expect(bench.efi(Service.setTime, time) == Status.invalidParameter)
    bench.memory.store(time + 12, Int16(-90))
    bench.memory.store(time + 14, UInt8(1))
    #expect(bench.efi(Service.setTime, time) == Status.success)
    #expect(bench.efi(Service.getTime, time, 0) == Status.success)
    #expect(try bench.load(time + 12, Int16.self) == -90)
    #expect(try bench.load(time + 14, UInt8.self) == 1)
    #expect(bench.efi(Service.setTime, 0) == Status.invalidParameter)
  }

  @Test func wakeupTimer() {
    #expect(bench.efi(Service.getWakeupTime, time, time + 8, time + 16) == Status.unsupported)
    #expect(bench.efi(Service.setWakeupTime, 1, time) == Status.unsupported)
  }

  // MARK: Miscellaneous

  @Test func monotonicCount() throws {
    #expect(bench.efi(Service.getNextHighMonotonicCount, time) == Status.success)
    let first: UInt32 = try bench.load(time)
    #expect(bench.efi(Service.getNextHighMonotonicCount, time) == Status.success)
    #expect(try bench.load(time, UInt32.self) == first + 1)
    // The high half also counts resets.
    try bench.firmware.reset()
    #expect(bench.efi(Service.getNextHighMonotonicCount, time) == Status.success)
    #expect(try bench.load(time, UInt32.self) > first + 1)
    #expect(bench.efi(Service.getNextHighMonotonicCount, 0) == Status.invalidParameter)
  }

  @Test(arguments: [(UInt64(0), PowerAction.coldReset), (1, .warmReset), (2, .powerOff)])
  func resets(_ type: UInt64, _ action: PowerAction) {
    bench.efi(Service.resetSystem, type, 0, 0, 0)
    #expect(bench.actions == [action])
    #expect(bench.outcome == .stop)
  }

  @Test func unknownReset() {
    #expect(bench.efi(Service.resetSystem, 3, 0, 0, 0) == Status.invalidParameter)
    #expect(bench.actions.isEmpty)
  }

  // MARK: Virtual addresses

  /// Region 6 and 7 as Linux uses them: uncacheable and cacheable identity.
  private func mapVirtually(_ shift: UInt64 = 0xE000_0000_0000_0000) throws -> UInt64 {
    let (map, size, stride) = (try bench.u64(0x1010), try bench.u64(0x1018), try bench.u64(0x1020))
    for entry in try bench.memoryMap() where entry.attribute >> 63 == 1 {
      bench.memory.store(entry.address + 16, entry.start | shift)
    }
    return bench.efi(Service.setVirtualAddressMap, size, stride, 1, map)
  }

  @Test func virtualAddressMap() throws {
    let system = try bench.systemTable()
    let runtime = try bench.u64(system + 88)
    let descriptor = try bench.u64(runtime + 24)
    let entry = try bench.u64(descriptor)
    #expect(try mapVirtually() == Status.success)
    // Every pointer has moved, and the checksums are right again.
    #expect(try bench.u64(system + 88) == runtime | 0xE000_0000_0000_0000)
    #expect(try bench.u64(runtime + 24) == descriptor | 0xE000_0000_0000_0000)
    #expect(try bench.u64(descriptor) == entry | 0xE000_0000_0000_0000)
    for (table, size) in [(system, 120), (runtime, 24 + 8 * 11)] {
      var bytes = try bench.bytes(table, size)
      let stated: UInt32 = try bench.load(table + 16)
      bytes.replaceSubrange(16..<20, with: [0, 0, 0, 0])
      #expect(EFITablesTests.crc32(bytes) == stated)
    }
    // Once only.
    #expect(try mapVirtually() == Status.unsupported)
    #expect(bench.efi(Service.getTime, time, 0) == Status.success)
  }

  @Test func badVirtualAddressMaps() throws {
    let (map, size, stride) = (try bench.u64(0x1010), try bench.u64(0x1018), try bench.u64(0x1020))
    let set = Service.setVirtualAddressMap
    #expect(bench.efi(set, size, stride, 2, map) == Status.invalidParameter)
    #expect(bench.efi(set, size, 39, 1, map) == Status.invalidParameter)
    #expect(bench.efi(set, size - 1, stride, 1, map) == Status.invalidParameter)
    #expect(bench.efi(set, 0, stride, 1, map) == Status.invalidParameter)
    #expect(bench.efi(set, size, stride, 1, 0) == Status.invalidParameter)
    #expect(bench.efi(set, .max, stride, 1, map) == Status.invalidParameter)
    #expect(bench.efi(set, size, stride, 1, 0x9000_0000) == Status.invalidParameter)
    // A map without the firmware's own memory.
    #expect(bench.efi(set, stride, stride, 1, map) == Status.noMapping)
    #expect(try mapVirtually() == Status.success)
  }

  @Test func convertPointer() throws {
    bench.memory.store(time, MemoryMap.firmware + 0x10000)
    #expect(bench.efi(Service.convertPointer, 0, time) == Status.unsupported)
    #expect(try mapVirtually() == Status.success)
    #expect(bench.efi(Service.convertPointer, 0, time) == Status.success)
    #expect(try bench.u64(time) == (MemoryMap.firmware + 0x10000) | 0xE000_0000_0000_0000)
    bench.memory.store(time, UInt64(0x4000))
    #expect(bench.efi(Service.convertPointer, 0, time) == Status.notFound)
    bench.memory.store(time, UInt64(0))
    #expect(bench.efi(Service.convertPointer, 0, time) == Status.invalidParameter)
    #expect(bench.efi(Service.convertPointer, 1, time) == Status.success)
  }

  /// With PSR.dt = 1 a pointer is the caller's: the call is sent to the stub that translates a page, and then starts over.
  @Test func virtualPointers() throws {
    let p = bench.processor
    let gate = Gate.runtimeService + Service.getTime
    let virtual: UInt64 = 0xA000_0002_0000_0FF8
    p.setPSR(PSR.dt)
    defer { p.setPSR(0) }
    func call() -> GateOutcome {
      p.state.pointee.sof = 8
      (p.state.gr[32], p.state.gr[33]) = (virtual, 0)
      return bench.firmware.gate(gate, processor: p)
    }
    // The 16 bytes of the time cross a page.
    for (page, physical) in [(virtual & ~0xFFF, 0x300_0000), ((virtual & ~0xFFF) + 0x1000, 0x500_0000)] as [(UInt64, UInt64)] {
      p.state.pointee.ip = 0xFF00_5000
      #expect(call() == .redirected)
      #expect(p.state.gr[8] == page)
      #expect(p.state.gr[10] == 0xFF00_5000)
      #expect(p.state.pointee.ip != 0xFF00_5000)
      p.state.gr[9] = physical
      #expect(bench.firmware.gate(Gate.translated, processor: p) == .proceed)
    }
    #expect(call() == .proceed)
    #expect(p.state.gr[8] == 0)
    #expect(try bench.load(0x300_0FF8, UInt16.self) == 2024)
    #expect(try bench.load(0x500_0004, UInt16.self) == 0x7FF)
  }

  /// Arbitrary arguments do no harm.
  @Test func arbitraryCalls() {
    var random = SplitMix(state: 0xEF1)
    for _ in 0..<3000 {
      let service = random.next() % 10
      let arguments = (0..<5).map { _ in
        random.next() % 3 == 0 ? FirmwareBench.scratch + random.next() % 0x2000 : random.next() >> (random.next() % 64)
      }
      let status = bench.efi(service, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4])
      #expect(status == 0 || status >> 63 == 1, "seed 0xEF1, service \(service), arguments \(arguments)")
    }
  }
}
