import Processor

/// What a unit of groups asks for when it issues, if that is one of the usual things: each kind has a way of its own through `issue`.
struct UnitKind {
  /// None; one, an integer load or a store; loads of floating-point registers only; several loads and stores. All of them without predicates.
  enum References { case none, load, store, floats, several, any }
  /// None; one, relative to IP, conditional or a call; a counted loop.
  enum BranchKind { case none, plain, loop, any }
  var references: References
  var branch: BranchKind

  /// It has neither predicates nor multimedia operands nor specials, and is no rest of another group.
  @inline(__always) var isUsual: Bool { branch != .any }
  @inline(__always) var isOpen: Bool { references != .none || branch != .none }

  /// The way of a group of which nothing is known yet. (Who named the C function in another file would, without optimisation, have a second one of
  /// its name.)
  static var anyIssue: TimingModel.Issue { issueAny }

  /// The way of a group with these references.
  static func issue(_ group: IssueGroup, _ list: [Reference]) -> TimingModel.Issue {
    guard group.flags.contains(.plain), !group.flags.contains(.multimedia), group.specials == 0 else { return issueAny }
    // Where names move without a branch (cover, clrrrb), that has to be noted.
    if group.flags.contains(.movesFrame) && group.branches == 0 { return issueAny }
    var references = References.any
    if list.isEmpty {
      references = .none
    } else if list.count == 1 && list[0].predicate == 0 && list[0].kind == .load {
      references = .load
    } else if list.count == 1 && list[0].predicate == 0 && [.store, .floatStore].contains(list[0].kind) {
      references = .store
    } else if list.allSatisfy({ $0.kind == .floatLoad }) {
      references = .floats
    } else if list.allSatisfy({ $0.predicate == 0 && [.load, .store, .floatLoad, .floatStore].contains($0.kind) }) {
      references = .several
    }
    let branch: BranchKind =
      group.branches == 0 ? .none : group.hasPlainBranch ? .plain : group.hasLoopBranch ? .loop : .any
    return switch (references, branch) {
    case (.none, .none): issueNothing
    case (.load, .none): issueLoad
    case (.store, .none): issueStore
    case (.floats, .none): issueFloats
    case (.several, .none): issueSeveral
    case (.none, .plain): issueBranches
    case (.load, .plain): issueLoadBranches
    case (.store, .plain): issueStoreBranches
    case (.floats, .plain): issueFloatsBranches
    case (.several, .plain): issueSeveralBranches
    case (.none, .loop): issueLoops
    case (.load, .loop): issueLoadLoops
    case (.store, .loop): issueStoreLoops
    case (.floats, .loop): issueFloatsLoops
    case (.several, .loop): issueSeveralLoops
    case (.any, _), (_, .any): issueAny
    }
  }

  @inline(__always)
  fileprivate func issue(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
    context.assumingMemoryBound(to: PipelineState.self).issue(group.assumingMemoryBound(to: IssueGroup.self), block, self)
  }
}

// Where the engine comes in: C functions, and in line, because a closure or a Swift function would be entered through another one.

@_cdecl("epicure_issue_any") @inline(__always)
func issueAny(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .any, branch: .any).issue(context, group, block)
}

@_cdecl("epicure_issue_nothing") @inline(__always)
func issueNothing(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .none, branch: .none).issue(context, group, block)
}

@_cdecl("epicure_issue_load") @inline(__always)
func issueLoad(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .load, branch: .none).issue(context, group, block)
}

@_cdecl("epicure_issue_store") @inline(__always)
func issueStore(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .store, branch: .none).issue(context, group, block)
}

@_cdecl("epicure_issue_floats") @inline(__always)
func issueFloats(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .floats, branch: .none).issue(context, group, block)
}

@_cdecl("epicure_issue_branches") @inline(__always)
func issueBranches(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .none, branch: .plain).issue(context, group, block)
}

@_cdecl("epicure_issue_load_branches") @inline(__always)
func issueLoadBranches(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .load, branch: .plain).issue(context, group, block)
}

@_cdecl("epicure_issue_store_branches") @inline(__always)
func issueStoreBranches(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .store, branch: .plain).issue(context, group, block)
}

@_cdecl("epicure_issue_floats_branches") @inline(__always)
func issueFloatsBranches(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .floats, branch: .plain).issue(context, group, block)
}

@_cdecl("epicure_issue_loops") @inline(__always)
func issueLoops(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .none, branch: .loop).issue(context, group, block)
}

@_cdecl("epicure_issue_load_loops") @inline(__always)
func issueLoadLoops(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .load, branch: .loop).issue(context, group, block)
}

@_cdecl("epicure_issue_store_loops") @inline(__always)
func issueStoreLoops(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .store, branch: .loop).issue(context, group, block)
}

@_cdecl("epicure_issue_floats_loops") @inline(__always)
func issueFloatsLoops(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .floats, branch: .loop).issue(context, group, block)
}

@_cdecl("epicure_issue_several") @inline(__always)
func issueSeveral(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .several, branch: .none).issue(context, group, block)
}

@_cdecl("epicure_issue_several_branches") @inline(__always)
func issueSeveralBranches(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .several, branch: .plain).issue(context, group, block)
}

@_cdecl("epicure_issue_several_loops") @inline(__always)
func issueSeveralLoops(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
  UnitKind(references: .several, branch: .loop).issue(context, group, block)
}
