#if canImport(Glibc)
  import Glibc
#endif

/// What the translator does beyond one micro-operation for each instruction. None changes what a program does; each can be left out, to be
/// compared with the rest and to see what it is worth.
public struct Specialisations: OptionSet, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// nops and hints vanish.
  public static let nops = Specialisations(rawValue: 1)
  /// Compares are fused with the branches behind them, references with the immediate updates of their bases.
  public static let pairs = Specialisations(rawValue: 2)
  /// Instructions in a row under the same predicate are skipped together.
  public static let predicates = Specialisations(rawValue: 4)
  /// Direct branches inside a page remember the block that they lead to.
  public static let links = Specialisations(rawValue: 8)
  /// A linked branch goes past the check of the frame where its own block has passed one that is as strict.
  public static let frames = Specialisations(rawValue: 16)
  /// Floating-point references and multiply-adds of the usual kind have micro-operations of their own.
  public static let floatingPoint = Specialisations(rawValue: 32)
  /// With a timing model: groups that only compute are announced with the next one, and what a group did is remembered (the model's business).
  public static let transitions = Specialisations(rawValue: 64)
  /// Doubles are kept and multiplied as the host has them, where it has the instruction; among the micro-operations of `floatingPoint`.
  public static let hostArithmetic = Specialisations(rawValue: 128)
  /// The steps by which programs divide are one division of the host's, where it gives the same; for doubles among `hostArithmetic`.
  public static let divisions = Specialisations(rawValue: 256)

  /// All, but those that the variable EPICURE_WITHOUT names: so every test can be run without one.
  public static let standard: Specialisations = {
    var standard = all
    guard let names = getenv("EPICURE_WITHOUT") else { return standard }
    for name in String(cString: names).split(separator: ",") {
      guard let value = named.first(where: { $0.name == name })?.value else {
        preconditionFailure("EPICURE_WITHOUT: \(name) is none of \(named.map(\.name).joined(separator: ", "))")
      }
      standard.subtract(value)
    }
    return standard
  }()

  /// What the engine can do.
  public static let all: Specialisations = [
    .nops, .pairs, .predicates, .links, .frames, .floatingPoint, .transitions, .hostArithmetic, .divisions,
  ]
  /// By name, for those who choose.
  public static let named: [(name: String, value: Specialisations)] = [
    ("nops", .nops), ("pairs", .pairs), ("predicates", .predicates), ("links", .links), ("frames", .frames),
    ("floating-point", .floatingPoint), ("transitions", .transitions), ("host-arithmetic", .hostArithmetic),
    ("divisions", .divisions),
  ]

  /// Whether doubles are the host's business.
  var computesOnHost: Bool { isSuperset(of: [.floatingPoint, .hostArithmetic]) && HostMultiplyAdd.isAvailable }
}

extension LogicalProcessor {
  /// Those that blocks are translated with, by all processors of this one's memory. To be set while none of them runs.
  public var specialisations: Specialisations {
    get { domain.specialisations }
    set {
      domain.specialisations = newValue
      emptyBlocks()
      codeMapChanged()
    }
  }
}
