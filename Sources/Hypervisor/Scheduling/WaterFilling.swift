/// Shares out an amount by weights, nobody getting more than its limit: what one leaves goes to the others, again by weights.
struct WaterFilling {
  struct Claim {
    var weight: UInt64
    var limit: UInt64
  }

  /// What those below their limit get for each unit of weight, as a fraction.
  struct Level {
    var amount: UInt64
    var weight: UInt64
  }

  /// In the order of the claims, rounded down.
  private(set) var shares: [UInt64]
  /// nil: there is enough for everybody.
  private(set) var level: Level?

  /// Weights are positive; neither they nor limits have sums that overflow.
  init(_ total: UInt64, _ claims: [Claim]) {
    shares = claims.map(\.limit)
    guard shares.reduce(0, +) > total else { return }
    // Whoever reaches its limit at the lowest level comes first; equals in the order of claims.
    let order = claims.indices.sorted { a, b in
      let left = claims[a].limit.multipliedFullWidth(by: claims[b].weight)
      let right = claims[b].limit.multipliedFullWidth(by: claims[a].weight)
      return (left.high, left.low, a) < (right.high, right.low, b)
    }
    var rest = Level(amount: total, weight: claims.reduce(0) { $0 + $1.weight })
    for i in order {
      let share = claims[i].weight.scaled(by: rest.amount, over: rest.weight)
      if level == nil, share >= claims[i].limit {
        rest.amount -= claims[i].limit
        rest.weight -= claims[i].weight
      } else {
        level = rest
        shares[i] = share
      }
    }
  }
}
