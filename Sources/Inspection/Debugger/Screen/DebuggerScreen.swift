import Hypervisor
import Processor

/// What a terminal shows while the machine stands still: registers, code, callers, exits or translations, the guest's console, messages.
/// Makes lines, with escape sequences for what is marked; the terminal is somebody else's.
public struct DebuggerScreen {
  public static let smallest = (rows: 24, columns: 80)

  /// What the registers are, and what they were at the stop before, to mark what has changed.
  private var current: [String: UInt64] = [:]
  private var before: [String: UInt64] = [:]
  /// Of which stop, and of which processor, `current` is.
  private var moment: (instructions: UInt64, processor: Int)?

  public init() {}

  private static let reverse = "\u{1B}[7m"
  private static let bold = "\u{1B}[1m"
  private static let plain = "\u{1B}[0m"

  /// Rows of each pane: what is left of 24 goes to all in turn.
  struct Layout {
    var registers = 6
    var code = 7
    var lower = 4
    var console = 2
    var messages = 3

    init(rows: Int) {
      for n in 0..<max(0, rows - DebuggerScreen.smallest.rows) {
        switch n % 5 {
        case 0: code += 1
        case 1: console += 1
        case 2: registers += registers < 16 ? 1 : 0
        case 3: lower += 1
        default: messages += 1
        }
      }
      // What registers do not need.
      code += max(0, rows - 2 - registers - code - lower - console - messages)
    }
  }

  /// The whole screen but for its last row, which is the prompt's: `rows` - 1 lines of at most `columns` visible characters.
  public mutating func lines(_ console: DebuggerConsole, guest: [String], messages: [String], rows: Int, columns: Int) -> [String] {
    let layout = Layout(rows: max(rows, Self.smallest.rows))
    let columns = max(columns, Self.smallest.columns)
    var lines = [title(console, columns)]
    lines += registers(console, layout.registers, columns)
    lines += code(console, layout.code, columns)
    lines += lower(console, layout.lower, columns)
    lines += Self.pane(guest.suffix(layout.console).map { " \($0)" }, layout.console, columns)
    lines += Self.pane(Array(messages.suffix(layout.messages)), layout.messages, columns)
    return lines
  }

  /// How many lines of messages there is room for.
  public static func messageRows(rows: Int) -> Int { Layout(rows: rows).messages }

  /// Exactly `count` lines.
  private static func pane(_ lines: [String], _ count: Int, _ columns: Int) -> [String] {
    Array((lines.map { clip($0, columns) } + Array(repeating: "", count: count)).prefix(count))
  }

  /// Terminals must not see what a guest has printed, unless it is text.
  private static func clip(_ text: String, _ columns: Int) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(columns).map { 0x20..<0x7F ~= $0.value ? $0 : " " }))
  }

  private func title(_ console: DebuggerConsole, _ columns: Int) -> String {
    let debugger = console.debugger
    let kind = debugger.domain == nil ? "bare machine" : debugger.domain is ParavirtualDomain ? "PV domain" : "HVM domain"
    let stop = debugger.stop.map { DebuggerConsole.describe($0, names: nil) } ?? ""
    let text = " \(kind), processor \(console.processor) of \(debugger.processorCount), cycle \(debugger.machine.now)  \(stop)"
    return Self.reverse + Self.clip(text, columns).padded(columns) + Self.plain
  }

  // MARK: Registers

  private static func shown(_ processor: LogicalProcessor) -> [(name: String, value: UInt64)] {
    let s = processor.state
    let first: [(name: String, value: UInt64)] = [
      ("ip", s.pointee.ip | PSR.ri(s.pointee.psr)), ("psr", s.pointee.psr), ("cfm", processor.cfm),
      ("pr", processor.predicateWord()),
      ("b0", s.br[0]), ("ar.pfs", s.ar[AR.pfs]), ("r1", s.gr[1]), ("r12", s.gr[12]), ("r13", s.gr[13]), ("r8", s.gr[8]),
    ]
    let stacked: [(name: String, value: UInt64)] = (32..<32 + s.pointee.sof).map { ("r\($0)", s.gr[$0]) }
    let scratch: [(name: String, value: UInt64)] = [9, 10, 11, 14, 15, 16, 17, 18, 19, 2, 3].map { ("r\($0)", s.gr[$0]) }
    let rest: [(name: String, value: UInt64)] = [4, 5, 6, 7, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31].map {
      ("r\($0)", s.gr[$0])
    }
    return first + stacked.prefix(8) + scratch + stacked.dropFirst(8) + rest + (1..<8).map { ("b\($0)", s.br[$0]) }
  }

  private mutating func registers(_ console: DebuggerConsole, _ rows: Int, _ columns: Int) -> [String] {
    let width = 26
    let perRow = max(1, columns / width)
    let values = console.debugger.inspect(console.processor, Self.shown)
    let now = (instructions: console.debugger.machine.instructions, processor: console.processor)
    if moment?.instructions != now.instructions || moment?.processor != now.processor {
      before = moment?.processor == now.processor ? current : [:]
      current = Dictionary(values.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
      moment = now
    }
    var lines: [String] = []
    for row in 0..<rows {
      var line = ""
      for column in 0..<perRow where row * perRow + column < values.count {
        let (name, value) = values[row * perRow + column]
        let changed = before[name].map { $0 != value } == true
        let cell = name.padded(8) + MonitorCommands.hex(value)
        line += (changed ? Self.bold + cell + Self.plain : cell) + "  "
      }
      lines.append(line)
    }
    return lines
  }

  // MARK: The other panes

  private func code(_ console: DebuggerConsole, _ rows: Int, _ columns: Int) -> [String] {
    let position = console.debugger.position(console.processor)
    // A bundle before the current one, so that one sees where it comes from.
    let listing = CodeListing(console, from: position & ~0xF &- 16, bundles: rows / 2 + 2).lines
    var lines = Array(repeating: Self.reverse + "code".padded(columns) + Self.plain, count: 1)
    lines += listing.prefix(rows - 1).map { line in
      let text = Self.clip(line.text, columns)
      return line.isCurrent ? Self.bold + text + Self.plain : text
    }
    return Array((lines + Array(repeating: "", count: rows)).prefix(rows))
  }

  private func lower(_ console: DebuggerConsole, _ rows: Int, _ columns: Int) -> [String] {
    let half = columns / 2
    let calls = MonitorCommands(console.debugger).backtrace(console.processor)
    let other = console.view == .exits ? exits(console) : translations(console)
    let isBare = console.debugger.domain == nil && console.view == .exits
    let title =
      "calls".padded(half) + (console.view == .exits ? isBare ? "exits: bare machine" : "last exits" : "data TLB, registers")
    var lines = [Self.reverse + Self.clip(title, columns).padded(columns) + Self.plain]
    for row in 0..<rows - 1 {
      let left = row < calls.count ? calls[row] : ""
      let right = row < other.count ? other[row] : ""
      lines.append(Self.clip(Self.clip(left, half - 1).padded(half) + right, columns))
    }
    return lines
  }

  private func exits(_ console: DebuggerConsole) -> [String] {
    guard let domain = console.debugger.domain else { return [] }
    return domain.virtualProcessors[console.processor].exits.last.reversed().map { exit in
      "\(MonitorCommands.hex(exit.ip)) \(exit.kind.name)"
    }
  }

  private func translations(_ console: DebuggerConsole) -> [String] {
    console.debugger.inspect(console.processor) { $0.inspectedTLB(instruction: false) }.map { entry in
      let label = entry.register.map { "dtr\($0)" } ?? "tc"
      return label.padded(6) + MonitorCommands.hex(entry.translation.base) + " "
        + MonitorCommands.hex(entry.translation.physical, digits: 12)
    }
  }
}
