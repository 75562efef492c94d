/// GNTST_*: what a grant operation says about one element.
public enum GrantStatus: Int16, Error, Equatable, Sendable {
  case okay = 0
  case generalError = -1
  case badDomain = -2
  case badReference = -3
  case badHandle = -4
  case badAddress = -5
  case badDeviceAddress = -6
  case noSpace = -7
  case permissionDenied = -8
  case badPage = -9
  case badCopyArgument = -10
  case addressTooBig = -11
  case tryAgain = -12
}

/// One entry of a grant table, version 1.
struct GrantEntry: Equatable {
  var flags: UInt16
  var domain: UInt16
  /// The granting domain's number of the frame.
  var frame: UInt32

  static let size = 8
  static let perFrame = Int(FramePool.frameSize) / size

  enum Flags {
    static let type: UInt16 = 3
    static let permitAccess: UInt16 = 1
    static let acceptTransfer: UInt16 = 2
    static let readOnly: UInt16 = 1 << 2
    static let reading: UInt16 = 1 << 3
    static let writing: UInt16 = 1 << 4
    /// PWT, PCD and PAT: no page table here has them.
    static let cacheability: UInt16 = 7 << 5
    static let transferCommitted: UInt16 = 1 << 2
    static let transferCompleted: UInt16 = 1 << 3
  }
}

/// GNTMAP_*.
public struct GrantMapFlags: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static let device = GrantMapFlags(rawValue: 1)
  public static let host = GrantMapFlags(rawValue: 2)
  public static let readOnly = GrantMapFlags(rawValue: 4)
  public static let application = GrantMapFlags(rawValue: 8)
  public static let containsEntry = GrantMapFlags(rawValue: 0x10)
}

/// What was done, for reports.
public struct GrantStatistics: Equatable, Sendable {
  public var maps: UInt64 = 0
  public var unmaps: UInt64 = 0
  public var transfers: UInt64 = 0
  public var copies: UInt64 = 0
  public var copiedBytes: UInt64 = 0
  /// Operations that ended with another status than 0.
  public var refusals: UInt64 = 0
  public init() {}
}
