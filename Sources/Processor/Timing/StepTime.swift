/// Time of instructions that are stepped one by one.
///
/// They are planned like a block that begins with the first of them, and each group is announced when its first instruction comes, so that
/// stepping takes the time that running takes, but for the seams.
struct StepPlan {
  /// Physical address of the planned bundles, and what is left of the groups.
  var physical: UInt64 = .max
  var next: UnsafeRawPointer?
  var end: UnsafeRawPointer?
  /// Positions that the last announced group covers.
  var from = 0
  var to = 0
  /// Plans are made in two places by turns: the model still looks at the last group of the plan before.
  var second = false
  static let bufferSize = 1 << 14
}

extension LogicalProcessor {
  /// Bundles that are planned at a time.
  private static let plannedBundles = 8

  @inline(never) func stepTime(_ host: UnsafeRawPointer, _ physical: UInt64, _ ip: UInt64, _ slot: Int) {
    guard let timing = engine.pointee.timing else { return }
    let bundle = physical &- stepPlan.physical
    if bundle < UInt64(Self.plannedBundles * 16) {
      let position = Int(bundle / 16) * 3 + slot
      // Still in the group, and further on than before: a loop back to its beginning is a new group.
      if position > stepPlan.from && position < stepPlan.to {
        stepPlan.from = position
        return
      }
      if let next = stepPlan.next, let end = stepPlan.end, next < end {
        let header = next.load(as: IssueGroupHeader.self)
        if Int(header.start) == position { return announce(next, header, timing, ip &- bundle) }
      }
    }
    let bundles = min(Self.plannedBundles, Int(256 - (physical >> 4 & 0xFF)))
    stepPlan.second.toggle()
    let records = stepPlan.second ? stepBuffer + StepPlan.bufferSize : stepBuffer
    let bytes = timing.plan(timing.context, host, physical, slot, bundles * 3, false, records, StepPlan.bufferSize)
    stepPlan.physical = physical
    stepPlan.next = UnsafeRawPointer(records)
    stepPlan.end = UnsafeRawPointer(records) + bytes
    guard bytes > 0 else { return }
    announce(UnsafeRawPointer(records), records.load(as: IssueGroupHeader.self), timing, ip)
  }

  private func announce(_ group: UnsafeRawPointer, _ header: IssueGroupHeader, _ timing: TimingModel, _ block: UInt64) {
    _ = header.issue(timing.context, group, block)
    stepPlan.next = group + Int(header.byteCount)
    stepPlan.from = Int(header.start)
    stepPlan.to = Int(header.end)
  }
}
