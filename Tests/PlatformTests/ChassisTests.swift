import Platform
import Testing

@Suite struct ChassisTests {
  static let gibibyte: UInt64 = 1 << 30

  private func chassis(_ partitions: [String: [String]], spares: Int = 0) throws -> Chassis {
    var boards = ["SB0", "SB1", "SB2"].map { SystemBoard(name: $0, memory: 4 * Self.gibibyte) }
    for n in 0..<spares { boards.append(SystemBoard(name: "SP\(n)", memory: 4 * Self.gibibyte, isSpare: true)) }
    return try Chassis(
      boards: boards,
      partitions: partitions.sorted { $0.key < $1.key }.map { name, parts in
        Chassis.Partition(name: name, parts: parts.compactMap { BoardReference($0) })
      })
  }

  @Test func referencesHaveAtMostOneHalf() {
    #expect(BoardReference("SB1/0") == BoardReference(board: "SB1", part: .half(0)))
    #expect(BoardReference("SB1")?.description == "SB1")
    for text in ["", "/0", "SB1/2", "SB1/", "SB1/0/1"] { #expect(BoardReference(text) == nil, "\(text)") }
  }

  /// Four sockets of two cores: eight processors on a board, four on a half.
  @Test func boardsGiveProcessorsMemoryAndNodes() throws {
    let c = try chassis(["a": ["SB0", "SB1"], "b": ["SB2/1"]])
    let a = c.hardware(of: c.partitions[0])
    #expect(a.processors == 16 && a.memory == 8 * Self.gibibyte)
    #expect(a.topology.nodes.map(\.processors) == [0..<8, 8..<16])
    // RAM goes on above the hole: 2 GiB of the first board's are below.
    #expect(
      a.topology.nodes.map(\.memory) == [
        [0..<0x8000_0000, 0x1_0000_0000..<0x1_8000_0000], [0x1_8000_0000..<0x2_8000_0000],
      ])
    #expect(a.topology.distances == [[10, 20], [20, 10]])
    let b = c.hardware(of: c.partitions[1])
    #expect(b.processors == 4 && b.memory == 2 * Self.gibibyte && b.topology.nodes.count == 1)
  }

  @Test func halvesOfABoardAreNearer() throws {
    let c = try chassis(["x": ["SB0/0", "SB0/1", "SB1/0"]])
    #expect(c.hardware(of: c.partitions[0]).topology.distances == [[10, 15, 20], [15, 10, 20], [20, 20, 10]])
  }

  @Test func whatCannotBeIsRefused() {
    #expect(throws: Chassis.Failure.shared("SB0", "a", "b")) { try chassis(["a": ["SB0"], "b": ["SB0/1"]]) }
    #expect(throws: Chassis.Failure.unknownBoard("SB9", partition: "a")) { try chassis(["a": ["SB9"]]) }
    #expect(throws: Chassis.Failure.mixedParts("a")) { try chassis(["a": ["SB0", "SB1/0"]]) }
    #expect(throws: Chassis.Failure.spareInUse("SP0", partition: "a")) { try chassis(["a": ["SP0"]], spares: 1) }
    #expect(throws: Chassis.Failure.emptyPartition("a")) { try chassis(["a": []]) }
    #expect(throws: Chassis.Failure.shared("SB0/0", "a", "a")) { try chassis(["a": ["SB0/0", "SB0/0"]]) }
    #expect(throws: Chassis.Failure.badBoard("B", "sockets must be 1 to 4")) {
      try Chassis(boards: [SystemBoard(name: "B", sockets: 5, memory: Self.gibibyte)], partitions: [])
    }
    // The upper half of a board with two sockets has no processor.
    #expect(throws: Chassis.Failure.noProcessors("a")) {
      try Chassis(
        boards: [SystemBoard(name: "B", sockets: 2, memory: Self.gibibyte)],
        partitions: [.init(name: "a", parts: [BoardReference(board: "B", part: .half(1))])])
    }
  }

  @Test func aSpareTakesTheFailedBoardsPlaceOnce() throws {
    var c = try chassis(["a": ["SB0", "SB1"], "b": ["SB2/0"], "c": ["SB2/1"]], spares: 1)
    var (partitions, replacement) = c.fail("SB2")
    #expect(partitions == ["b", "c"] && replacement == "SP0")
    #expect(c.partitions[1].parts == [BoardReference(board: "SP0", part: .half(0))])
    (partitions, replacement) = c.fail("SB0")
    #expect(partitions == ["a"] && replacement == nil)
    (partitions, replacement) = c.fail("SB2")
    #expect(partitions.isEmpty && replacement == nil)
  }
}
