import CDecodingTable

/// What decoding looks at: the decision tree, and a summary of each row of the instruction table. It follows from ``InstructionTable``, and takes ten
/// million host instructions to make: more than a short program runs. So the repository keeps it as bytes (`make decoding-table`; a test compares them
/// with what the instruction table gives today), from which the decoder reads in place.
///
/// The bytes are those of a little-endian host: a header of eight words, then sections that begin at multiples of eight bytes: the summaries, and the
/// tree's roots, nodes, children and patterns. Nobody writes behind its pointers once they are there, so it is Sendable.
public struct DecodingTable: @unchecked Sendable {
  let rows: UnsafePointer<RowSummary>
  let tree: MatchTree

  /// The kept one, unless it is not of these sources: then a new one.
  static let shared: DecodingTable = {
    var size = 0
    let start = epicure_decoding_table(&size)
    return DecodingTable(UnsafeRawBufferPointer(start: start, count: size)) ?? DecodingTable(InstructionTable.rows)
  }()

  private init(_ rows: [InstructionRow]) {
    let memory = UnsafeMutablePointer<RowSummary>.allocate(capacity: rows.count)
    for (index, row) in rows.enumerated() { (memory + index).initialize(to: RowSummary(row)) }
    self.rows = UnsafePointer(memory)
    tree = .semantic
  }

  // MARK: As bytes

  /// Changes of the instruction set that nobody has written yet show in these: what the words mean, how many operations and kinds of operands there
  /// are, and how large a summary is.
  private static var header: [Int] {
    [0x31_4543_4544, Operation.allCases.count, OperandKind.allCases.count, MemoryLayout<RowSummary>.size]
  }
  /// Words of the header: those above, and the number of elements of each section but the roots.
  private static let headerWords = 8

  private init?(_ bytes: UnsafeRawBufferPointer) {
    let header = Self.header
    guard bytes.count >= Self.headerWords * 8, Int(bitPattern: bytes.baseAddress) & 7 == 0,
      header.indices.allSatisfy({ bytes.load(fromByteOffset: $0 * 8, as: Int.self) == header[$0] })
    else { return nil }
    let counts = (header.count..<Self.headerWords).map { bytes.load(fromByteOffset: $0 * 8, as: Int.self) }
    var offset = Self.headerWords * 8
    func section<Element>(_ count: Int, _: Element.Type) -> UnsafePointer<Element>? {
      let start = offset
      offset += (count * MemoryLayout<Element>.stride + 7) & ~7
      return count >= 0 && offset <= bytes.count
        ? bytes.baseAddress.map { ($0 + start).assumingMemoryBound(to: Element.self) } : nil
    }
    guard let rows = section(counts[0], RowSummary.self), let roots = section(MatchTree.rootCount, Int16.self),
      let nodes = section(counts[1], MatchTree.Node.self), let children = section(counts[2], Int16.self),
      let patterns = section(counts[3], MatchTree.Pattern.self)
    else { return nil }
    self.rows = rows
    tree = MatchTree(roots: roots, nodes: nodes, children: children, patterns: patterns)
  }

  /// What the instruction table gives today.
  public static func bytes() -> [UInt8] {
    let rows = InstructionTable.rows
    let builder = MatchTree.Builder(rows) { $0.role != .pseudo }
    var bytes: [UInt8] = []
    func append<Element>(_ element: Element, to bytes: inout [UInt8]) {
      withUnsafeBytes(of: element) { bytes.append(contentsOf: $0) }
      while bytes.count % MemoryLayout<Element>.alignment != 0 { bytes.append(0) }
    }
    for word in header + [rows.count, builder.nodes.count, builder.children.count, builder.patterns.count] {
      append(word, to: &bytes)
    }
    func section<Element>(_ elements: [Element]) {
      for element in elements { append(element, to: &bytes) }
      while bytes.count % 8 != 0 { bytes.append(0) }
    }
    section(rows.map { RowSummary($0) })
    section(builder.roots)
    section(builder.nodes)
    section(builder.children)
    section(builder.patterns)
    return bytes
  }
}

/// What the decoder needs of a row, without references. The order leaves no gaps, whose bytes nobody would have written.
struct RowSummary {
  var operation: Operation
  var attributes: Attributes
  var immediate: OperandKind
  var immediate2: OperandKind
  var length: OperandKind
  var hasImmediate: Bool
  var hasImmediate2: Bool
  var hasLength: Bool

  init(_ row: InstructionRow) {
    operation = row.operation
    attributes = row.attributes
    immediate = row.immediate ?? .ip
    immediate2 = row.immediate2 ?? .ip
    length = row.length ?? .ip
    hasImmediate = row.immediate != nil
    hasImmediate2 = row.immediate2 != nil
    hasLength = row.length != nil
  }
}
