import Arithmetic

/// What a test asks of the floating-point environment, and the FPSR that says so (Volume 1, tables 5-3 to 5-6).
struct Scenario: CustomStringConvertible {
  var completer: UInt8 = 0
  var precisionControl: UInt64 = 3
  var widestRange = false
  var rounding = RoundingMode.nearest
  var flushToZero = false
  var trapsDisabled = false
  /// Enabled traps, bits v d z o u i.
  var enabled: UInt8 = 0
  var statusField = 0
  var parallel = false

  var fpsr: UInt64 {
    // Fields that are not used have other settings, so that reading the wrong one shows.
    var value: UInt64 = UInt64(~enabled & 0x3F)
    for field in 0..<4 {
      var bits: UInt64
      if field == statusField {
        bits = (flushToZero ? 1 : 0) | (widestRange ? 2 : 0) | precisionControl << 2 | rounding.rawValue << 4
        if trapsDisabled { bits |= 0x40 }
      } else {
        bits = (flushToZero ? 0 : 1) | (widestRange ? 0 : 2) | (precisionControl ^ 2) << 2 | (rounding.rawValue ^ 3) << 4
      }
      value |= bits << UInt64(6 + 13 * field)
    }
    return value
  }

  var control: FloatControl { FloatControl(fpsr: fpsr, statusField: statusField, precision: completer) }

  // What the manual's tables make of it.

  var precision: Int {
    if parallel || completer == 1 { return 24 }
    if completer == 2 { return 53 }
    return precisionControl == 0 ? 24 : precisionControl == 2 ? 53 : 64
  }
  var maximumExponent: Int {
    if parallel { return 127 }
    if widestRange { return 65535 }
    return completer == 1 ? 127 : completer == 2 ? 1023 : 16383
  }
  var minimumExponent: Int { 1 - maximumExponent }

  /// Whether an exception leads to a fault or trap.
  func traps(_ flag: UInt8) -> Bool { !trapsDisabled && enabled & flag != 0 }
  var flushes: Bool { flushToZero && !traps(16) }

  var description: String {
    "completer \(completer) pc \(precisionControl) wre \(widestRange) rc \(rounding) ftz \(flushToZero) "
      + "td \(trapsDisabled) enabled \(enabled) sf \(statusField) parallel \(parallel)"
  }

  static func random(_ generator: inout SplitMix) -> Scenario {
    var s = Scenario()
    let r = generator.next()
    s.completer = UInt8(r % 3)
    s.precisionControl = [0, 2, 3, 3][Int(r >> 8 & 3)]
    s.widestRange = r >> 10 & 3 == 0
    s.rounding = RoundingMode(rawValue: r >> 12 & 3) ?? .nearest
    s.flushToZero = r >> 14 & 7 == 0
    s.statusField = Int(r >> 18 & 3)
    s.trapsDisabled = s.statusField != 0 && r >> 20 & 7 == 0
    // Half of all scenarios mask everything, as programs do.
    s.enabled = r >> 24 & 1 == 0 ? 0 : UInt8(r >> 32 & 0x3F)
    return s
  }
}

/// Reproducible random numbers (splitmix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func below(_ n: Int) -> Int { Int(next() >> 33) % n }
}
