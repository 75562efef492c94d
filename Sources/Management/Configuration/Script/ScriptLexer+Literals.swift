/// Numbers and strings.
extension ScriptLexer {
  mutating func number() throws(ScriptFailure) {
    let start = position
    let isPrefixed = here == UInt8(ascii: "0") && at(1).map { "xob".utf8.contains($0 | 0x20) } == true
    var isFloat = false
    if isPrefixed {
      position += 2
      while let byte = here, Self.isDigit(byte) || Self.isNameStart(byte) { position += 1 }
    } else {
      while let byte = here {
        if byte == UInt8(ascii: ".") {
          isFloat = true
        } else if byte | 0x20 == UInt8(ascii: "e") {
          isFloat = true
          if at(1) == UInt8(ascii: "+") || at(1) == UInt8(ascii: "-") { position += 1 }
        } else if !Self.isDigit(byte) && !Self.isNameStart(byte) {
          break
        }
        position += 1
      }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard text.utf8.count <= 400 else { throw failure("the number is too long") }
    if isFloat {
      guard let value = Double(text) else { throw failure("\(text) is not a number") }
      append(.float(value))
    } else {
      append(.integer(try Self.integer(text, line)))
    }
  }

  /// 0x, 0o and 0b; in Python 2, 0 before other digits makes an octal number, and an L may follow.
  private static func integer(_ text: String, _ line: Int) throws(ScriptFailure) -> Int128 {
    var digits = text.lowercased()[...]
    if digits.hasSuffix("l") { digits.removeLast() }
    var radix = 10
    for (prefix, meant) in [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)]
    where digits.hasPrefix(prefix) && digits.count > prefix.count {
      (radix, digits) = (meant, digits.dropFirst(prefix.count))
      break
    }
    guard !digits.isEmpty, digits.allSatisfy({ $0.hexDigitValue.map { $0 < radix } == true }) else {
      throw ScriptFailure(
        line: line, message: "\(text) is not a number" + (radix == 8 ? " (0 before the digits makes it octal)" : ""))
    }
    guard let value = Int128(digits, radix: radix) else { throw ScriptFailure(line: line, message: "\(text) is too large") }
    return value
  }

  /// `prefix`: the letters before the quote, in lower case.
  mutating func string(prefix: [UInt8]) throws(ScriptFailure) {
    guard let quote = here else { return }
    let firstLine = line
    let isLong = at(1) == quote && at(2) == quote
    let isRaw = prefix.contains(UInt8(ascii: "r"))
    let isUnicode = prefix.contains(UInt8(ascii: "u"))
    position += isLong ? 3 : 1
    var content: [UInt8] = []
    while true {
      guard let byte = here, isLong || byte != UInt8(ascii: "\n") else { throw failure("the string has no end", line: firstLine) }
      if byte == quote && (!isLong || at(1) == quote && at(2) == quote) { break }
      position += 1
      if byte == UInt8(ascii: "\n") { line += 1 }
      // Python reads its files with universal newlines.
      if byte == UInt8(ascii: "\r") && here == UInt8(ascii: "\n") { continue }
      guard byte == UInt8(ascii: "\\") else {
        content.append(byte)
        continue
      }
      if here == UInt8(ascii: "\r") && at(1) == UInt8(ascii: "\n") { position += 1 }
      if isRaw {
        // A quote after a backslash does not end even a raw string; both stay.
        content.append(byte)
        if let escaped = here {
          content.append(escaped)
          position += 1
          if escaped == UInt8(ascii: "\n") { line += 1 }
        }
      } else {
        try escape(&content, isUnicode: isUnicode)
      }
    }
    position += isLong ? 3 : 1
    guard let text = String(validating: content, as: UTF8.self) else {
      throw failure("the string is not valid UTF-8", line: firstLine)
    }
    append(.string(text), line: firstLine)
  }

  private static let simpleEscapes: [UInt8: UInt8] = [
    UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "'"): 0x27, UInt8(ascii: "\""): 0x22, UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8,
    UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11,
  ]

  /// After a backslash. What is not an escape stays as it is, with its backslash.
  private mutating func escape(_ content: inout [UInt8], isUnicode: Bool) throws(ScriptFailure) {
    guard let byte = here else { return }
    position += 1
    if let simple = Self.simpleEscapes[byte] { return content.append(simple) }
    switch byte {
    case UInt8(ascii: "\n"): line += 1
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      position -= 1
      var value: UInt32 = 0
      for _ in 0..<3 {
        guard let digit = here, UInt8(ascii: "0")...UInt8(ascii: "7") ~= digit else { break }
        value = value << 3 | UInt32(digit - UInt8(ascii: "0"))
        position += 1
      }
      try append(scalar: value, to: &content)
    case UInt8(ascii: "x"): try append(scalar: try hexadecimal(digits: 2), to: &content)
    case UInt8(ascii: "u") where isUnicode: try append(scalar: try hexadecimal(digits: 4), to: &content)
    case UInt8(ascii: "U") where isUnicode: try append(scalar: try hexadecimal(digits: 8), to: &content)
    case UInt8(ascii: "N") where isUnicode: throw failure("names of characters (\\N) are not understood")
    default: content += [UInt8(ascii: "\\"), byte]
    }
  }

  private mutating func hexadecimal(digits: Int) throws(ScriptFailure) -> UInt32 {
    let end = position + digits
    guard end <= bytes.count, let value = UInt32(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16),
      bytes[position] != UInt8(ascii: "+")
    else { throw failure("an escape that needs \(digits) hexadecimal digits") }
    position = end
    return value
  }

  private func append(scalar: UInt32, to content: inout [UInt8]) throws(ScriptFailure) {
    guard let scalar = Unicode.Scalar(scalar) else { throw failure("an escape that stands for no character") }
    content += Array(String(scalar).utf8)
  }
}
