/// What each virtual processor was entitled to in one accounting period, in cycles.
///
/// Domains share the processors' time by weight, up to their caps and to what their virtual processors could have used. A domain's share
/// is split evenly among its virtual processors, again up to what each could have used. If affinities make that impossible, the
/// virtual processors that crowd a set of processors share that set by weight, and the others share the rest.
package struct FairShares {
  package struct Domain {
    var weight: UInt64
    /// The cap in cycles of this period; `UInt64.max` without one.
    package var limit: UInt64
    package var members: [Int]

    package init(weight: UInt64, limit: UInt64, members: [Int]) {
      (self.weight, self.limit, self.members) = (weight, limit, members)
    }
  }

  package struct Claimant {
    /// The time in which it wanted to run; not zero.
    package var demand: UInt64
    /// The existing processors that it may use; not empty.
    package var mask: UInt64

    package init(demand: UInt64, mask: UInt64) { (self.demand, self.mask) = (demand, mask) }
  }

  /// The contest in which each has less than it could use; nil for those who got all they could use, or all that their cap grants.
  /// Contests are separate if no chain of affinities connects their processors.
  private(set) var contest: [Int?]
  package private(set) var shares: [UInt64]
  /// What one unit of a domain's weight is worth; nil if there is enough for everybody.
  private(set) var level: WaterFilling.Level?

  private let domains: [Domain]
  private let claimants: [Claimant]
  private let processors: UInt64
  private let elapsed: UInt64

  /// - Parameters:
  ///   - domains: each with at least one member, a number of a claimant. Every claimant is member of one domain.
  ///   - processors: all of them.
  ///   - elapsed: the length of the period.
  package init(_ domains: [Domain], _ claimants: [Claimant], on processors: UInt64, for elapsed: UInt64) {
    self.domains = domains
    self.claimants = claimants
    self.processors = processors
    self.elapsed = elapsed
    shares = Array(repeating: 0, count: claimants.count)
    contest = Array(repeating: nil, count: claimants.count)

    let among = shareByWeight()
    guard claimants.contains(where: { $0.mask != processors }) else { return }
    let wanted = claimants.indices.map { (mask: claimants[$0].mask, amount: shares[$0]) }
    var flow = ProcessorFlow(wanted, each: elapsed)
    if flow.bottleneck() != nil { shareByPlace(among) }
    separateIslands()
  }

  private func total(_ members: [Int]) -> UInt64 { members.reduce(0) { $0 + claimants[$1].demand } }

  /// As if everybody could run everywhere. Returns what each domain gets.
  private mutating func shareByWeight() -> [UInt64] {
    let capacity = elapsed * UInt64(processors.nonzeroBitCount)
    let claims = domains.map { WaterFilling.Claim(weight: $0.weight, limit: min($0.limit, total($0.members))) }
    let among = WaterFilling(capacity, claims)
    level = among.level
    for (domain, amount) in zip(domains, among.shares) {
      let within = WaterFilling(amount, domain.members.map { WaterFilling.Claim(weight: 1, limit: claimants[$0].demand) })
      for (member, share) in zip(domain.members, within.shares) {
        shares[member] = share
        if share < claimants[member].demand, amount < domain.limit { contest[member] = 0 }
      }
    }
    return among.shares
  }

  private mutating func separateIslands() {
    var islands: [UInt64] = []
    for claimant in claimants {
      var island = claimant.mask
      islands.removeAll {
        guard $0 & island != 0 else { return false }
        island |= $0
        return true
      }
      islands.append(island)
    }
    for i in claimants.indices where contest[i] != nil { contest[i] = islands.firstIndex { $0 & claimants[i].mask != 0 } }
  }

  /// Raises everybody's share by weight until a set of processors is full, fixes the shares of those who can run only there, and goes on
  /// with the others on the remaining processors.
  private mutating func shareByPlace(_ among: [UInt64]) {
    var claims = claimants.map { WaterFilling.Claim(weight: 1, limit: $0.demand) }
    for (domain, amount) in zip(domains, among) where amount > 0 {
      for member in domain.members {
        // A domain's weight is split as its time would be if affinities did not matter. 16 bits more keep the fractions.
        claims[member].weight = max(1, (domain.weight << 16).scaled(by: shares[member], over: amount))
        if domain.limit < total(domain.members) {
          claims[member].limit = min(claimants[member].demand, shares[member].scaled(by: domain.limit, over: amount))
        }
      }
    }
    var left = Array(claimants.indices)
    var free = processors
    while !left.isEmpty {
      guard let crowd = crowd(left, claims, free) else {
        for i in left { (shares[i], contest[i]) = (claims[i].limit, nil) }
        return
      }
      for (i, share) in zip(crowd.members, crowd.filling.shares) {
        shares[i] = share
        contest[i] = share < claims[i].limit ? 0 : nil
      }
      free &= ~crowd.processors
      left.removeAll { claimants[$0].mask & free == 0 }
    }
  }

  private struct Crowd {
    var processors: UInt64
    var members: [Int]
    var filling: WaterFilling
  }

  /// The processors that are full at the lowest level, with those who can run only there; nil if everybody gets its limit.
  private func crowd(_ left: [Int], _ claims: [WaterFilling.Claim], _ free: UInt64) -> Crowd? {
    var wanted = left.map { (mask: claimants[$0].mask & free, amount: claims[$0].limit) }
    var found: Crowd?
    // Each round lowers the level to where one overfull set fits exactly. It ends: no set is overfull twice.
    while true {
      var flow = ProcessorFlow(wanted, each: elapsed)
      guard let full = flow.bottleneck() else { return found }
      let members = left.filter { claimants[$0].mask & free & ~full == 0 }
      let filling = WaterFilling(elapsed * UInt64(full.nonzeroBitCount), members.map { claims[$0] })
      guard let level = filling.level else { return found }
      for (n, i) in left.enumerated() {
        wanted[n].amount = min(claims[i].limit, claims[i].weight.scaled(by: level.amount, over: level.weight))
      }
      found = Crowd(processors: full, members: members, filling: filling)
    }
  }
}
