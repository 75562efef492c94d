import IA64
import Processor

/// What became of the syllables of a group, told by where the processor went on.
struct GroupOutcome {
  /// Index of the branch that was taken.
  var taken: Int?
  /// Syllables from this index on were in the pipeline and did not retire: they lie behind a taken branch, or one of them faulted.
  var dropped: Int

  /// `following`: the next group, `interruptions`: those before it that the processor has delivered since the group issued.
  init(_ group: TracedGroup, following: TracedGroup?) {
    let syllables = group.syllables
    dropped = syllables.count
    guard let following else { return }
    let next: TracedGroup.Position
    if following.interruptions == group.interruptions {
      next = following.first
    } else {
      // Traps and interrupts come behind an instruction, and lead back to the one that follows it.
      let vector = Vector(rawValue: UInt16(truncatingIfNeeded: following.first.address & 0x7FFF))
      guard let interrupted = following.interrupted else { return }
      switch vector {
      case .externalInterrupt, .floatingPointTrap, .lowerPrivilegeTransfer, .takenBranch, .singleStep:
        if interrupted == group.first { return }
      default: break
      }
      next = interrupted
    }
    if next == group.next { return }
    let candidates = syllables.indices.filter { syllables[$0].leads(to: next) }
    // The group itself may have set the predicate of a branch.
    if let branch = candidates.first(where: { syllables[$0].predicate }) ?? candidates.first {
      taken = branch
      dropped = branch + 1
    } else if let index = syllables.firstIndex(where: { $0.position == next }) {
      dropped = index
    }
  }
}

extension TracedGroup.Syllable {
  var position: TracedGroup.Position { TracedGroup.Position(address: address, slot: slot) }

  /// Whether it is a branch, or a check, that may have led there.
  func leads(to target: TracedGroup.Position) -> Bool {
    switch instruction.operation {
    case .brCond, .brlCond, .brCall, .brlCall, .brCloop, .brCtop, .brCexit, .brWtop, .brWexit, .checkS, .checkSFP,
      .checkA, .fchkf:
      target == TracedGroup.Position(address: address &+ UInt64(bitPattern: instruction.immediate), slot: 0)
    case .brCondIndirect, .brCallIndirect, .brRet, .brIA: target.slot == 0
    case .rfi: true
    default: false
    }
  }
}
