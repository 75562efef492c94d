import Hypervisor
import IA64
import Processor

/// A debugger's language for people: takes lines, answers lines. Knows no terminal.
///
/// What runs the machine calls ``stopped()`` whenever it stands still, and ``perform(_:)`` for each line until one lets it go on.
public final class DebuggerConsole {
  public let debugger: Debugger
  /// Whose registers are shown.
  public internal(set) var processor = 0
  var plan: Plan?
  private var temporary: UInt64?
  private var lastLine = ""
  /// What the lower right pane shows.
  public internal(set) var view = View.exits

  public enum View: String, Sendable, Codable { case exits, tlb }

  /// What a console of another process needs to go on in this one's place.
  public struct State: Codable {
    var processor: Int
    var lastLine: String
    var view: View
  }
  public var state: State {
    get { State(processor: processor, lastLine: lastLine, view: view) }
    set {
      (processor, lastLine, view) = (newValue.processor, newValue.lastLine, newValue.view)
      (plan, temporary) = (nil, nil)
    }
  }

  /// What follows a line.
  public enum Answer: Equatable, Sendable {
    case text([String])
    /// The machine runs.
    case goOn
    /// The guest goes on without a debugger.
    case detach
    case quit
  }

  /// What is to be done over several stops.
  enum Plan: Equatable {
    case steps(left: Int)
    /// Over a call: until it has come back to this frame.
    case next(bsp: UInt64)
    case until
  }

  public init(_ debugger: Debugger) {
    self.debugger = debugger
    processor = debugger.stop?.processor ?? 0
  }

  // MARK: Stops

  /// The machine stands still: what there is to say about it; nil: it has gone on, as an earlier line wants.
  public func stopped() -> [String]? {
    guard let stop = debugger.stop else { return nil }
    processor = stop.processor
    switch (plan, stop.reason) {
    case (.steps(let left), .step) where left > 1:
      plan = .steps(left: left - 1)
      debugger.resume(stepping: processor)
      return nil
    case (.next(let bsp), .breakpoint(let address)) where address == temporary && bsp != self.bsp:
      // The same place, called again by what was called.
      debugger.resume()
      return nil
    default: break
    }
    plan = nil
    if let temporary {
      debugger.removeBreakpoint(temporary)
      self.temporary = nil
    }
    return [Self.describe(stop, names: debugger.symbols)] + location()
  }

  private var bsp: UInt64 { debugger.machine.processors[processor].state.pointee.bsp }

  static func describe(_ stop: Debugger.Stop, names: SymbolTable?) -> String {
    let who = "processor \(stop.processor): "
    switch stop.reason {
    case .breakpoint(let address): return who + "breakpoint at \(place(address, names))"
    case .watch(let address, let watch):
      let kind = watch.reads ? watch.writes ? "accessed" : "read" : "written"
      return who + "\(kind) at \(MonitorCommands.hex(address))"
    case .step: return who + "stepped"
    case .start: return who + "the machine is about to start"
    case .interrupted: return who + "interrupted"
    case .requested(let text): return who + text
    case .failed(let text): return who + text
    case .beginning: return who + "the beginning of what is known"
    }
  }

  /// `a000000100000000.1 <name+0x10>`.
  static func place(_ address: UInt64, _ names: SymbolTable?) -> String {
    let name = names?.name(of: address & ~0xF).map { " <\($0)>" } ?? ""
    return "\(MonitorCommands.hex(address & ~0xF)).\(address & 3)\(name)"
  }

  private func location() -> [String] {
    let position = debugger.position(processor)
    let text = instruction(at: position)?.text ?? "cannot be read"
    return ["\(Self.place(position, debugger.symbols)):  \(text)"]
  }

  /// The instruction at an address, as text and decoded.
  func instruction(at address: UInt64) -> (text: String, decoded: Instruction)? {
    guard let low = debugger.readWord(address & ~0xF, processor), let high = debugger.readWord(address & ~0xF &+ 8, processor)
    else {
      return nil
    }
    let bundle = Bundle(low: low, high: high)
    let slot = Int(min(address & 3, 2))
    let names = debugger.symbols
    let disassembler = Disassembler { names?.name(of: $0) }
    return (
      disassembler.text(of: slot, in: bundle, at: address & ~0xF) ?? "(second half of a long instruction)",
      Decoder.decode(bundle: bundle, slot: slot)
    )
  }

  // MARK: Lines

  /// Does what a line says. An empty one repeats the last that let the machine go on.
  public func perform(_ line: String) -> Answer {
    let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
    guard let first = words.first else { return lastLine.isEmpty ? .text([]) : perform(lastLine) }
    let arguments = Array(words.dropFirst())
    let answer = perform(String(first), arguments)
    lastLine = answer == .goOn ? line : ""
    return answer
  }

  private func perform(_ name: String, _ arguments: [Substring]) -> Answer {
    switch name {
    case "step", "s", "stepi", "si": return step(arguments)
    case "next", "n", "nexti", "ni": return next()
    case "continue", "c":
      debugger.resume()
      return .goOn
    case "until", "u": return until(arguments)
    case "back": return goBack { $0.stepBack(processor: processor) }
    case "rcontinue", "rc": return goBack { $0.continueBack() }
    case "break", "b": return setBreakpoint(arguments)
    case "delete": return deleteBreakpoints(arguments)
    case "watch": return watch(arguments, reads: false, writes: true)
    case "rwatch": return watch(arguments, reads: true, writes: false)
    case "awatch": return watch(arguments, reads: true, writes: true)
    case "breakpoints": return .text(breakpoints())
    case "registers", "r": return registers(arguments)
    case "x": return memory(arguments)
    case "disassemble", "d": return disassemble(arguments)
    case "processor", "cpu": return choose(arguments)
    case "view":
      guard let word = arguments.first, let view = View(rawValue: String(word)) else { return .text(["view takes exits or tlb"]) }
      self.view = view
      return .text([])
    case "help", "h": return .text(Self.help)
    case "detach":
      debugger.detach()
      return .detach
    case "quit", "q": return .quit
    case "bt": return .text(monitor("backtrace", arguments))
    case _ where MonitorCommands.has(name): return .text(monitor(name, arguments))
    default: return .text(["There is no command \"\(MonitorCommands.printable(name[...]))\"; \"help\" lists them."])
    }
  }

  private func monitor(_ name: String, _ arguments: [Substring]) -> [String] {
    let text = MonitorCommands(debugger).run(([name[...]] + arguments).joined(separator: " "), processor)
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  private static let help =
    [
      ("step [N]", "executes one instruction, or N; also through calls, rfi and into handlers"),
      ("next", "the same, but calls as a whole"),
      ("continue", "until a breakpoint, a watch, or Ctrl-C"),
      ("until PLACE", "until a place is reached"),
      ("back", "in a replay: to before the last instruction"),
      ("rcontinue", "in a replay: back to the last breakpoint or watch"),
      ("break [PLACE]", "stops where that is executed; without a place: here"),
      ("watch PLACE [BYTES]", "stops behind what writes there; rwatch: reads; awatch: both"),
      ("breakpoints", "lists both"), ("delete [PLACE]", "one of them, or all"),
      ("registers [NAME...]", "some, or all"), ("x PLACE [BYTES]", "memory"), ("disassemble [PLACE] [N]", "N bundles"),
      ("processor [N]", "whose registers are shown"), ("view exits|tlb", "what the lower right pane shows"),
      ("detach", "lets the guest go on alone"), ("quit", "switches the machine off"), ("", ""),
      ("PLACE", "a symbol, a hexadecimal number, $REGISTER, and sums of these; +1 and +2 behind a bundle are slots"), ("", ""),
    ].map { $0.0.isEmpty ? "" : $0.0.padded(24) + $0.1 } + MonitorCommands.help.dropFirst()

  // MARK: Going on

  private func step(_ arguments: [Substring]) -> Answer {
    let count = arguments.first.map { Int($0) } ?? 1
    guard let count, count > 0 else { return .text(["step takes a number of instructions"]) }
    plan = .steps(left: count)
    debugger.resume(stepping: processor)
    return .goOn
  }

  /// Comes back if the past cannot be reached, or is not older: otherwise another process goes on.
  private func goBack(_ back: (any ReverseDebugging) -> Debugger.Stop) -> Answer {
    guard let reverse = debugger.reverse else { return .text(["only a replay can go back: epicure debug --replay FILE"]) }
    debugger.arrived(back(reverse))
    return .text(stopped() ?? [])
  }

  private func next() -> Answer {
    let position = debugger.position(processor)
    guard let decoded = instruction(at: position)?.decoded, isTakenCall(decoded) else { return step([]) }
    let back = position & ~0xF &+ 16
    guard insertTemporary(back) else { return .text(["there are too many breakpoints"]) }
    plan = .next(bsp: bsp)
    debugger.resume()
    return .goOn
  }

  private func isTakenCall(_ i: Instruction) -> Bool {
    switch i.operation {
    case .brCall, .brlCall, .brCallIndirect: debugger.machine.processors[processor].state.pr[Int(i.qp)] != 0
    default: false
    }
  }

  private func until(_ arguments: [Substring]) -> Answer {
    guard let place = place(arguments) else { return .text(["until takes a place: a symbol or a hexadecimal number"]) }
    guard place & 0xF <= 2, insertTemporary(place) else {
      return .text(["no instruction can be there, or there are too many breakpoints"])
    }
    plan = .until
    debugger.resume()
    return .goOn
  }

  /// One that goes with the next stop. Where the user has one already, that does.
  private func insertTemporary(_ address: UInt64) -> Bool {
    if debugger.breakpoints.contains(address) { return true }
    do throws(Debugger.Failure) { try debugger.insertBreakpoint(address) } catch { return false }
    temporary = address
    return true
  }
}
