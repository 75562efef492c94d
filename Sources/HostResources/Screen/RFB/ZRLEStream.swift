import CZlib

/// Pictures as ZRLE (RFC 6143, section 7.7.6): tiles of 64 by 64 pixels in one stream of zlib for the life of a connection.
final class ZRLEStream {
  /// zlib remembers where it is.
  private let stream: UnsafeMutablePointer<z_stream>
  private let isOpen: Bool
  private static let tile = 64

  /// Nil: zlib has no memory.
  init?() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard deflateInit_(stream, 1, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      isOpen = false
      return nil
    }
    isOpen = true
  }
  deinit {
    if isOpen { deflateEnd(stream) }
    stream.deallocate()
  }

  /// The length and the compressed tiles of a part of the picture.
  func encode(_ source: any FrameBufferSource, _ part: FrameRectangle, _ format: RFBPixelFormat) -> [UInt8] {
    var tiles: [UInt8] = []
    for top in stride(from: part.y, to: part.y + part.height, by: Self.tile) {
      for left in stride(from: part.x, to: part.x + part.width, by: Self.tile) {
        let tile = FrameRectangle(
          x: left, y: top, width: min(Self.tile, part.x + part.width - left), height: min(Self.tile, part.y + part.height - top))
        append(tile, of: source, format, to: &tiles)
      }
    }
    let data = compress(tiles)
    return withUnsafeBytes(of: UInt32(data.count).bigEndian) { Array($0) } + data
  }

  /// All of one colour, or every pixel: zlib does the rest.
  private func append(_ tile: FrameRectangle, of source: any FrameBufferSource, _ format: RFBPixelFormat, to bytes: inout [UInt8]) {
    let (skip, count) = format.compact
    var pixel: [UInt8] = []
    func put(_ value: UInt32) {
      pixel.removeAll(keepingCapacity: true)
      format.append(value, to: &pixel)
      bytes += pixel[skip..<skip + count]
    }
    func line(_ y: Int) -> UnsafePointer<UInt32> {
      let start = source.pixels + (tile.y + y) * source.stride + 4 * tile.x
      return UnsafePointer(start.assumingMemoryBound(to: UInt32.self))
    }
    let first = line(0)[0]
    let isSolid = (0..<tile.height).allSatisfy { y in
      let pixels = line(y)
      return (0..<tile.width).allSatisfy { pixels[$0] == first }
    }
    bytes.append(isSolid ? 1 : 0)
    guard !isSolid else { return put(first) }
    for y in 0..<tile.height {
      let pixels = line(y)
      for x in 0..<tile.width { put(pixels[x]) }
    }
  }

  private func compress(_ bytes: [UInt8]) -> [UInt8] {
    var input = bytes
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    input.withUnsafeMutableBufferPointer { source in
      stream.pointee.next_in = source.baseAddress
      stream.pointee.avail_in = UInt32(source.count)
      repeat {
        let room = buffer.count
        let produced = buffer.withUnsafeMutableBufferPointer { target -> Int in
          stream.pointee.next_out = target.baseAddress
          stream.pointee.avail_out = UInt32(room)
          deflate(stream, Z_SYNC_FLUSH)
          return room - Int(stream.pointee.avail_out)
        }
        result += buffer[0..<produced]
      } while stream.pointee.avail_out == 0
    }
    return result
  }
}
