import CZlib

/// A picture as a PNG file (RFC 2083): one chunk each for the header, the compressed lines, and the end.
public enum PNGImage {
  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Brings the picture up to date first.
  public static func bytes(of source: any FrameBufferSource) -> [UInt8] {
    source.refresh()
    var lines: [UInt8] = []
    lines.reserveCapacity(source.height * (1 + 3 * source.width))
    for y in 0..<source.height {
      lines.append(0)  // no filter
      for x in 0..<source.width {
        let pixel = source.pixels.load(fromByteOffset: y * source.stride + 4 * x, as: UInt32.self)
        lines.append(UInt8(truncatingIfNeeded: pixel >> 16))
        lines.append(UInt8(truncatingIfNeeded: pixel >> 8))
        lines.append(UInt8(truncatingIfNeeded: pixel))
      }
    }
    // Depth 8, colours, and the only methods of compression, filtering and interlacing.
    let header = bigEndian(UInt32(source.width)) + bigEndian(UInt32(source.height)) + [8, 2, 0, 0, 0]
    return signature + chunk("IHDR", header) + chunk("IDAT", compressed(lines)) + chunk("IEND", [])
  }

  /// Replaces a file as a whole.
  public static func write(_ source: any FrameBufferSource, to path: String) throws(StorageProblem) {
    try ReplacedFile(path: path).write(bytes(of: source))
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

  private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + data
    let sum = crc32_z(0, body, body.count)
    return bigEndian(UInt32(data.count)) + body + bigEndian(UInt32(truncatingIfNeeded: sum))
  }

  private static func compressed(_ bytes: [UInt8]) -> [UInt8] {
    var length = compressBound(uLong(bytes.count))
    var result = [UInt8](repeating: 0, count: Int(length))
    // There is room for the worst case, and nothing else can fail but memory.
    guard compress(&result, &length, bytes, uLong(bytes.count)) == Z_OK else { preconditionFailure("zlib has no memory") }
    return Array(result.prefix(Int(length)))
  }
}
