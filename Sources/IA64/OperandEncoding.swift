/// The way back from assembly language to bits: the inverse of ``OperandExtractor`` and of the disassembler's spelling.
extension OperandKind {
  /// Value of the operand that a text denotes; nil if the operand is not written so.
  ///
  /// - Parameter symbol: value of a name.
  func parse(_ text: Substring, symbol: (Substring) -> UInt64?) -> Int64? {
    switch OperandKind.syntaxes[Int(rawValue)] {
    case .word(let word): return text == word ? constant : nil
    case .register(let prefix): return OperandKind.register(text, prefix: prefix)
    case .applicationRegister: return OperandKind.named(text, prefix: "ar", RegisterNames.applicationNumbers)
    case .controlRegister: return OperandKind.named(text, prefix: "cr", RegisterNames.controlNumbers)
    case .indirect(let file):
      guard text.hasPrefix(file), text.dropFirst(file.count).first == "[", text.last == "]" else { return nil }
      return OperandKind.register(text.dropFirst(file.count + 1).dropLast(), prefix: "r")
    case .muxType:
      return RegisterNames.muxTypes.first { $0.value == text }.map { Int64($0.key) } ?? OperandKind.number(text)
    case .signed, .unsigned, .hexadecimal, .address:
      return OperandKind.number(text) ?? OperandKind.name(text, symbol)
    }
  }

  /// Puts a value into the bits of an instruction; false if the operand cannot hold it.
  func encode(_ value: Int64, slot: inout UInt64, long: inout UInt64) -> Bool {
    let layout = layout
    guard layout.coding != .none else { return true }
    guard let raw = raw(value, layout) else { return false }
    var rest = raw
    for part in layout.parts {
      let mask: UInt64 = (1 << UInt64(part.width)) - 1
      let bits = rest & mask
      rest >>= UInt64(part.width)
      if part.shift >= 64 {
        long = long & ~(mask << UInt64(part.shift - 64)) | bits << UInt64(part.shift - 64)
      } else {
        slot = slot & ~(mask << UInt64(part.shift)) | bits << UInt64(part.shift)
      }
    }
    return true
  }

  /// The stored number for a value.
  private func raw(_ value: Int64, _ layout: OperandLayout) -> UInt64? {
    let width = UInt64(layout.width)
    let scale = UInt64(layout.scale)
    let mask: UInt64 = width >= 64 ? .max : (1 << width) - 1
    func unsigned(_ value: Int64) -> UInt64? {
      let bits = UInt64(bitPattern: value)
      return bits & ((1 << scale) - 1) == 0 && bits >> scale <= mask ? bits >> scale : nil
    }
    func signed(_ value: Int64) -> UInt64? {
      let top = value >> Int64(scale)
      guard top << Int64(scale) == value, width >= 64 || top >> Int64(width - 1) == top >> 63 else { return nil }
      return UInt64(bitPattern: top) & mask
    }
    // The assembler takes the operand of a 4-byte unsigned compare as the 32-bit number that it stands for, too.
    var value = value
    if self == .imm8Unsigned4 || self == .imm8MinusOneUnsigned4, value >> 31 == 1 { value -= 1 << 32 }
    switch layout.coding {
    case .none: return 0
    case .unsigned: return unsigned(value)
    case .signed: return signed(value)
    case .unsignedPlusOne: return unsigned(value &- 1)
    case .signedPlusOne:
      // `x <= 0` unsigned is not `x < -1`.
      let wraps = self != .imm8MinusOne && value == 0
      return wraps ? nil : signed(value &- 1)
    case .complement: return unsigned(value).map { $0 ^ mask }
    case .plus32: return unsigned(value &- 32)
    case .shiftCount: return [0, 7, 15, 16].firstIndex(of: value).map { UInt64($0) }
    case .increment: return [16, 8, 4, 1, -16, -8, -4, -1].firstIndex(of: value).map { UInt64($0) }
    }
  }

  // MARK: Spelling

  /// `r12`, or a name by convention such as `sp`.
  private static func register(_ text: Substring, prefix: String) -> Int64? {
    let name = RegisterNames.conventional[String(text)].map { $0[...] } ?? text
    guard name.hasPrefix(prefix) else { return nil }
    return decimal(name.dropFirst(prefix.count))
  }

  /// `ar.pfs`, `ar64`.
  private static func named(_ text: Substring, prefix: String, _ numbers: [String: Int]) -> Int64? {
    guard text.hasPrefix(prefix) else { return nil }
    let name = text.dropFirst(prefix.count)
    return name.first == "." ? numbers[String(name.dropFirst())].map { Int64($0) } : decimal(name)
  }

  private static func decimal(_ text: Substring) -> Int64? {
    guard let first = text.utf8.first, first >= 0x30, first <= 0x39 else { return nil }
    return Int64(text)
  }

  /// A number of 64 bits, signed or unsigned, decimal or `0x`.
  static func number(_ text: Substring) -> Int64? {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text
    guard let first = digits.utf8.first, first >= 0x30, first <= 0x39 else { return nil }
    let isHexadecimal = digits.hasPrefix("0x")
    guard let magnitude = isHexadecimal ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits) else { return nil }
    return Int64(bitPattern: text.hasPrefix("-") ? 0 &- magnitude : magnitude)
  }

  /// `name`, `name+4`, `name-4`.
  private static func name(_ text: Substring, _ symbol: (Substring) -> UInt64?) -> Int64? {
    guard let sign = text.firstIndex(where: { $0 == "+" || $0 == "-" }) else {
      return symbol(text).map { Int64(bitPattern: $0) }
    }
    guard let base = symbol(text[..<sign]), let distance = number(text[text.index(after: sign)...]) else { return nil }
    let value = Int64(bitPattern: base)
    return text[sign] == "-" ? value &- distance : value &+ distance
  }
}

extension InstructionRow {
  /// Encoding with these operands, each a text; nil if they do not fit. Fields without an operand are zero.
  func encode(
    _ texts: [Substring], predicate: UInt8, address: UInt64, symbol: (Substring) -> UInt64?
  ) -> (slot: UInt64, long: UInt64)? {
    guard texts.count == operands.count else { return nil }
    var slot = value
    var long: UInt64 = 0
    for (operand, text) in zip(operands, texts) {
      guard var number = operand.parse(text, symbol: symbol) else { return nil }
      if case .address = OperandKind.syntaxes[Int(operand.rawValue)] { number &-= Int64(bitPattern: address) }
      guard operand.encode(number, slot: &slot, long: &long) else { return nil }
    }
    switch constraint {
    case .none: break
    case .sameF2F3: slot |= (slot >> 20 & 0x7f) << 13
    case .lengthCompletesPosition:
      guard let position = operands.last else { return nil }
      let length = 64 - OperandExtractor.shared.value(position, slot: slot, long: 0)
      guard OperandKind.len6.encode(length, slot: &slot, long: &long) else { return nil }
    }
    if predicate != 0 { slot |= UInt64(predicate) }
    // Fields of operands do not touch fixed bits, except where the row fixes an operand.
    return matches(slot) ? (slot, long) : nil
  }
}

extension RegisterNames {
  static let applicationNumbers = Dictionary(uniqueKeysWithValues: application.map { ($1, $0) })
  static let controlNumbers = Dictionary(uniqueKeysWithValues: control.map { ($1, $0) })
}
