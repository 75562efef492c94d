/// Settles what was run since the last accounting with what everybody was entitled to.
extension CreditScheduler {
  /// Virtual processors that ran or wanted to run: Xen's active list, with the time for which each was on it.
  private struct Demand {
    var v: Int
    var time: UInt64
  }

  /// Returns the processors that must reschedule now.
  mutating func account() -> ProcessorMask {
    // The bound keeps sums over 4096 virtual processors within 64 bits, whatever times a caller makes up.
    let elapsed = min(clock - lastAccounting, 1 << 50)
    lastAccounting = clock
    let demands = collectDemands(elapsed)
    let (domains, members) = claims(demands, elapsed)
    let claimants = demands.map { FairShares.Claimant(demand: $0.time, mask: allowed($0.v)) }
    let fair = FairShares(domains, claimants, on: allProcessors, for: elapsed)

    // What it ran has been charged while it ran.
    for (demand, share) in zip(demands, fair.shares) {
      vcpus[demand.v].credit = vcpus[demand.v].credit.addingSaturated(Int64(clamping: share))
    }
    balance(demands, fair)
    forgiveSleepers(demands, fair, members, elapsed)
    limit(demands, elapsed)
    ration(demands, domains, elapsed)
    return reorder()
  }

  private mutating func collectDemands(_ elapsed: UInt64) -> [Demand] {
    var demands: [Demand] = []
    for v in vcpus.indices where vcpus[v].serial != 0 {
      settle(v)
      let running = vcpus[v].times.running - vcpus[v].settledTimes.running
      let waiting = vcpus[v].times.runnable - vcpus[v].settledTimes.runnable
      vcpus[v].settledTimes = vcpus[v].times
      let time = min(elapsed, running.addingSaturated(waiting))
      if time > 0 { demands.append(Demand(v: v, time: time)) }
    }
    return demands
  }

  /// The domains with demands, and the number of virtual processors with demands in each domain.
  private func claims(_ demands: [Demand], _ elapsed: UInt64) -> ([FairShares.Domain], members: [Int]) {
    var places = [Int?](repeating: nil, count: domains.count)
    var members = [Int](repeating: 0, count: domains.count)
    var claims: [FairShares.Domain] = []
    for (n, demand) in demands.enumerated() {
      let domain = vcpus[demand.v].domain
      members[domain] += 1
      if let place = places[domain] {
        claims[place].members.append(n)
      } else {
        places[domain] = claims.count
        let cap = domains[domain].cap
        let limit = cap == 0 ? .max : elapsed.scaled(by: UInt64(cap), over: 100)
        claims.append(FairShares.Domain(weight: UInt64(domains[domain].weight), limit: limit, members: [n]))
      }
    }
    return (claims, members)
  }

  /// Among those who compete, credits must sum to zero: what one has too little, the others have too much. The sum changes when one of
  /// them leaves or gives up credit; they share the difference as they shared the time (3.1: the balance). This is for whole islands of
  /// processors: a crowd on some of them keeps what it has to get from those who can leave.
  private mutating func balance(_ demands: [Demand], _ fair: FairShares) {
    let contests = (fair.contest.compactMap { $0 }.max() ?? -1) + 1
    var sums = [(credit: Int64, share: UInt64)](repeating: (0, 0), count: contests)
    for (n, demand) in demands.enumerated() {
      guard let contest = fair.contest[n] else { continue }
      sums[contest].credit = sums[contest].credit.addingSaturated(vcpus[demand.v].credit)
      sums[contest].share += fair.shares[n]
    }
    for (n, demand) in demands.enumerated() {
      guard let contest = fair.contest[n], sums[contest].share > 0 else { continue }
      let sum = sums[contest]
      let part = Int64(clamping: sum.credit.magnitude.scaled(by: fair.shares[n], over: sum.share))
      let credit = vcpus[demand.v].credit
      vcpus[demand.v].credit = sum.credit < 0 ? credit.addingSaturated(part) : credit.subtractingSaturated(part)
    }
  }

  /// Whoever owes, and now sleeps more than its fair share would require, pays with what it leaves to the others.
  private mutating func forgiveSleepers(_ demands: [Demand], _ fair: FairShares, _ members: [Int], _ elapsed: UInt64) {
    var used = [(time: UInt64, share: UInt64)](repeating: (0, 0), count: vcpus.count)
    for (n, demand) in demands.enumerated() {
      used[demand.v] = fair.contest[n] == nil ? (demand.time, fair.shares[n]) : (elapsed, elapsed)
    }
    for v in vcpus.indices where vcpus[v].serial != 0 && vcpus[v].credit < 0 && used[v].time < elapsed {
      let domain = domains[vcpus[v].domain]
      let siblings = UInt64(max(1, members[vcpus[v].domain]))
      var entitled = elapsed
      if let level = fair.level {
        entitled = min(entitled, UInt64(domain.weight).scaled(by: level.amount, over: level.weight) / siblings)
      }
      if domain.cap != 0 { entitled = min(entitled, elapsed.scaled(by: UInt64(domain.cap), over: 100) / siblings) }
      forgive(v, min(elapsed - used[v].time, entitled - min(entitled, used[v].share)))
    }
  }

  private mutating func limit(_ demands: [Demand], _ elapsed: UInt64) {
    let most = Int64(period)
    for demand in demands {
      let v = demand.v
      // One that sleeps does not need what it has saved up; one that waits all the time does.
      if vcpus[v].credit > most, demand.time < elapsed { vcpus[v].credit = 0 }
      vcpus[v].credit = max(vcpus[v].credit, -10 * most)
    }
  }

  /// Grants capped domains what they may run until the next accounting. A cap is shared out by what each virtual processor could have
  /// used; what none has used goes to those who slept, until they have one period's worth.
  private mutating func ration(_ demands: [Demand], _ claims: [FairShares.Domain], _ elapsed: UInt64) {
    for claim in claims where claim.limit != .max {
      let grants = WaterFilling(claim.limit, claim.members.map { WaterFilling.Claim(weight: 1, limit: demands[$0].time) }).shares
      for (n, grant) in zip(claim.members, grants) { refill(demands[n].v, grant, upTo: 2 * Int64(period)) }
    }
    for domain in domains.indices where domains[domain].id != nil && domains[domain].cap != 0 {
      let all = members(domain)
      let wanted = demands.reduce(0) { vcpus[$1.v].domain == domain ? $0 + $1.time : $0 }
      let limit = elapsed.scaled(by: UInt64(domains[domain].cap), over: 100)
      guard wanted < limit else { continue }
      for v in all { refill(v, (limit - wanted) / UInt64(all.count), upTo: ration(domain, members: all.count)) }
    }
  }

  /// Gives everybody the priority of its credit, and parks and unparks.
  private mutating func reorder() -> ProcessorMask {
    var mask: ProcessorMask = 0
    var released: [Int] = []
    for v in vcpus.indices where vcpus[v].serial != 0 {
      // One that has just woken up keeps its right of way until it has run.
      let isBoosted = vcpus[v].state == .runnable && vcpus[v].priority == .boost && vcpus[v].credit >= 0
      if !isBoosted { vcpus[v].priority = vcpus[v].earnedPriority }
      if vcpus[v].isParked {
        if !vcpus[v].isExhausted { released.append(v) }
      } else if vcpus[v].isExhausted {
        if vcpus[v].state == .running { mask |= bit(vcpus[v].processor) }
        if vcpus[v].state == .runnable { park(v) }
      }
    }
    sortQueues()
    return released.reduce(mask) { $0 | unpark($1) }
  }
}
