/// A system board of the server: four sockets with processors of two cores each, and memory. It can be split into two halves.
public struct SystemBoard: Sendable, Equatable {
  public static let largestSocketCount = 4
  public static let coresPerSocket = 2

  public var name: String
  /// Sockets that have a processor, 1 to 4.
  public var sockets: Int
  /// Bytes, a multiple of 2 MiB, so that each half has whole megabytes.
  public var memory: UInt64
  /// Kept for the place of a board that fails.
  public var isSpare: Bool

  public init(name: String, sockets: Int = largestSocketCount, memory: UInt64, isSpare: Bool = false) {
    self.name = name
    self.sockets = sockets
    self.memory = memory
    self.isSpare = isSpare
  }

  /// What a partition gets of the board.
  public func share(_ part: BoardPart) -> (processors: Int, memory: UInt64) {
    switch part {
    case .whole: (sockets * Self.coresPerSocket, memory)
    // Sockets 0 and 1 are the lower half.
    case .half(0): (min(sockets, 2) * Self.coresPerSocket, memory / 2)
    case .half: (max(sockets - 2, 0) * Self.coresPerSocket, memory / 2)
    }
  }
}

/// A whole board, or one of its halves: the unit of an extended partition (XPAR).
public enum BoardPart: Sendable, Equatable, Hashable {
  case whole
  /// 0 or 1.
  case half(Int)

  func overlaps(_ other: BoardPart) -> Bool {
    switch (self, other) {
    case (.half(let mine), .half(let theirs)): mine == theirs
    case (.whole, _), (_, .whole): true
    }
  }
}

/// A board, or half a board, by name: `SB0`, `SB1/0`.
public struct BoardReference: Sendable, Equatable, Hashable, CustomStringConvertible {
  public var board: String
  public var part: BoardPart
  public init(board: String, part: BoardPart) { (self.board, self.part) = (board, part) }

  /// Nil for what is not a name, or a name with `/0` or `/1`.
  public init?(_ text: some StringProtocol) {
    let pieces = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let name = pieces.first, !name.isEmpty, pieces.count <= 2 else { return nil }
    board = String(name)
    switch pieces.dropFirst().first {
    case nil: part = .whole
    case "0": part = .half(0)
    case "1": part = .half(1)
    default: return nil
    }
  }

  public var description: String {
    switch part {
    case .whole: board
    case .half(let half): "\(board)/\(half)"
    }
  }
}
