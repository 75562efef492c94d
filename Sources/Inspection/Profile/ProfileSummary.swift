/// A profile summed up by function or by bundle.
public struct ProfileSummary: Sendable, Encodable {
  public enum Grouping: String, Sendable, CaseIterable { case symbol, bundle }

  public struct Row: Sendable, Encodable {
    public var name: String
    public var address: String?
    public var count: UInt64
    public var cycles: UInt64
    public var events: UInt64
    /// Of the profile's measure, in percent.
    public var share: Double
    /// Cycles by cause, the largest first, issue left out.
    public var waits: [Wait]
  }
  public struct Wait: Sendable, Encodable {
    public var cause: String
    public var cycles: UInt64
  }

  /// What rows are ranked by: cycles, events, samples.
  public var measure: String
  public var total: UInt64
  public var rows: [Row]

  public init(_ profile: ProfileDocument, by grouping: Grouping, symbols: SymbolTable?) {
    struct Place: Hashable {
      var name: String
      var address: UInt64?
    }
    func place(_ entry: ProfileDocument.Entry) -> Place {
      guard let address = entry.address else { return Place(name: "[elsewhere]") }
      // Symbols are virtual addresses.
      let symbol = entry.isPhysical ? nil : symbols?.symbol(of: address)
      if grouping == .bundle {
        return Place(name: entry.isPhysical ? "[physical]" : symbols?.name(of: address) ?? "", address: address)
      }
      return symbol.map { Place(name: $0.name, address: $0.address) }
        ?? Place(name: entry.isPhysical ? "[physical page]" : "[page]", address: address & ~0xFFF)
    }
    let rank: (UInt64, UInt64, UInt64) -> UInt64
    if profile.event != nil {
      (measure, rank) = (profile.event ?? "", { _, _, events in events })
    } else if profile.timing == "cycle" {
      (measure, rank) = ("cycles", { _, cycles, _ in cycles })
    } else {
      (measure, rank) = ("samples", { count, _, _ in count })
    }
    var sums: [Place: (count: UInt64, cycles: UInt64, events: UInt64, causes: [String: UInt64])] = [:]
    for entry in profile.entries {
      let key = place(entry)
      var sum = sums[key] ?? (0, 0, 0, [:])
      sum.count &+= entry.count
      sum.cycles &+= entry.cycles
      sum.events &+= entry.events
      sum.causes.merge(entry.causes, uniquingKeysWith: &+)
      sums[key] = sum
    }
    let all = sums.values.reduce(0) { $0 &+ rank($1.count, $1.cycles, $1.events) }
    total = all
    rows = sums.map { place, sum in
      let own = rank(sum.count, sum.cycles, sum.events)
      return Row(
        name: place.name, address: place.address.map(TraceText.hex), count: sum.count, cycles: sum.cycles, events: sum.events,
        share: all == 0 ? 0 : Double(own) / Double(all) * 100,
        waits: sum.causes.filter { $0.key != "issue" }.map { Wait(cause: $0.key, cycles: $0.value) }.sorted {
          ($1.cycles, $0.cause) < ($0.cycles, $1.cause)
        })
    }.sorted { a, b in
      let (x, y) = (rank(a.count, a.cycles, a.events), rank(b.count, b.cycles, b.events))
      return x != y ? x > y : (a.name, a.address ?? "") < (b.name, b.address ?? "")
    }
  }
}
