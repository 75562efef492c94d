/// The tables behind a group's header.
extension UnsafePointer where Pointee == IssueGroup {
  @inline(__always) private func table<T>(_ at: Int, _: T.Type) -> UnsafePointer<T> {
    (UnsafeRawPointer(self) + at).assumingMemoryBound(to: T.self)
  }
  var next: UnsafePointer<IssueGroup> { table(Int(pointee.header.byteCount), IssueGroup.self) }
  @inline(__always) var lastLead: UnsafePointer<IssueGroup> { table(-Int(pointee.unit.lastLeadBytes), IssueGroup.self) }
  var firstLead: UnsafePointer<IssueGroup> { table(-Int(pointee.unit.leadBytes), IssueGroup.self) }
  var uses: UnsafePointer<Use> { @inline(__always) get { table(IssueGroup.headerSize, Use.self) } }
  var results: UnsafePointer<Result> { @inline(__always) get { table(Int(pointee.resultsAt), Result.self) } }
  var references: UnsafePointer<Reference> { @inline(__always) get { table(Int(pointee.referencesAt), Reference.self) } }
  var branches: UnsafePointer<Branch> { @inline(__always) get { table(Int(pointee.branchesAt), Branch.self) } }
  var specials: UnsafePointer<Special> { @inline(__always) get { table(Int(pointee.specialsAt), Special.self) } }
  var guards: UnsafePointer<UInt8> { @inline(__always) get { table(Int(pointee.guardsAt), UInt8.self) } }
  var quickResults: UnsafePointer<UInt8> { @inline(__always) get { table(Int(pointee.quickResultsAt), UInt8.self) } }
}

extension UnsafeMutablePointer where Pointee == PipelineState {
  /// Counts something at the privilege level of now.
  @inline(__always) func bump(_ count: Count, _ by: UInt64 = 1) { pointee.levelCounts[count.rawValue] &+= by }

  @inline(__always) func bump(_ count: BranchCount, _ kind: Branch.Kind) { pointee.levelCounts[count.index(kind)] &+= 1 }

  /// The privilege level or PSR.dt may have changed, or somebody looks at the counts.
  @inline(never) func changeStatus() {
    bump(.syllables, pointee.slots &>> 32)
    bump(.nops, pointee.slots & 0xFFFF_FFFF)
    pointee.slots = 0
    let psr = pointee.state.pointee.psr
    let level = Int(truncatingIfNeeded: psr &>> 32 & 3)
    pointee.levelCycles = pointee.cycles + level &* Cause.stride
    pointee.levelCounts = pointee.counts + level &* PipelineState.countStride
    pointee.translates = psr & 1 &<< 17 != 0
  }
}
