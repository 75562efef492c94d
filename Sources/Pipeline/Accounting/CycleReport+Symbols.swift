/// A symbol that an address belongs to.
public struct SymbolName: Sendable {
  public var name: String
  /// Where it begins.
  public var address: UInt64

  public init(name: String, address: UInt64) {
    self.name = name
    self.address = address
  }
}

extension CycleReport {
  /// Symbols that a report has.
  public static let symbolCount = 40

  static func hottest(_ pipelines: [Pipeline], of cycles: UInt64, _ naming: ((UInt64) -> SymbolName?)?) -> [Symbol]? {
    let profiles = pipelines.compactMap(\.profile)
    guard !profiles.isEmpty else { return nil }
    var sums: [Place: (groups: UInt64, stall: CauseCounts)] = [:]
    func add(_ place: Place, _ groups: UInt64, _ causes: CauseCounts) {
      var sum = sums[place] ?? (0, CauseCounts())
      sum.groups &+= groups
      sum.stall += causes
      sums[place] = sum
    }
    for entry in profiles.lazy.flatMap(\.entries) {
      var causes = entry.causes
      if causes[.halted] != 0 {
        // Nobody's code: whatever woke the processor up is charged with it.
        var halted = CauseCounts()
        halted[.halted] = causes[.halted]
        causes[.halted] = 0
        add(.halted, 0, halted)
      }
      add(Place(entry, naming), entry.groups, causes)
    }
    // What came behind the last group that was looked at is in the total only.
    let known = sums.values.reduce(into: CauseCounts()) { $0 += $1.stall }
    var rest = CauseCounts()
    for pipeline in pipelines {
      for level in 0..<4 { for cause in Cause.allCases { rest[cause] &+= pipeline.cycles(of: cause, level: level) } }
    }
    for cause in Cause.allCases { rest[cause] &-= known[cause] }
    if rest.total != 0 { add(rest[.halted] == rest.total ? .halted : .elsewhere, 0, rest) }
    let symbols = sums.map { place, sum in
      Symbol(
        name: place.name, address: place.address.map { "0x" + String($0, radix: 16) }, cycles: sum.stall.total,
        share: cycles == 0 ? 0 : Double(sum.stall.total) / Double(cycles), groups: sum.groups, stall: sum.stall)
    }
    func rank(_ symbol: Symbol) -> (UInt64, String, String) { (~symbol.cycles, symbol.name, symbol.address ?? "") }
    return Array(symbols.sorted { rank($0) < rank($1) }.prefix(symbolCount))
  }

  /// What cycles are summed up by.
  private enum Place: Hashable {
    case symbol(String, UInt64)
    /// 4 KB of code without symbols.
    case page(UInt64, isPhysical: Bool)
    case halted
    /// Code that the profile had no place for.
    case elsewhere

    init(_ entry: Profile.Entry, _ naming: ((UInt64) -> SymbolName?)?) {
      guard let address = entry.address else {
        self = .elsewhere
        return
      }
      // Symbols are virtual addresses.
      if !entry.isPhysical, let symbol = naming?(address) {
        self = .symbol(symbol.name, symbol.address)
      } else {
        self = .page(address & ~0xFFF, isPhysical: entry.isPhysical)
      }
    }

    var name: String {
      switch self {
      case .symbol(let name, _): name
      case .page(_, let isPhysical): isPhysical ? "[physical page]" : "[page]"
      case .halted: "[halted]"
      case .elsewhere: "[elsewhere]"
      }
    }
    var address: UInt64? {
      switch self {
      case .symbol(_, let address), .page(let address, _): address
      case .halted, .elsewhere: nil
      }
    }
  }
}
