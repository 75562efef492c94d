import Processor

/// Unicode Collation for English (EFI 1.10, section 11.8).
extension SystemFirmware {
  func connectCollation() {
    let functions: [ProtocolFunction] = [
      .compareStrings, .matchPattern, .lowerString, .upperString, .stringFromFAT, .stringToFAT,
    ]
    for (guid, language) in [(GUID.unicodeCollation, "eng"), (.unicodeCollation2, "en")] {
      guard let text = place(Array(language.utf8) + [0]), let interface = placeInterface(functions, trailer: [text]) else { return }
      _ = install(guid, interface, on: nil)
    }
  }

  private static func upper(_ unit: UInt16) -> UInt16 { change(unit) { $0.uppercased() } }
  private static func lower(_ unit: UInt16) -> UInt16 { change(unit) { $0.lowercased() } }
  private static func change(_ unit: UInt16, _ convert: (String) -> String) -> UInt16 {
    guard let scalar = Unicode.Scalar(unit) else { return unit }
    let units = Array(convert(String(Character(scalar))).utf16)
    return units.count == 1 ? units[0] : unit
  }

  private func strings(_ call: GuestCall) throws(GuestAccessFailure) -> ([UInt16], [UInt16])? {
    guard let first = try readString(call.argument(1), call), let second = try readString(call.argument(2), call) else {
      return nil
    }
    return (first, second)
  }

  /// in1, in2 strings: less than, equal to or greater than 0.
  func compareStrings(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let (a, b) = try strings(call) else { return .value(0) }
    let (x, y) = (a.map(Self.upper), b.map(Self.upper))
    if x == y { return .value(0) }
    return .value(x.lexicographicallyPrecedes(y) ? UInt64(bitPattern: -1) : 1)
  }

  /// in1 string, in2 pattern with *, ? and [sets].
  func matchPattern(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let (text, pattern) = try strings(call) else { return .value(0) }
    return .value(Self.matches(text.map(Self.upper), pattern.map(Self.upper)) ? 1 : 0)
  }

  /// Time is the product of the lengths at most: of the stars only the last one is tried again.
  static func matches(_ text: [UInt16], _ pattern: [UInt16]) -> Bool {
    var (t, p) = (0, 0)
    var star: (text: Int, pattern: Int)?
    while t < text.count {
      if p < pattern.count, pattern[p] == 0x2A {
        star = (t, p + 1)
        p += 1
      } else if let next = matchOne(text[t], pattern, p) {
        t += 1
        p = next
      } else if let last = star {
        star = (last.text + 1, last.pattern)
        t = last.text + 1
        p = last.pattern
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == 0x2A }
  }

  /// The position behind the element at `p` if it matches one character.
  private static func matchOne(_ unit: UInt16, _ pattern: [UInt16], _ p: Int) -> Int? {
    guard p < pattern.count else { return nil }
    switch pattern[p] {
    case 0x3F: return p + 1
    case 0x5B:
      guard let end = pattern[(p + 1)...].firstIndex(of: 0x5D) else { return nil }
      var n = p + 1
      while n < end {
        if n + 2 < end, pattern[n + 1] == 0x2D {
          if pattern[n] <= unit, unit <= pattern[n + 2] { return end + 1 }
          n += 3
        } else {
          if pattern[n] == unit { return end + 1 }
          n += 1
        }
      }
      return nil
    case unit: return p + 1
    default: return nil
    }
  }

  /// in1 string, changed in place.
  func changeCase(_ call: GuestCall, upper: Bool) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let units = try readString(call.argument(1), call) else { return .value(0) }
    var w = ByteWriter()
    units.forEach { w.put(upper ? Self.upper($0) : Self.lower($0)) }
    try call.write(call.argument(1), w.bytes)
    return .value(0)
  }

  private static let longestName: UInt64 = 4096

  /// in1 size, in2 8.3 name, in3 string.
  func stringFromFAT(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    let bytes = try call.read(call.argument(2), count: Int(min(call.argument(1), Self.longestName))).prefix { $0 != 0 }
    var w = ByteWriter()
    bytes.forEach { w.put(UInt16($0)) }
    w.put(UInt16(0))
    try call.write(call.argument(3), w.bytes)
    return .value(0)
  }

  /// in1 string, in2 size, in3 8.3 name. True: characters had to be replaced.
  func stringToFAT(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let units = try readString(call.argument(1), call) else { return .value(0) }
    var replaced = false
    var bytes: [UInt8] = []
    let punctuation = Set("$%'-_@~`!(){}^#&".utf16)
    for unit in units.map(Self.upper)
    where unit != 0x20 && unit != 0x2E && UInt64(bytes.count) < min(call.argument(2), Self.longestName) {
      let isGood = 0x41...0x5A ~= unit || 0x30...0x39 ~= unit || punctuation.contains(unit)
      if !isGood { replaced = true }
      bytes.append(isGood ? UInt8(unit) : 0x5F)
    }
    if UInt64(bytes.count) < call.argument(2) { bytes.append(0) }
    try call.write(call.argument(3), bytes)
    return .value(replaced ? 1 : 0)
  }
}
