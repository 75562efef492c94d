/// Why assembly language cannot be turned into bits.
public struct AssemblyError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Reason: Sendable, Equatable {
    /// No instruction has that name, in any unit.
    case unknownMnemonic(String)
    /// The instruction exists, but not for this slot.
    case wrongUnit(String, SlotUnit)
    /// No form of the instruction takes the operands: wrong kind, wrong count or out of range.
    case badOperands(String)
    /// The instruction always executes.
    case notPredicable(String)
    case badPredicate(String)
    case unknownTemplate(String)
    /// No template has these units with stops at these places.
    case impossibleStop(String)
    case wrongNumberOfInstructions(expected: Int, found: Int)
    case unbalancedBraces
    case duplicateLabel(String)
    case misplaced(String)
  }
  public var reason: Reason
  /// Line of the source, counted from one.
  public var line: Int?

  public init(_ reason: Reason, line: Int? = nil) {
    self.reason = reason
    self.line = line
  }

  public var description: String { line.map { "line \($0): \(reason)" } ?? "\(reason)" }
}

extension AssemblyError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownMnemonic(let name): "no instruction is called \(name)"
    case .wrongUnit(let name, let unit): "\(name) is not an instruction of the \(unit) slot"
    case .badOperands(let text): "no form of the instruction takes these operands: \(text)"
    case .notPredicable(let text): "the instruction takes no predicate: \(text)"
    case .badPredicate(let text): "not a predicate: \(text)"
    case .unknownTemplate(let name): "no template is called \(name)"
    case .impossibleStop(let name): "no template \(name) has these stops"
    case .wrongNumberOfInstructions(let expected, let found): "\(found) instructions in a bundle of \(expected)"
    case .unbalancedBraces: "braces do not match"
    case .duplicateLabel(let name): "the label \(name) is there twice"
    case .misplaced(let text): "\(text) is not allowed here"
    }
  }
}
