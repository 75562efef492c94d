/// What the operating system is told about distances: nodes of processors and memory.
///
/// RAM is one sequence of bytes that skips the hole below 4 GiB; nodes have successive pieces of it, and processors are numbered
/// through the nodes.
public struct NUMATopology: Sendable, Equatable {
  public struct Node: Sendable, Equatable {
    public var processors: Range<Int>
    /// Physical addresses: one range, or two around the hole below 4 GiB.
    public var memory: [Range<UInt64>]
  }
  public var nodes: [Node]
  /// Row by row; 10 is a node's distance from itself (ACPI 3.0b, section 5.2.17).
  public var distances: [[UInt8]]

  public static let localDistance: UInt8 = 10

  /// `shares`: processors and bytes of memory of each node; `distance` tells that of two different ones.
  public init(shares: [(processors: Int, memory: UInt64)], distance: (Int, Int) -> UInt8) {
    var processor = 0
    var offset: UInt64 = 0
    nodes = shares.map { share in
      defer {
        processor += share.processors
        offset += share.memory
      }
      return Node(
        processors: processor..<processor + share.processors, memory: Self.ranges(of: offset..<offset + share.memory))
    }
    distances = shares.indices.map { row in
      shares.indices.map { column in row == column ? Self.localDistance : distance(row, column) }
    }
  }

  /// Physical ranges of a piece of RAM.
  private static func ranges(of piece: Range<UInt64>) -> [Range<UInt64>] {
    let limit = MemoryMap.lowMemoryLimit
    let shift = MemoryMap.highMemory - limit
    var list: [Range<UInt64>] = []
    if piece.lowerBound < min(piece.upperBound, limit) { list.append(piece.lowerBound..<min(piece.upperBound, limit)) }
    if max(piece.lowerBound, limit) < piece.upperBound {
      list.append(max(piece.lowerBound, limit) + shift..<piece.upperBound + shift)
    }
    return list
  }
}
