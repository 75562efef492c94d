/// Names of FAT directory entries: the short ones of 8 and 3 characters, the long ones in UCS-2.
enum FATName {
  /// The upper half of code page 437, in which short names are written.
  private static let codePage = Array(
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}"
      .utf16)

  private static func character(_ byte: UInt8) -> UInt16 { byte < 0x80 ? UInt16(byte) : codePage[Int(byte) - 0x80] }

  /// The name of a short entry. Bits 3 and 4 of `flags`: the base, the extension is in lower case (as Windows NT has it).
  static func decode(short bytes: ArraySlice<UInt8>, flags: UInt8) -> [UInt16] {
    var raw = Array(bytes)
    if raw[0] == 0x05 { raw[0] = 0xE5 }
    func part(_ range: Range<Int>, lower: Bool) -> [UInt16] {
      var units = raw[range].map(character)
      while units.last == 0x20 { units.removeLast() }
      return lower ? units.map { 0x41...0x5A ~= $0 ? $0 + 0x20 : $0 } : units
    }
    let base = part(0..<8, lower: flags & 0x08 != 0)
    let suffix = part(8..<11, lower: flags & 0x10 != 0)
    return suffix.isEmpty ? base : base + [0x2E] + suffix
  }

  /// Checksum of a short name, which its long entries repeat.
  static func checksum(_ short: some Sequence<UInt8>) -> UInt8 { short.reduce(0) { ($0 >> 1 | $0 << 7) &+ $1 } }

  static func fold(_ name: [UInt16]) -> String { String(decoding: name, as: UTF16.self).uppercased() }

  /// What a name is stored as: without trailing dots and blanks; nil if it cannot be one.
  static func valid(_ name: [UInt16]) -> [UInt16]? {
    var units = name
    while let last = units.last, last == 0x20 || last == 0x2E { units.removeLast() }
    let forbidden = Set("\"*/:<>?\\|".utf16)
    guard !units.isEmpty, units.count <= 255, units.allSatisfy({ $0 >= 0x20 && !forbidden.contains($0) && $0 != 0x7F }) else {
      return nil
    }
    return units
  }

  private static let shortPunctuation = Set("$%'-_@~`!(){}^#&".utf8)

  /// The short name that says all of `name`, in upper case; nil if a long name is needed.
  static func exactShort(_ name: [UInt16]) -> [UInt8]? {
    let parts = name.split(separator: 0x2E, omittingEmptySubsequences: false)
    guard 1...2 ~= parts.count, 1...8 ~= parts[0].count, parts.count == 1 || 1...3 ~= parts[1].count else { return nil }
    var bytes = [UInt8](repeating: 0x20, count: 11)
    for (part, start) in zip(parts, [0, 8]) {
      for (n, unit) in part.enumerated() {
        guard unit < 0x80, let byte = shortByte(UInt8(unit)), byte == UInt8(unit) else { return nil }
        bytes[start + n] = byte
      }
    }
    return bytes
  }

  /// A character as short names may have it, in upper case.
  private static func shortByte(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x61...0x7A: byte - 0x20
    case 0x41...0x5A, 0x30...0x39: byte
    case let other where shortPunctuation.contains(other): other
    default: nil
    }
  }

  /// A short name for a long one: what is left of it, and a number that makes it unique.
  static func alias(_ name: [UInt16], isTaken: ([UInt8]) -> Bool) -> [UInt8]? {
    func clean(_ units: some Sequence<UInt16>) -> [UInt8] {
      units.compactMap { $0 == 0x20 || $0 == 0x2E ? nil : $0 < 0x80 ? shortByte(UInt8($0)) ?? 0x5F : 0x5F }
    }
    let dot = name.lastIndex(of: 0x2E).flatMap { $0 > 0 ? $0 : nil }
    // What differs in case only keeps its name.
    let upper = name.map { 0x61...0x7A ~= $0 ? $0 - 0x20 : $0 }
    if let exact = exactShort(upper), !isTaken(exact) { return exact }
    let base = clean(name[..<(dot ?? name.endIndex)])
    let suffix = dot.map { clean(name[($0 + 1)...]).prefix(3) } ?? []
    for number in 1..<1_000_000 {
      let tail = Array("~\(number)".utf8)
      let head = (base.isEmpty ? [0x5F] : base).prefix(8 - tail.count)
      let whole = (head + tail).padded(to: 8) + Array(suffix).padded(to: 3)
      if !isTaken(whole) { return whole }
    }
    return nil
  }
}

extension [UInt8] {
  func padded(to width: Int) -> [UInt8] { self + [UInt8](repeating: 0x20, count: Swift.max(0, width - count)) }
}
extension ArraySlice<UInt8> {
  static func + (head: ArraySlice<UInt8>, tail: [UInt8]) -> [UInt8] { Array(head) + tail }
}
