import Hypervisor
import IA64
import Platform
import Processor

/// What gdb has no words for: `monitor tlb` and its like, which the console takes as well.
public struct MonitorCommands {
  let debugger: Debugger

  public init(_ debugger: Debugger) { self.debugger = debugger }

  struct Command: Sendable {
    var name: String
    var arguments = ""
    var help: String
    var perform: @Sendable (MonitorCommands, _ arguments: [Substring], _ processor: Int) -> [String]
  }

  static let commands: [Command] = [
    Command(name: "help", help: "this list") { _, _, _ in help },
    Command(name: "registers", help: "all registers that are not floating-point ones") { command, _, index in
      command.registers(index)
    },
    Command(name: "cr", help: "control registers") { command, _, index in command.controlRegisters(index) },
    Command(name: "rr", help: "region registers") { command, _, index in command.regionRegisters(index) },
    Command(name: "pkr", help: "protection key registers") { command, _, index in command.protectionKeys(index) },
    Command(name: "psr", help: "PSR, bit by bit") { command, _, index in command.status(index) },
    Command(name: "tlb", arguments: "[i|d]", help: "translation registers and translation cache") { $0.tlb($1, $2) },
    Command(name: "vhpt", arguments: "[ADDRESS]", help: "how the VHPT is set up, and its entry for an address") { $0.vhpt($1, $2) },
    Command(name: "translate", arguments: "ADDRESS", help: "where a virtual address leads, and by what") { $0.translate($1, $2) },
    Command(name: "explain", arguments: "ADDRESS [ACCESS]", help: "the same step by step, and what the access faults with") {
      $0.explain($1, $2)
    },
    Command(name: "p2m", arguments: "ADDRESS", help: "the machine's frame behind a guest-physical address") { command, words, _ in
      command.frame(words)
    },
    Command(name: "rse", help: "the register stack, with what memory does not have yet") { command, _, index in
      command.registerStack(index)
    },
    Command(name: "alat", help: "advanced loads") { command, _, index in command.advancedLoads(index) },
    Command(name: "sapic", help: "the local SAPIC and the interval timer") { command, _, index in command.sapic(index) },
    Command(name: "backtrace", help: "who has called, by the register stack") { command, _, index in command.backtrace(index) },
    Command(name: "exits", arguments: "[N]", help: "why the guest was left: counts, and the last N times") { $0.exits($1, $2) },
    Command(name: "stats", help: "instructions, cycles and interruptions of each processor") { command, _, _ in command.statistics
    },
  ]

  static var help: [String] {
    commands.map { command in
      let synopsis = command.arguments.isEmpty ? command.name : "\(command.name) \(command.arguments)"
      return synopsis.padded(20) + command.help
    }
  }

  /// The answer, whole lines.
  public func run(_ text: String, _ processor: Int) -> String {
    let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0.isNewline })
    let name = words.first ?? "help"
    let command = Self.commands.first { $0.name == name }
    guard let command else { return "There is no command \"\(Self.printable(name))\"; \"monitor help\" lists them.\n" }
    return (command.perform(self, Array(words.dropFirst()), processor) + [""]).joined(separator: "\n")
  }

  /// Whether there is a command of that name.
  static func has(_ name: some StringProtocol) -> Bool { commands.contains { $0.name == name } }

  static func printable(_ text: Substring) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(40).map { $0.value < 0x20 || 0x7F..<0xA0 ~= $0.value ? "?" : $0 }))
  }

  /// A hexadecimal number, with or without 0x.
  static func number(_ text: Substring) -> UInt64? {
    UInt64(text.hasPrefix("0x") || text.hasPrefix("0X") ? text.dropFirst(2) : text, radix: 16)
  }

  /// An address as people write it: a number, or a symbol.
  func address(_ arguments: [Substring]) -> UInt64? {
    guard let text = arguments.first else { return nil }
    return debugger.symbols?.address(of: String(text)) ?? Self.number(text)
  }

  static func hex(_ value: UInt64, digits: Int = 16) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  /// Columns of names and values, as many as a line of 80 characters has room for.
  static func table(_ values: [(name: String, value: UInt64)], columns: Int = 3) -> [String] {
    stride(from: 0, to: values.count, by: columns).map { first in
      values[first..<min(first + columns, values.count)].map { $0.name.padded(9) + hex($0.value) }.joined(separator: "  ")
    }
  }

  func name(of address: UInt64) -> String { debugger.symbols?.name(of: address).map { " <\($0)>" } ?? "" }
}

extension String {
  func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
