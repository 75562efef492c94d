/// A part of a picture, in pixels.
public struct FrameRectangle: Equatable, Sendable {
  public var x, y, width, height: Int
  public init(x: Int, y: Int, width: Int, height: Int) { (self.x, self.y, self.width, self.height) = (x, y, width, height) }
}

/// A screen that somebody may look at.
public protocol FrameBufferSource: AnyObject {
  var width: Int { get }
  var height: Int { get }
  /// Bytes from one line to the next.
  var stride: Int { get }
  /// The picture as it was at the last ``refresh()``: 32 bits for each pixel, 0x00RRGGBB in the host's order of bytes. Moves when the size
  /// changes.
  var pixels: UnsafeMutableRawPointer { get }
  /// Brings the picture up to date, and tells ``changed`` of what is different.
  func refresh()
  var changed: ((FrameRectangle) -> Void)? { get set }
}
