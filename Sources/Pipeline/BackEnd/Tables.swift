/// The tables behind a group's header.
struct GroupTables {
  let uses: UnsafePointer<Use>
  let results: UnsafePointer<Result>
  let references: UnsafePointer<Reference>
  let branches: UnsafePointer<Branch>
  let specials: UnsafePointer<Special>
  let quickResults: UnsafePointer<UInt8>

  @inline(__always) init(_ group: UnsafePointer<IssueGroup>) {
    var at = UnsafeRawPointer(group) + IssueGroup.headerSize
    uses = at.assumingMemoryBound(to: Use.self)
    at += (Int(group.pointee.uses) &* 4 &+ 7) & ~7
    results = at.assumingMemoryBound(to: Result.self)
    at += Int(group.pointee.results) &* 8
    references = at.assumingMemoryBound(to: Reference.self)
    at += Int(group.pointee.references) &* 8
    branches = at.assumingMemoryBound(to: Branch.self)
    at += Int(group.pointee.branches) &* 16
    specials = at.assumingMemoryBound(to: Special.self)
    at += (Int(group.pointee.specials) &* 4 &+ 7) & ~7
    quickResults = at.assumingMemoryBound(to: UInt8.self)
  }

  /// The planner and these offsets must agree on sizes.
  static func verify() {
    precondition(MemoryLayout<Use>.stride == 4 && MemoryLayout<Result>.stride == 8)
    precondition(MemoryLayout<Reference>.stride == 8 && MemoryLayout<Branch>.stride == 16 && MemoryLayout<Special>.stride == 4)
    precondition(MemoryLayout<PipelineState>.offset(of: \.now) == 0)
  }
}

extension UnsafeMutablePointer where Pointee == PipelineState {
  @inline(__always) func tables(of group: UnsafePointer<IssueGroup>) -> GroupTables { GroupTables(group) }

  /// Counts something at the privilege level of now.
  @inline(__always) func bump(_ count: Count, _ by: UInt64 = 1) {
    let level = Int(truncatingIfNeeded: pointee.state.pointee.psr &>> 32 & 3)
    pointee.counts[level &* PipelineState.countStride &+ count.rawValue] &+= by
  }
}
