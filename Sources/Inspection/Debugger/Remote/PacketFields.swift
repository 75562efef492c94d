/// Takes a packet apart, from its beginning to its end.
struct PacketFields {
  private(set) var rest: ArraySlice<UInt8>

  init(_ packet: some Collection<UInt8>) { rest = ArraySlice(Array(packet)) }

  var isEmpty: Bool { rest.isEmpty }

  /// True, and gone, if the rest begins with `text`.
  mutating func skip(_ text: String) -> Bool {
    guard rest.starts(with: text.utf8) else { return false }
    rest = rest.dropFirst(text.utf8.count)
    return true
  }

  mutating func character() -> UInt8? { rest.popFirst() }

  /// A hexadecimal number; nil: there is none, or it has more than 64 bits.
  mutating func number() -> UInt64? {
    var value: UInt64 = 0
    var count = 0
    while let first = rest.first, let digit = PacketReader.digit(first) {
      guard value >> 60 == 0 else { return nil }
      value = value << 4 | UInt64(digit)
      count += 1
      rest = rest.dropFirst()
    }
    return count > 0 ? value : nil
  }

  /// The end of the packet, or what follows `separator`.
  mutating func field(endingWith separator: Character) -> ArraySlice<UInt8> {
    let byte = separator.asciiValue ?? 0
    let field = rest.prefix { $0 != byte }
    rest = rest.dropFirst(field.count).dropFirst()
    return field
  }

  /// Which processor: its number plus one; 0 is any, -1 all. Nil: that is no thread.
  mutating func thread() -> Thread? {
    if skip("-1") { return .all }
    guard let number = number(), number <= UInt64(Int32.max) else { return nil }
    return number == 0 ? .any : .one(Int(number) - 1)
  }

  enum Thread: Equatable { case all, any, one(Int) }
}
