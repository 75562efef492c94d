import ArgumentParser
import Inspection
import Processor

/// `epicure explain va`
struct ExplainAddressCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "va",
    abstract: "Where a virtual address leads in a domain, step by step, and which fault a reference would raise.",
    discussion: """
      epicure explain va 0xa000000100000000 --domain web
      epicure explain va 0x2000000000000000 --domain web --access write --privilege 3

      Nothing changes: neither a translation is inserted nor an access bit set. In a guest of `epicure boot` \
      gdb's `monitor explain` says the same, and `explain` of `epicure debug`.
      """)
  @Argument(help: "The address, hexadecimal.")
  var address: String
  @Option(help: "The domain, by name or number.")
  var domain: String
  @Option(help: ArgumentHelp("The virtual processor whose registers count.", valueName: "n"))
  var vcpu = 0
  @Option(help: "What the reference does: read, write, execute.")
  var access = InspectedReference.Access.read
  @Option(help: ArgumentHelp("The privilege level. Without this option: the guest's at this moment.", valueName: "0-3"))
  var privilege: UInt64?
  @OptionGroup var control: ControlOptions

  private var number: UInt64? {
    let digits = address.lowercased().hasPrefix("0x") ? address.dropFirst(2) : Substring(address)
    return UInt64(digits.replacing("_", with: ""), radix: 16)
  }

  func validate() throws {
    guard number != nil else { throw ValidationError("\"\(address)\" is not a hexadecimal number of 64 bits.") }
    guard privilege ?? 0 <= 3 else { throw ValidationError("--privilege must be from 0 to 3.") }
  }

  func run() throws {
    let request = ControlRequest.Command.explain(
      domain: domain, processor: vcpu, address: number ?? 0, access: access.rawValue, privilege: privilege)
    guard case .explanation(let explanation) = try control.ask(request) else { throw ControlOptions.misunderstanding }
    try control.print(explanation) { ExplanationText.text(explanation.lines.map { ($0.about, $0.text) }) }
  }
}

extension InspectedReference.Access: ExpressibleByArgument {}

/// Lines with a word in the margin.
enum ExplanationText {
  static func text(_ lines: [(about: String, text: String)]) -> String {
    var last = ""
    return lines.map { line in
      defer { last = line.about }
      return ReportText.padded(line.about == last ? "" : line.about, 11) + line.text
    }.joined(separator: "\n")
  }
}
