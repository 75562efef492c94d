/// I/O SAPIC: turns interrupt lines into messages (Intel 82870 data sheet; same registers as an I/O APIC with a wider version).
public final class IOSAPIC: BusDevice {
  public struct Entry: Sendable, Equatable, Codable {
    /// Redirection table entry as the guest sees it, without the read-only bits.
    var value: UInt64 = Entry.masked
    /// The input as its device drives it.
    var asserted = false
    /// Level-triggered and delivered, not yet ended.
    var remoteIRR = false

    static let masked: UInt64 = 1 << 16
    static let levelTriggered: UInt64 = 1 << 15
    static let activeLow: UInt64 = 1 << 13
    static let remoteIRRBit: UInt64 = 1 << 14
    /// Vector, delivery mode, polarity, trigger mode, mask; destination in bits 63:48.
    static let writable: UInt64 = 0xFFFF_0000_0001_A7FF
  }
  /// Everything that a saved machine needs of it.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    var entries: [Entry]
    var select: UInt8 = 0
    var id: UInt8 = 0

    /// Whether a device asserts input `n`.
    public func isAsserted(_ n: Int) -> Bool { entries.indices.contains(n) && entries[n].asserted }
  }

  public static let inputs = 64
  public private(set) var state = State(entries: Array(repeating: Entry(), count: IOSAPIC.inputs))
  private weak var sink: (any InterruptSink)?

  public init(sink: any InterruptSink) { self.sink = sink }

  public func reset() {
    let levels = state.entries.map(\.asserted)
    state = State(entries: levels.map { Entry(asserted: $0) })
  }

  // MARK: Registers

  private enum Register {
    static let select: UInt64 = 0x00
    static let window: UInt64 = 0x10
    static let endOfInterrupt: UInt64 = 0x40
  }
  /// Version 2.0: SAPIC.
  private static let version: UInt32 = 0x20 | UInt32(inputs - 1) << 16

  public func read(offset: UInt64, size: Int) -> UInt64 {
    switch offset {
    case Register.select: UInt64(state.select)
    case Register.window: UInt64(readWindow())
    default: 0
    }
  }

  public func write(offset: UInt64, size: Int, value: UInt64) {
    let value32 = UInt32(truncatingIfNeeded: value)
    switch offset {
    case Register.select: state.select = UInt8(truncatingIfNeeded: value)
    case Register.window: writeWindow(value32)
    case Register.endOfInterrupt: endOfInterrupt(vector: UInt8(truncatingIfNeeded: value))
    default: break
    }
  }

  private func readWindow() -> UInt32 {
    switch state.select {
    case 0: return UInt32(state.id) << 24
    case 1: return Self.version
    default:
      let index = Int(state.select) - 0x10
      guard index >= 0, index < 2 * Self.inputs else { return 0 }
      let entry = state.entries[index / 2]
      let value = entry.value | (entry.remoteIRR ? Entry.remoteIRRBit : 0)
      return UInt32(truncatingIfNeeded: index % 2 == 0 ? value : value >> 32)
    }
  }

  private func writeWindow(_ value: UInt32) {
    if state.select == 0 { state.id = UInt8(value >> 24 & 0xF) }
    let index = Int(state.select) - 0x10
    guard index >= 0, index < 2 * Self.inputs else { return }
    let old = state.entries[index / 2].value
    let new = index % 2 == 0 ? old & 0xFFFF_FFFF_0000_0000 | UInt64(value) : old & 0xFFFF_FFFF | UInt64(value) << 32
    state.entries[index / 2].value = new & Entry.writable
    // An entry that is no longer level-triggered forgets the interrupt in service.
    if new & Entry.levelTriggered == 0 { state.entries[index / 2].remoteIRR = false }
    evaluateLevel(index / 2)
  }

  // MARK: Inputs

  /// Drives input `n` from a device. Polarity is between the board and the operating system: `asserted` means "requests".
  public func set(_ n: Int, _ asserted: Bool) {
    guard n >= 0, n < Self.inputs, state.entries[n].asserted != asserted else { return }
    state.entries[n].asserted = asserted
    let value = state.entries[n].value
    if value & Entry.levelTriggered != 0 {
      evaluateLevel(n)
    } else if asserted && value & Entry.masked == 0 {
      send(value)
    }
  }

  private func evaluateLevel(_ n: Int) {
    let entry = state.entries[n]
    guard entry.value & (Entry.levelTriggered | Entry.masked) == Entry.levelTriggered, entry.asserted, !entry.remoteIRR else {
      return
    }
    state.entries[n].remoteIRR = true
    send(entry.value)
  }

  private func endOfInterrupt(vector: UInt8) {
    for n in 0..<Self.inputs where state.entries[n].remoteIRR && UInt8(truncatingIfNeeded: state.entries[n].value) == vector {
      state.entries[n].remoteIRR = false
      evaluateLevel(n)
    }
  }

  private func send(_ value: UInt64) {
    guard let mode = DeliveryMode(rawValue: UInt8(value >> 8 & 7)) else { return }
    sink?.deliver(
      InterruptMessage(
        vector: UInt8(truncatingIfNeeded: value), mode: mode, id: UInt8(truncatingIfNeeded: value >> 56),
        eid: UInt8(truncatingIfNeeded: value >> 48)))
  }

  /// The input as a device's interrupt line.
  public func line(_ n: Int) -> any InterruptLine { Line(self, n) }

  private final class Line: InterruptLine {
    private unowned let sapic: IOSAPIC
    private let input: Int
    init(_ sapic: IOSAPIC, _ input: Int) { (self.sapic, self.input) = (sapic, input) }
    func set(_ asserted: Bool) { sapic.set(input, asserted) }
  }
}
