import Devices
import HostResources
import Platform
import Testing

/// The controller with targets: selection, messages, disconnection, reselection, phase mismatches. SCRIPTS are of the kind that drivers
/// use; messages are those of SPI-4, chapter 16.
@Suite struct SCSITargetTests {
  let bench: SCSIBench
  let storage = MemoryStorage(blocks: 4096)
  let target: SCSITarget

  // Where things are in memory.
  private static let script = 0x1000, messages = 0x3000, command = 0x3100, answers = 0x3200, data = 0x10000

  init() throws {
    bench = try SCSIBench()
    target = try bench.chip.bus.attach(SCSIDisk(storage: storage), id: 2)
    bench.write(0x39, 0x7D)
    bench.write(0x40, 0x8F)  // SIEN0: what is fatal
    bench.write(0x41, 0x07)
    bench.write(0x3B, 0x01)
    bench.write(0x4D, 0x0C)
    bench.write(0x03, 0x07)
    bench.write(0x48, 0x0C)
    bench.write(0x04, 0x47)  // SCID: 7, responds to reselection
  }

  private func put(_ address: Int, _ bytes: [UInt8]) {
    bench.memory.bytes.replaceSubrange(address..<address + bytes.count, with: bytes)
  }
  private func bytes(_ address: Int, _ count: Int) -> [UInt8] { Array(bench.memory.bytes[address..<address + count]) }

  // Instructions.
  private func move(_ phase: UInt32, _ count: Int, _ address: Int, chained: Bool = false) -> [UInt32] {
    [phase << 24 | (chained ? 0 : 0x0800_0000) | UInt32(count), UInt32(address)]
  }
  private let select: [UInt32] = [0x4102_0000, 0x2000]
  private let clearACK: [UInt32] = [0x6000_0040, 0]
  private let expectDisconnect: [UInt32] = [0x7C02_7F00, 0]  // SCNTL2 &= 7F
  private let waitDisconnect: [UInt32] = [0x4800_0000, 0]
  private func interrupt(_ code: UInt32) -> [UInt32] { [0x9808_0000, code] }

  /// Status, COMMAND COMPLETE, bus free, INT `code`.
  private func finish(_ code: UInt32) -> [UInt32] {
    move(3, 1, Self.answers) + move(7, 1, Self.answers + 1) + expectDisconnect + clearACK + waitDisconnect + interrupt(code)
  }

  /// Runs a script that ends with INT, and says which; nil: it did not, or something else happened.
  private func run(_ script: [UInt32]) -> UInt64? {
    bench.start(script, at: Self.script)
    bench.run()
    let dstat = bench.read(0x0C)
    return dstat == 0x84 ? bench.read(0x30, size: 4) : nil
  }

  /// One command without disconnection: IDENTIFY, command, data, status.
  @discardableResult
  private func execute(_ cdb: [UInt8], data phase: UInt32? = nil, count: Int = 0, identify: [UInt8] = [0x80]) -> UInt8? {
    put(Self.messages, identify)
    put(Self.command, cdb)
    put(Self.answers, [0xEE, 0xEE])
    var script = select + move(6, identify.count, Self.messages) + move(2, cdb.count, Self.command)
    if let phase { script += move(phase, count, Self.data) }
    guard run(script + finish(1)) == 1 else { return nil }
    return bytes(Self.answers + 1, 1)[0] == 0 ? bytes(Self.answers, 1)[0] : nil
  }

  @Test func commandsWithoutDisconnection() {
    // The first finds the unit attention of power-on, and REQUEST SENSE says so.
    #expect(execute([0, 0, 0, 0, 0, 0]) == 2)
    #expect(execute([3, 0, 0, 0, 18, 0], data: 1, count: 18) == 0)
    #expect(bytes(Self.data, 14) == [0x70, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x29, 1])
    #expect(execute([0, 0, 0, 0, 0, 0]) == 0)
    let pattern = (0..<1024).map { UInt8(truncatingIfNeeded: $0 &* 3 + $0 >> 8) }
    put(Self.data, pattern)
    #expect(execute([0x2A, 0, 0, 0, 0, 5, 0, 0, 2, 0], data: 0, count: 1024) == 0)
    #expect(Array(storage.bytes[5 * 512..<7 * 512]) == pattern)
    put(Self.data, [UInt8](repeating: 0, count: 1024))
    #expect(execute([0x28, 0, 0, 0, 0, 5, 0, 0, 2, 0], data: 1, count: 1024) == 0)
    #expect(bytes(Self.data, 1024) == pattern)
    #expect(bench.read(0x14) & 0x08 == 0)
  }

  /// No unit but number 0 (SPC-3, section 6.4.1).
  @Test func otherUnitsAreAbsent() {
    #expect(execute([0x12, 0, 0, 0, 36, 0], data: 1, count: 36, identify: [0x83]) == 0)
    #expect(bytes(Self.data, 1) == [0x7F])
    #expect(execute([0, 0, 0, 0, 0, 0], identify: [0x83]) == 2)
  }

  /// A tagged read: DISCONNECT, reselection with IDENTIFY and the tag, data, status.
  @Test func disconnectsAndReselects() {
    _ = execute([0, 0, 0, 0, 0, 0])
    storage.bytes[0x30 * 512] = 0x5A
    put(Self.messages, [0xC0, 0x20, 0x77])
    put(Self.command, [0x28, 0, 0, 0, 0, 0x30, 0, 0, 1, 0])
    let first =
      select + move(6, 3, Self.messages) + move(2, 10, Self.command) + move(7, 1, Self.answers + 8) + expectDisconnect + clearACK
      + waitDisconnect
    let reselected: [UInt32] = [0x5000_0000, 0x2000]
    let second =
      reselected + move(7, 1, Self.answers + 9) + clearACK + move(7, 2, Self.answers + 10) + clearACK + move(1, 512, Self.data)
    #expect(run(first + second + finish(7)) == 7)
    #expect(bytes(Self.answers + 8, 4) == [0x04, 0x80, 0x20, 0x77])
    #expect(bytes(Self.answers, 2) == [0, 0])
    #expect(bytes(Self.data, 1) == [0x5A])
    #expect(bench.read(0x0A) == 0x82)  // SSID: valid, 2
    #expect(bench.chip.statistics.reselections == 1)
  }

  /// A reselection beats a selection: the alternative address is taken.
  @Test func selectionLosesAgainstReselection() {
    _ = execute([0, 0, 0, 0, 0, 0])
    put(Self.messages, [0xC0, 0x20, 0x01])
    put(Self.command, [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0])
    let first =
      select + move(6, 3, Self.messages) + move(2, 10, Self.command) + move(7, 1, Self.answers) + expectDisconnect + clearACK
      + waitDisconnect + interrupt(3)
    #expect(run(first) == 3)
    bench.run()
    bench.memory.put(0x2000, interrupt(9))
    #expect(run(select + interrupt(4)) == 9)
    #expect(bench.read(0x14) & 8 == 8)
  }

  // MARK: Negotiation

  /// WDTR, SDTR and PPR are answered with what an Ultra2 device can do.
  @Test(
    arguments: [
      ([0x01, 2, 3, 1], [0x01, 2, 3, 1]), ([0x01, 2, 3, 2], [0x01, 2, 3, 1]), ([0x01, 3, 1, 0x0A, 31], [0x01, 3, 1, 0x0A, 31]),
      ([0x01, 3, 1, 0x08, 62], [0x01, 3, 1, 0x0A, 31]), ([0x01, 3, 1, 0x32, 8], [0x01, 3, 1, 0x32, 8]),
      ([0x01, 6, 4, 9, 0, 62, 1, 2], [0x01, 6, 4, 0x0A, 0, 31, 1, 0]), ([0x01, 3, 0x55, 0, 0], [0x07]),
    ] as [([UInt8], [UInt8])])
  func negotiation(request: [UInt8], answer: [UInt8]) {
    let message = [0x80] + request
    put(Self.messages, message)
    put(Self.command, [0x12, 0, 0, 0, 5, 0])
    let script =
      select + move(6, message.count, Self.messages) + move(7, answer.count, Self.answers + 8) + clearACK + move(2, 6, Self.command)
      + move(1, 5, Self.data)
    #expect(run(script + interrupt(1)) == 1)
    #expect(bytes(Self.answers + 8, answer.count) == answer)
  }

  /// On 16 bits, five bytes are six, and IGNORE WIDE RESIDUE says so (SPI-4, section 16.3.6); chained moves keep the odd byte in SWIDE.
  @Test func oddBytesOnAWideBus() {
    put(Self.messages, [0x80, 0x01, 2, 3, 1])
    put(Self.command, [0x12, 0, 0, 0, 5, 0])
    bench.write(0x03, 0x0F)  // EWS
    let script =
      select + move(6, 5, Self.messages) + move(7, 4, Self.answers + 8) + clearACK + move(2, 6, Self.command)
      + move(1, 3, Self.data, chained: true) + [0x7202_0000, 0, 0x6A34_0000, 0]  // SCRATCHA = SCNTL2
      + move(1, 2, Self.data + 3, chained: true) + [0x7202_0000, 0, 0x6A35_0000, 0] + move(7, 2, Self.answers + 12) + clearACK
    #expect(run(script + interrupt(1)) == 1)
    #expect(bytes(Self.data, 5) == [0, 0, 5, 2, 91])
    #expect(bench.read(0x34) & 1 == 1)  // WSR behind three bytes
    #expect(bench.read(0x35) & 1 == 1)  // and again: byte six
    #expect(bytes(Self.answers + 12, 2) == [0x23, 0x01])
  }

  @Test func oddBytesToAWideBus() {
    _ = execute([0, 0, 0, 0, 0, 0])
    put(Self.messages, [0x80, 0x01, 2, 3, 1])
    put(Self.command, [0x2A, 0, 0, 0, 0, 9, 0, 0, 1, 0])
    let pattern = (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 5) }
    put(Self.data, pattern)
    bench.write(0x03, 0x0F)
    let script =
      select + move(6, 5, Self.messages) + move(7, 4, Self.answers + 8) + clearACK + move(2, 10, Self.command)
      + move(0, 3, Self.data, chained: true) + move(0, 4, Self.data + 3, chained: true) + move(0, 505, Self.data + 7, chained: true)
    #expect(run(script + finish(1)) == 1)
    #expect(Array(storage.bytes[9 * 512..<10 * 512]) == pattern)
    #expect(bench.read(0x02) & 0x08 == 0)
  }

  // MARK: Phase mismatch (4.4)

  /// Less data than the move is for: MA, and the registers say what is left.
  @Test func mismatchInterrupts() {
    _ = execute([0, 0, 0, 0, 0, 0])
    put(Self.messages, [0x80])
    put(Self.command, [0x12, 0, 0, 0, 36, 0])
    bench.start(select + move(6, 1, Self.messages) + move(2, 6, Self.command) + move(1, 100, Self.data), at: Self.script)
    bench.run()
    #expect(bench.status & 3 == 2)
    #expect(bench.read(0x42, size: 2) == 0x80)  // MA
    #expect(bench.read(0x24, size: 4) == 0x0900_0040)  // DBC: 64 are left
    #expect(bench.read(0x2C, size: 4) == UInt64(Self.script) + 32)
    #expect(bench.read(0x20) == 64)  // DFIFO agrees with DBC: nothing is in the FIFO
    #expect(bench.read(0x0F) & 2 == 0)
    #expect(bench.read(0x0B) & 0xA7 == 0xA3)  // SBCL: REQ, BSY, STATUS
  }

  /// CCNTL0.ENPMJ: a jump instead; RBC, UA, IA and ESA have the rest.
  @Test func mismatchJumps() {
    bench.write(0x56, 0x80)
    bench.write(0xC0, 0x2000, size: 4)
    bench.write(0xC4, 0x2100, size: 4)
    bench.memory.put(0x2000, interrupt(5))
    bench.memory.put(0x2100, interrupt(6))
    put(Self.messages, [0x80])
    put(Self.command, [0x12, 0, 0, 0, 36, 0])
    let beginning = select + move(6, 1, Self.messages) + move(2, 6, Self.command)
    #expect(run(beginning + move(1, 100, Self.data)) == 5)
    #expect(bench.read(0xC8, size: 4) == 0x0900_0040)
    #expect(bench.read(0xCC, size: 4) == UInt64(Self.data) + 36)
    #expect(bench.read(0xD4, size: 4) == UInt64(Self.script) + 24)
    #expect(bench.read(0xD0, size: 4) == UInt64(Self.script) + 24)
    #expect(bench.read(0xD8, size: 4) & 0xFF_FFFF == 36)
  }

  /// Table indirect, with 40-bit addresses (CCNTL1: 64TIMOD, EN64TIBMV as the driver calls them): RBC shows the entry's upper byte.
  @Test func tableIndirect() {
    bench.write(0x56, 0xC0)  // ENPMJ; PMJCTL: by direction
    bench.write(0xC4, 0x2100, size: 4)
    bench.memory.put(0x2100, interrupt(6))
    bench.write(0x10, 0x4000, size: 4)
    bench.memory.put(0x3FF8, [100, UInt32(Self.data)])
    put(Self.messages, [0x80])
    put(Self.command, [0x12, 0, 0, 0, 36, 0])
    let beginning = select + move(6, 1, Self.messages) + move(2, 6, Self.command)
    #expect(run(beginning + [0x1900_0000, 0x00FF_FFF8]) == 6)
    #expect(bytes(Self.data + 8, 7) == Array("EPICURE".utf8))
    #expect(bench.read(0xC8, size: 4) == 64)
    #expect(bench.read(0xD0, size: 4) == 0x3FF8)
    // Above 4 GiB there is nothing on this bench: a bus fault, not an access at the lower address.
    bench.write(0x57, 0x06)
    bench.memory.put(0x3FF8, [0x0100_0024, UInt32(Self.data)])
    bench.write(0x01, 0x08)
    bench.write(0x01, 0)
    _ = bench.read(0x42, size: 2)
    bench.start(beginning + [0x1900_0000, 0x00FF_FFF8], at: Self.script)
    bench.run()
    #expect(bench.read(0x0C) == 0xA0)
  }

  /// CCNTL1.EN64TIBMV alone: the entry's index chooses the register with the upper half, here SCRATCHF; there are 22.
  @Test(arguments: [(0x0300_0024, 0, 0x84), (0x0300_0024, 1, 0xA0), (0x1600_0024, 0, 0x81)] as [(UInt32, UInt64, UInt64)])
  func tableIndexMode(size: UInt32, high: UInt64, dstat: UInt64) {
    bench.write(0x57, 0x02)
    bench.write(0x6C, high, size: 4)
    bench.write(0x10, 0x4000, size: 4)
    bench.memory.put(0x4000, [size, UInt32(Self.data)])
    put(Self.messages, [0x80])
    put(Self.command, [0x12, 0, 0, 0, 36, 0])
    let beginning = select + move(6, 1, Self.messages) + move(2, 6, Self.command)
    bench.start(beginning + [0x1900_0000, 0] + interrupt(1), at: Self.script)
    bench.run()
    #expect(bench.read(0x0C) == dstat)
  }

  // MARK: Errors

  /// A target that leaves while SCNTL2.SDU is set: UDC.
  @Test func unexpectedDisconnect() {
    put(Self.messages, [0x80, 0x06])  // ABORT
    bench.start(select + move(6, 2, Self.messages) + waitDisconnect + interrupt(1), at: Self.script)
    bench.run()
    #expect(bench.read(0x42, size: 2) == 0x04)
  }

  /// SCNTL1.RST: RST for the chip, a unit attention for everybody, and no agreement is left.
  @Test func busReset() {
    _ = execute([0, 0, 0, 0, 0, 0])
    bench.write(0x01, 0x08)
    #expect(bench.read(0x0D) & 2 == 2)
    #expect(bench.read(0x0B) == 0)
    bench.write(0x01, 0)
    #expect(bench.read(0x42, size: 2) == 0x02)
    #expect(execute([0, 0, 0, 0, 0, 0]) == 2)
    #expect(execute([3, 0, 0, 0, 18, 0], data: 1, count: 18) == 0)
    #expect(bytes(Self.data + 12, 2) == [0x29, 0x02])
  }

  /// Commands that are never answered go away by ABORT TASK SET, and the target takes new ones.
  @Test func lostCommandIsAborted() {
    _ = execute([0, 0, 0, 0, 0, 0])
    target.forgets = { $0[0] == 0x28 }
    put(Self.messages, [0xC0, 0x20, 5])
    put(Self.command, [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0])
    let lost =
      select + move(6, 3, Self.messages) + move(2, 10, Self.command) + move(7, 1, Self.answers) + expectDisconnect + clearACK
      + waitDisconnect + interrupt(3)
    #expect(run(lost) == 3)
    #expect(run([0x5000_0000, 0x2000] + interrupt(4)) == nil)
    target.forgets = nil
    put(Self.messages, [0xC0, 0x06])
    bench.write(0x14, 0x20)
    bench.memory.put(
      0x2000, select + [0x8683_0000, 0] + expectDisconnect + move(6, 2, Self.messages) + waitDisconnect + interrupt(8))
    bench.run()
    #expect(bench.read(0x0C) == 0x84)
    #expect(bench.read(0x30, size: 4) == 8)
    #expect(execute([0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], data: 1, count: 512) == 0)
  }

  /// While sense data are kept for the initiator, other commands of the target wait (SAM-2, section 5.9.1).
  @Test func mediumErrorKeepsItsSense() {
    _ = execute([0, 0, 0, 0, 0, 0])
    storage.unreadable = [4]
    #expect(execute([0x28, 0, 0, 0, 0, 4, 0, 0, 1, 0], data: nil) == 2)
    #expect(execute([3, 0, 0, 0, 18, 0], data: 1, count: 18) == 0)
    #expect(bytes(Self.data, 14) == [0xF0, 0, 3, 0, 0, 0, 4, 10, 0, 0, 0, 0, 0x11, 0])
  }
}
