/// The layout of trace files. All numbers are little-endian.
///
/// A file is a header and blocks. The header: "EPICURE-TRACE\n", version (4 bytes), length of a JSON text (4 bytes), that text
/// (``TraceDescription``). A block: type (4 bytes), number of records (4 bytes), length (4 bytes), CRC-32 of its contents (4 bytes), contents.
///
/// Blocks of records stand by themselves: the differences below begin with zero in each, so a file that was cut off is readable to its last whole
/// block. A record is a byte for its kind, two for a mask of what follows, and what follows: numbers of 7 bits a byte, lowest first, bit 7: more.
/// Differences to the record before have the sign in bit 0.
enum TraceFormat {
  static let magic: [UInt8] = Array("EPICURE-TRACE\n".utf8)
  static let version: UInt32 = 1
  /// Larger descriptions and blocks are damage.
  static let largestDescription = 1 << 20
  static let largestBlock = 1 << 20

  enum BlockType {
    static let records: UInt32 = 0x5345_4345
    static let names: UInt32 = 0x454D_414E
    static let end: UInt32 = 0x2044_4E45
  }

  /// Bits of a record's mask.
  enum Field {
    static let place: UInt16 = 1 << 0
    static let cause: UInt16 = 1 << 1
    static let ip: UInt16 = 1 << 2
    static let detail: UInt16 = 1 << 3
    static let a: UInt16 = 1 << 4
    static let b: UInt16 = 1 << 5
    static let c: UInt16 = 1 << 6
    static let cost: UInt16 = 1 << 7
    static let all: UInt16 = 0xFF
  }

  /// No record is longer.
  static let largestRecord = 3 + 10 * 10
}

/// What a trace file says about the run at its head.
public struct TraceDescription: Sendable, Codable, Equatable {
  /// Cycles per second.
  public var frequency: UInt64
  /// "functional", "cycle".
  public var timing: String
  /// "none", "hvm", "pv", "serve".
  public var virtualization: String
  public var processors: Int
  /// What was booted.
  public var kernel: String?
  /// What has the names of its functions, if that was told.
  public var symbols: String?
  public var domains: [Domain]

  public struct Domain: Sendable, Codable, Equatable {
    public var number: UInt16
    public var name: String
    public init(number: UInt16, name: String) { (self.number, self.name) = (number, name) }
  }

  public init(
    frequency: UInt64, timing: String, virtualization: String, processors: Int, kernel: String?, symbols: String? = nil,
    domains: [Domain]
  ) {
    (self.frequency, self.timing, self.virtualization) = (frequency, timing, virtualization)
    (self.processors, self.kernel, self.symbols, self.domains) = (processors, kernel, symbols, domains)
  }
}

/// What numbers in records stand for.
public enum TraceName: Sendable, Equatable {
  /// A device of ``TraceRecord/device``.
  case device(UInt64, String)
  /// The register at a guest-physical address.
  case register(UInt64, String)
  /// A domain that came later.
  case domain(UInt64, String)
}
