/// Whether demands fit on processors of which each demand may use only some: a maximum flow from demands to processors.
package struct ProcessorFlow {
  private struct Group {
    var mask: UInt64
    var unmet: UInt64
    /// How much each processor gives it.
    var flow = [UInt64](repeating: 0, count: 64)
  }

  private var groups: [Group] = []
  private var spare: [UInt64]

  /// Demands with the same mask are one group. No mask is empty.
  package init(_ demands: some Sequence<(mask: UInt64, amount: UInt64)>, each capacity: UInt64) {
    spare = Array(repeating: capacity, count: 64)
    var places: [UInt64: Int] = [:]
    for demand in demands {
      if let place = places[demand.mask] {
        groups[place].unmet += demand.amount
      } else {
        places[demand.mask] = groups.count
        groups.append(Group(mask: demand.mask, unmet: demand.amount))
      }
    }
    // Those with the fewest choices first: most flows need no correction then.
    groups.sort { ($0.mask.nonzeroBitCount, $0.mask) < ($1.mask.nonzeroBitCount, $1.mask) }
    for g in groups.indices {
      for cpu in ProcessorNumbers(groups[g].mask) where groups[g].unmet > 0 { give(cpu, to: g, min(groups[g].unmet, spare[cpu])) }
    }
  }

  /// Processors whose users want more than there is; nil if all demands fit.
  package mutating func bottleneck() -> UInt64? {
    for g in groups.indices {
      while groups[g].unmet > 0 {
        if let full = augment(from: g) { return full }
      }
    }
    return nil
  }

  private mutating func give(_ cpu: Int, to g: Int, _ amount: UInt64) {
    groups[g].flow[cpu] += amount
    groups[g].unmet -= amount
    spare[cpu] -= amount
  }

  /// Finds the shortest way on which others can move aside for group `source`. If there is none, every processor that could be reached is
  /// full, with nothing but demands that must run there: they are the answer.
  private mutating func augment(from source: Int) -> UInt64? {
    var reached: UInt64 = 0
    var seen = [Bool](repeating: false, count: groups.count)
    seen[source] = true
    // Which group reached a processor, and over which of its processors a group was reached.
    var user = [Int](repeating: source, count: 64)
    var way = [Int?](repeating: nil, count: groups.count)
    var front = [source]
    while !front.isEmpty {
      var next: [Int] = []
      for g in front {
        for cpu in ProcessorNumbers(groups[g].mask & ~reached) {
          reached |= 1 << UInt64(cpu)
          user[cpu] = g
          if spare[cpu] > 0 {
            push(to: cpu, user, way)
            return nil
          }
          for other in groups.indices where !seen[other] && groups[other].flow[cpu] > 0 {
            seen[other] = true
            way[other] = cpu
            next.append(other)
          }
        }
      }
      front = next
    }
    return reached
  }

  private mutating func push(to end: Int, _ user: [Int], _ way: [Int?]) {
    // As much as the narrowest place lets through: the spare time, what each one on the way can move, and what is wanted.
    var amount = spare[end]
    var g = user[end]
    while let cpu = way[g] {
      amount = min(amount, groups[g].flow[cpu])
      g = user[cpu]
    }
    amount = min(amount, groups[g].unmet)

    spare[end] -= amount
    var cpu = end
    g = user[end]
    groups[g].flow[cpu] += amount
    while let from = way[g] {
      groups[g].flow[from] -= amount
      cpu = from
      g = user[cpu]
      groups[g].flow[cpu] += amount
    }
    groups[g].unmet -= amount
  }
}
