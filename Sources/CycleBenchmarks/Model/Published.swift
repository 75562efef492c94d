/// A figure that others have published, or that follows from rules that they have.
public struct Published: Sendable {
  public var figure: Figure
  /// Short name of the source, as in ``Source``.
  public var source: String
  public var confidence: Confidence

  public init(_ figure: Figure, _ source: String, _ confidence: Confidence = .verified) {
    self.figure = figure
    self.source = source
    self.confidence = confidence
  }
}

/// How well a published figure is known.
public enum Confidence: String, Sendable {
  /// Read in the source.
  case verified = "V"
  /// Known from a primary document that was not at hand: high, medium.
  case high = "P-H"
  case medium = "P-M"
}

/// One number, or what is known where sources differ or give a bound only.
public enum Figure: Sendable, CustomStringConvertible {
  case exactly(Double)
  case between(Double, Double)
  case atLeast(Double)
  case atMost(Double)

  /// The admitted number nearest to `value`.
  public func nearest(_ value: Double) -> Double {
    switch self {
    case .exactly(let number): number
    case .between(let low, let high): min(max(value, low), high)
    case .atLeast(let low): max(value, low)
    case .atMost(let high): min(value, high)
    }
  }

  public var description: String {
    switch self {
    case .exactly(let number): Decimal.text(number)
    case .between(let low, let high): "\(Decimal.text(low))–\(Decimal.text(high))"
    case .atLeast(let low): "≥ \(Decimal.text(low))"
    case .atMost(let high): "≤ \(Decimal.text(high))"
    }
  }
}

/// The sources of published figures. Documentation/Cycles-table.md lists them below its table.
public enum Source {
  public static let all: [(name: String, title: String)] = [
    ("KAPI", "machine description of McKinley in Open64/ORC (`mckinley_knobsfile.knb`), reviewed by its design team"),
    ("GCC", "GCC 12, `config/ia64/itanium2.md`"),
    ("GMP", "GMP, `mpn/ia64`: measured cycles per limb on Itanium 2, scheduling notes"),
    ("LK", "Linux, `arch/ia64`: port and cycle comments in hand-scheduled code (D. Mosberger, HP Labs)"),
    ("OSSL", "OpenSSL, assembler modules for ia64: comments with measured cycles"),
    ("PFM", "libpfm4, event tables of Montecito"),
    ("ICC", "Intel compiler training pages, instruction scheduling for Itanium 2"),
    ("KB98064", "Intel knowledge base, dispersal on Itanium and Itanium 2"),
    ("CAL", "HP Caliper user guide"),
    ("7CPU", "7-cpu.com, Itanium 2: measured on an HP rx2600 (Madison 1.3 GHz)"),
    ("SGI", "notes on the Itanium 2 of an SGI Altix 350 (Waseda University)"),
    ("SDM", "Intel Itanium Architecture Software Developer's Manual, revision 2.3"),
    ("251110", "Intel Itanium 2 Processor Reference Manual for Software Development and Optimization (251110-003)"),
    ("MICRO05", "McNairy and Bhatia, Montecito: a dual-core, dual-thread Itanium processor, IEEE Micro 2005"),
    ("FSB", "front-side bus of the 9000 series: 128 bits, 533 million transfers a second"),
  ]
}

/// The cores that differ in what is published.
public enum Core: String, Sendable, CaseIterable {
  case mckinley, madison, montecito

  /// The core that a machine description is about, by its name; one's own descriptions count as Montecito unless they say otherwise.
  public init(machine: String) {
    let name = machine.split(separator: "/").last.map { $0.lowercased() } ?? ""
    self = Self.allCases.first { name.hasPrefix($0.rawValue) } ?? .montecito
  }
}
