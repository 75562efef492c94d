import Devices
import Platform
import Testing

/// SCRIPTS assembled by hand. Instruction formats and effects: LSI53C895A Technical Manual, chapter 5; registers: chapter 4.
@Suite struct ScriptsTests {
  let bench: SCSIBench

  init() throws {
    bench = try SCSIBench()
    bench.write(0x39, 0x7D)  // DIEN: all
    bench.write(0x3B, 0x01)  // DCNTL: COM
  }

  private static let stop: [UInt32] = [0x9808_0000, 0x1234_5678]

  /// Runs the script and INT, and expects that INT was reached.
  private func run(_ script: [UInt32], _ comment: Comment = "") {
    bench.start(script + Self.stop)
    bench.run()
    #expect(bench.read(0x0C) == 0x84, comment)  // DSTAT: DFE, SIR
    #expect(bench.read(0x30, size: 4) == 0x1234_5678, comment)
  }

  // MARK: Registers

  /// Values after reset, appendix A and chapter 4.
  @Test func resetValues() throws {
    let fresh = try SCSIBench()
    for (register, value) in [
      (0x00, 0xC0), (0x0C, 0x80), (0x0D, 0), (0x0F, 0x02), (0x14, 0), (0x19, 0xF0), (0x1B, 0x10), (0x47, 0x0F), (0x4C, 0x03),
      (0x52, 0xC0),
    ] as [(UInt64, UInt64)] { #expect(fresh.read(register) == value, "register \(register)") }
    // The quadrupler locks (STEST4).
    fresh.write(0x4D, 0x08)
    #expect(fresh.read(0x52) == 0xE0)
  }

  @Test func identity() {
    func configuration(_ register: UInt16) -> UInt32 {
      bench.root.readConfiguration(bus: 0, device: 1, function: 0, register: register, size: 4)
    }
    #expect(configuration(0x00) == 0x0012_1000)
    #expect(configuration(0x08) == 0x0100_0001)
    #expect(configuration(0x2C) == 0x1000_1000)
    #expect(configuration(0x3C) & 0xFFFF_FF00 == 0x4011_0100)
  }

  @Test func registersAreAtPortsToo() {
    bench.write(0x34, 0xA1B2_C3D4, size: 4)
    #expect(bench.root.function(device: 1, function: 0)?.portsEnabled == true)
    #expect(bench.chip.read(bar: 0, offset: 0x34, size: 4) == 0xA1B2_C3D4)
    #expect(bench.chip.read(bar: 0, offset: 0x36, size: 2) == 0xA1B2)
  }

  /// ISTAT0: software reset clears registers and not SCRIPTS RAM; while it is on, nothing else is written.
  @Test func softwareReset() {
    bench.systemBus.write(physical: SCSIBench.ram + 8, size: 4, value: 77)
    bench.write(0x34, 5, size: 4)
    bench.write(0x14, 0x40)
    bench.write(0x34, 6, size: 4)
    bench.write(0x14, 0)
    #expect(bench.read(0x34, size: 4) == 0)
    #expect(bench.systemBus.read(physical: SCSIBench.ram + 8, size: 4) == 77)
  }

  // MARK: Transfer control (5.5)

  @Test func jumpsCallsReturns() {
    // JUMP over an INT; relative CALL; RETURN.
    bench.memory.put(0x2000, [0x9008_0000, 0])
    run([
      0x8088_0000, 8,  // JUMP REL +8
      0x9808_0000, 1,  // INT 1
      0x8808_0000, 0x2000,  // CALL 2000
    ])
    #expect(bench.read(0x1C, size: 4) == 0x1018)  // TEMP: behind CALL
    run([0x8000_0000, 0x5000])  // "jump if false" without a condition: never
  }

  @Test(arguments: [
    // Data, mask, "if true", taken: bits set in the mask are not compared.
    (0x5A, 0x00, true, true), (0x5B, 0x00, true, false), (0x5B, 0x01, true, true), (0x5B, 0x00, false, true),
    (0x5A, 0x00, false, false),
    (0xA5, 0xFF, true, true),
  ])
  func comparesData(data: UInt32, mask: UInt32, ifTrue: Bool, taken: Bool) {
    bench.memory.put(0x2000, [0x9808_0000, 99])
    bench.start(
      [0x7034_5A00, 0, 0x8004_0000 | (ifTrue ? 0x8_0000 : 0) | mask << 8 | data, 0x2000] + Self.stop)
    bench.run()
    #expect(bench.read(0x30, size: 4) == (taken ? 99 : 0x1234_5678))
  }

  /// INTFLY: ISTAT0.INTF and the pin, and SCRIPTS go on.
  @Test func interruptOnTheFly() {
    run([0x9818_0000, 0])
    #expect(bench.status & 0x04 == 0x04)
    bench.write(0x14, 0x04)
    #expect(bench.status & 0x04 == 0)
  }

  /// An interrupt comes when the time of all instructions before it has passed: 200 ns each, from 500 ns behind the start on.
  @Test func interruptsDoNotRunAhead() {
    // Sixty times NOP (a jump that is never taken), and INTFLY.
    bench.start((0..<60).flatMap { _ in [0x8000_0000, 0] as [UInt32] } + [0x9818_0000, 0] + Self.stop)
    bench.run(nanoseconds: 12_400)
    #expect(bench.status & 0x04 == 0)
    bench.run(nanoseconds: 200)
    #expect(bench.status & 0x04 == 0x04)
  }

  @Test func carryIsACondition() {
    run([0x5800_0400, 0, 0x8028_0000, 0x1018, 0x9808_0000, 1])  // SET CARRY; JUMP if carry
    run([0x6000_0400, 0, 0x8020_0000, 0x1018, 0x9808_0000, 1])  // CLEAR CARRY; JUMP if not
  }

  // MARK: Registers (5.4)

  @Test(
    arguments: [
      // Operator, SCRATCHA before, data, after, carry before, carry after. Shifts go through carry.
      (0, 0x11, 0x5A, 0x5A, false, false), (1, 0x81, 0, 0x02, false, true), (1, 0x01, 0, 0x03, true, false),
      (2, 0x11, 0x42, 0x53, false, false),
      (3, 0xFF, 0x0F, 0xF0, false, false), (4, 0x3C, 0x0F, 0x0C, true, true), (5, 0x03, 0, 0x01, false, true),
      (5, 0x02, 0, 0x81, true, false),
      (6, 0xF0, 0x20, 0x10, true, true), (6, 0x01, 0x01, 0x02, true, false), (7, 0x01, 0x01, 0x03, true, false),
      (7, 0xFF, 0, 0, true, true),
    ] as [(UInt32, UInt64, UInt32, UInt64, Bool, Bool)])
  func readModifyWrite(operation: UInt32, before: UInt64, data: UInt32, after: UInt64, carryIn: Bool, carryOut: Bool) {
    bench.write(0x34, before)
    run([
      carryIn ? 0x5800_0400 : 0x6000_0400, 0,
      0x7834_0000 | operation << 24 | data << 8, 0,
      0x7835_0000, 0,  // SCRATCHA1 = 0
      0x7F35_0000, 0,  // SCRATCHA1 += carry
    ])
    #expect(bench.read(0x34) == after)
    #expect(bench.read(0x35) == (carryOut ? 1 : 0))
  }

  @Test func movesThroughSFBR() {
    bench.write(0x34, 0x77)
    // SFBR = SCRATCHA | 0; PMJAD1 (register C0: A7 is bit 7) = SFBR & F0; ISTAT's neighbour MBOX0 = data from SFBR.
    run([0x7234_0000, 0, 0x6C40_F080, 0, 0x7896_0000, 0])
    #expect(bench.read(0x08) == 0x77)
    #expect(bench.read(0xC0) == 0x70)
    #expect(bench.read(0x16) == 0x77)
  }

  // MARK: Memory (5.6, 5.7)

  @Test func loadsAndStores() {
    bench.memory.put(0x3000, [0x1122_3344, 0x5566_7788])
    bench.write(0x10, 0x3004, size: 4)  // DSA
    run([
      0xE134_0004, 0x3000,  // LOAD SCRATCHA, absolute
      0xF15C_0004, 0xFFFF_FFFC,  // LOAD SCRATCHB, DSA - 4
      0xF05D_0002, 0x00FF_FFFD,  // STORE SCRATCHB1, 2 bytes to DSA - 3
      0xE060_0004, 0x3008,  // STORE SCRATCHC
    ])
    #expect(bench.read(0x34, size: 4) == 0x1122_3344)
    #expect(bench.read(0x5C, size: 4) == 0x1122_3344)
    #expect(bench.memory.long(0x3000) == 0x1122_3344)
    // Different places in their dwords.
    bench.start([0xE135_0002, 0x3000])
    bench.run()
    #expect(bench.read(0x0C) == 0x81)  // IID
  }

  @Test func memoryMoves() {
    bench.memory.put(0x3000, [1, 2, 3, 4])
    run([0xC000_0010, 0x3000, 0x4000])
    #expect((0..<4).map { bench.memory.long(0x4000 + 4 * $0) } == [1, 2, 3, 4])
    // Into SCRIPTS RAM, and from there into a register of the chip.
    run([
      0xC000_0008, 0x3000, UInt32(SCSIBench.ram) + 16, 0xC100_0004, UInt32(SCSIBench.ram) + 20, UInt32(SCSIBench.registers) + 0x34,
    ])
    #expect(bench.systemBus.read(physical: SCSIBench.ram + 16, size: 8) == 0x2_0000_0001)
    #expect(bench.read(0x34, size: 4) == 2)
    bench.start([0xC000_0004, 0x3000, 0x4002])
    bench.run()
    #expect(bench.read(0x0C) == 0x81)
  }

  @Test func scriptsInTheirRAM() {
    for (n, word) in ([0x7834_AB00, 0] + Self.stop).enumerated() {
      bench.systemBus.write(physical: SCSIBench.ram + 0x100 + UInt64(4 * n), size: 4, value: UInt64(word))
    }
    bench.write(0x2C, SCSIBench.ram + 0x100, size: 4)
    bench.run()
    #expect(bench.read(0x0C) == 0x84)
    #expect(bench.read(0x34) == 0xAB)
  }

  // MARK: Errors

  @Test func busFaults() {
    bench.write(0x2C, 0x4000_0000, size: 4)
    bench.run()
    #expect(bench.read(0x0C) == 0xA0)  // BF
    // Without being bus master nothing is fetched.
    bench.root.writeConfiguration(bus: 0, device: 1, function: 0, register: 4, size: 2, value: 3)
    bench.start(Self.stop)
    bench.run()
    #expect(bench.read(0x0C) == 0xA0)
  }

  /// DCNTL.SSM: an interrupt behind each instruction.
  @Test func singleStep() {
    bench.write(0x3B, 0x11)
    bench.start([0x8000_0000, 0, 0x8000_0000, 0] + Self.stop)
    bench.run()
    #expect(bench.read(0x2C, size: 4) == 0x1008)
    #expect(bench.read(0x0C) == 0x88)
    bench.write(0x3B, 0x15)  // STD
    bench.run()
    #expect(bench.read(0x2C, size: 4) == 0x1010)
  }

  /// A script that jumps to itself yields to time, and ABRT ends it (ISTAT0, bit 7).
  @Test func endlessScript() {
    bench.start([0x8008_0000, 0x1000])
    #expect(bench.run(nanoseconds: 1_000_000) < 200)
    #expect(bench.read(0x15) & 2 == 2)
    bench.write(0x14, 0x80)
    #expect(bench.status & 1 == 1)
    #expect(bench.read(0x0C) == 0x90)
    #expect(bench.read(0x15) & 2 == 0)
    #expect(bench.run() == 0)
  }

  /// Section 2.2.17.4: what is fatal shows in ISTAT0 even if it is masked; the pin is quiet.
  @Test func masking() {
    bench.write(0x39, 0)
    bench.start(Self.stop)
    bench.run()
    #expect(bench.status & 3 == 1)
    // A second condition is stacked behind the first (section 2.2.17.7), and moves up when that has been read.
    bench.write(0x49, 0x01)  // general purpose timer
    bench.run()
    #expect(bench.read(0x43) == 0)
    #expect(bench.read(0x0C) == 0x84)
    #expect(bench.read(0x43) == 0x02)
  }

  // MARK: Waiting

  /// WAIT RESELECT ends by SIGP at its alternative; CTEST2 shows and clears SIGP.
  @Test func signalProcess() {
    bench.start([0x5000_0000, 0x2000, 0x9808_0000, 1])
    bench.memory.put(0x2000, Self.stop)
    bench.run()
    #expect(bench.status & 3 == 0)
    bench.write(0x14, 0x20)
    bench.run()
    #expect(bench.read(0x30, size: 4) == 0x1234_5678)
    #expect(bench.read(0x1A) & 0x40 == 0x40)
    #expect(bench.read(0x1A) & 0x40 == 0)
  }

  /// Drivers measure the clock with the general purpose timer: with CCF = 4 and 40 MHz it takes 27.8 ms for code 8.
  @Test func generalTimer() {
    bench.write(0x03, 4)
    bench.write(0x49, 8)
    bench.run(nanoseconds: 27_500_000)
    #expect(bench.read(0x43) == 0)
    bench.run(nanoseconds: 600_000)
    #expect(bench.read(0x43) == 2)
    // 0 stops it.
    bench.write(0x49, 0)
    bench.write(0x49, 8)
    bench.write(0x49, 0)
    bench.run(nanoseconds: 100_000_000)
    #expect(bench.read(0x43) == 0)
  }

  /// Nobody there: STO after a quarter of a second at least, and not much more (STIME0 = 0C, clock quadrupled, CCF = 7).
  @Test func selectionTimeout() {
    bench.write(0x4D, 0x0C)
    bench.write(0x03, 7)
    bench.write(0x48, 0x0C)
    bench.start([0x4103_0000, 0x2000, 0x8681_0000, 0])  // SELECT ATN 3; wait for MESSAGE OUT
    bench.run(nanoseconds: 256_000_000)
    #expect(bench.status & 3 == 0)
    bench.run(nanoseconds: 60_000_000)
    #expect(bench.status & 3 == 2)
    #expect(bench.read(0x42, size: 2) == 0x0400)
  }
}
