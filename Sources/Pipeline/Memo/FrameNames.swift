import Processor

/// What the names of registers depend on: where the current frame begins, and how far registers have rotated.
struct FrameNames: Equatable {
  var bottom: UInt8 = 0
  /// Rotating general registers, in eights, and how far they have rotated. Both 0 where they have not.
  var rotating: UInt8 = 0
  var general: UInt8 = 0
  var float: UInt8 = 0
  var predicate: UInt8 = 0

  @inline(__always) init() {}

  @inline(__always) init(_ s: State) {
    bottom = UInt8(truncatingIfNeeded: s.pointee.bottomOfFrame)
    general = UInt8(truncatingIfNeeded: s.pointee.rrbGR)
    rotating = general == 0 ? 0 : UInt8(truncatingIfNeeded: s.pointee.sor)
    float = UInt8(truncatingIfNeeded: s.pointee.rrbFR)
    predicate = UInt8(truncatingIfNeeded: s.pointee.rrbPR)
  }

  /// The scoreboard's index of a ``RegisterCode`` (`renamed` in `Issue.swift`).
  func index(of code: Int) -> Int {
    switch code {
    case 32..<128:
      let size = Int(rotating) * 8
      var n = code - 32
      if n < size { n = (n + Int(general)) % size }
      n += Int(bottom)
      return 32 + (n < 96 ? n : n - 96)
    case 160..<256: return 160 + (code - 160 + Int(float)) % 96
    case 272..<320: return 272 + (code - 272 + Int(predicate)) % 48
    default: return code
    }
  }

  /// The other way: the name that leads to an index. A register of another frame has a name that is beyond the current one's last.
  func name(of index: Int, _ kinds: inout Configuration.RenamedKinds) -> Int {
    switch index {
    case 32..<128:
      kinds.insert(.stacked)
      var n = index - 32 - Int(bottom)
      if n < 0 { n += 96 }
      let size = Int(rotating) * 8
      if n < size { n = (n + size - Int(general)) % size }
      return 32 + n
    case 160..<256:
      kinds.insert(.float)
      return 160 + (index - 160 + 96 - Int(float)) % 96
    case 272..<320:
      kinds.insert(.predicate)
      return 272 + (index - 272 + 48 - Int(predicate)) % 48
    default: return index
    }
  }

  /// All that a configuration with such names needs to know of a move of the frame, as a number.
  func move(to other: FrameNames, _ kinds: Configuration.RenamedKinds) -> UInt64 {
    var move: UInt64 = 0
    if kinds.contains(.stacked) {
      move = UInt64(other.bottom &- bottom) | UInt64(general) << 8 | UInt64(other.general) << 16
      move |= UInt64(rotating) << 24 | UInt64(other.rotating) << 28
      // Two rotated frames in different places have names that no difference tells.
      if other.bottom != bottom && (general != 0 || other.general != 0) { move |= UInt64(bottom) << 48 }
    }
    if kinds.contains(.float) { move |= UInt64((Int(other.float) + 96 - Int(float)) % 96) << 32 }
    if kinds.contains(.predicate) { move |= UInt64((Int(other.predicate) + 48 - Int(predicate)) % 48) << 40 }
    return move
  }
}

extension UnsafeMutablePointer where Pointee == PipelineState {
  @inline(__always) var frameOfNow: FrameNames { FrameNames(pointee.state) }

  /// The frame may have moved since the last group: results on their way have other names then. Nil: there is no room for them.
  @inline(never) func followFrame(_ known: Known) -> Known? {
    let frame = frameOfNow
    if frame == pointee.frame { return known }
    if known.pointee.renamed.isEmpty {
      pointee.frame = frame
      return known
    }
    let move = pointee.frame.move(to: frame, known.pointee.renamed)
    guard let moved = known.pointee.move == move ? known.pointee.moved : rename(known, to: frame, move) else { return nil }
    pointee.frame = frame
    pointee.configuration = moved
    return moved
  }

  @inline(never) private func rename(_ known: Known, to new: FrameNames, _ move: UInt64) -> Known? {
    let old = pointee.frame
    var c = Configuration(front: known.pointee.front & 0xFFFF, buffer: known.pointee.buffer)
    for n in 0..<known.pointee.count {
      let result = known.pointee.results[n]
      let name = new.name(of: old.index(of: Int(result >> 20)), &c.renamed)
      c.insert(UInt32(name) << 20 | result & 0xF_FFFF)
    }
    guard let moved = pointee.memo.intern(&c) else { return nil }
    known.pointee.move = move
    known.pointee.moved = moved
    return moved
  }
}
