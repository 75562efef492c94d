import Platform
import Processor

/// Simple Text Output on the serial port: a terminal of the VT-UTF8 kind, 80 by 25 (EFI 1.10, section 10.4).
extension SystemFirmware {
  private static func port(_ offset: UInt16) -> UInt64 {
    let port = UInt64(MemoryMap.uartPort + offset)
    return MemoryMap.portSpace + ((port >> 2) << 12 | port & 0xFFF)
  }
  func readUART(_ register: UInt16, _ processor: LogicalProcessor) -> UInt8 {
    UInt8(truncatingIfNeeded: processor.bus?.read(physical: Self.port(register), size: 1) ?? 0)
  }
  func writeUART(_ register: UInt16, _ value: UInt8, _ processor: LogicalProcessor) {
    processor.bus?.write(physical: Self.port(register), size: 1, value: UInt64(value))
  }

  /// 115200 baud, 8 bits, no parity; FIFOs on.
  func initializeUART(_ processor: LogicalProcessor) {
    for (register, value) in [(1, 0), (3, 0x83), (0, 1), (1, 0), (3, 0x03), (2, 0x07), (4, 0x0B)] as [(UInt16, UInt8)] {
      writeUART(register, value, processor)
    }
  }

  /// Text of the firmware itself.
  func writeConsole(_ text: String, _ processor: LogicalProcessor) { display(Array(text.utf16), processor) }

  private func send(_ bytes: some Sequence<UInt8>, _ processor: LogicalProcessor) {
    for byte in bytes { writeUART(0, byte, processor) }
  }
  private func send(escape sequence: String, _ processor: LogicalProcessor) { send([0x1B] + Array(sequence.utf8), processor) }

  private func display(_ units: [UInt16], _ processor: LogicalProcessor) {
    var console = boot?.consoles ?? ConsoleState()
    var bytes: [UInt8] = []
    for unit in units {
      switch unit {
      case 0x08:
        if console.column > 0 {
          console.column -= 1
          bytes.append(8)
        }
      case 0x0A:
        console.row = min(console.row + 1, ConsoleState.rows - 1)
        bytes.append(0x0A)
      case 0x0D:
        console.column = 0
        bytes.append(0x0D)
      // A tab or another control character has no width of its own.
      case 0..<0x20: bytes.append(unit == 9 ? 0x20 : 0x3F)
      default:
        bytes += Array(String(decoding: [unit], as: UTF16.self).utf8)
        console.column += 1
        if console.column == ConsoleState.columns {
          // The terminal may be wider.
          bytes += [0x0D, 0x0A]
          console.column = 0
          console.row = min(console.row + 1, ConsoleState.rows - 1)
        }
      }
    }
    send(bytes, processor)
    boot?.consoles = console
    publishMode()
  }

  /// SIMPLE_TEXT_OUTPUT_MODE in the guest's memory.
  func publishMode() {
    guard let console = boot?.consoles, console.mode != 0 else { return }
    var w = ByteWriter()
    w.put(Int32(1))  // modes
    w.put(Int32(0))
    w.put(console.attribute)
    w.put(Int32(console.column))
    w.put(Int32(console.row))
    w.put(UInt8(console.cursorIsVisible ? 1 : 0))
    host.memory.write(console.mode, w.bytes)
  }

  // MARK: Functions

  func resetText(_ call: GuestCall) -> ServiceOutcome {
    boot?.consoles.attribute = 7
    boot?.consoles.cursorIsVisible = true
    send(escape: "[?25h", call.processor)
    send(escape: "[0;37;40m", call.processor)
    return clearScreen(call)
  }

  /// Characters of one string.
  private static let longestString = 1 << 16

  /// A string of the guest's; nil if it does not end.
  func readString(_ pointer: UInt64, _ call: GuestCall) throws(GuestAccessFailure) -> [UInt16]? {
    var units: [UInt16] = []
    while units.count < Self.longestString {
      let unit: UInt16 = try call.load(pointer &+ UInt64(2 * units.count))
      if unit == 0 { return units }
      units.append(unit)
    }
    return nil
  }

  func outputString(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let units = try readString(call.argument(1), call) else { return .status(.invalidParameter) }
    display(units, call.processor)
    return .success
  }

  /// in1 mode, in2 columns, in3 rows.
  func queryMode(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(1) == 0 else { return .status(.unsupported) }
    guard call.argument(2) != 0, call.argument(3) != 0 else { return .status(.invalidParameter) }
    try call.check(call.argument(2), count: 8)
    try call.check(call.argument(3), count: 8)
    try call.store(call.argument(2), UInt64(ConsoleState.columns))
    try call.store(call.argument(3), UInt64(ConsoleState.rows))
    return .success
  }

  func setMode(_ call: GuestCall) -> ServiceOutcome { call.argument(1) == 0 ? clearScreen(call) : .status(.unsupported) }

  /// in1: bits 3:0 foreground, 6:4 background; bit 3 is brightness.
  func setAttribute(_ call: GuestCall) -> ServiceOutcome {
    let attribute = UInt32(truncatingIfNeeded: call.argument(1))
    guard call.argument(1) & ~0x7F == 0 else { return .status(.unsupported) }
    guard attribute != boot?.consoles.attribute else { return .success }
    boot?.consoles.attribute = attribute
    // EFI counts blue, green, red; ANSI red, green, blue.
    func ansi(_ color: UInt32) -> UInt32 { color & 2 | (color & 1) << 2 | (color & 4) >> 2 }
    let bright = attribute & 8 != 0 ? ";1" : ""
    send(escape: "[0\(bright);3\(ansi(attribute & 7));4\(ansi(attribute >> 4 & 7))m", call.processor)
    publishMode()
    return .success
  }

  func clearScreen(_ call: GuestCall) -> ServiceOutcome {
    send(escape: "[2J", call.processor)
    send(escape: "[1;1H", call.processor)
    boot?.consoles.column = 0
    boot?.consoles.row = 0
    publishMode()
    return .success
  }

  /// in1 column, in2 row.
  func setCursorPosition(_ call: GuestCall) -> ServiceOutcome {
    let (column, row) = (call.argument(1), call.argument(2))
    guard column < UInt64(ConsoleState.columns), row < UInt64(ConsoleState.rows) else { return .status(.unsupported) }
    boot?.consoles.column = Int(column)
    boot?.consoles.row = Int(row)
    send(escape: "[\(row + 1);\(column + 1)H", call.processor)
    publishMode()
    return .success
  }

  func enableCursor(_ call: GuestCall) -> ServiceOutcome {
    let visible = call.argument(1) & 0xFF != 0
    if boot?.consoles.cursorIsVisible != visible {
      boot?.consoles.cursorIsVisible = visible
      send(escape: visible ? "[?25h" : "[?25l", call.processor)
    }
    publishMode()
    return .success
  }
}
