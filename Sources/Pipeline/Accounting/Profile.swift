import Processor

/// Cycles of the code at one address.
struct ProfileEntry {
  var address: UInt64 = 0
  var groups: UInt64 = 0
  var cycles: UInt64 = 0
}

/// A table of addresses with a fixed number of places; what finds none is counted as "elsewhere".
enum ProfileTable {
  static let count = 1 << 17

  @inline(__always) static func add(_ table: UnsafeMutablePointer<ProfileEntry>, _ address: UInt64, _ cycles: UInt64) {
    let name = address | 1
    var index = Int(truncatingIfNeeded: address &>> 4 &* 0x9E37_79B9_7F4A_7C15 &>> 40) & (count &- 2)
    for _ in 0..<16 {
      let entry = table + index
      if entry.pointee.address == 0 { entry.pointee.address = name }
      if entry.pointee.address == name {
        entry.pointee.groups &+= 1
        entry.pointee.cycles &+= cycles
        return
      }
      index = (index &+ 1) & (count &- 2)
    }
    table[count &- 1].groups &+= 1
    table[count &- 1].cycles &+= cycles
  }
}

extension UnsafeMutablePointer where Pointee == PipelineState {
  /// A profile, a trace or a performance counter wants this group.
  @inline(never) func observe(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ before: UInt64, _ t: UInt64) {
    if pointee.countsGroups { countGroup(group) }
    let address = block &+ UInt64(group.pointee.offset)
    if let profile = pointee.profile { ProfileTable.add(profile, address, t &- before) }
    pointee.owner._withUnsafeGuaranteedRef { $0.trace(group, address, from: before, to: t) }
  }
}
