/// A picture in the host's memory: 0x00RRGGBB.
final class PixelBuffer {
  let width: Int
  let height: Int
  let pixels: UnsafeMutablePointer<UInt32>

  init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
    pixels = .allocate(capacity: width * height)
    pixels.initialize(repeating: 0, count: width * height)
  }
  deinit { pixels.deallocate() }

  func fill(_ value: UInt32) { pixels.update(repeating: value, count: width * height) }
}
