/// The published rules of dispersal, as far as they say how many cycles a pair of bundles takes.
///
/// Derived from the reservation tables of GCC's `itanium2.md`, with which KB98064 agrees. This is what the published column of the pair
/// table is made of; the model's own dispersal is written apart and knows nothing of it.
struct TemplateRules {
  /// The templates in the order of the published matrix.
  static let templates = ["mii", "mlx", "mmi", "mfi", "mmf", "mib", "mbb", "bbb", "mmb", "mfb"]

  /// What stands in the slots.
  enum Content: String, CaseIterable {
    /// Only nops: they take ports of their units.
    case nops
    /// Integer ALU instructions in M and I, multiply-adds in F, `movl` in LX, nops in B.
    case alu
    /// As `alu`, with branches in B that are not taken.
    case branches
  }

  let first: String
  let second: String
  let content: Content

  /// Cycles of a pair with a stop behind it; nil where what is known of real silicon says nothing.
  var cycles: Double? {
    // A bundle with more than one branch slot ends the cycle, whatever is in it.
    if first == "mbb" || first == "bbb" { return 2 }
    // So does one with a branch in its last slot, unless that is a nop.
    if first.hasSuffix("b"), content == .branches { return 2 }
    if first.hasSuffix("b"), second == "bbb" { return 2 }
    if first == "mii", second == "mlx" { return 2 }
    // Two branch slots that both want B0: the tables split them, the silicon is not known to.
    if first.hasSuffix("b"), second.hasSuffix("b"), second != "mbb", content != .branches { return nil }
    // Two I ports; a third I syllable needs an M port, which only ALU instructions may take.
    if integerSyllables > 2 {
      if content == .nops { return 2 }
      if memorySyllables + integerSyllables - 2 > 4 { return 2 }
    }
    return 1
  }

  private var integerSyllables: Int { (first + second).count { $0 == "i" || $0 == "x" } }
  private var memorySyllables: Int { (first + second).count { $0 == "m" } }
}
