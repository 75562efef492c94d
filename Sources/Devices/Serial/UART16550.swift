import Platform

/// Who is at the other end of a serial line.
public protocol SerialPeer: AnyObject {
  /// A character leaves the machine.
  func transmit(_ byte: UInt8)
  /// The receiver has room again: ``UART16550/receive(_:)`` will take at least one more character.
  func readyToReceive()
}

/// A console as the far end sees it: characters that it takes, and a peer for those that come.
public protocol ConsoleLine: AnyObject {
  var peer: (any SerialPeer)? { get set }
  /// Characters that ``receive(_:)`` would take now.
  var room: Int { get }
  /// Characters from the far end; how many have been taken. For the others the peer is told when there is room.
  func receive(_ bytes: some Sequence<UInt8>) -> Int
  func receiveBreak()
}

extension UART16550: ConsoleLine {}

/// National 16550A. Characters take no time on the line: the transmitter is always empty again when the processor looks.
public final class UART16550: BusDevice {
  /// Everything that a saved machine needs of it.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    var interruptEnable: UInt8 = 0
    var fifoControl: UInt8 = 0
    var lineControl: UInt8 = 0
    var modemControl: UInt8 = 0
    var scratch: UInt8 = 0
    var divisor: UInt16 = 12
    /// A character was lost, and the line status register has not been read since.
    var overrun = false
    var modemDelta: UInt8 = 0
    var receiveFIFO: [UInt8] = []
    /// How many characters of the FIFO precede the zero that a break has left; nil if there is none.
    var charactersBeforeBreak: Int?
    /// The transmitter has become empty, and neither IIR nor a write has taken note.
    var transmitterInterrupt = false
    /// Characters lie in the FIFO below the trigger level, and the line is quiet.
    var characterTimeout = false
  }

  public private(set) var state = State()
  private let line: any InterruptLine
  public weak var peer: (any SerialPeer)?

  public init(line: any InterruptLine) { self.line = line }

  public func reset() {
    state = State()
    update()
  }

  private enum Register {
    static let data: UInt64 = 0
    static let interruptEnable: UInt64 = 1
    static let interruptIdentification: UInt64 = 2
    static let lineControl: UInt64 = 3
    static let modemControl: UInt64 = 4
    static let lineStatus: UInt64 = 5
    static let modemStatus: UInt64 = 6
    static let scratch: UInt64 = 7
  }
  private static let divisorLatch: UInt8 = 0x80
  private static let loopback: UInt8 = 0x10
  private static let fifoEnable: UInt8 = 0x01
  /// CTS, DSR and DCD: a terminal that is switched on.
  private static let connected: UInt8 = 0xB0
  private static let fifoSize = 16

  private var fifos: Bool { state.fifoControl & Self.fifoEnable != 0 }
  private var capacity: Int { fifos ? Self.fifoSize : 1 }
  private var triggerLevel: Int { fifos ? [1, 4, 8, 14][Int(state.fifoControl >> 6)] : 1 }

  // MARK: The line

  /// Characters from the other end; returns how many fitted. A peer that offers more must wait for ``SerialPeer/readyToReceive()``:
  /// flow control of the host, so that nothing typed is lost.
  public func receive(_ bytes: some Sequence<UInt8>) -> Int {
    guard state.modemControl & Self.loopback == 0 else { return 0 }
    var taken = 0
    for byte in bytes where state.receiveFIFO.count < capacity {
      state.receiveFIFO.append(byte)
      taken += 1
    }
    state.characterTimeout = !state.receiveFIFO.isEmpty
    update()
    return taken
  }

  /// How many characters ``receive(_:)`` would take now.
  public var room: Int { state.modemControl & Self.loopback == 0 ? capacity - state.receiveFIFO.count : 0 }

  /// The other end holds the line down: a zero with the break indication.
  public func receiveBreak() {
    guard state.modemControl & Self.loopback == 0, state.charactersBeforeBreak == nil else { return }
    if state.receiveFIFO.count < capacity {
      state.charactersBeforeBreak = state.receiveFIFO.count
      state.receiveFIFO.append(0)
      state.characterTimeout = true
    } else {
      state.overrun = true
    }
    update()
  }

  private func transmit(_ byte: UInt8) {
    if state.modemControl & Self.loopback != 0 {
      if state.receiveFIFO.count == capacity {
        state.overrun = true
        // A full FIFO keeps what it has; the receiver buffer register alone is overwritten.
        if !fifos { state.receiveFIFO = [byte] }
      } else {
        state.receiveFIFO.append(byte)
      }
      state.characterTimeout = true
    } else {
      peer?.transmit(byte)
    }
    state.transmitterInterrupt = true
  }

  // MARK: Registers

  public func read(offset: UInt64, size: Int) -> UInt64 {
    defer { update() }
    let latch = state.lineControl & Self.divisorLatch != 0
    switch offset {
    case Register.data: return UInt64(latch ? UInt8(truncatingIfNeeded: state.divisor) : readData())
    case Register.interruptEnable: return UInt64(latch ? UInt8(state.divisor >> 8) : state.interruptEnable)
    case Register.interruptIdentification:
      let value = identification
      if value & 0xF == Identification.transmitter { state.transmitterInterrupt = false }
      return UInt64(value)
    case Register.lineControl: return UInt64(state.lineControl)
    case Register.modemControl: return UInt64(state.modemControl)
    case Register.lineStatus:
      // Transmitter holding register and shift register empty; data ready.
      let fifoError: UInt8 = fifos && state.charactersBeforeBreak != nil ? 0x80 : 0
      let value = 0x60 | fifoError | lineErrors | (state.receiveFIFO.isEmpty ? 0 : 1)
      state.overrun = false
      if state.charactersBeforeBreak == 0 { state.charactersBeforeBreak = nil }
      return UInt64(value)
    case Register.modemStatus:
      let value = modemStatus | state.modemDelta
      state.modemDelta = 0
      return UInt64(value)
    case Register.scratch: return UInt64(state.scratch)
    default: return 0xFF
    }
  }

  public func write(offset: UInt64, size: Int, value: UInt64) {
    defer { update() }
    let byte = UInt8(truncatingIfNeeded: value)
    let latch = state.lineControl & Self.divisorLatch != 0
    switch offset {
    case Register.data:
      if latch { state.divisor = state.divisor & 0xFF00 | UInt16(byte) } else { transmit(byte) }
    case Register.interruptEnable:
      if latch {
        state.divisor = state.divisor & 0xFF | UInt16(byte) << 8
      } else {
        // Enabling the transmitter interrupt while the transmitter is empty raises it.
        if byte & 2 != 0 && state.interruptEnable & 2 == 0 { state.transmitterInterrupt = true }
        state.interruptEnable = byte & 0xF
      }
    case Register.interruptIdentification: writeFIFOControl(byte)
    case Register.lineControl: state.lineControl = byte
    case Register.modemControl: writeModemControl(byte & 0x1F)
    case Register.scratch: state.scratch = byte
    default: break
    }
  }

  private func readData() -> UInt8 {
    guard !state.receiveFIFO.isEmpty else { return 0 }
    let byte = state.receiveFIFO.removeFirst()
    state.charactersBeforeBreak = state.charactersBeforeBreak.flatMap { $0 > 0 ? $0 - 1 : nil }
    if state.receiveFIFO.isEmpty { state.characterTimeout = false }
    if state.modemControl & Self.loopback == 0 { peer?.readyToReceive() }
    return byte
  }

  private func writeFIFOControl(_ byte: UInt8) {
    let toggled = (byte ^ state.fifoControl) & Self.fifoEnable != 0
    // The other bits count only together with the enable bit; changing that empties the FIFOs.
    state.fifoControl = byte & Self.fifoEnable != 0 ? byte & 0xC9 : 0
    if toggled || byte & 2 != 0 {
      state.receiveFIFO.removeAll()
      state.charactersBeforeBreak = nil
      state.characterTimeout = false
    }
  }

  // MARK: Modem lines

  /// In loopback mode the outputs DTR, RTS, OUT1, OUT2 appear as DSR, CTS, RI, DCD.
  private var modemStatus: UInt8 {
    guard state.modemControl & Self.loopback != 0 else { return Self.connected }
    let m = state.modemControl
    return (m & 2) << 3 | (m & 1) << 5 | (m & 4) << 4 | (m & 8) << 4
  }

  private func writeModemControl(_ byte: UInt8) {
    let before = modemStatus
    state.modemControl = byte
    let after = modemStatus
    let changed = before ^ after
    // Deltas of CTS, DSR, DCD; RI counts when it goes away.
    state.modemDelta |= (changed >> 4 & 0x0B) | (before & ~after & 0x40) >> 4
  }

  // MARK: Interrupts, highest priority first

  private enum Identification {
    static let none: UInt8 = 1
    static let lineStatus: UInt8 = 6
    static let data: UInt8 = 4
    static let timeout: UInt8 = 0xC
    static let transmitter: UInt8 = 2
    static let modem: UInt8 = 0
  }

  /// Overrun, and the break of the character that will be read next.
  private var lineErrors: UInt8 { (state.overrun ? 0x02 : 0) | (state.charactersBeforeBreak == 0 ? 0x10 : 0) }

  private var identification: UInt8 {
    let enabled = state.interruptEnable
    let fifoBits: UInt8 = fifos ? 0xC0 : 0
    if enabled & 4 != 0 && lineErrors != 0 { return fifoBits | Identification.lineStatus }
    if enabled & 1 != 0 && state.receiveFIFO.count >= triggerLevel { return fifoBits | Identification.data }
    if enabled & 1 != 0 && fifos && state.characterTimeout { return fifoBits | Identification.timeout }
    if enabled & 2 != 0 && state.transmitterInterrupt { return fifoBits | Identification.transmitter }
    if enabled & 8 != 0 && state.modemDelta != 0 { return fifoBits | Identification.modem }
    return fifoBits | Identification.none
  }

  /// OUT2 gates the interrupt on PC boards only; here the line is wired directly.
  private func update() { line.set(identification & 1 == 0) }
}
