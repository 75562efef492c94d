/// A small assembler: the way back from what ``Disassembler`` writes, out of the same table.
///
/// It takes GNU's syntax without directives. What it adds to the table's names: the unit may be left out of `nop`,
/// `hint`, `break`, `chk.s` and the moves of application registers, and `add` with a constant is `adds` or `addl`.
public enum Assembler {
  /// Value of a label or other name in an operand.
  public typealias SymbolTable = [String: UInt64]

  /// Encodes one instruction, such as `(p06) ld8 r14=[r15],8`.
  ///
  /// - Parameters:
  ///   - unit: unit of the slot; `.l` and `.x` both stand for the two slots of a long instruction.
  ///   - address: address of the bundle, to which targets are relative.
  /// - Returns: the bits of the slot, of the X slot for a long instruction, and of the L slot.
  public static func encode(
    _ text: String, unit: SlotUnit, address: UInt64 = 0, symbols: SymbolTable = [:]
  ) throws(AssemblyError) -> (slot: UInt64, long: UInt64) {
    try encode(try Statement(text[...]), unit: unit, address: address, symbols: symbols)
  }

  /// Packs a bundle from instructions, each of which may end with a stop (`;;`).
  ///
  /// - Parameter template: letters of the units, such as `mii`; `mlx` takes two instructions.
  public static func bundle(
    _ template: String, _ instructions: [String], at address: UInt64 = 0, symbols: SymbolTable = [:]
  ) throws(AssemblyError) -> Bundle {
    var statements: [Statement] = []
    for text in instructions { statements.append(try Statement(text[...])) }
    return try bundle(template, statements, at: address, symbols: symbols)
  }

  // MARK: Parsed instructions

  /// An instruction in its parts.
  struct Statement: Sendable {
    var text: Substring
    var predicate: UInt8?
    var mnemonic: Substring
    /// Operands before and after the `=`.
    var outputs: [Substring]
    var inputs: [Substring]
    var hasStop: Bool

    init(_ source: Substring) throws(AssemblyError) {
      text = trimmed(source)
      hasStop = text.hasSuffix(";;")
      if hasStop { text = trimmed(text.dropLast(2)) }
      var rest = text
      if rest.hasPrefix("(") {
        guard let end = rest.firstIndex(of: ")"), rest.hasPrefix("(p"),
          let number = UInt8(rest[rest.index(rest.startIndex, offsetBy: 2)..<end]), number < 64
        else { throw AssemblyError(.badPredicate(String(text))) }
        predicate = number
        rest = trimmed(rest[rest.index(after: end)...])
      }
      let end = rest.firstIndex(where: \.isWhitespace) ?? rest.endIndex
      mnemonic = rest[..<end]
      let operands = trimmed(rest[end...])
      if let sign = operands.firstIndex(of: "=") {
        outputs = Statement.list(operands[..<sign])
        inputs = Statement.list(operands[operands.index(after: sign)...])
      } else {
        outputs = []
        inputs = operands.isEmpty ? [] : Statement.list(operands)
      }
    }

    private static func list(_ text: Substring) -> [Substring] {
      text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
    }

    /// The four numbers of `alloc` (inputs, locals, outputs, rotating) as the three that are encoded.
    var withEncodedFrame: Statement {
      let numbers = inputs.suffix(4).compactMap { OperandKind.number($0) }
      guard mnemonic == "alloc", inputs.count - (inputs.first == "ar.pfs" ? 1 : 0) == 4, numbers.count == 4,
        numbers.allSatisfy({ 0...96 ~= $0 })
      else { return self }
      var result = self
      let locals = numbers[0] + numbers[1]
      result.inputs = inputs.dropLast(4) + ["\(locals + numbers[2])"[...], "\(locals)"[...], inputs[inputs.count - 1]]
      return result
    }
  }

  // MARK: Matching

  /// Rows by name, in the order of the table. Encodings without a name of their own are not there.
  private static let rowsByMnemonic: [String: [Int]] = Dictionary(
    grouping: InstructionTable.rows.indices.filter { InstructionTable.rows[$0].role != .unprinted },
    by: { InstructionTable.rows[$0].mnemonic })

  /// Names of the table that a name may stand for.
  private static func names(_ statement: Statement, unit: SlotUnit) -> [String] {
    let name = String(statement.mnemonic)
    switch name {
    case "nop", "hint", "break": return ["\(name).\(unit == .l ? .x : unit)"]
    case "chk.s": return [name, "chk.s.\(unit)"]
    case "add": return [name, "adds", "addl"]
    case "mov":
      // Application registers from 64 up belong to the I-unit, the others to the M-unit (Volume 1, table 3-3).
      let operands = statement.outputs + statement.inputs
      let number = operands.lazy.compactMap { OperandKind.ar3.parse($0) { _ in nil } }.first
      guard let number else { return [name] }
      return [number < 64 ? "mov.m" : "mov.i"]
    default: return [name]
    }
  }

  static func encode(
    _ source: Statement, unit: SlotUnit, address: UInt64, symbols: SymbolTable
  ) throws(AssemblyError) -> (slot: UInt64, long: UInt64) {
    let statement = source.withEncodedFrame
    if statement.mnemonic == "data8", statement.predicate == nil, statement.inputs.count == 1,
      let bits = OperandKind.number(statement.inputs[0]), UInt64(bitPattern: bits) <= Bundle.slotMask
    {
      return (UInt64(bitPattern: bits), 0)
    }
    let name = String(statement.mnemonic)
    let candidates = names(statement, unit: unit).flatMap { rowsByMnemonic[$0] ?? [] }
    guard !candidates.isEmpty else { throw AssemblyError(.unknownMnemonic(name)) }
    let rows = candidates.lazy.map { InstructionTable.rows[$0] }
      .filter { $0.format.type.units.contains(unit == .l ? .x : unit) }
    guard !rows.isEmpty else { throw AssemblyError(.wrongUnit(name, unit)) }
    var isUnpredicated = false
    for row in rows where statement.outputs.count == (row.operands.isEmpty ? 0 : row.outputs) {
      let predicate = statement.predicate ?? 0
      if predicate != 0, row.attributes.flags.contains(.unpredicated) {
        isUnpredicated = true
        continue
      }
      let operands = statement.outputs + statement.inputs
      let symbol = { (name: Substring) in symbols[String(name)] }
      if let bits = row.encode(operands, predicate: predicate, address: address, symbol: symbol) { return bits }
    }
    throw AssemblyError(isUnpredicated ? .notPredicable(String(statement.text)) : .badOperands(String(statement.text)))
  }

  // MARK: Bundles

  static func bundle(
    _ name: String, _ statements: [Statement], at address: UInt64, symbols: SymbolTable
  ) throws(AssemblyError) -> Bundle {
    let named = Template.named[name.lowercased()] ?? []
    guard let first = named.first else { throw AssemblyError(.unknownTemplate(name)) }
    let expected = first.isLong ? 2 : 3
    guard statements.count == expected else {
      throw AssemblyError(.wrongNumberOfInstructions(expected: expected, found: statements.count))
    }
    let template = named.first { template in
      statements.indices.allSatisfy { index in
        // The long instruction ends with slot 2.
        statements[index].hasStop == template.hasStop(after: template.isLong && index == 1 ? 2 : index)
      }
    }
    guard let template else { throw AssemblyError(.impossibleStop(name)) }
    var slots: [UInt64] = []
    for (index, statement) in statements.enumerated() {
      guard let unit = template.unit(index) else { throw AssemblyError(.unknownTemplate(name)) }
      let bits = try encode(statement, unit: unit, address: address, symbols: symbols)
      if unit == .l { slots.append(bits.long) }
      slots.append(bits.slot)
    }
    return Bundle(template: template.number, slots: (slots[0], slots[1], slots[2]))
  }
}

/// Without white space at either end.
func trimmed(_ text: Substring) -> Substring {
  var result = text.drop(while: \.isWhitespace)
  while let last = result.last, last.isWhitespace { result.removeLast() }
  return result
}
