import IA64
import Processor

extension DebuggerConsole {
  // MARK: Places

  /// A place in the words of a line: `start_kernel+0x10`, `$r12`, `a000000100000000`. Nil: no words, or none that mean anything.
  func place(_ arguments: [Substring]) -> UInt64? { arguments.first.flatMap(value) }

  private func value(_ text: Substring) -> UInt64? {
    var sum: UInt64 = 0
    var isMinus = false
    var term = text[text.startIndex..<text.startIndex]
    func finish(_ term: Substring) -> Bool {
      guard let value = self.term(term) else { return false }
      sum = isMinus ? sum &- value : sum &+ value
      return true
    }
    for index in text.indices {
      if text[index] == "+" || text[index] == "-" {
        guard finish(term) else { return nil }
        isMinus = text[index] == "-"
        term = text[text.index(after: index)..<text.index(after: index)]
      } else {
        term = text[term.startIndex...index]
      }
    }
    return finish(term) ? sum : nil
  }

  private func term(_ text: Substring) -> UInt64? {
    if text.hasPrefix("$") { return debugger.register(named: String(text.dropFirst()), processor)?.value }
    return debugger.symbols?.address(of: String(text)) ?? MonitorCommands.number(text)
  }

  // MARK: Breakpoints

  func setBreakpoint(_ arguments: [Substring]) -> Answer {
    let address: UInt64
    if arguments.isEmpty {
      address = debugger.position(processor)
    } else {
      guard let place = place(arguments) else { return .text(["\"\(arguments[0])\" is no place"]) }
      address = place
    }
    do throws(Debugger.Failure) { try debugger.insertBreakpoint(address) } catch { return .text(["\(error)"]) }
    return .text(["breakpoint at \(Self.place(address, debugger.symbols))"])
  }

  func watch(_ arguments: [Substring], reads: Bool, writes: Bool) -> Answer {
    guard let address = place(arguments) else { return .text(["watch takes a place, and perhaps a number of bytes"]) }
    guard let length = arguments.count > 1 ? UInt64(arguments[1]) : 8, length > 0 else {
      return .text(["\"\(arguments[1])\" is no number of bytes"])
    }
    let watch = DebugControl.Watch(address: address, length: length, reads: reads, writes: writes)
    do throws(Debugger.Failure) { try debugger.insertWatch(watch) } catch { return .text(["\(error)"]) }
    return .text([Self.describe(watch, debugger.symbols)])
  }

  private static func describe(_ watch: DebugControl.Watch, _ names: SymbolTable?) -> String {
    let kind = watch.reads ? watch.writes ? "reads and writes" : "reads" : "writes"
    return "watches \(kind) of \(watch.length) bytes at \(MonitorCommands.hex(watch.address))"
  }

  func breakpoints() -> [String] {
    let lines =
      debugger.breakpoints.sorted().map { "breakpoint at \(Self.place($0, debugger.symbols))" }
      + debugger.watches.sorted { $0.address < $1.address }.map { Self.describe($0, debugger.symbols) }
    return lines.isEmpty ? ["there are none"] : lines
  }

  func deleteBreakpoints(_ arguments: [Substring]) -> Answer {
    guard !arguments.isEmpty else {
      debugger.removeAll()
      return .text([])
    }
    guard let address = place(arguments) else { return .text(["\"\(arguments[0])\" is no place"]) }
    let watches = debugger.watches.filter { $0.address == address }
    guard debugger.breakpoints.contains(address) || !watches.isEmpty else { return .text(["there is nothing at that place"]) }
    debugger.removeBreakpoint(address)
    for watch in watches { debugger.removeWatch(watch) }
    return .text([])
  }

  // MARK: Looking

  func registers(_ names: [Substring]) -> Answer {
    if names.isEmpty { return .text(MonitorCommands(debugger).registers(processor)) }
    return .text(
      names.map { name in
        let plain = name.hasPrefix("$") ? name.dropFirst() : name
        guard let register = debugger.register(named: String(plain), processor) else {
          return "\(plain): there is no such register here"
        }
        let symbol = debugger.symbols?.name(of: register.value).map { " <\($0)>" } ?? ""
        return String(plain).padded(12) + MonitorCommands.hex(register.value) + (register.isNaT ? " NaT" : "") + symbol
      })
  }

  private static let largestDump = 1 << 16

  func memory(_ arguments: [Substring]) -> Answer {
    guard let address = place(arguments) else { return .text(["x takes a place, and perhaps a number of bytes"]) }
    guard let count = arguments.count > 1 ? Int(arguments[1]) : 64, 1...Self.largestDump ~= count else {
      return .text(["x shows 1 to \(Self.largestDump) bytes"])
    }
    let bytes = debugger.read(address, count: count, processor)
    var lines = stride(from: 0, to: bytes.count, by: 16).map { first in
      let row = bytes[first..<min(first + 16, bytes.count)]
      let digits = row.map { MonitorCommands.hex(UInt64($0), digits: 2) }.joined(separator: " ")
      let text = String(String.UnicodeScalarView(row.map { UnicodeScalar(0x20..<0x7F ~= $0 ? $0 : 0x2E) }))
      return "\(MonitorCommands.hex(address &+ UInt64(first)))  \(digits.padded(49))\(text)"
    }
    if bytes.count < count { lines.append("\(MonitorCommands.hex(address &+ UInt64(bytes.count)))  cannot be read") }
    return .text(lines)
  }

  func disassemble(_ arguments: [Substring]) -> Answer {
    let start = arguments.isEmpty ? debugger.position(processor) : place(arguments)
    guard let start else { return .text(["\"\(arguments[0])\" is no place"]) }
    guard let count = arguments.count > 1 ? Int(arguments[1]) : 8, 1...1000 ~= count else {
      return .text(["disassemble shows 1 to 1000 bundles"])
    }
    return .text(CodeListing(self, from: start & ~0xF, bundles: count).lines.map(\.text))
  }

  func choose(_ arguments: [Substring]) -> Answer {
    guard let word = arguments.first else {
      return .text(
        (0..<debugger.processorCount).map { index in
          "\(index == processor ? "*" : " ") \(index)  \(Self.place(debugger.position(index), debugger.symbols))  \(debugger.summary(index))"
        })
    }
    guard let index = Int(word), 0..<debugger.processorCount ~= index else {
      return .text(["processors are 0 to \(debugger.processorCount - 1)"])
    }
    processor = index
    return .text([Self.place(debugger.position(index), debugger.symbols)])
  }
}

/// Instructions in a row: one line each, with marks for where the processor is, for breakpoints, and for the groups between stops.
struct CodeListing {
  struct Line {
    var text: String
    var isCurrent: Bool
  }
  private(set) var lines: [Line] = []

  init(_ console: DebuggerConsole, from start: UInt64, bundles: Int) {
    let debugger = console.debugger
    let position = debugger.position(console.processor)
    let names = debugger.symbols
    let disassembler = Disassembler { names?.name(of: $0) }
    var isFirst = true
    for n in 0..<bundles {
      let address = start &+ UInt64(n) &* 16
      guard let low = debugger.readWord(address, console.processor), let high = debugger.readWord(address &+ 8, console.processor)
      else {
        lines.append(Line(text: "  \(MonitorCommands.hex(address))  cannot be read", isCurrent: false))
        return
      }
      let bundle = Bundle(low: low, high: high)
      for slot in 0..<3 {
        guard let text = disassembler.text(of: slot, in: bundle, at: address) else { continue }
        let place = address | UInt64(slot)
        let isLast = text.hasSuffix(";;")
        let group = isFirst ? isLast ? "-" : "/" : isLast ? "\\" : "|"
        isFirst = isLast
        let head = slot == 0 ? names?.name(of: address) ?? bundle.template.name : ""
        lines.append(
          Line(
            text: (place == position ? ">" : " ") + (debugger.breakpoints.contains(place) ? "*" : " ")
              + "\(MonitorCommands.hex(address)).\(slot) \(group) " + text.padded(38) + head,
            isCurrent: place == position))
      }
    }
  }
}
