/// Source text of several bundles.
///
/// A bundle is written `{ .mii`, its instructions on lines of their own, `}`. An instruction outside braces gets a
/// bundle for itself: the first unit of M, I, F, B and X that has it, and nops around it. `;;` is a stop, `name:` a
/// label for the next bundle, `//` begins a comment.
extension Assembler {
  /// Assembled code, and where its labels are.
  public struct Program: Sendable {
    public var bundles: [Bundle]
    public var labels: SymbolTable
  }

  /// Assembles a source to bundles at consecutive addresses.
  ///
  /// - Parameter symbols: names that the source uses but does not define.
  public static func assemble(
    _ source: String, at address: UInt64 = 0, symbols: SymbolTable = [:]
  ) throws(AssemblyError) -> [Bundle] {
    try program(source, at: address, symbols: symbols).bundles
  }

  /// Assembles a source; also gives the addresses of its labels.
  public static func program(
    _ source: String, at address: UInt64 = 0, symbols: SymbolTable = [:]
  ) throws(AssemblyError) -> Program {
    var reader = SourceReader()
    for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      do { try reader.read(line) } catch { throw AssemblyError(error.reason, line: index + 1) }
    }
    guard !reader.isOpen else { throw AssemblyError(.unbalancedBraces) }
    let labels = reader.labels.mapValues { address &+ 16 &* UInt64($0) }
    let known = symbols.merging(labels) { $1 }
    var bundles: [Bundle] = []
    for (index, draft) in reader.drafts.enumerated() {
      do {
        bundles.append(try bundle(draft, at: address &+ 16 &* UInt64(index), symbols: known))
      } catch {
        throw AssemblyError(error.reason, line: error.line ?? draft.line)
      }
    }
    return Program(bundles: bundles, labels: labels)
  }

  private static func bundle(
    _ draft: SourceReader.Draft, at address: UInt64, symbols: SymbolTable
  ) throws(AssemblyError) -> Bundle {
    if let template = draft.template { return try bundle(template, draft.statements, at: address, symbols: symbols) }
    guard let statement = draft.statements.first else { throw AssemblyError(.unbalancedBraces) }
    let shapes: [(unit: SlotUnit, template: String, slot: Int)] = [
      (.m, "mii", 0), (.i, "mii", 1), (.f, "mfi", 1), (.b, "mib", 2), (.x, "mlx", 1),
    ]
    var failure: AssemblyError?
    for shape in shapes {
      do {
        _ = try encode(statement, unit: shape.unit, address: address, symbols: symbols)
      } catch {
        // The most telling reason is that of a unit which has the instruction.
        if case .wrongUnit = error.reason { if failure == nil { failure = error } } else { failure = error }
        continue
      }
      var statements: [Statement] = []
      for slot in 0..<(shape.unit == .x ? 2 : 3) {
        statements.append(slot == shape.slot ? statement : try Statement("nop 0x0"))
        statements[slot].hasStop = false
      }
      statements[statements.count - 1].hasStop = statement.hasStop
      return try bundle(shape.template, statements, at: address, symbols: symbols)
    }
    throw failure ?? AssemblyError(.unknownMnemonic(String(statement.mnemonic)))
  }
}

/// Splits a source into bundles and labels.
private struct SourceReader {
  /// A bundle before it is encoded.
  struct Draft {
    /// Nil for an instruction outside braces.
    var template: String?
    var statements: [Assembler.Statement]
    var line: Int
  }

  private(set) var drafts: [Draft] = []
  /// Index of the bundle that a label stands before.
  private(set) var labels: [String: Int] = [:]
  /// Inside braces; the last draft is not finished.
  private(set) var isOpen = false
  private var line = 0

  mutating func read(_ text: Substring) throws(AssemblyError) {
    line += 1
    var rest = text
    if let comment = rest.range(of: "//") { rest = rest[..<comment.lowerBound] }
    while true {
      rest = trimmed(rest)
      guard let first = rest.first else { return }
      switch first {
      case "{":
        guard !isOpen else { throw AssemblyError(.unbalancedBraces) }
        isOpen = true
        drafts.append(Draft(template: "", statements: [], line: line))
        rest.removeFirst()
      case "}":
        guard isOpen else { throw AssemblyError(.unbalancedBraces) }
        isOpen = false
        rest.removeFirst()
      case ".":
        let end = rest.firstIndex { $0.isWhitespace || $0 == "}" } ?? rest.endIndex
        guard isOpen, drafts[drafts.count - 1].template == "", drafts[drafts.count - 1].statements.isEmpty else {
          throw AssemblyError(.misplaced(String(rest[..<end])))
        }
        drafts[drafts.count - 1].template = String(rest[..<end].dropFirst())
        rest = rest[end...]
      case ";":
        try stop()
        guard rest.hasPrefix(";;") else { throw AssemblyError(.misplaced(";")) }
        rest.removeFirst(2)
      default:
        if let after = try label(rest) { rest = after } else { rest = try instruction(rest) }
      }
    }
  }

  /// Reads `name:`; nil if the text begins otherwise.
  private mutating func label(_ text: Substring) throws(AssemblyError) -> Substring? {
    let end = text.firstIndex { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "$" || $0 == ".") } ?? text.endIndex
    guard end != text.endIndex, text[end] == ":" else { return nil }
    let name = String(text[..<end])
    guard !isOpen else { throw AssemblyError(.misplaced(name + ":")) }
    guard labels.updateValue(drafts.count, forKey: name) == nil else { throw AssemblyError(.duplicateLabel(name)) }
    return text[text.index(after: end)...]
  }

  /// Reads up to a stop, a brace or the end of the line.
  private mutating func instruction(_ text: Substring) throws(AssemblyError) -> Substring {
    let end = text.firstIndex { $0 == ";" || $0 == "}" || $0 == "{" } ?? text.endIndex
    let statement = try Assembler.Statement(text[..<end])
    if isOpen {
      drafts[drafts.count - 1].statements.append(statement)
    } else {
      drafts.append(Draft(template: nil, statements: [statement], line: line))
    }
    return text[end...]
  }

  /// Marks the instruction before `;;`.
  private mutating func stop() throws(AssemblyError) {
    guard let last = drafts.indices.last, let statement = drafts[last].statements.indices.last else {
      throw AssemblyError(.misplaced(";;"))
    }
    drafts[last].statements[statement].hasStop = true
  }
}

extension Substring {
  /// Where a text occurs first.
  fileprivate func range(of text: String) -> Range<Index>? {
    var place = startIndex
    while place < endIndex {
      if self[place...].hasPrefix(text) { return place..<index(place, offsetBy: text.count) }
      place = index(after: place)
    }
    return nil
  }
}
