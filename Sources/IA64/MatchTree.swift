/// Decision tree from the bits of a slot to the first row that matches them.
///
/// An inner node looks at a run of bits that all rows below it test and indexes its children with them; a leaf lists
/// the few rows left, which are compared in the order of the table. The tree is built once and then only read.
struct MatchTree: @unchecked Sendable {
  struct Node {
    /// First child in `children`.
    var first: Int32
    var shift: UInt16
    var width: UInt16
  }

  /// The part of a row that matching needs.
  struct Pattern {
    var mask: UInt64
    var value: UInt64
    var row: Int32
    /// Not zero: the row has a constraint.
    var constrained: Int32
  }

  /// Roots by slot unit and major opcode.
  private let roots: UnsafePointer<Int16>
  private let nodes: UnsafePointer<Node>
  /// Not negative: a node. Negative: complement of the first pattern of a leaf.
  private let children: UnsafePointer<Int16>
  /// Leaves, each ended by a pattern with row -1.
  private let patterns: UnsafePointer<Pattern>

  /// How many roots there are.
  static let rootCount = SlotUnit.count * 16

  init(roots: UnsafePointer<Int16>, nodes: UnsafePointer<Node>, children: UnsafePointer<Int16>, patterns: UnsafePointer<Pattern>) {
    (self.roots, self.nodes, self.children, self.patterns) = (roots, nodes, children, patterns)
  }

  /// The tree of the decoder: instructions, not their other names.
  static let semantic = MatchTree(rows: InstructionTable.rows) { $0.role != .pseudo }
  /// The tree of the disassembler: everything that has a printed form.
  static let printed = MatchTree(rows: InstructionTable.rows) { $0.role != .unprinted }

  init(rows: [InstructionRow], where isIncluded: (InstructionRow) -> Bool) {
    let builder = Builder(rows, where: isIncluded)
    self.init(
      roots: MatchTree.copy(builder.roots), nodes: MatchTree.copy(builder.nodes), children: MatchTree.copy(builder.children),
      patterns: MatchTree.copy(builder.patterns))
  }

  private static func copy<Element>(_ elements: [Element]) -> UnsafePointer<Element> {
    let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
    memory.initialize(from: elements, count: elements.count)
    return UnsafePointer(memory)
  }

  /// Index of the first row that matches; -1 if there is none.
  func find(_ slot: UInt64, unit: SlotUnit) -> Int {
    var place = Int(roots[Int(unit.rawValue) &<< 4 | Int(truncatingIfNeeded: (slot &>> 37) & 0xf)])
    while place >= 0 {
      let node = nodes[place]
      let field = Int(truncatingIfNeeded: (slot &>> UInt64(node.shift)) & ((1 &<< UInt64(node.width)) &- 1))
      place = Int(children[Int(node.first) &+ field])
    }
    var index = ~place
    while true {
      let pattern = patterns[index]
      if pattern.row < 0 { return -1 }
      if slot & pattern.mask == pattern.value {
        if pattern.constrained == 0 { return Int(pattern.row) }
        if InstructionTable.rows[Int(pattern.row)].satisfiesConstraint(slot) { return Int(pattern.row) }
      }
      index &+= 1
    }
  }

  // MARK: Building

  struct Builder {
    /// What is needed of the rows: they are large, and copying them costs references.
    private let masks: [UInt64]
    private let values: [UInt64]
    private let constrained: [Int32]
    private(set) var roots: [Int16] = []
    private(set) var nodes: [Node] = []
    private(set) var children: [Int16] = []
    /// Begins with the leaf that has no row.
    private(set) var patterns = [Pattern(mask: 0, value: 0, row: -1, constrained: 0)]

    init(_ rows: [InstructionRow], where isIncluded: (InstructionRow) -> Bool) {
      masks = rows.map(\.mask)
      values = rows.map(\.value)
      constrained = rows.map { $0.constraint != .none ? 1 : 0 }
      var groups = [[Int]](repeating: [], count: MatchTree.rootCount)
      for (index, row) in rows.enumerated() where isIncluded(row) {
        for unit in row.format.type.units {
          groups[Int(unit.rawValue) << 4 | Int(row.value >> 37)].append(index)
        }
      }
      // The L unit names the long instruction as well as the X unit does.
      for major in 0..<16 {
        groups[Int(SlotUnit.l.rawValue) << 4 | major] = groups[Int(SlotUnit.x.rawValue) << 4 | major]
      }
      for group in groups { roots.append(tree(group, tested: 0xf << 37)) }
    }

    /// Adds the tree for some rows; returns the place to continue from.
    private mutating func tree(_ indices: [Int], tested: UInt64) -> Int16 {
      guard indices.count > 2, let run = bestRun(indices, tested: tested) else { return leaf(indices) }
      let field: UInt64 = (1 << UInt64(run.width)) - 1
      let node = nodes.count
      let first = children.count
      nodes.append(Node(first: Int32(first), shift: UInt16(run.shift), width: UInt16(run.width)))
      children.append(contentsOf: repeatElement(0, count: 1 << run.width))
      // A run of several bits is one that all rows test. A single bit sends those that do not test it both ways.
      var below = [[Int]](repeating: [], count: 1 << run.width)
      for index in indices {
        let value = Int(values[index] >> UInt64(run.shift) & field)
        below[value].append(index)
        if run.width == 1 && masks[index] >> UInt64(run.shift) & 1 == 0 { below[value ^ 1].append(index) }
      }
      for (value, rows) in below.enumerated() {
        children[first + value] = tree(rows, tested: tested | field << UInt64(run.shift))
      }
      return Int16(node)
    }

    private mutating func leaf(_ indices: [Int]) -> Int16 {
      if indices.isEmpty { return ~0 }
      let first = patterns.count
      for index in indices {
        patterns.append(
          Pattern(mask: masks[index], value: values[index], row: Int32(index), constrained: constrained[index]))
      }
      patterns.append(patterns[0])
      return ~Int16(first)
    }

    /// The run of at most eight bits that tells the rows apart best: bits that all of them test if there are any,
    /// else one bit that most of them test.
    private func bestRun(_ indices: [Int], tested: UInt64) -> (shift: Int, width: Int)? {
      let common = indices.reduce(~tested) { $0 & masks[$1] }
      let value = values[indices[0]]
      let varying = indices.reduce(0) { $0 | (values[$1] ^ value) } & common
      var best: (shift: Int, width: Int, weight: Int)?
      for shift in 0..<41 where varying >> UInt64(shift) & 1 != 0 {
        var width = 1
        while width < 8, common >> UInt64(shift + width) & 1 != 0 { width += 1 }
        let weight = (varying >> UInt64(shift) & ((1 << UInt64(width)) - 1)).nonzeroBitCount
        if weight > best?.weight ?? 0 { best = (shift, width, weight) }
      }
      if let best { return (best.shift, best.width) }
      // A bit that is one in no row tells nothing.
      let ones = indices.reduce(0) { $0 | values[$1] }
      var single: (shift: Int, count: Int)?
      for shift in 0..<41 where ones >> UInt64(shift) & 1 != 0 && tested >> UInt64(shift) & 1 == 0 {
        let count = indices.reduce(0) { $0 + Int(masks[$1] >> UInt64(shift) & 1) }
        if count > single?.count ?? 0 { single = (shift, count) }
      }
      return single.map { ($0.shift, 1) }
    }
  }
}

extension SlotUnit {
  /// Number of unit types.
  static let count = 6
}
