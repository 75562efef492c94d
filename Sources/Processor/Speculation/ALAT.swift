/// Advanced load address table (Volume 1, section 4.4.5; Volume 2, section 4.4.5.3): 32 entries as on the Itanium 2.
///
/// An entry names a physical register and the host address of the bytes it was loaded from; RAM has one host address however often it is
/// mapped, so aliases are caught. A store looks at `filter` first: one bit for each of 64 classes of 16-byte granules.
public struct ALAT: Sendable {
  public struct Entry: Sendable {
    /// Register tag: see `LogicalProcessor` `alatTag`; 0 is an empty entry.
    public var tag: UInt32 = 0
    public var size: UInt32 = 0
    public var address: UInt64 = 0
    public init() {}
  }
  public var entries: InlineArray<32, Entry> = InlineArray(repeating: Entry())
  public var filter: UInt64 = 0
  /// Next entry to replace when all are in use.
  public var victim: UInt32 = 0
  /// Bit n: entry n is in use. It is as its tag says.
  public var used: UInt32 = 0
  public init() {}
}
