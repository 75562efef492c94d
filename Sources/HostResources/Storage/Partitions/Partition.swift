/// A part of a medium that a partition table or a boot catalog names.
public struct Partition: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// Serial number of the disk, type of the partition.
    case mbr(signature: UInt32, type: UInt8)
    /// GUIDs of type and partition, as they lie on the disk.
    case gpt(type: [UInt8], identifier: [UInt8])
    /// El Torito: entry of the boot catalog, its platform.
    case bootImage(platform: UInt8)
  }
  public var kind: Kind
  /// Number as the tables count: from 1; El Torito: 0 is the initial entry.
  public var number: UInt32
  /// In the medium's own blocks.
  public var start: UInt64
  public var count: UInt64
  /// Bytes of one of those blocks.
  public var blockSize: Int

  public func range(of medium: MediumRange) -> MediumRange {
    medium.part(offset: start * UInt64(blockSize), size: count * UInt64(blockSize))
  }

  /// What the medium's tables name: GPT, else MBR; on CDs the boot catalog. Damaged tables name nothing.
  public static func all(on medium: MediumRange, blockSize: Int) -> [Partition] {
    let catalog = ElTorito.entries(on: medium)
    if !catalog.isEmpty { return catalog }
    return blockSize == 512 ? inTable(of: medium) : []
  }

  /// What a disk's partition table names: GPT, else MBR with the logical ones of an extended partition.
  static func inTable(of medium: MediumRange) -> [Partition] { GPT.read(medium) ?? MBR.read(medium) }
}
