/// What has changed of a picture: for each line, from where to where.
public struct DamagedLines {
  private let width: Int
  private var lines: [Range<Int>]

  /// All of it, or nothing.
  public init(width: Int = 0, height: Int = 0, isDamaged: Bool = true) {
    self.width = width
    lines = Array(repeating: isDamaged ? 0..<width : 0..<0, count: height)
  }

  public mutating func add(_ part: FrameRectangle) {
    let columns = (part.x..<part.x + part.width).clamped(to: 0..<width)
    guard !columns.isEmpty else { return }
    for y in (part.y..<part.y + part.height).clamped(to: 0..<lines.count) {
      lines[y] =
        lines[y].isEmpty
        ? columns : min(lines[y].lowerBound, columns.lowerBound)..<max(lines[y].upperBound, columns.upperBound)
    }
  }

  /// What has changed inside a part, as rectangles; it counts as seen. Lines that are only partly inside stay damaged.
  public mutating func take(inside part: FrameRectangle) -> [FrameRectangle] {
    let columns = (part.x..<part.x + part.width).clamped(to: 0..<width)
    var list: [FrameRectangle] = []
    for y in (part.y..<part.y + part.height).clamped(to: 0..<lines.count) {
      let span = lines[y].clamped(to: columns)
      guard !span.isEmpty else { continue }
      if lines[y] == span { lines[y] = 0..<0 }
      if let last = list.last, last.y + last.height == y, last.x == span.lowerBound, last.width == span.count {
        list[list.count - 1].height += 1
      } else {
        list.append(FrameRectangle(x: span.lowerBound, y: y, width: span.count, height: 1))
      }
    }
    return list
  }
}
