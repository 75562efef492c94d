/// Why images are no volume together.
public struct VolumeRefusal: Error, Equatable, CustomStringConvertible, Sendable {
  public var description: String
  init(_ text: String) { description = text }
}
