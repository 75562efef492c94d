import Processor

/// What a unit of groups asks for when it issues, if that is one of the usual things: each kind has a way of its own through `issue`.
struct UnitKind {
  /// None; one, an integer load or a store, without a predicate; loads of floating-point registers only.
  enum References { case none, one, floats, any }
  /// None; one, relative to IP, conditional or a call; a counted loop.
  enum BranchKind { case none, plain, loop, any }
  var references: References
  var branch: BranchKind

  /// It has neither predicates nor multimedia operands nor specials, and is no rest of another group.
  @inline(__always) var isUsual: Bool { branch != .any }
  @inline(__always) var isOpen: Bool { references != .none || branch != .none }

  /// The way of a group with these references.
  static func issue(_ group: IssueGroup, _ list: [Reference]) -> TimingModel.Issue {
    guard group.flags.contains(.plain), !group.flags.contains(.multimedia), group.specials == 0 else { return any }
    // Where names move without a branch (cover, clrrrb), that has to be noted.
    if group.flags.contains(.movesFrame) && group.branches == 0 { return any }
    var references = References.any
    if list.isEmpty {
      references = .none
    } else if list.count == 1 && list[0].predicate == 0 && [.load, .store, .floatStore].contains(list[0].kind) {
      references = .one
    } else if list.allSatisfy({ $0.kind == .floatLoad }) {
      references = .floats
    }
    let branch: BranchKind =
      group.branches == 0 ? .none : group.hasPlainBranch ? .plain : group.hasLoopBranch ? .loop : .any
    return switch (references, branch) {
    case (.none, .none): nothing
    case (.one, .none): one
    case (.floats, .none): floats
    case (.none, .plain): branches
    case (.one, .plain): oneBranches
    case (.floats, .plain): floatsBranches
    case (.none, .loop): loops
    case (.one, .loop): oneLoops
    case (.floats, .loop): floatsLoops
    case (.any, _), (_, .any): any
    }
  }

  // C functions have no context, so there is one for each.
  static let any: TimingModel.Issue = { UnitKind(references: .any, branch: .any).issue($0, $1, $2) }
  private static let nothing: TimingModel.Issue = { UnitKind(references: .none, branch: .none).issue($0, $1, $2) }
  private static let one: TimingModel.Issue = { UnitKind(references: .one, branch: .none).issue($0, $1, $2) }
  private static let floats: TimingModel.Issue = { UnitKind(references: .floats, branch: .none).issue($0, $1, $2) }
  private static let branches: TimingModel.Issue = { UnitKind(references: .none, branch: .plain).issue($0, $1, $2) }
  private static let oneBranches: TimingModel.Issue = { UnitKind(references: .one, branch: .plain).issue($0, $1, $2) }
  private static let floatsBranches: TimingModel.Issue = { UnitKind(references: .floats, branch: .plain).issue($0, $1, $2) }
  private static let loops: TimingModel.Issue = { UnitKind(references: .none, branch: .loop).issue($0, $1, $2) }
  private static let oneLoops: TimingModel.Issue = { UnitKind(references: .one, branch: .loop).issue($0, $1, $2) }
  private static let floatsLoops: TimingModel.Issue = { UnitKind(references: .floats, branch: .loop).issue($0, $1, $2) }

  @inline(__always)
  private func issue(_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64 {
    context.assumingMemoryBound(to: PipelineState.self).issue(group.assumingMemoryBound(to: IssueGroup.self), block, self)
  }
}
