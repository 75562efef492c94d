import HostResources

/// Paints the modes of the Bochs extensions: pixels that follow each other. Only lines whose memory has been written are painted.
struct VGALinearPainter {
  private var extensions: VBERegisters?
  private var palette: [UInt8] = []

  mutating func forget() { extensions = nil }

  mutating func paint(
    _ r: VGARegisters, _ memory: VGAMemory, into buffer: PixelBuffer, changed: (FrameRectangle) -> Void
  ) {
    let e = r.extensions
    let isNew = extensions != e || (e.depth == 8 && palette != r.palette + [r.pixelMask])
    (extensions, palette) = (e, r.palette + [r.pixelMask])
    let colors = e.depth == 8 ? (0..<256).map { r.color(index: $0) } : []
    var first: Int?
    for y in 0..<buffer.height {
      let start = e.start + y * e.stride
      let isDirty = isNew || memory.isDirty(start..<start + buffer.width * e.pixelSize)
      if isDirty {
        Self.paintLine(memory.bytes + start, into: buffer.pixels + y * buffer.width, buffer.width, e.depth, colors)
        first = first ?? y
      }
      if let top = first, !isDirty || y == buffer.height - 1 {
        changed(FrameRectangle(x: 0, y: top, width: buffer.width, height: (isDirty ? y + 1 : y) - top))
        first = nil
      }
    }
    memory.forgetDirty()
  }

  private static func paintLine(
    _ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt32>, _ count: Int, _ depth: UInt16, _ colors: [UInt32]
  ) {
    /// Five or six bits become eight.
    func wide(_ value: UInt32, _ bits: UInt32) -> UInt32 { value << (8 - bits) | value >> (2 * bits - 8) }
    switch depth {
    case 8: for x in 0..<count { target[x] = colors[Int(source[x])] }
    case 15, 16:
      let green: UInt32 = depth == 15 ? 5 : 6
      for x in 0..<count {
        let pixel = UInt32(source[2 * x]) | UInt32(source[2 * x + 1]) << 8
        let parts = (pixel >> (5 + green) & 0x1F, pixel >> 5 & ((1 << green) - 1), pixel & 0x1F)
        target[x] = wide(parts.0, 5) << 16 | wide(parts.1, green) << 8 | wide(parts.2, 5)
      }
    default:
      let size = Int(depth) / 8
      for x in 0..<count {
        let p = source + size * x
        target[x] = UInt32(p[2]) << 16 | UInt32(p[1]) << 8 | UInt32(p[0])
      }
    }
  }
}
