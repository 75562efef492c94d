import Platform
import Testing

/// Expected values: the register description of Intel's 82093AA and 82870 (window at 0x10, EOI at 0x40), as Linux's iosapic.h has it.
@Suite("I/O SAPIC") struct IOSAPICTests {
  let sink = RecordedSink()
  let sapic: IOSAPIC

  init() { sapic = IOSAPIC(sink: sink) }

  private func get(_ index: UInt8) -> UInt32 {
    sapic.write(offset: 0, size: 4, value: UInt64(index))
    return UInt32(truncatingIfNeeded: sapic.read(offset: 0x10, size: 4))
  }
  private func put(_ index: UInt8, _ value: UInt32) {
    sapic.write(offset: 0, size: 4, value: UInt64(index))
    sapic.write(offset: 0x10, size: 4, value: UInt64(value))
  }
  private func program(_ input: Int, low: UInt32, high: UInt32 = 0x0102_0000) {
    put(UInt8(0x11 + 2 * input), high)
    put(UInt8(0x10 + 2 * input), low)
  }
  private func endOfInterrupt(_ vector: UInt8) { sapic.write(offset: 0x40, size: 4, value: UInt64(vector)) }

  private static let level: UInt32 = 1 << 15
  private static let masked: UInt32 = 1 << 16
  private static let remoteIRR: UInt32 = 1 << 14

  @Test func identification() {
    // Version 2.x: SAPIC; bits 23:16: the highest redirection entry.
    #expect(get(1) & 0xF0 == 0x20)
    #expect(get(1) >> 16 & 0xFF == 63)
    put(1, 0)
    #expect(get(1) >> 16 & 0xFF == 63)
    put(0, 0x0500_0000)
    #expect(get(0) == 0x0500_0000)
  }

  @Test func entriesStartMasked() {
    for input in 0..<64 { #expect(get(UInt8(0x10 + 2 * input)) & Self.masked != 0) }
    sapic.set(3, true)
    #expect(sink.messages.isEmpty)
  }

  @Test func readOnlyBits() {
    put(0x10, 0xFFFF_FFFF)
    // Delivery status (12) and remote IRR (14) are read-only, 11 and 31:17 reserved.
    #expect(get(0x10) == 0x0001_A7FF)
    put(0x11, 0xFFFF_FFFF)
    #expect(get(0x11) == 0xFFFF_0000)
  }

  @Test func edgeTriggered() {
    program(4, low: 0x31, high: 0x0203_0000)
    sapic.set(4, true)
    #expect(sink.messages.count == 1)
    #expect(sink.messages[0].vector == 0x31)
    #expect(sink.messages[0].mode == .fixed)
    #expect(sink.messages[0].id == 2)
    #expect(sink.messages[0].eid == 3)
    // A level that stays is no edge; neither is its end.
    sapic.set(4, true)
    sapic.set(4, false)
    #expect(sink.messages.count == 1)
    sapic.set(4, true)
    #expect(sink.messages.count == 2)
    #expect(get(0x18) & Self.remoteIRR == 0)
  }

  @Test func edgesWhileMaskedAreLost() {
    program(4, low: 0x31 | Self.masked)
    sapic.set(4, true)
    program(4, low: 0x31)
    #expect(sink.messages.isEmpty)
    sapic.set(4, false)
    sapic.set(4, true)
    #expect(sink.messages.count == 1)
  }

  @Test func levelTriggered() {
    program(9, low: 0x40 | Self.level)
    sapic.set(9, true)
    #expect(sink.messages.count == 1)
    #expect(get(0x22) & Self.remoteIRR != 0)
    // In service: nothing more is sent, whatever the input does.
    sapic.set(9, false)
    sapic.set(9, true)
    #expect(sink.messages.count == 1)
    // Still asserted at the end: again.
    endOfInterrupt(0x40)
    #expect(sink.messages.count == 2)
    sapic.set(9, false)
    endOfInterrupt(0x40)
    #expect(sink.messages.count == 2)
    #expect(get(0x22) & Self.remoteIRR == 0)
  }

  @Test func endOfAnotherVectorDoesNothing() {
    program(9, low: 0x40 | Self.level)
    sapic.set(9, true)
    endOfInterrupt(0x41)
    #expect(get(0x22) & Self.remoteIRR != 0)
    #expect(sink.messages.count == 1)
  }

  @Test func sharedVector() {
    program(9, low: 0x40 | Self.level)
    program(10, low: 0x40 | Self.level)
    sapic.set(9, true)
    sapic.set(10, true)
    sapic.set(9, false)
    endOfInterrupt(0x40)
    #expect(sink.messages.count == 3)
    #expect(get(0x22) & Self.remoteIRR == 0)
    #expect(get(0x24) & Self.remoteIRR != 0)
  }

  @Test func unmaskingAnAssertedLevelSends() {
    program(9, low: 0x40 | Self.level | Self.masked)
    sapic.set(9, true)
    #expect(sink.messages.isEmpty)
    program(9, low: 0x40 | Self.level)
    #expect(sink.messages.count == 1)
    // Masking and unmasking while in service: still in service.
    program(9, low: 0x40 | Self.level | Self.masked)
    program(9, low: 0x40 | Self.level)
    #expect(sink.messages.count == 1)
  }

  /// The way to clear a stuck remote IRR: make the entry edge-triggered and level-triggered again.
  @Test func edgeModeForgetsService() {
    program(9, low: 0x40 | Self.level)
    sapic.set(9, true)
    program(9, low: 0x40 | Self.masked)
    #expect(get(0x22) & Self.remoteIRR == 0)
    program(9, low: 0x40 | Self.level)
    #expect(sink.messages.count == 2)
  }

  @Test(arguments: [
    (UInt32(0), DeliveryMode.fixed), (1, .redirectable), (2, .pmi), (4, .nmi), (5, .initialize), (7, .external),
  ])
  func deliveryModes(_ bits: UInt32, _ mode: DeliveryMode) {
    program(1, low: 0x55 | bits << 8)
    sapic.set(1, true)
    #expect(sink.messages.map(\.mode) == [mode])
  }

  @Test(arguments: [UInt32(3), 6]) func reservedDeliveryModes(_ bits: UInt32) {
    program(1, low: 0x55 | bits << 8)
    sapic.set(1, true)
    #expect(sink.messages.isEmpty)
  }

  @Test func polarityIsTheBoards() {
    program(1, low: 0x55 | Self.level | 1 << 13)
    #expect(sink.messages.isEmpty)
    sapic.set(1, true)
    #expect(sink.messages.count == 1)
  }

  @Test func resetMasksAndKeepsTheInputs() {
    program(9, low: 0x40 | Self.level)
    sapic.set(9, true)
    sapic.reset()
    #expect(get(0x22) & (Self.masked | Self.remoteIRR) == Self.masked)
    program(9, low: 0x40 | Self.level)
    #expect(sink.messages.count == 2)
  }

  @Test func nowhere() {
    sapic.set(-1, true)
    sapic.set(64, true)
    put(0x90, 0xFFFF_FFFF)
    put(0xFF, 0)
    #expect(get(0x90) == 0)
    #expect(sapic.read(offset: 0x20, size: 4) == 0)
    #expect(sapic.read(offset: 0xFF8, size: 8) == 0)
    #expect(sink.messages.isEmpty)
  }

  @Test func linesReachTheirInputs() {
    program(7, low: 0x77)
    sapic.line(7).set(true)
    #expect(sink.messages.map(\.vector) == [0x77])
  }
}
