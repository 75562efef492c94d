import HostResources
import Hypervisor

/// How a picture lies in the memory that a front end shares.
struct FrameBufferLayout: Equatable {
  var width: Int
  var height: Int
  /// Bytes from one line to the next.
  var stride: Int
  /// Bits of a pixel.
  var depth: Int
  /// Of the first pixel.
  var offset = 0

  /// Pixels in each direction, as VNC clients can be told.
  static let largestSide = 4096

  /// What is wrong with it for memory of so many bytes; nil: nothing.
  func defect(memory: Int) -> String? {
    guard 1...Self.largestSide ~= width, 1...Self.largestSide ~= height else { return "a picture of \(width) by \(height) pixels" }
    guard depth == 32 else { return "pixels of \(depth) bits" }
    // Everything fits into 32 bits: nothing overflows here.
    guard stride >= 4 * width, stride % 4 == 0, offset >= 0, offset % 4 == 0,
      offset + (height - 1) * stride + 4 * width <= memory
    else { return "lines of \(stride) bytes from \(offset) on, in a memory of \(memory)" }
    return nil
  }
}

/// The frames of a front end's picture, in the order of the picture.
struct SharedFrameBuffer {
  let frames: [HostMapping]
  let byteCount: Int
  static let largestMemory = 64 << 20

  /// Copies a part of the picture's lines, without what is above the colours.
  func copy(_ part: FrameRectangle, _ layout: FrameBufferLayout, to pixels: UnsafeMutableRawPointer, stride: Int) {
    let frameSize = Int(FramePool.frameSize)
    for y in part.y..<part.y + part.height {
      let line = pixels + y * stride
      var start = layout.offset + y * layout.stride + 4 * part.x
      var x = part.x
      while x < part.x + part.width {
        let inFrame = start % frameSize
        let count = min(part.x + part.width - x, (frameSize - inFrame) / 4)
        let frame = UnsafeRawBufferPointer(rebasing: frames[start / frameSize].bytes[inFrame..<inFrame + 4 * count])
        for n in 0..<count {
          let pixel = UInt32(littleEndian: frame.load(fromByteOffset: 4 * n, as: UInt32.self))
          line.storeBytes(of: pixel & 0xFF_FFFF, toByteOffset: 4 * (x + n), as: UInt32.self)
        }
        x += count
        start += 4 * count
      }
    }
  }
}
