/// How a client wants its pixels (RFC 6143, section 7.4).
struct RFBPixelFormat: Equatable {
  /// Bytes of a pixel.
  var size = 4
  var isBigEndian = false
  var depth: UInt8 = 24
  /// Largest values and places of red, green and blue.
  var maxima: [UInt32] = [255, 255, 255]
  var shifts: [UInt32] = [16, 8, 0]

  static let native = RFBPixelFormat()
  static let byteCount = 16

  init() {}

  /// Nil: colour maps, and what makes no sense.
  init?(_ bytes: ArraySlice<UInt8>) {
    let b = Array(bytes)
    guard b.count == Self.byteCount, [8, 16, 32].contains(b[0]), b[3] != 0 else { return nil }
    size = Int(b[0]) / 8
    depth = b[1]
    isBigEndian = b[2] != 0
    maxima = [4, 6, 8].map { UInt32(b[$0]) << 8 | UInt32(b[$0 + 1]) }
    shifts = [10, 11, 12].map { UInt32(b[$0]) }
    // Each colour inside the pixel.
    let bits = UInt64(1) << UInt64(8 * size)
    guard zip(maxima, shifts).allSatisfy({ $1 < 32 && UInt64($0) << UInt64($1) < bits }) else { return nil }
  }

  var bytes: [UInt8] {
    [UInt8(8 * size), depth, isBigEndian ? 1 : 0, 1] + maxima.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
      + shifts.map { UInt8($0) } + [0, 0, 0]
  }

  /// From 0x00RRGGBB.
  func value(_ pixel: UInt32) -> UInt32 {
    var value: UInt32 = 0
    for n in 0..<3 {
      let scaled = ((pixel >> UInt32(16 - 8 * n) & 0xFF) * maxima[n] + 127) / 255
      value |= scaled << shifts[n]
    }
    return value
  }

  func append(_ pixel: UInt32, to bytes: inout [UInt8]) {
    let value = self == .native ? pixel : value(pixel)
    for n in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * (isBigEndian ? size - 1 - n : n)))) }
  }

  /// What ZRLE makes of a pixel (section 7.7.5): a byte less if one of four has no colour in it.
  var compact: (skip: Int, count: Int) {
    guard size == 4, depth <= 24 else { return (0, size) }
    let used = zip(maxima, shifts).reduce(UInt32(0)) { $0 | $1.0 << $1.1 }
    if used & 0xFF00_0000 == 0 { return (isBigEndian ? 1 : 0, 3) }
    if used & 0x0000_00FF == 0 { return (isBigEndian ? 0 : 1, 3) }
    return (0, 4)
  }
}
