/// Which key of an American keyboard makes a symbol of X11 (its keysymdef.h), as Linux numbers keys (its input-event-codes.h).
struct VNCKeys {
  private let codes: [UInt32: UInt16]

  init() {
    var codes: [UInt32: UInt16] = [:]
    // The rows of the keyboard; the keys of each have numbers that follow each other.
    for (first, plain, shifted) in [
      (2, "1234567890-=", "!@#$%^&*()_+"), (16, "qwertyuiop[]", "QWERTYUIOP{}"), (30, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
      (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    ] as [(UInt16, String, String)] {
      for text in [plain, shifted] {
        for (n, scalar) in text.unicodeScalars.enumerated() { codes[scalar.value] = first + UInt16(n) }
      }
    }
    codes[0x20] = 57
    for (symbol, code) in Self.others { codes[symbol] = code }
    // F1 to F10, F11 and F12; the digits of the keypad.
    for n in 0..<10 { codes[0xFFBE + UInt32(n)] = 59 + UInt16(n) }
    (codes[0xFFC8], codes[0xFFC9]) = (87, 88)
    for (digit, code) in [82, 79, 80, 81, 75, 76, 77, 71, 72, 73].enumerated() { codes[0xFFB0 + UInt32(digit)] = UInt16(code) }
    self.codes = codes
  }

  private static let others: [(UInt32, UInt16)] = [
    (0xFF08, 14), (0xFF09, 15), (0xFE20, 15), (0xFF0D, 28), (0xFF1B, 1), (0xFFFF, 111), (0xFF63, 110), (0xFF50, 102), (0xFF57, 107),
    (0xFF55, 104), (0xFF56, 109), (0xFF51, 105), (0xFF52, 103), (0xFF53, 106), (0xFF54, 108), (0xFFE1, 42), (0xFFE2, 54),
    (0xFFE3, 29),
    (0xFFE4, 97), (0xFFE5, 58), (0xFFE9, 56), (0xFFEA, 100), (0xFE03, 100), (0xFFE7, 125), (0xFFE8, 126), (0xFFEB, 125),
    (0xFFEC, 126),
    (0xFF67, 127), (0xFF13, 119), (0xFF14, 70), (0xFF61, 99), (0xFF15, 99), (0xFF7F, 69), (0xFF8D, 96), (0xFFAA, 55), (0xFFAB, 78),
    (0xFFAD, 74), (0xFFAE, 83), (0xFFAF, 98), (0xFF9F, 83),
  ]

  /// Nil: no key makes it.
  func code(_ symbol: UInt32) -> UInt16? { codes[symbol] }
}
