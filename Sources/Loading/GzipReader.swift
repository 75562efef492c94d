import CZlib

/// Decompresses gzip files (RFC 1952) into memory, up to a limit.
public enum GzipReader {
  public static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.count >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B }

  /// What a file holds that may be compressed: its own bytes, or what they decompress to.
  public static func plain(_ bytes: [UInt8], limit: UInt64, magic: [UInt8], file: String) throws(ImageError) -> [UInt8] {
    isGzip(bytes) ? try decompress(bytes, limit: limit, magic: magic, file: file) : bytes
  }

  /// All members of the file one after the other. What follows the last member is ignored, as gzip does.
  ///
  /// `magic`: what the output must begin with. Anything else is not decompressed any further: a few kilobytes of gzip can stand for
  /// gigabytes.
  public static func decompress(
    _ bytes: [UInt8], limit: UInt64, magic: [UInt8] = [], file: String
  ) throws(ImageError) -> [UInt8] {
    let result = bytes.withUnsafeBufferPointer { run($0, limit: limit, magic: magic) }
    switch result {
    case .success(let output): return output
    case .failure(let failure): throw ImageError(file: file, reason: failure.reason)
    }
  }

  private struct Failure: Error { var reason: ImageError.Reason }

  private static func run(_ input: UnsafeBufferPointer<UInt8>, limit: UInt64, magic: [UInt8]) -> Result<[UInt8], Failure> {
    func broken(_ why: String) -> Result<[UInt8], Failure> { .failure(Failure(reason: .badGzip(why))) }
    var stream = z_stream()
    // 31: the largest window, and a gzip wrapper.
    guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      return broken("zlib cannot start")
    }
    defer { inflateEnd(&stream) }
    let chunk = 1 << 20
    let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: chunk)
    defer { buffer.deallocate() }
    var output: [UInt8] = []
    var consumed = 0
    guard let base = input.baseAddress else { return broken("it is empty") }
    // A file ends with its size (modulo 2^32), if it tells the truth; no byte of deflate becomes more than 1032. An array that grows
    // instead has twice the room that it needs in the end.
    if input.count >= 4 {
      let size = UInt64(UnsafeRawPointer(base).loadUnaligned(fromByteOffset: input.count - 4, as: UInt32.self).littleEndian)
      if size <= limit && size <= UInt64(input.count) * 1032 { output.reserveCapacity(Int(size)) }
    }
    while true {
      // zlib counts input in 32 bits.
      let offered = min(input.count - consumed, 1 << 30)
      stream.next_in = UnsafeMutablePointer(mutating: base + consumed)
      stream.avail_in = UInt32(offered)
      stream.next_out = buffer
      stream.avail_out = UInt32(chunk)
      let status = inflate(&stream, Z_NO_FLUSH)
      consumed += offered - Int(stream.avail_in)
      let produced = chunk - Int(stream.avail_out)
      guard UInt64(output.count + produced) <= limit else {
        return .failure(Failure(reason: .decompressedTooLarge(limit: limit)))
      }
      output.append(contentsOf: UnsafeBufferPointer(start: buffer, count: produced))
      guard zip(output, magic).allSatisfy(==) else { return .failure(Failure(reason: .notELF)) }
      switch status {
      case Z_OK: continue
      case Z_STREAM_END:
        let another = input.count - consumed >= 2 && base[consumed] == 0x1F && base[consumed + 1] == 0x8B
        guard another, inflateReset(&stream) == Z_OK else { return .success(output) }
      case Z_BUF_ERROR: return broken("it ends early")
      default: return broken(stream.msg.map { String(cString: $0) } ?? "zlib error \(status)")
      }
    }
  }
}
