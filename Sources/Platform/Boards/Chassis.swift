/// The server's boards and how they are divided: partitions of whole boards (PPAR) or of half boards (XPAR). Partitions are separate
/// machines: nothing but a network connects them.
public struct Chassis: Sendable, Equatable {
  public enum Failure: Error, Equatable, CustomStringConvertible {
    case duplicateBoard(String)
    case duplicatePartition(String)
    case badBoard(String, String)
    case unknownBoard(String, partition: String)
    case shared(String, String, String)
    case spareInUse(String, partition: String)
    case emptyPartition(String)
    case noProcessors(String)
    case tooManyProcessors(String, Int)
    case mixedParts(String)

    public var description: String {
      switch self {
      case .duplicateBoard(let name): "there are two boards \(name)"
      case .duplicatePartition(let name): "there are two partitions \(name)"
      case .badBoard(let name, let reason): "board \(name): \(reason)"
      case .unknownBoard(let board, let partition): "partition \(partition): there is no board \(board)"
      case .shared(let board, let first, let second): "partitions \(first) and \(second) both use \(board)"
      case .spareInUse(let board, let partition): "partition \(partition): board \(board) is a spare"
      case .emptyPartition(let name): "partition \(name) has no boards"
      case .noProcessors(let name): "partition \(name) has no processors"
      case .tooManyProcessors(let name, let count): "partition \(name) has \(count) processors; at most 64 work together"
      case .mixedParts(let name): "partition \(name): a partition has whole boards (PPAR) or half boards (XPAR), not both"
      }
    }
  }

  /// A partition's hardware.
  public struct Partition: Sendable, Equatable {
    public var name: String
    public var parts: [BoardReference]
    public init(name: String, parts: [BoardReference]) { (self.name, self.parts) = (name, parts) }
  }

  public private(set) var boards: [SystemBoard]
  public private(set) var partitions: [Partition]
  /// Boards that have failed and were taken out.
  public private(set) var failed: Set<String> = []

  private static let mebibyte: UInt64 = 1 << 20

  public init(boards: [SystemBoard], partitions: [Partition]) throws(Failure) {
    self.boards = boards
    self.partitions = partitions
    var names: Set<String> = []
    for board in boards {
      guard names.insert(board.name).inserted else { throw .duplicateBoard(board.name) }
      guard BoardReference(board.name)?.part == .whole else {
        throw .badBoard(board.name, "a board's name is not empty and has no slash")
      }
      guard 1...SystemBoard.largestSocketCount ~= board.sockets else {
        throw .badBoard(board.name, "sockets must be 1 to \(SystemBoard.largestSocketCount)")
      }
      let smallest = 2 * MachineConfiguration.smallestMemory
      guard smallest...MachineConfiguration.largestMemory ~= board.memory, board.memory % (2 * Self.mebibyte) == 0 else {
        throw .badBoard(board.name, "memory must be an even number of megabytes from \(smallest / Self.mebibyte)M to 1024G")
      }
    }
    names.removeAll()
    for partition in partitions {
      guard names.insert(partition.name).inserted else { throw .duplicatePartition(partition.name) }
      try check(partition)
    }
    for (index, partition) in partitions.enumerated() {
      for other in partitions[..<index] {
        for part in partition.parts {
          if let taken = other.parts.first(where: { $0.board == part.board && $0.part.overlaps(part.part) }) {
            throw .shared(taken.description, other.name, partition.name)
          }
        }
      }
    }
  }

  private func check(_ partition: Partition) throws(Failure) {
    guard !partition.parts.isEmpty else { throw .emptyPartition(partition.name) }
    for (index, part) in partition.parts.enumerated() {
      guard let board = board(part.board) else { throw .unknownBoard(part.board, partition: partition.name) }
      guard !board.isSpare else { throw .spareInUse(board.name, partition: partition.name) }
      if partition.parts[..<index].contains(where: { $0.board == part.board && $0.part.overlaps(part.part) }) {
        throw .shared(part.description, partition.name, partition.name)
      }
    }
    guard Set(partition.parts.map { $0.part == .whole }).count == 1 else { throw .mixedParts(partition.name) }
    let processors = shares(of: partition).reduce(0) { $0 + $1.processors }
    guard processors > 0 else { throw .noProcessors(partition.name) }
    guard processors <= 64 else { throw .tooManyProcessors(partition.name, processors) }
  }

  public func board(_ name: String) -> SystemBoard? { boards.first { $0.name == name } }

  private func shares(of partition: Partition) -> [(processors: Int, memory: UInt64)] {
    partition.parts.compactMap { part in board(part.board)?.share(part.part) }
  }

  // MARK: What a partition is made of

  /// Processors and memory of a partition, and its nodes: one for each board or half board.
  public func hardware(of partition: Partition) -> (processors: Int, memory: UInt64, topology: NUMATopology) {
    let shares = shares(of: partition)
    let topology = NUMATopology(shares: shares) { a, b in
      partition.parts[a].board == partition.parts[b].board ? Self.sameBoardDistance : Self.otherBoardDistance
    }
    return (shares.reduce(0) { $0 + $1.processors }, shares.reduce(0) { $0 + $1.memory }, topology)
  }

  /// Between halves of one board, and between boards. No published table of the real server was found; these are what its class of
  /// machines reports: a board's crossbar costs half as much again as the local bus, another board twice as much.
  static let sameBoardDistance: UInt8 = 15
  static let otherBoardDistance: UInt8 = 20

  // MARK: Failure

  /// A board breaks. Says which partitions lose parts of it, and which board has taken its place in them; nil if there was no spare
  /// that has all that they need.
  public mutating func fail(_ name: String) -> (partitions: [String], replacement: String?) {
    failed.insert(name)
    let affected = partitions.indices.filter { partitions[$0].parts.contains { $0.board == name } }
    guard !affected.isEmpty, let broken = board(name) else { return ([], nil) }
    // The floating spare: the first that is whole, and no smaller. Without one, the first of any size.
    let spares = boards.filter { $0.isSpare && !failed.contains($0.name) }
    let names = affected.map { partitions[$0].name }
    guard let spare = spares.first(where: { $0.memory >= broken.memory && $0.sockets >= broken.sockets }) ?? spares.first,
      let index = boards.firstIndex(where: { $0.name == spare.name })
    else { return (names, nil) }
    boards[index].isSpare = false
    for a in affected {
      for p in partitions[a].parts.indices where partitions[a].parts[p].board == name { partitions[a].parts[p].board = spare.name }
    }
    return (names, spare.name)
  }
}
