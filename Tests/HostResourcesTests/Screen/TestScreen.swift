import HostResources

/// A picture that a test paints.
final class TestScreen: FrameBufferSource {
  private(set) var width: Int
  private(set) var height: Int
  private var storage: UnsafeMutablePointer<UInt32>
  private var damage: [FrameRectangle] = []
  var changed: ((FrameRectangle) -> Void)?

  init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
    storage = .allocate(capacity: width * height)
    storage.initialize(repeating: 0, count: width * height)
  }
  deinit { storage.deallocate() }

  var stride: Int { 4 * width }
  var pixels: UnsafeMutableRawPointer { UnsafeMutableRawPointer(storage) }
  func refresh() {
    damage.forEach { changed?($0) }
    damage = []
  }

  func set(_ x: Int, _ y: Int, _ color: UInt32) {
    storage[y * width + x] = color
    damage.append(FrameRectangle(x: x, y: y, width: 1, height: 1))
  }
  subscript(x: Int, y: Int) -> UInt32 { storage[y * width + x] }

  /// Something to recognise.
  func paint(_ seed: UInt32) {
    for n in 0..<width * height { storage[n] = (UInt32(n) &* 2_654_435_761 &+ seed) & 0xFF_FFFF }
    damage.append(FrameRectangle(x: 0, y: 0, width: width, height: height))
  }

  func resize(_ width: Int, _ height: Int) {
    storage.deallocate()
    (self.width, self.height) = (width, height)
    storage = .allocate(capacity: width * height)
    storage.initialize(repeating: 0x12_3456, count: width * height)
  }

  var contents: [UInt32] { Array(UnsafeBufferPointer(start: storage, count: width * height)) }
}
